// A picture at falling sizes, and squares cut out of the size that suits.

import { crop, reduce, resize, rotate, shrink } from "./pixels.js";

export const WINDOW = 12;
const RATIO = 0.709;
const SPARE = 1.4;

export class Levels {
  constructor(picture, smallest) {
    this.picture = picture;
    this.made = [picture];
    for (let scale = WINDOW / smallest; Math.min(picture.width, picture.height) * scale >= WINDOW; scale *= RATIO) {
      this.made.push(shrink(this.made.at(-1), Math.ceil(picture.width * scale), Math.ceil(picture.height * scale), "hamming"));
    }
  }

  /** Cut a square (x0, y0, x1, y1) out, black outside the picture. */
  cut([x0, y0, x1, y1], side) {
    const enough = (SPARE * side * this.picture.width) / (x1 - x0);
    let level = this.made.findLast((each) => each.width >= enough) ?? this.picture;
    const across = level.width / this.picture.width, down = level.height / this.picture.height;
    [x0, y0, x1, y1] = [x0 * across, y0 * down, x1 * across, y1 * down];
    const [left, top, right, bottom] = [Math.floor(x0), Math.floor(y0), Math.ceil(x1), Math.ceil(y1)];
    if (left < 0 || top < 0 || right > level.width || bottom > level.height) {
      level = crop(level, left, top, right, bottom);
      [x0, y0, x1, y1] = [x0 - left, y0 - top, x1 - left, y1 - top];
    }
    return resize(level, side, side, "hamming", [x0, y0, x1, y1]);
  }

  /** Cut a square out so that a face that leans by `turn` (radians) stands upright. */
  cutTurned([x0, y0, x1, y1], turn, side) {
    const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const [rx, ry] = [(x1 - x0) / Math.SQRT2, (y1 - y0) / Math.SQRT2];
    const wide = 2 * Math.ceil(side * Math.SQRT2);
    const around = this.cut([cx - rx, cy - ry, cx + rx, cy + ry], wide);
    const edge = wide / 2 - side;
    return reduce(crop(rotate(around, (turn * 180) / Math.PI, "bicubic"), edge, edge, edge + 2 * side, edge + 2 * side), 2);
  }
}
