// How much of a face there was to see, as src/facelocus/photos/quality.py has it.

import { FRAME, similarity } from "./geometry.js";

// Rows and columns of the frame that are measured.
const [TOP, BOTTOM, LEFT, RIGHT] = [50, 194, 33, 145];
const NOSE = 0.45;

const round = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits;

function luma(crop) {
  const grey = [];
  for (let y = TOP; y < BOTTOM; y++) {
    grey.push(Float64Array.from({ length: RIGHT - LEFT }, (_, x) => {
      const at = 3 * (y * crop.width + LEFT + x);
      return (crop.data[at] * 19595 + crop.data[at + 1] * 38470 + crop.data[at + 2] * 7471 + 0x8000) >> 16;
    }));
  }
  return grey;
}

function detail(grey) {
  const change = (down, across) => {
    let sum = 0, count = 0;
    for (let y = 0; y + down < grey.length; y++) {
      for (let x = Math.max(0, -across); x < grey[0].length - Math.max(0, across); x++, count++) {
        sum += Math.abs(grey[y + down][x + across] - grey[y][x]);
      }
    }
    return sum / count + 0.25;
  };
  const ways = [[0, 1], [1, 0], [1, 1], [1, -1]];
  return Math.min(...ways.map(([down, across]) => Math.log2(change(2 * down, 2 * across) / change(4 * down, 4 * across))));
}

function noise(grey) {
  const masked = [];
  for (let y = 1; y < grey.length - 1; y++) {
    const row = Float64Array.from(grey[y], (value, x) => grey[y - 1][x] - 2 * value + grey[y + 1][x]);
    for (let x = 1; x < row.length - 1; x++) masked.push(Math.abs(row[x - 1] - 2 * row[x] + row[x + 1]));
  }
  masked.sort((one, other) => one - other);
  const middle = masked.length / 2;
  const median = masked.length % 2 ? masked[Math.floor(middle)] : (masked[middle - 1] + masked[middle]) / 2;
  return median / 6 / 0.6745;
}

function pose(landmarks, { template, fitted }) {
  const [a, b] = similarity(fitted.map((k) => template[k]), fitted.map((k) => landmarks[k]));
  const roll = Math.atan2(b, a);
  const upright = landmarks.map(([x, y]) => [x * Math.cos(roll) + y * Math.sin(roll), y * Math.cos(roll) - x * Math.sin(roll)]);
  const middle = (one, other) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
  const [eyes, nose, mouth] = [middle(upright[0], upright[1]), upright[2], middle(upright[3], upright[4])];
  const fall = template[3][1] - template[0][1];
  const usual = (template[2][1] - template[0][1]) / fall;
  const down = mouth[1] - eyes[1];
  const share = down ? (nose[1] - eyes[1]) / down : usual;
  const aside = nose[0] - (eyes[0] + share * (mouth[0] - eyes[0]));
  const yaw = Math.atan2(aside, NOSE * (upright[1][0] - upright[0][0]));
  const pitch = Math.atan(((usual - share) * fall) / (NOSE * (template[1][0] - template[0][0])));
  return [yaw, pitch, roll].map((angle) => round((angle * 180) / Math.PI, 1));
}

function inside([[a, b, x], [c, d, y]], [width, height]) {
  let count = 0;
  for (let k = 0; k < 256; k++) {
    const [u, v] = [(((k % 16) + 0.5) / 16) * FRAME.columns, ((Math.floor(k / 16) + 0.5) / 16) * FRAME.rows];
    const [p, q] = [a * u + b * v + x, c * u + d * v + y];
    count += p >= 0 && p <= width && q >= 0 && q <= height;
  }
  return count / 256;
}

/** Return the quality of one face. */
export function judge(crop, { box, landmarks }, frame, size, constants) {
  const grey = luma(crop);
  const values = grey.flatMap((row) => [...row]);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  let burnt = 0;
  for (let y = TOP; y < BOTTOM; y++) {
    for (let x = LEFT; x < RIGHT; x++) {
      const at = 3 * (y * crop.width + x);
      burnt += Math.min(crop.data[at], crop.data[at + 1], crop.data[at + 2]) >= 250;
    }
  }
  const [constant, weight] = constants.sharpness;
  const sharpness = 2 ** Math.min(0, Math.max(Math.log2(constants.least_sharp), constant + weight * detail(grey)));
  const [brightness, contrast, clipped] = [mean / 255, deviation / 255, burnt / values.length];
  const [grain, within] = [noise(grey), inside(frame, size)];
  const signs = [
    Math.log2(sharpness), -Math.log2(Math.max(grain, 1.5) / 1.5), Math.min(0, Math.log2((brightness + 0.01) / 0.25)),
    Math.log2(contrast + 0.004) + 2, -clipped, within - 1,
  ];
  const [start, ...weights] = constants.trust;
  const trust = 1 / (1 + Math.exp(-start - signs.reduce((sum, sign, k) => sum + sign * weights[k], 0)));
  const [yaw, pitch, roll] = pose(landmarks, constants);
  return {
    size: round(Math.max(box[2] - box[0], box[3] - box[1]), 1), sharpness: round(sharpness, 3), noise: round(grain, 2),
    brightness: round(brightness, 3), contrast: round(contrast, 3), clipped: round(clipped, 3), inside: round(within, 3),
    yaw, pitch, roll, trust: round(trust, 3),
  };
}
