// The library searched: what is understood is said while it is typed, parts are taken away and added, pictures found.

import { askJson } from "./api.js";
import { byId, make, words } from "./dom.js";
import { Results } from "./results.js";
import { suggest } from "./suggest.js";

// Milliseconds after the last key.
const PAUSE = 150;

let results = null;
let understanding = null;
let timer = 0;

/** Make the section work. */
export async function start(model) {
  results = new Results(model, search);
  const query = byId("query");
  byId("ask").addEventListener("submit", (event) => { event.preventDefault(); search({ q: query.value }); });
  query.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(understand, PAUSE); });
  const { attributes } = await askJson("words");
  for (const { name, words: phrases } of attributes) {
    byId("add").append(make("option", { value: phrases[0] }, words(name)));
    byId("order").append(make("option", { value: `by ${words(name).toLowerCase()}` }, `most ${words(name)}`));
  }
  suggest(query, attributes.flatMap(({ words: phrases }) => phrases).sort(), understand);
  byId("add").addEventListener("change", (event) => { change({ part: event.target.value }); event.target.value = ""; });
  byId("order").addEventListener("change", (event) => change({ order: event.target.value }));
}

/** Search for what is asked with one more part, or in another order; the server says which part is the order. */
async function change({ part = "", order = null }) {
  const text = byId("query").value.trim();
  let [asked, by] = [text, ""];
  if (text) {
    const told = await askJson(`understood?q=${encodeURIComponent(text)}`).catch(() => null);
    const last = told?.terms.at(-1);
    if (last?.text.startsWith("by ")) [asked, by] = [last.without, last.text];
  }
  put([[asked, part].filter(Boolean).join(", "), order ?? by].filter(Boolean).join("; "));
}

/** Write a query and search for it. */
function put(text) {
  byId("query").value = text;
  search({ q: text });
}

/** Say what the query means, and show its parts. */
async function understand() {
  const said = byId("understood");
  const text = byId("query").value.trim();
  understanding?.abort();
  understanding = new AbortController();
  said.classList.remove("wrong");
  if (!text) {
    said.textContent = "";
    byId("terms").replaceChildren();
    return;
  }
  try {
    const told = await askJson(`understood?q=${encodeURIComponent(text)}`, { signal: understanding.signal });
    said.textContent = `Understood: ${told.understood}`;
    byId("order").value = told.terms.map(({ text: part }) => part).find((part) => part.startsWith("by ")) ?? "";
    byId("terms").replaceChildren(...told.terms.map(({ text: part, without }) =>
      make("li", {}, make("button", { type: "button", "aria-label": `Leave out ${part}`, onclick: () => put(without) }, `${part} ×`))));
  } catch (error) {
    if (error.name === "AbortError") return;
    byId("terms").replaceChildren();
    said.textContent = error.message;
    said.classList.add("wrong");
  }
}

/** Find pictures: by words, or more like one. */
async function search(asked) {
  clearTimeout(timer);
  if (asked.like !== undefined) byId("query").value = "";
  understand();
  if (asked.like === undefined && !asked.q.trim()) results.clear();
  else await results.find(asked);
}
