// A picture read small, searched, its faces cut out of the sharpness they need: as src/facelocus/detection/photograph.py.

import { align } from "./align.js";
import { scaled } from "./detect.js";
import { frameToPicture } from "./geometry.js";
import { readSmall, reduction, storedSize } from "./jpeg.js";
import { Picture, reduce } from "./pixels.js";
import { turned } from "./webp.js";

/** Return the pixels of what can be drawn, on white. */
function drawn(source, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  source.close?.();
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

  /** Read a file, upright; a large JPEG small. */
  static async of(file, constants) {
    const photograph = new Photograph();
    photograph.file = file;
    photograph.content = await file.arrayBuffer();
    photograph.stored = storedSize(photograph.content);
    photograph.constants = constants;
    photograph.factor = photograph.stored ? reduction(photograph.stored, constants.read) : 1;
    const { width, height } = await photograph.at(photograph.factor);
    photograph.size = [width * photograph.factor, height * photograph.factor];
    return photograph;
  }

  /** Return the faces, the largest first, in pixels of the whole picture. */
  async find(detector) {
    const { read, first, few, large, longest, min_face: least } = this.constants;
    const image = await this.at(this.factor);
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
    return (await detector.detect(await this.at(factor))).map((face) => scaled(face, factor));
  }

  /** Return a face in the frame, and the 2 x 3 matrix from there to the whole picture. */
  async crop({ landmarks }) {
    const whole = frameToPicture(landmarks, this.constants);
    let { factor } = this;
    while (factor > 1 && Math.hypot(whole[0], whole[3]) < factor) factor /= 2;
    const here = frameToPicture(landmarks.map((point) => point.map((axis) => axis / factor)), this.constants);
    return { frame: [whole.slice(0, 3), whole.slice(3)], crop: align(await this.at(factor), here) };
  }

  /** Return the picture at 1 / factor. */
  async at(factor) {
    if (!this.#read.has(factor)) this.#read.set(factor, await this.#decode(factor));
    return this.#read.get(factor);
  }

  async #decode(factor) {
    if (factor === 1) {
      const colours = { colorSpaceConversion: "none" };
      const whole = (await turned(this.file, this.content, colours))
        ?? (await createImageBitmap(this.file, { imageOrientation: "from-image", ...colours }));
      return drawn(whole, whole.width, whole.height);
    }
    const small = await readSmall(this.content, this.stored, factor);
    if (small) return drawn(small, small.displayWidth, small.displayHeight);
    // An average is within half a level of it.
    return reduce(await this.at(1), factor, factor, true);
  }
}
