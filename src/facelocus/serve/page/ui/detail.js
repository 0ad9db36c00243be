// One picture of the library, with what is known of its faces.

import { asked, go, leave, note } from "./address.js";
import { ask, askJson } from "./api.js";
import { attributes } from "./attributes.js";
import { byId, make, percent } from "./dom.js";

const dialog = byId("detail");
dialog.addEventListener("close", () => {
  for (const image of dialog.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  leave();
});

/** Open the dialog about a picture by its id, at one of its faces. */
export async function detail(model, picture, face) {
  const path = encodeURIComponent(picture);
  const [{ name, faces }, thumbnail] = await Promise.all([
    askJson(`pictures/${path}`), ask(`thumbnails/${path}`).then((answer) => answer.blob())]);
  if (asked().picture !== picture) return;
  const about = make("div", {});
  const buttons = faces.map((each, k) => make("button", { type: "button", onclick: () => { choose(k); note(each.face); } }, `Face ${each.face}`));
  const choose = (k) => {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === k)));
    about.replaceChildren(attributes(model, faces[k].attributes), make("p", { className: "trust" }, `Trust ${percent(faces[k].trust)}.`));
  };
  if (faces.length) choose(Math.max(0, faces.findIndex((each) => String(each.face) === face)));
  else about.append("No face was found in it.");
  dialog.replaceChildren(
    make("h2", { id: "detail-title" }, name),
    make("div", { className: "detail" },
      make("div", {},
        make("img", { src: URL.createObjectURL(thumbnail), alt: name }),
        make("div", { className: "row" },
          make("button", { type: "button", onclick: () => go({ like: picture }) }, "More like this"),
          make("button", { type: "button", onclick: () => dialog.close() }, "Close"))),
      make("div", {}, buttons.length > 1 ? make("div", { className: "row" }, ...buttons) : null, about)),
  );
  if (!dialog.open) dialog.showModal();
}
