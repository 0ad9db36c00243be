// One picture of the library, with what is known of its faces.

import { askJson } from "./api.js";
import { attributes } from "./attributes.js";
import { byId, make, percent } from "./dom.js";

/** Open the dialog about a picture that was found; `alike` searches for more like it. */
export async function detail(model, found, thumbnail, alike) {
  const dialog = byId("detail");
  const { faces } = await askJson(`pictures/${found.picture}`).catch(() => ({ faces: null }));
  if (!faces) {
    byId("trouble").textContent = `${found.name} is not in the library any more: search again.`;
    byId("trouble").hidden = false;
    return;
  }
  const about = make("div", {});
  const choose = (k) => {
    const face = faces[k];
    about.replaceChildren(attributes(model, face.attributes), make("p", { className: "trust" }, `Trust ${percent(face.trust)}.`));
  };
  const several = faces.length < 2 ? null : make("div", { className: "row" },
    ...faces.map((face, k) => make("button", { type: "button", onclick: () => choose(k) }, `Face ${face.face}`)));
  if (faces.length) choose(0);
  else about.append("No face was found in it.");
  dialog.replaceChildren(
    make("h2", { id: "detail-title" }, found.name),
    make("div", { className: "detail" },
      make("div", {},
        make("img", { src: thumbnail.src, alt: found.name }),
        make("div", { className: "row" },
          make("button", { type: "button", onclick: () => { dialog.close(); alike(); } }, "More like this"),
          make("button", { type: "button", onclick: () => dialog.close() }, "Close"))),
      make("div", {}, several, about)),
  );
  dialog.showModal();
}
