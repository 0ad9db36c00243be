// The library searched: what is understood is said while it is typed, parts are taken away and added, pictures found.

import { go } from "./address.js";
import { askJson } from "./api.js";
import { byId, make, words } from "./dom.js";
import { Results } from "./results.js";
import { suggest } from "./suggest.js";

// Milliseconds after the last key until it is asked what was typed, and until it is said what is wrong with it.
const [PAUSE, PATIENCE] = [150, 1000];

let model = null;
let results = null;
let understanding = null;
let timers = [];
// What is found at the moment, and whether it is known already what is wrong with what is typed.
let shown = { q: "" };
let refused = "";
let typing = false;

/** Make the section work. */
export async function start(card) {
  model = card;
  results = new Results();
  const query = byId("query");
  byId("ask").addEventListener("submit", (event) => { event.preventDefault(); put(query.value.trim(), true); });
  query.addEventListener("input", () => {
    stop();
    typing = true;
    if (refused) refuse();
    timers = [setTimeout(understand, PAUSE), setTimeout(typed, PATIENCE)];
  });
  query.addEventListener("blur", typed);
  const { attributes } = await askJson("words");
  for (const { name, words: phrases } of attributes) {
    byId("add").append(make("option", { value: phrases[0] }, words(name)));
    byId("order").append(make("option", { value: `by ${words(name).toLowerCase()}` }, `most ${words(name)}`));
  }
  suggest(query, attributes.flatMap(({ words: phrases }) => phrases).sort(), understand);
  byId("add").addEventListener("change", (event) => { change({ part: event.target.value }); event.target.value = ""; });
  byId("order").addEventListener("change", (event) => change({ order: event.target.value }));
  if (query.value) understand();
}

/** Return what was found last, for the address. */
export const found = () => shown;

/** Show what the address asks for: pictures by words or more like one, and one of them opened. */
export async function show({ q = "", like, picture, face }, again) {
  if (again || q !== (shown.q ?? "") || like !== shown.like) {
    shown = like === undefined ? { q } : { like };
    byId("query").value = q;
    stop();
    typing = false;
    understand();
    if (like === undefined && !q) results.clear();
    else results.find(shown);
  }
  if (picture !== undefined) await (await import("./detail.js")).detail(model, picture, face);
  else byId("detail").close();
}

/** Search for what is asked with one more part, or in another order; the server says which part is the order. */
async function change({ part = "", order = null }) {
  const text = byId("query").value.trim();
  let [rest, by] = [text, ""];
  if (text) {
    const told = await askJson(`understood?q=${encodeURIComponent(text)}`).catch(() => null);
    const last = told?.terms.at(-1);
    if (last?.text.startsWith("by ")) [rest, by] = [last.without, last.text];
  }
  put([[rest, part].filter(Boolean).join(", "), order ?? by].filter(Boolean).join("; "));
}

/** Search for a query. */
const put = (q, again = false) => go({ q }, again);

const stop = () => timers.forEach(clearTimeout);

/** Say what is wrong with what was typed: nothing follows. */
function typed() {
  typing = false;
  if (refused) refuse();
}

function refuse() {
  byId("understood").textContent = typing ? "Not a whole query yet …" : refused;
  byId("understood").classList.toggle("wrong", !typing);
}

/** Say what the query means, and show its parts. */
async function understand() {
  const said = byId("understood");
  const text = byId("query").value.trim();
  understanding?.abort();
  understanding = new AbortController();
  refused = "";
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
    refused = error.message;
    refuse();
  }
}
