// Pictures as bytes, three a pixel, made smaller, cut out and turned as Pillow does, to the last bit.

const BITS = 22;

export class Picture {
  /** `data`: Uint8Array of height x width x 3. */
  constructor(width, height, data = new Uint8Array(3 * width * height)) {
    Object.assign(this, { width, height, data });
  }
}

// In single precision, as Pillow has them.
const HAMMING = [Math.fround(0.54), Math.fround(0.46)];

const FILTERS = {
  hamming: [1, (x) => {
    x = Math.abs(x);
    if (x === 0) return 1;
    if (x >= 1) return 0;
    x *= Math.PI;
    return (Math.sin(x) / x) * (HAMMING[0] + HAMMING[1] * Math.cos(x));
  }],
  bicubic: [2, (x) => {
    const a = -0.5;
    x = Math.abs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }],
};

/** Return for each place of `size` the first place of the source and the whole weights from there. */
function weights(source, from, to, size, [reach, filter]) {
  const scale = Math.fround(to - from) / size;
  const wide = Math.max(1, scale);
  const part = 1 / wide;
  const support = reach * wide;
  return Array.from({ length: size }, (_, place) => {
    const centre = from + (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(source, Math.trunc(centre + support + 0.5));
    const each = Array.from({ length: end - first }, (_, k) => filter((k + first - centre + 0.5) * part));
    const sum = each.reduce((one, other) => one + other, 0);
    return { first, each: each.map((w) => { const k = (w / sum) * 2 ** BITS; return Math.trunc(k + (k < 0 ? -0.5 : 0.5)); }) };
  });
}

/** Round to whole numbers as Python does: halves to the even one. */
export function roundEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

const HALF = 2 ** (BITS - 1);
const byte = (sum) => { const v = Math.floor((sum + HALF) / 2 ** BITS); return v < 0 ? 0 : v > 255 ? 255 : v; };

/** Return a picture in another width, or (`down`) height: all of its other side, and of this one what `each` weighs. */
function pass(picture, weights, down) {
  const made = down ? new Picture(picture.width, weights.length) : new Picture(weights.length, picture.height);
  const step = down ? 3 * picture.width : 3;
  const { data } = picture;
  for (let y = 0, to = 0; y < made.height; y++) {
    for (let x = 0; x < made.width; x++) {
      const { first, each } = weights[down ? y : x];
      let r = 0, g = 0, b = 0;
      for (let k = 0, at = 3 * (down ? first * picture.width + x : y * picture.width + first); k < each.length; k++, at += step) {
        r += each[k] * data[at];
        g += each[k] * data[at + 1];
        b += each[k] * data[at + 2];
      }
      made.data[to++] = byte(r);
      made.data[to++] = byte(g);
      made.data[to++] = byte(b);
    }
  }
  return made;
}

/** Return the part `box` (x0, y0, x1, y1) of a picture in another size. */
export function resize(picture, width, height, kind, box = [0, 0, picture.width, picture.height]) {
  const [x0, y0, x1, y1] = box.map(Math.fround);
  const across = width !== picture.width || x0 !== 0 || x1 !== width;
  const down = height !== picture.height || y0 !== 0 || y1 !== height;
  const widen = (from) => (across ? pass(from, weights(from.width, x0, x1, width, FILTERS[kind]), false) : from);
  const heighten = (from) => (down ? pass(from, weights(from.height, y0, y1, height, FILTERS[kind]), true) : from);
  // Each pass rounds, so that their order shows. Pillow 13 makes a picture lower first where that is most of the work.
  const lower = picture.height - height;
  return lower > 0 && lower > 2 * (picture.width - width) ? widen(heighten(picture)) : heighten(widen(picture));
}

/** Return a picture averaged over blocks of `across` x `down`; what is left at its ends is a smaller block.
 *
 * Pillow rounds halves up, which brightens; `fair` rounds them to the even number, as a JPEG decoder does on average. */
export function reduce(picture, across, down = across, fair = false) {
  const small = new Picture(Math.ceil(picture.width / across), Math.ceil(picture.height / down));
  for (let y = 0; y < small.height; y++) {
    const rows = Math.min(down, picture.height - y * down);
    for (let x = 0; x < small.width; x++) {
      const columns = Math.min(across, picture.width - x * across);
      const count = rows * columns;
      const share = Math.trunc(2 ** 24 / count);
      const mean = fair ? (sum) => roundEven(sum / count) : (sum) => Math.floor(((sum + (count >> 1)) * share) / 2 ** 24);
      let r = 0, g = 0, b = 0;
      for (let v = 0; v < rows; v++) {
        for (let u = 0, at = 3 * ((y * down + v) * picture.width + x * across); u < columns; u++, at += 3) {
          r += picture.data[at];
          g += picture.data[at + 1];
          b += picture.data[at + 2];
        }
      }
      const to = 3 * (y * small.width + x);
      small.data[to] = mean(r);
      small.data[to + 1] = mean(g);
      small.data[to + 2] = mean(b);
    }
  }
  return small;
}

/** Return a picture in a smaller size: by whole numbers first, the rest with a filter. */
export function shrink(picture, width, height, kind) {
  if (width === picture.width && height === picture.height) return picture;
  const across = Math.trunc(picture.width / width) || 1;
  const down = Math.trunc(picture.height / height) || 1;
  if (across === 1 && down === 1) return resize(picture, width, height, kind);
  const box = [0, 0, picture.width / across, picture.height / down];
  return resize(reduce(picture, across, down), width, height, kind, box);
}

/** Return a part in whole pixels; outside the picture it is black, or repeats the border. */
export function crop(picture, left, top, right, bottom, repeat = false) {
  const part = new Picture(right - left, bottom - top);
  const inside = (value, size) => (repeat ? Math.min(size - 1, Math.max(0, value)) : value);
  for (let y = 0; y < part.height; y++) {
    const v = inside(top + y, picture.height);
    if (v < 0 || v >= picture.height) continue;
    for (let x = 0; x < part.width; x++) {
      const u = inside(left + x, picture.width);
      if (u < 0 || u >= picture.width) continue;
      const from = 3 * (v * picture.width + u);
      part.data.set(picture.data.subarray(from, from + 3), 3 * (y * part.width + x));
    }
  }
  return part;
}

/** Return the values of a picture, in the size asked for, at the places that a 2 x 3 matrix says; 0 outside. */
export function warp(picture, matrix, width, height, kind) {
  const [a, b, c, d, e, f] = matrix;
  const values = new Float64Array(3 * width * height);
  const { data } = picture;
  const [before, taps] = kind === "bicubic" ? [1, 4] : [0, 2];
  const mix = kind === "bicubic" ? cubic : linear;
  const columns = new Int32Array(taps);
  const [line, lines] = [new Float64Array(taps), new Float64Array(taps)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = a * (x + 0.5) + b * (y + 0.5) + c;
      const v = d * (x + 0.5) + e * (y + 0.5) + f;
      if (u < 0 || u >= picture.width || v < 0 || v >= picture.height) continue;
      const left = Math.floor(u - 0.5), top = Math.floor(v - 0.5);
      const s = u - 0.5 - left, t = v - 0.5 - top;
      for (let k = 0; k < taps; k++) columns[k] = 3 * Math.min(picture.width - 1, Math.max(0, left - before + k));
      for (let channel = 0; channel < 3; channel++) {
        for (let k = 0; k < taps; k++) {
          const row = 3 * picture.width * Math.min(picture.height - 1, Math.max(0, top - before + k)) + channel;
          for (let m = 0; m < taps; m++) line[m] = data[row + columns[m]];
          lines[k] = mix(line, s);
        }
        values[3 * (y * width + x) + channel] = mix(lines, t);
      }
    }
  }
  return values;
}

