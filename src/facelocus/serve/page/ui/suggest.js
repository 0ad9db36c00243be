// Words that a query may have, offered for the one that is being typed.

import { byId, make } from "./dom.js";

const MOST = 8;

/** Offer `phrases` below the input, at once if somebody types there already; `taken` is called after one was taken. */
export function suggest(input, phrases, taken) {
  const list = byId("suggestions");
  let at = -1;

  /** Return the longest end of what is typed that phrases begin with, and those phrases. */
  const begun = () => {
    const before = input.value.slice(0, input.selectionStart).toLowerCase();
    for (const { index } of before.matchAll(/(?<![^\s,;])[^\s,;]/g)) {
      const end = before.slice(index);
      const fitting = phrases.filter((phrase) => phrase.startsWith(end) && phrase !== end).slice(0, MOST);
      if (fitting.length) return { length: end.length, fitting };
    }
    return { length: 0, fitting: [] };
  };
  const close = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const take = (phrase) => {
    const end = input.selectionStart;
    const start = end - begun().length;
    input.setRangeText(phrase, start, end, "end");
    close();
    input.focus();
    taken();
  };
  const mark = (next) => {
    const options = [...list.children];
    at = (next + options.length) % options.length;
    options.forEach((option, k) => option.setAttribute("aria-selected", String(k === at)));
    options[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[at].id);
  };

  const offer = () => {
    const { fitting } = begun();
    list.replaceChildren(...fitting.map((phrase, k) => make("li", {
      id: `suggestion-${k}`, role: "option", "aria-selected": "false",
      onmousedown: (event) => { event.preventDefault(); take(phrase); },
    }, phrase)));
    close();
    list.hidden = !fitting.length;
    input.setAttribute("aria-expanded", String(fitting.length > 0));
  };

  input.addEventListener("input", offer);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at < 0 ? -1 : at - 1);
    else if (event.key === "Enter" && at >= 0) take(list.children[at].textContent);
    else if (event.key === "Escape") close();
    else {
      if (event.key === "Enter") close();
      return;
    }
    event.preventDefault();
  });
  input.addEventListener("blur", close);
  if (document.activeElement === input) offer();
}
