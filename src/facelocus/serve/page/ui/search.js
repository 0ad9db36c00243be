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
    byId("order").append(make("option", { value: `by ${phrases[0]}` }, `most ${words(name)}`));
  }
  suggest(query, attributes.flatMap(({ words: phrases }) => phrases).sort(), understand);
  byId("add").addEventListener("change", (event) => { put(joined(query.value, event.target.value)); event.target.value = ""; });
  byId("order").addEventListener("change", (event) => put(ordered(query.value, event.target.value)));
}

/** Return a query with one more part, before what says its order. */
function joined(query, part) {
  const [asked, order] = split(query);
  return [[asked, part].filter(Boolean).join(", "), order].filter(Boolean).join("; ");
}

function ordered(query, order) {
  return [split(query)[0], order].filter(Boolean).join("; ");
}

/** Return what is asked, and the order that it is asked in. */
function split(query) {
  const found = query.match(/^(.*?)[\s;,]*\b(by [^,;]+)$/i);
  return found ? [found[1].trim(), found[2]] : [query.trim(), ""];
}

/** Write a query and search for it. */
function put(text) {
  byId("query").value = text;
  byId("order").value = split(text)[1];
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
    byId("terms").replaceChildren(...told.terms.map(({ text: part, without }) =>
      make("li", {}, make("button", { type: "button", "aria-label": `Leave out ${part}`, onclick: () => put(without) }, `${part} ×`))));
  } catch (error) {
    if (error.name === "AbortError") return;
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
