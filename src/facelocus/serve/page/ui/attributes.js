// Attributes by region, as bars: those that are there first, the others folded.

import { bar, make, percent, words } from "./dom.js";

/** Return a list of one region's attributes. */
function list(model, names, probabilities, thresholds) {
  return make(
    "ul",
    { className: "bars" },
    ...names.map((name) =>
      make(
        "li",
        { className: probabilities[name] >= thresholds[name] ? "present" : "absent", title: model.meanings[name] ?? "" },
        make("span", {}, words(name)),
        bar(probabilities[name]),
        make("span", { className: "number" }, percent(probabilities[name])),
      ),
    ),
  );
}

/** Return all regions of the model with the probabilities of one face. */
export function attributes(model, probabilities) {
  const thresholds = Object.fromEntries(model.attributes.map((name, a) => [name, model.thresholds.accuracy[a]]));
  const regions = model.regions.map((region) => {
    const names = model.attributes
      .filter((name) => model.region_of[name] === region)
      .sort((one, other) => probabilities[other] - probabilities[one]);
    const present = names.filter((name) => probabilities[name] >= thresholds[name]);
    const absent = names.filter((name) => probabilities[name] < thresholds[name]);
    const rest = absent.length
      ? make("details", {},
          make("summary", {}, `${absent.length} not seen`),
          list(model, absent, probabilities, thresholds))
      : null;
    return make("div", { className: "region" }, make("h3", {}, region), list(model, present, probabilities, thresholds), rest);
  });
  return make("div", { className: "regions" }, ...regions);
}
