// What the library holds: the share of every attribute, with its interval.

import { askJson } from "./api.js";
import { bar, byId, make, percent, words } from "./dom.js";

/** Count, and draw. */
export async function show(model) {
  const { pictures, faces, attributes } = await askJson("summary");
  const corrected = attributes.some((row) => row.corrected);
  byId("holds").textContent = `${pictures.toLocaleString()} pictures with ${faces.toLocaleString()} faces. Shares of the faces with 95 % intervals`
    + (corrected ? ", corrected for how often the model is wrong; * where that cannot be." : ".");
  byId("shares").className = "shares";
  byId("shares").replaceChildren(...model.regions.map((region) => {
    const rows = attributes.filter((row) => model.region_of[row.name] === region).sort((one, other) => other.share - one.share);
    return make("div", { className: "region" }, make("h3", {}, region), make("ul", { className: "bars" }, ...rows.map(line)));
  }));
}

function line(row) {
  return make("li", {},
    make("span", {}, words(row.name) + (row.corrected ? "" : " *")),
    bar(row.share, [row.low, row.high]),
    make("span", { className: "number" }, `${percent(row.share)} `,
      make("span", { className: "interval" }, `(${Math.round(100 * row.low)} to ${Math.round(100 * row.high)})`)));
}
