// The page, put together.

import * as local from "../local/analyze.js";
import { follow, go } from "./address.js";
import { askJson, headers } from "./api.js";
import { byId, fail } from "./dom.js";
import * as look from "./look.js";
import * as search from "./search.js";

const SECTIONS = ["look", "search", "summary"];

function open(section) {
  for (const each of SECTIONS) {
    byId(each).hidden = each !== section;
    if (each === section) byId(`to-${each}`).setAttribute("aria-current", "page");
    else byId(`to-${each}`).removeAttribute("aria-current");
  }
  byId("trouble").hidden = true;
}

/** Return a function that shows what the address asks for of a library. */
const showing = (model) => async (wanted, again) => {
  const searched = ["q", "like", "picture"].some((key) => key in wanted);
  const section = searched ? "search" : wanted.view === "summary" ? "summary" : "look";
  open(section);
  document.title = wanted.q ? `${wanted.q} · facelocus` : "facelocus";
  try {
    if (section === "summary") await (await import("./summary.js")).show(model);
    if (searched) await search.show(wanted, again);
    else byId("detail").close();
  } catch (error) {
    fail(error);
  }
};

/** Return what the server says of one picture. */
async function sent(file) {
  const form = new FormData();
  form.append("files", file, file.name || "pasted picture");
  return (await askJson("analyze?masks=true", { form })).pictures[0];
}

/** Return the server's model; null where files alone are shown, by whatever host. */
async function served() {
  if (new URLSearchParams(location.search).has("local")) return null;
  try {
    return await askJson("model");
  } catch (error) {
    // Hosts of files answer what is not there with 404, 403 or a page of their own.
    if (error.status === 404 || error.status === 403 || error instanceof SyntaxError) return null;
    throw error;
  }
}

try {
  const model = await served();
  const here = byId("here");
  here.checked = model === null;
  here.disabled = model === null;
  const inside = (file) => local.analyze(file, look.loading, headers());
  look.start(model ?? (await local.card(askJson)), (file) => (here.checked ? inside(file) : sent(file)));
  byId("to-look").addEventListener("click", () => (model?.library ? go({}) : open("look")));
  if (model?.library) {
    byId("to-search").hidden = byId("to-summary").hidden = false;
    byId("to-search").addEventListener("click", () => { go(search.found()); byId("query").focus(); });
    byId("to-summary").addEventListener("click", () => go({ view: "summary" }));
    await Promise.all([search.start(model), follow(showing(model))]);
  }
} catch (error) {
  fail(error);
}