// In Pillow's order of operations.
const cubic = (v, t) => v[1] + t * (v[2] - v[0] + t * (2 * (v[0] - v[1]) + v[2] - v[3] + t * (v[1] - v[0] - v[2] + v[3])));
const linear = (v, t) => v[0] + (v[1] - v[0]) * t;

/** Return values as bytes, rounded to whole numbers (halves to the even one) and cut off at 0 and 255. */
export const bytes = (values) => new Uint8Array(new Uint8ClampedArray(values).buffer);

/** Return a picture turned counterclockwise about its centre; `whole`: in a size that holds all of it. */
export function rotate(picture, degrees, kind, whole = false) {
  const angle = -(degrees % 360 < 0 ? (degrees % 360) + 360 : degrees % 360) * (Math.PI / 180);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)].map((value) => Math.round(value * 1e15) / 1e15);
  const [across, down] = [picture.width / 2, picture.height / 2];
  const at = (x, y) => [cos * x + sin * y, -sin * x + cos * y];
  const [dx, dy] = at(-across, -down);
  let [right, below] = [dx + across, dy + down];
  let { width, height } = picture;
  if (whole) {
    const corners = [[0, 0], [width, 0], [width, height], [0, height]].map(([x, y]) => { const [u, v] = at(x, y); return [u + right, v + below]; });
    const span = (values) => Math.ceil(Math.max(...values)) - Math.floor(Math.min(...values));
    const [wide, high] = [span(corners.map(([u]) => u)), span(corners.map(([, v]) => v))];
    const [mx, my] = at(-(wide - width) / 2, -(high - height) / 2);
    [right, below, width, height] = [right + mx, below + my, wide, high];
  }
  const values = warp(picture, [cos, sin, right, -sin, cos, below], width, height, kind);
  for (let k = 0; k < values.length; k++) values[k] = Math.trunc(values[k]);
  return new Picture(width, height, bytes(values));
}
