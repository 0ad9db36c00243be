// One face: what the network saw of it and where it looked, how far it can be trusted, and its attributes.

import { attributes } from "./attributes.js";
import { make, percent } from "./dom.js";
import { draw, drawScale } from "./heatmap.js";

// Kept while faces are chosen.
const chosen = { region: "", opacity: 0.6 };

/** Return what keeps a face from being trusted, in words. */
function doubts(quality) {
  const said = [];
  if (quality.size < 60) said.push(`the face is small (${Math.round(quality.size)} pixels)`);
  if (quality.sharpness < 0.4) said.push("it is blurred, or was enlarged");
  if (quality.noise > 12) said.push("it is grainy");
  if (quality.brightness < 0.15) said.push("it is dark");
  if (quality.clipped > 0.1) said.push("parts are burnt out");
  if (quality.inside !== null && quality.inside < 0.75) said.push("parts lie outside the picture");
  if (quality.yaw !== null && Math.abs(quality.yaw) > 35) said.push("it is turned to the side");
  if (quality.pitch !== null && Math.abs(quality.pitch) > 30) said.push("it is raised or lowered");
  return said;
}

function trust(quality) {
  const said = doubts(quality);
  const why = said.length ? `: ${said.join(", ")}` : "";
  return make("p", { className: "trust" }, `Trust ${percent(quality.trust)}${why}.`);
}

/** Return the canvas of the face with the choice of masks. */
function seen(model, image, face) {
  const canvas = make("canvas", { width: 356, height: 436, role: "img" });
  if (!face.masks) {
    draw(canvas, image, face, null, 0, model.seen);
    canvas.setAttribute("aria-label", "The face as the network saw it");
    return make("div", { className: "seen" }, canvas);
  }
  const colours = make("i", {});
  const range = make("span", {});
  const scale = make("div", { className: "scale" }, make("p", {}, "less", colours, "more"), range);
  const redraw = () => {
    const mask = face.masks.values[model.regions.indexOf(chosen.region)] ?? null;
    draw(canvas, image, face, mask, chosen.opacity, model.seen);
    range.textContent = drawScale(colours, mask, chosen.opacity);
    scale.hidden = !mask;
    const what = mask ? `Where the network looked for ${chosen.region}: ${range.textContent}` : "The face as the network saw it";
    canvas.setAttribute("aria-label", what);
  };
  const choice = (region, name) =>
    make("label", {},
      make("input", {
        type: "radio", name: "region", value: region, checked: region === chosen.region,
        onchange: () => { chosen.region = region; redraw(); },
      }), name);
  const slider = make("input", {
    type: "range", min: 0, max: 1, step: 0.05, value: chosen.opacity,
    oninput: () => { chosen.opacity = Number(slider.value); redraw(); },
  });
  redraw();
  return make("div", { className: "seen" }, canvas,
    make("fieldset", {}, make("legend", {}, "Where it looked for"),
      make("div", { className: "choices" }, choice("", "nothing"), ...model.regions.map((region) => choice(region, region))),
      make("label", { className: "opacity" }, "Opacity", slider),
      scale));
}

/** Return everything about one face of a picture; `image`: null where the browser cannot show it. */
export function describe(model, image, face) {
  return [
    make("div", { className: "card" }, image && seen(model, image, face), trust(face.quality)),
    make("div", { className: "card" }, attributes(model, face.attributes)),
  ];
}
