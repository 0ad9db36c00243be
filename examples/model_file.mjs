// The model file without facelocus, in JavaScript: npm install onnxruntime-node
//   node model_file.mjs MODEL.onnx FACES.rgb    (raw bytes, N x 218 x 178 x 3)
// An ONNX reader in JavaScript does not show metadata: the attributes' order is CelebA's, alphabetical.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";

const [model, faces] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model);
const pixels = new Uint8Array(readFileSync(faces));
const images = new ort.Tensor("uint8", pixels, [pixels.length / (218 * 178 * 3), 218, 178, 3]);
const { probabilities, masks } = await session.run({ images });
console.log(JSON.stringify({ probabilities: Array.from(probabilities.data), masks: masks.dims }));
