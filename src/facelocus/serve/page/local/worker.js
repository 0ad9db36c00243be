// The work, beside the page: opens the networks once, then describes one picture after the other.

import * as ort from "../vendor/onnxruntime-web/ort.wasm.bundle.min.js";

import { Detector } from "./detect.js";
import { Photograph } from "./photograph.js";
import { judge } from "./quality.js";

const HERE = new URL("../", import.meta.url);
const BINARY = "vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm.gz";
const NETWORKS = ["pnet", "rnet", "onet", "model"];
// Faces in one run of the model: what it makes of more does not fit into a processor's cache.
const BATCH = 4;

const fetched = async (path, headers) => {
  const answer = await fetch(new URL(path, HERE), { headers }).catch(() => {
    throw new Error(`${path} cannot be fetched: is the host still there?`);
  });
  if (answer.status === 401) throw new Error("The server asks for another token: open the page anew.");
  if (!answer.ok) throw new Error(`${path} cannot be fetched (${answer.status}): is the folder whole?`);
  return answer;
};

/** Return what was packed by gzip; some hosts have it unpacked on its way already. */
async function unpacked(blob) {
  const [one, other] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  return one === 0x1f && other === 0x8b ? new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))) : blob;
}

/** Return the contents of files as blobs; `told` is called with the bytes that came and all of them, null where no one knows. */
async function watched(paths, headers, told) {
  const answers = await Promise.all(paths.map((path) => fetched(path, headers)));
  // What is packed on its way is longer than it says.
  const lengths = answers.map(({ headers }) => (headers.get("Content-Encoding") ? 0 : Number(headers.get("Content-Length"))));
  const total = lengths.every(Boolean) ? lengths.reduce((sum, length) => sum + length, 0) : null;
  let loaded = 0;
  const counted = () => new TransformStream({
    transform(chunk, out) {
      out.enqueue(chunk);
      told((loaded += chunk.length), total);
    },
  });
  return Promise.all(answers.map((answer) => new Response(answer.body.pipeThrough(counted())).blob()));
}

/** Open everything; `told` as in watched. */
async function open(headers, told) {
  const described = ["models/constants.json", "models/model.json"];
  const [constants, card] = await Promise.all(described.map(async (path) => (await fetched(path, headers)).json()));
  const [binary, ...networks] = await watched([BINARY, ...NETWORKS.map((name) => `models/${name}.onnx`)], headers, told);
  ort.env.wasm.wasmBinary = await (await unpacked(binary)).arrayBuffer();
  ort.env.wasm.numThreads = 1;
  const sessions = {};
  for (const [k, name] of NETWORKS.entries()) {
    const content = new Uint8Array(await networks[k].arrayBuffer());
    sessions[name] = await ort.InferenceSession.create(content, { executionProviders: ["wasm"] });
  }
  return { constants, card, sessions, detector: new Detector({ ort, sessions, constants }) };
}

let opened = null;

async function describe(file, name, headers, told) {
  // What failed once is tried again with the next picture.
  opened ??= open(headers, told).catch((error) => {
    opened = null;
    throw error;
  });
  const { constants, card, sessions, detector } = await opened;
  let photograph;
  try {
    photograph = await Photograph.of(file, constants);
  } catch {
    return { name, faces: [], error: { type: "ImageError", message: `${name} is not a picture that this browser reads: convert it to JPEG or PNG` } };
  }
  const found = await photograph.find(detector);
  const cut = [];
  for (const face of found) cut.push(await photograph.crop(face));
  const answers = [];
  for (let first = 0; first < cut.length; first += BATCH) {
    answers.push(...(await predict(sessions.model, cut.slice(first, first + BATCH).map(({ crop }) => crop))));
  }
  const faces = found.map((face, k) => ({
    box: face.box, score: face.score, landmarks: face.landmarks, frame: cut[k].frame,
    quality: judge(cut[k].crop, face, cut[k].frame, photograph.size, constants),
    attributes: Object.fromEntries(card.attributes.map((attribute, a) => [attribute, answers[k].probabilities[a]])),
    masks: answers[k].masks,
  }));
  return { name, faces, error: null };
}

/** Return {probabilities, masks} of each face. */
async function predict(model, crops) {
  const data = new Uint8Array(crops.length * crops[0].data.length);
  crops.forEach((crop, k) => data.set(crop.data, k * crop.data.length));
  const images = new ort.Tensor("uint8", data, [crops.length, crops[0].height, crops[0].width, 3]);
  const { probabilities, masks } = await model.run({ images });
  const part = (tensor, k) => tensor.data.slice((k * tensor.data.length) / crops.length, ((k + 1) * tensor.data.length) / crops.length);
  return crops.map((_, k) => {
    if (!masks) return { probabilities: part(probabilities, k), masks: null };
    const [, regions, rows, columns] = masks.dims;
    const values = part(masks, k);
    const row = (r, y) => [...values.slice((r * rows + y) * columns, (r * rows + y + 1) * columns)];
    const grids = Array.from({ length: regions }, (_, r) => Array.from({ length: rows }, (_, y) => row(r, y)));
    return { probabilities: part(probabilities, k), masks: { rows, columns, values: grids } };
  });
}

self.onmessage = async ({ data: { id, file, name, headers } }) => {
  try {
    const told = (loaded, total) => self.postMessage({ id, loaded, total });
    self.postMessage({ id, picture: await describe(file, name, headers, told) });
  } catch (error) {
    self.postMessage({ id, wrong: error?.message || `The network failed (${error}).` });
  }
};
