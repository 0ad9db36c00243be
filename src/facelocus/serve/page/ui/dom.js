// Elements, made and found.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** Say what went wrong, above everything. */
export function fail(error) {
  byId("trouble").textContent = error.message;
  byId("trouble").hidden = false;
}

/** Return an element with properties (`data` and `aria-...` as attributes) and children, strings among them. */
export function make(tag, properties = {}, ...children) {
  const element = tag === "svg" || tag === "rect" ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !(element instanceof SVGElement)) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return a bar from 0 to 1: all of it, an interval where there is one, the value. */
export function bar(value, interval = null) {
  const piece = (name, from, to) =>
    make("rect", { class: name, x: 100 * from, width: Math.max(0.5, 100 * (to - from)), y: 0, height: 10 });
  const drawn = make("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, piece("all", 0, 1));
  if (interval) drawn.append(piece("between", interval[0], interval[1]), piece("value", value - 0.004, value + 0.004));
  else drawn.append(piece("value", 0, value));
  return drawn;
}

export const words = (attribute) => attribute.replaceAll("_", " ");

export const percent = (value) => `${Math.round(100 * value)} %`;
