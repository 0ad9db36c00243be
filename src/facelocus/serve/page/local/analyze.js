// Pictures described in this browser: the same answers as the server's, and nothing is sent.

let worker = null;
let last = 0;
const waiting = new Map();

/** Return what the model says of itself; `askJson` fetches. */
export async function card(askJson) {
  try {
    return await askJson(new URL("../models/model.json", import.meta.url));
  } catch (error) {
    throw error.status === 404 ? new Error("The model is not here: write this folder with `facelocus page`.") : error;
  }
}

/** Return what the server's /analyze says of one picture, masks included.
 *
 * `loading` is called while the networks are fetched, with the bytes that came and all of them, null where no one knows;
 * `headers` are what their host asks for. */
export function analyze(file, loading = () => {}, headers = {}) {
  if (!worker) {
    worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data: { id, picture, wrong, loaded, total } }) => {
      if (loaded !== undefined) {
        waiting.get(id)?.loading(loaded, total);
        return;
      }
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (wrong) reject(new Error(wrong));
      else resolve(picture);
    };
    worker.onerror = (event) => {
      for (const { reject } of waiting.values()) reject(new Error(event.message || "The analysis could not be started."));
      waiting.clear();
      worker.terminate();
      worker = null;
    };
  }
  return new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject, loading });
    worker.postMessage({ id: last, file, name: file.name || "the picture", headers });
  });
}
