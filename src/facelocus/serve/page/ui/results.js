// Pictures that were found: a grid that grows as it is scrolled, its thumbnails fetched when they come into view.

import { asked as address, go } from "./address.js";
import { ask, askJson } from "./api.js";
import { byId, fail, make, percent } from "./dom.js";

const AT_ONCE = 60;

export class Results {
  #asked = null;
  #searching = null;

  constructor() {
    this.understood = "";
    this.alike = "";
    this.thumbnails = new IntersectionObserver((seen) => seen.filter((each) => each.isIntersecting).forEach(({ target }) => this.#load(target)),
      { rootMargin: "300px" });
    new IntersectionObserver(([end]) => end.isIntersecting && this.#next()).observe(byId("more"));
    byId("more").addEventListener("click", () => this.#next());
  }

  clear() {
    this.#searching?.abort();
    this.thumbnails.disconnect();
    for (const image of byId("results").querySelectorAll("img[src^='blob:']")) URL.revokeObjectURL(image.src);
    byId("results").replaceChildren();
    byId("count").textContent = "";
    byId("more").hidden = true;
    byId("trouble").hidden = true;
  }

  /** Show what is found for {q} or {like}. */
  async find(asked) {
    this.clear();
    this.#asked = asked;
    this.alike = "";
    await this.#next();
  }

  async #next() {
    const shown = byId("results").children.length;
    this.#searching?.abort();
    const searching = (this.#searching = new AbortController());
    byId("more").hidden = true;
    try {
      const { like } = this.#asked;
      const parameters = new URLSearchParams({ ...this.#asked, limit: AT_ONCE, offset: shown });
      const { understood, results, more } = await askJson(`search?${parameters}`, { signal: searching.signal });
      this.understood = understood;
      if (like !== undefined && !shown) {
        const { name } = await askJson(`pictures/${encodeURIComponent(like)}`, { signal: searching.signal });
        this.alike = ` like ${name}`;
      }
      const items = results.map((found) => this.#item(found));
      byId("results").append(...items);
      const count = shown + items.length;
      byId("count").textContent = count ? `${count}${more ? " or more" : ""} pictures${this.alike}` : "Nothing found.";
      byId("more").hidden = !more;
      items.forEach((item) => this.thumbnails.observe(item.querySelector("img")));
    } catch (error) {
      // What is wrong with the words is said where they are.
      if (error.name === "AbortError" || (error.status === 422 && this.#asked.q && !shown)) return;
      fail(error);
    }
  }

  #item(found) {
    const terms = Object.entries(found.faces[0]?.terms ?? {}).map(([term, value]) => `${term} ${percent(value)}`).join(", ");
    const score = this.#asked.like === undefined ? percent(this.#by(found) ?? found.score) : "alike";
    const image = make("img", { className: "thumb", alt: "", width: 192, height: 192, "data-from": found.thumbnail });
    return make("li", {}, make("button", {
      type: "button", "aria-label": `${found.name}, ${score}: ${terms}`,
      onclick: () => go({ ...address(), picture: found.picture, face: found.faces[0]?.face ?? 0 }),
    }, image, make("span", { className: "said" }, make("b", {}, `${score} · ${found.name}`), terms)));
  }

  /** Return how much of that the picture has by which pictures are in order; null where they are by how well they match. */
  #by(found) {
    const by = this.understood.match(/(?:^|; )by (.*)$/)?.[1];
    return (by && found.faces[0]?.terms[by]) || null;
  }

  async #load(image) {
    this.thumbnails.unobserve(image);
    const answer = await ask(image.dataset.from).catch(() => null);
    if (answer && image.isConnected) image.src = URL.createObjectURL(await answer.blob());
  }
}
