// A picture read small, searched, its faces cut out of the sharpness they need: as src/facelocus/detection/photograph.py.

import { align } from "./align.js";
import { scaled } from "./detect.js";
import { frameToPicture } from "./geometry.js";
import { Picture, reduce } from "./pixels.js";

/** Decode a file, upright and on white. */
async function decode(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const picture = new Picture(width, height);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    picture.data[to++] = data[from];
    picture.data[to++] = data[from + 1];
    picture.data[to++] = data[from + 2];
  }
  return picture;
}

export class Photograph {
  #read = new Map();

  static async of(file, constants) {
    const photograph = new Photograph();
    const whole = await decode(file);
    photograph.constants = constants;
    photograph.size = [whole.width, whole.height];
    photograph.#read.set(1, whole);
    const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    const jpeg = head[0] === 0xff && head[1] === 0xd8;
    const times = Math.max(...photograph.size) / constants.read;
    // A JPEG decoder that halves a picture averages nearly as this does.
    photograph.factor = !jpeg || times <= 1 ? 1 : [8, 4, 2, 1].find((factor) => Math.floor(times + 1e-9) >= factor);
    return photograph;
  }

  /** Return the faces, the largest first, in pixels of the whole picture. */
  async find(detector) {
    const { read, first, few, large, longest, min_face: least } = this.constants;
    const image = this.at(this.factor);
    const longer = Math.max(image.width, image.height);
    if (longer > read) {
      const faces = await detector.detect(image, { longest: first, turned: false });
      const side = ({ box: [x0, y0, x1, y1] }) => Math.max(x1 - x0, y1 - y0);
      const enough = (large * least * longer) / first;
      if (faces.length && faces.length <= few && faces.every((face) => side(face) >= enough)) {
        return faces.map((face) => scaled(face, this.factor));
      }
    }
    let { factor } = this;
    while (factor > 1 && (longer * this.factor) / factor < longest) factor /= 2;
    return (await detector.detect(this.at(factor))).map((face) => scaled(face, factor));
  }

  /** Return a face in the frame, and the 2 x 3 matrix from there to the whole picture. */
  crop({ landmarks }) {
    const whole = frameToPicture(landmarks, this.constants);
    let { factor } = this;
    while (factor > 1 && Math.hypot(whole[0], whole[3]) < factor) factor /= 2;
    const here = frameToPicture(landmarks.map((point) => point.map((axis) => axis / factor)), this.constants);
    return { frame: [whole.slice(0, 3), whole.slice(3)], crop: align(this.at(factor), here) };
  }

  /** Return the picture at 1 / factor. */
  at(factor) {
    if (!this.#read.has(factor)) this.#read.set(factor, reduce(this.#read.get(1), factor, factor, true));
    return this.#read.get(factor);
  }
}
