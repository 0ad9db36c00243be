// Attributes by region, as bars: those that are there first, the others folded. Pressed, a name says what it means.

import { bar, make, percent, words } from "./dom.js";

let explained = 0;

/** Return an attribute's name, and what it means: described to who listens, and shown where the name is pressed. */
function named(model, name) {
  const meaning = model.meanings[name];
  if (!meaning) return [make("span", {}, words(name)), null];
  const shown = make("p", { id: `meaning-${++explained}`, className: "meaning", hidden: true }, meaning);
  const button = make("button", {
    type: "button", className: "name", "aria-expanded": "false", "aria-describedby": shown.id,
    onclick: () => { shown.hidden = !shown.hidden; button.setAttribute("aria-expanded", String(!shown.hidden)); },
  }, words(name));
  return [button, shown];
}

/** Return a list of one region's attributes. */
function list(model, names, probabilities, thresholds) {
  return make(
    "ul",
    { className: "bars" },
    ...names.map((name) => {
      const [label, meaning] = named(model, name);
      return make(
        "li",
        { className: probabilities[name] >= thresholds[name] ? "present" : "absent" },
        label,
        bar(probabilities[name]),
        make("span", { className: "number" }, percent(probabilities[name])),
        meaning,
      );
    }),
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
