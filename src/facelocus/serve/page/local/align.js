// A face of a picture, warped into the frame.

import { FRAME } from "./geometry.js";
import { Picture, bytes, crop, reduce, resize, roundEven, warp } from "./pixels.js";

const MARGIN = 4;

/** Return the frame, 178 x 218 pixels, that a 2 x 3 matrix lays onto a picture; the border is repeated outside. */
export function align(picture, toPicture) {
  const [a, b, x, c, d, y] = toPicture;
  const corners = [[0, 0], [FRAME.columns, 0], [0, FRAME.rows], [FRAME.columns, FRAME.rows]].map(([u, v]) => [a * u + b * v + x, c * u + d * v + y]);
  const shrunk = Math.max(1, Math.hypot(a, c));
  const reduction = Math.trunc(shrunk);
  const margin = MARGIN * Math.ceil(shrunk);
  const range = (axis) => {
    const values = corners.map((corner) => corner[axis]);
    const from = Math.floor(Math.min(...values)) - margin;
    return [from, Math.ceil((Math.ceil(Math.max(...values)) + margin - from) / reduction) * reduction];
  };
  const [[left, across], [top, down]] = [range(0), range(1)];
  let part = crop(picture, left, top, left + across, top + down, true);
  if (reduction > 1) part = reduce(part, reduction);
  const wide = Math.max(1, roundEven(across / shrunk)), high = Math.max(1, roundEven(down / shrunk));
  if (wide !== part.width || high !== part.height) part = resize(part, wide, high, "bicubic");
  const [sx, sy] = [wide / across, high / down];
  const values = warp(part, [a * sx, b * sx, (x - left) * sx, c * sy, d * sy, (y - top) * sy], FRAME.columns, FRAME.rows, "bicubic");
  return new Picture(FRAME.columns, FRAME.rows, bytes(values));
}
