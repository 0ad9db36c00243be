// The server, asked. What it refuses is thrown as a Refusal with its one line.

import { byId } from "./dom.js";

const KEPT = "facelocus token";
// Times that a busy server is asked again, when it says so.
const AGAIN = 3;

export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Return what a request carries: the token, where one was asked for. */
export function headers() {
  const token = sessionStorage.getItem(KEPT);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Return the answer to a GET, or to a POST where there is a form; asks for the token where the server does. */
export async function ask(path, { form, signal } = {}) {
  let tries = 0;
  for (;;) {
    const token = sessionStorage.getItem(KEPT);
    let answer;
    try {
      answer = await fetch(path, { method: form ? "POST" : "GET", body: form, headers: headers(), signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal("The server cannot be reached: is it still running?", 0);
    }
    if (answer.ok) return answer;
    if (answer.status === 401) {
      // Unless another request has been given a new one meanwhile.
      if (sessionStorage.getItem(KEPT) === token) {
        sessionStorage.removeItem(KEPT);
        await askForToken(Boolean(token));
      }
      continue;
    }
    const later = Number(answer.headers.get("Retry-After"));
    if (later && tries++ < AGAIN) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * later));
      continue;
    }
    const told = await answer.json().catch(() => null);
    throw new Refusal(told?.error?.message ?? `The server answered ${answer.status}.`, answer.status);
  }
}

export const askJson = async (path, options) => (await ask(path, options)).json();

let asking = null;

/** Ask once for the token, however many requests wait for it. */
function askForToken(again) {
  if (!asking) byId("refused").hidden = !again;
  asking ??= new Promise((resolve) => {
    const dialog = byId("asks");
    dialog.oncancel = (event) => event.preventDefault();
    // A second Escape closes it all the same.
    dialog.onclose = () => {
      if (asking && !dialog.open) dialog.showModal();
    };
    byId("give").addEventListener("submit", () => {
      sessionStorage.setItem(KEPT, byId("token").value.trim());
      byId("token").value = "";
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}
