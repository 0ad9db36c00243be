// The page, put together.

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

try {
  const model = await askJson("model");
  byId("model").textContent = model.name === "default" ? "the model" : model.name;
  look.start(model);
  byId("to-look").addEventListener("click", () => open("look"));
  if (model.library) {
    byId("to-search").hidden = byId("to-summary").hidden = false;
    byId("to-search").addEventListener("click", () => { open("search"); byId("query").focus(); });
    byId("to-summary").addEventListener("click", async () => { open("summary"); await summary.show(model); });
    await search.start(model);
  }
} catch (error) {
  byId("trouble").textContent = error.message;
  byId("trouble").hidden = false;
}
