// The page, put together.

import * as local from "../local/analyze.js";
import { askJson } from "./api.js";
import { byId } from "./dom.js";
import * as look from "./look.js";
import * as search from "./search.js";
import * as summary from "./summary.js";

const SECTIONS = ["look", "search", "summary"];

function open(section) {
  for (const each of SECTIONS) {
    byId(each).hidden = each !== section;
    if (each === section) byId(`to-${each}`).setAttribute("aria-current", "page");
    else byId(`to-${each}`).removeAttribute("aria-current");
  }
  byId("trouble").hidden = true;
}

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
  look.start(model ?? (await local.card()), (file) => (here.checked ? local.analyze(file) : sent(file)));
  byId("to-look").addEventListener("click", () => open("look"));
  if (model?.library) {
    byId("to-search").hidden = byId("to-summary").hidden = false;
    byId("to-search").addEventListener("click", () => { open("search"); byId("query").focus(); });
    byId("to-summary").addEventListener("click", async () => { open("summary"); await summary.show(model); });
    await search.start(model);
  }
} catch (error) {
  byId("trouble").textContent = error.message;
  byId("trouble").hidden = false;
}
