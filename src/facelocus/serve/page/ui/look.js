// Pictures that are dropped, pasted or chosen: sent one by one, shown with their faces.

import { byId, make } from "./dom.js";
import { describe } from "./face.js";

const pictures = [];
let model = null;
let analyze = null;
let shown = null;

/** Make the section work: `card` is the model's, `look` describes a file. */
export function start(card, look) {
  model = card;
  analyze = look;
  const drop = byId("drop");
  byId("files").addEventListener("change", (event) => { take(event.target.files); event.target.value = ""; });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files);
    });
  }
  document.addEventListener("paste", (event) => take(event.clipboardData.files));
}

/** Look at files, in their order; what is no picture the server says. */
async function take(files) {
  const added = [...files].map((file) => ({ file, url: URL.createObjectURL(file), faces: [], error: null, done: false }));
  if (!added.length) return;
  byId("to-look").click();
  byId("drop").classList.add("small");
  pictures.push(...added);
  strip();
  for (const [k, picture] of added.entries()) {
    byId("busy").textContent = `Looking at ${picture.file.name || "the picture"} …`;
    await look(picture);
    strip(shown);
    if (k === 0) await show(picture);
  }
  byId("busy").textContent = "";
}

/** Show how much of the networks was fetched, in bytes; `total` is null where the host does not say. */
export function loading(loaded, total) {
  const done = loaded === total;
  byId("loading").hidden = done;
  const bar = byId("fetched");
  if (total === null) bar.removeAttribute("value");
  else Object.assign(bar, { value: loaded, max: total });
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  byId("bytes").textContent = `${megabytes(loaded)} ${total === null ? "" : `of ${megabytes(total)} `}MB of the networks`;
}

async function look(picture) {
  try {
    Object.assign(picture, await analyze(picture.file));
    picture.url = await upright(picture);
  } catch (error) {
    picture.error = { message: error.message };
  }
  byId("loading").hidden = true;
  picture.done = true;
}

/** Return the address of a picture as it stands upright; browsers turn all but WebP themselves. */
async function upright({ file, url }) {
  if (file.type !== "image/webp") return url;
  const { turned } = await import("../local/webp.js");
  const canvas = await turned(file, await file.arrayBuffer()).catch(() => null);
  if (!canvas) return url;
  URL.revokeObjectURL(url);
  return URL.createObjectURL(await canvas.convertToBlob({ type: "image/webp", quality: 0.95 }));
}

/** Show all pictures as a strip where there are several. */
function strip(current = null) {
  const list = byId("pictures");
  list.hidden = pictures.length < 2;
  const focused = [...list.querySelectorAll("button")].indexOf(document.activeElement);
  list.replaceChildren(...pictures.map((picture, k) => {
    const count = !picture.done ? "…" : picture.error ? "!" : String(picture.faces.length);
    const name = `${picture.file.name || `picture ${k + 1}`}, ${picture.error ? "cannot be read" : `${count} faces`}`;
    return make("li", {}, make("button", {
      type: "button", "aria-label": name, "aria-current": String(picture === current), onclick: () => show(picture),
    }, make("img", { src: picture.url, alt: "" }), make("span", { className: "mark", "aria-hidden": "true" }, count)));
  }));
  list.querySelectorAll("button")[focused]?.focus({ preventScroll: true });
}

/** Show one picture with its faces, the largest chosen. */
async function show(picture) {
  if (!picture.done) return;
  shown = picture;
  strip(picture);
  const trouble = byId("trouble");
  trouble.hidden = !picture.error;
  trouble.textContent = picture.error?.message ?? "";
  byId("picture").hidden = Boolean(picture.error);
  if (picture.error) return;
  const image = make("img", { src: picture.url, alt: picture.file.name || "The picture" });
  const visible = await image.decode().then(() => true, () => false);
  if (shown !== picture) return; // another was chosen meanwhile
  const boxes = picture.faces.map((face, k) => box(image, face, k));
  const choose = (k) => {
    boxes.forEach((each, at) => each.setAttribute("aria-pressed", String(at === k)));
    byId("face").replaceChildren(...describe(model, visible ? image : null, picture.faces[k]));
  };
  boxes.forEach((each, k) => {
    each.addEventListener("click", () => choose(k));
    each.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = (k + step + boxes.length) % boxes.length;
      boxes[next].focus();
      choose(next);
    });
  });
  byId("stage").replaceChildren(...(visible ? [image, ...boxes] : []));
  const count = picture.faces.length;
  if (!visible) byId("caption").textContent = "This browser cannot show the picture; the server can read it.";
  else byId("caption").textContent = count === 0 ? "No face was found." : count === 1 ? "One face." : `${count} faces: choose one.`;
  if (count) choose(0);
  else byId("face").replaceChildren();
}

/** Return the button that is a face's box, in percent of the picture. */
function box(image, face, k) {
  const [x0, y0, x1, y1] = face.box;
  const [wide, high] = [image.naturalWidth, image.naturalHeight];
  const button = make("button", { type: "button", "aria-label": `Face ${k + 1}`, "aria-pressed": "false" },
    make("span", { "aria-hidden": "true" }, String(k + 1)));
  const place = { left: x0 / wide, top: y0 / high, width: (x1 - x0) / wide, height: (y1 - y0) / high };
  for (const [side, share] of Object.entries(place)) button.style[side] = `${100 * share}%`;
  return button;
}
