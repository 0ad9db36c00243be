// Faces with five landmarks: the three networks of MTCNN, as src/facelocus/detection/detect.py has them.

import { suppress } from "./geometry.js";
import { Levels, WINDOW } from "./levels.js";
import { rotate, roundEven, shrink } from "./pixels.js";

const STEP = 2;
const CLOSER = 0.92;
const UPRIGHT = (10 * Math.PI) / 180;
const BATCH = 256;
const MIRROR = [1, 0, 2, 4, 3];

const logit = (probability) => Math.log(probability / (1 - probability));
const sigmoid = (value) => 1 / (1 + Math.exp(-value));

/** Move the sides of a box by fractions of its width and height. */
const shifted = ([x0, y0, x1, y1], shifts) => {
  const [wide, high] = [x1 - x0, y1 - y0];
  return [x0 + shifts[0] * wide, y0 + shifts[1] * high, x1 + shifts[2] * wide, y1 + shifts[3] * high];
};

/** Return the square about a box's centre with its longer side, in whole pixels. */
const square = ([x0, y0, x1, y1]) => {
  const side = Math.max(roundEven(Math.max(x1 - x0, y1 - y0)), 1);
  const [left, top] = [roundEven((x0 + x1 - side) / 2), roundEven((y0 + y1 - side) / 2)];
  return [left, top, left + side, top + side];
};

const points = (row) => [0, 1, 2, 3, 4].map((k) => [row[4 + k], row[9 + k]]);

export class Detector {
  /** `run(name, pictures)`: a network's rows for pictures of one size; `everywhere(level)`: P-Net's map. */
  constructor({ ort, sessions, constants }) {
    Object.assign(this, { ort, sessions, constants });
  }

  /** Return the faces of a picture, the largest first: {box, score, landmarks}. */
  async detect(picture, { longest = this.constants.longest, turned = true } = {}) {
    const { min_face: least, turned: degrees, turned_least: sure } = this.constants;
    const times = Math.max(1, Math.max(picture.width, picture.height) / longest);
    let faces = await this.#search(picture, least * times);
    if (turned && !faces.length) {
      const small = shrink(picture, Math.max(1, roundEven(picture.width / times)), Math.max(1, roundEven(picture.height / times)), "bicubic");
      const leaning = [...(await this.#searchTurned(small, degrees, least, sure)), ...(await this.#searchTurned(small, -degrees, least, sure))]
        .map((face) => scaled(face, times));
      faces = suppress(leaning.map(({ box }) => box), leaning.map(({ score }) => score), 0.5, true).map((k) => leaning[k]);
    }
    const area = ({ box: [x0, y0, x1, y1] }) => (x1 - x0) * (y1 - y0);
    return faces.sort((one, other) => area(other) - area(one));
  }

  async #searchTurned(picture, degrees, smallest, sure) {
    const copy = rotate(picture, degrees, "bilinear", true);
    const turn = (degrees * Math.PI) / 180;
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const back = ([x, y]) => {
      const [p, q] = [x - copy.width / 2, y - copy.height / 2];
      return [p * cos - q * sin + picture.width / 2, p * sin + q * cos + picture.height / 2];
    };
    return (await this.#search(copy, smallest)).flatMap(({ box: [x0, y0, x1, y1], score, landmarks }) => {
      const [x, y] = back([(x0 + x1) / 2, (y0 + y1) / 2]);
      if (score < sure || x <= 0 || y <= 0 || x >= picture.width || y >= picture.height) return [];
      const [rx, ry] = [(x1 - x0) / 2, (y1 - y0) / 2];
      return [{ box: [x - rx, y - ry, x + rx, y + ry], score, landmarks: landmarks.map(back) }];
    });
  }

  async #search(picture, smallest) {
    const levels = new Levels(picture, smallest);
    let squares = await this.#propose(levels);
    if (squares.length) squares = await this.#refine(levels, squares);
    if (!squares.length) return [];
    const { boxes, turns } = await this.#conclude(levels, squares);
    if (!boxes.length) return [];
    const again = await this.#lookAgain(levels, boxes.map(square), turns);
    const least = this.constants.thresholds[3];
    return boxes.flatMap((box, k) => (again[k].score >= least ? [{ box, ...again[k] }] : []));
  }

  async #propose({ made, picture }) {
    const windows = [], shifts = [], scores = [];
    const least = logit(this.constants.thresholds[0]);
    for (const level of made.slice(1)) {
      const { data, dims: [, , high, wide] } = await this.#everywhere(level);
      const size = high * wide;
      const found = { window: [], shift: [], score: [] };
      for (let at = 0; at < size; at++) {
        if (data[4 * size + at] < least) continue;
        const [x, y] = [STEP * (at % wide), STEP * Math.floor(at / wide)];
        found.window.push([x, y, x + WINDOW, y + WINDOW]);
        found.shift.push([0, 1, 2, 3].map((k) => data[k * size + at]));
        found.score.push(data[4 * size + at]);
      }
      const [across, down] = [picture.width / level.width, picture.height / level.height];
      for (const k of suppress(found.window, found.score, 0.5)) {
        const [x0, y0, x1, y1] = found.window[k];
        windows.push([x0 * across, y0 * down, x1 * across, y1 * down]);
        shifts.push(found.shift[k]);
        scores.push(found.score[k]);
      }
    }
    return suppress(windows, scores, 0.7).map((k) => square(shifted(windows[k], shifts[k])));
  }

  async #refine(levels, squares) {
    const found = await this.#run("rnet", squares.map((each) => levels.cut(each, 24)));
    const passed = squares.map((_, k) => k).filter((k) => found[k][4] >= logit(this.constants.thresholds[1]));
    return suppress(passed.map((k) => squares[k]), passed.map((k) => found[k][4]), 0.7)
      .map((at) => square(shifted(squares[passed[at]], found[passed[at]])));
  }

  async #conclude(levels, squares) {
    const found = await this.#run("onet", squares.map((each) => levels.cut(each, 48)));
    const boxes = squares.map((each, k) => shifted(each, found[k]));
    const passed = squares.map((_, k) => k).filter((k) => found[k][14] >= logit(this.constants.thresholds[2]));
    const kept = suppress(passed.map((k) => boxes[k]), passed.map((k) => found[k][14]), 0.7, true).map((at) => passed[at]);
    const turns = kept.map((k) => {
      const [eye, other, , mouth, end] = points(found[k]);
      const [x, y] = [0, 1].map((axis) => other[axis] + end[axis] - eye[axis] - mouth[axis]);
      const [u, v] = [0, 1].map((axis) => mouth[axis] + end[axis] - eye[axis] - other[axis]);
      return Math.atan2(y - u, x + v);
    });
    return { boxes: kept.map((k) => boxes[k]), turns };
  }

  async #lookAgain(levels, squares, turns) {
    const closer = squares.map(([x0, y0, x1, y1]) => {
      const [x, y, rx, ry] = [(x0 + x1) / 2, (y0 + y1) / 2, (CLOSER * (x1 - x0)) / 2, (CLOSER * (y1 - y0)) / 2];
      return [x - rx, y - ry, x + rx, y + ry];
    });
    const leaning = turns.map((turn) => (Math.abs(turn) > UPRIGHT ? turn : 0));
    const crops = closer.map((each, k) => (leaning[k] ? levels.cutTurned(each, leaning[k], 48) : levels.cut(each, 48)));
    const plain = await this.#run("onet", crops);
    const mirrored = await this.#run("onet", crops.map(mirror));
    return closer.map(([x0, y0, x1, y1], k) => {
      const [cos, sin] = [Math.cos(leaning[k]), Math.sin(leaning[k])];
      const other = points(mirrored[k]);
      const landmarks = points(plain[k]).map(([u, v], at) => {
        const [p, q] = [(u + 1 - other[MIRROR[at]][0]) / 2 - 0.5, (v + other[MIRROR[at]][1]) / 2 - 0.5];
        return [(x0 + x1) / 2 + (x1 - x0) * (p * cos - q * sin), (y0 + y1) / 2 + (y1 - y0) * (p * sin + q * cos)];
      });
      return { landmarks, score: (sigmoid(plain[k][14]) + sigmoid(mirrored[k][14])) / 2 };
    });
  }

  async #everywhere(level) {
    const images = new this.ort.Tensor("uint8", level.data, [1, level.height, level.width, 3]);
    const { pnet } = this.sessions;
    return (await pnet.run({ images }))[pnet.outputNames[0]];
  }

  /** Return the rows of a network's output, one a picture. */
  async #run(name, pictures) {
    const session = this.sessions[name];
    const rows = [];
    for (let first = 0; first < pictures.length; first += BATCH) {
      const part = pictures.slice(first, first + BATCH);
      const data = new Uint8Array(part.length * part[0].data.length);
      part.forEach((each, k) => data.set(each.data, k * each.data.length));
      const images = new this.ort.Tensor("uint8", data, [part.length, part[0].height, part[0].width, 3]);
      const found = (await session.run({ images }))[session.outputNames[0]];
      const wide = found.dims[1];
      part.forEach((_, k) => rows.push(found.data.slice(k * wide, (k + 1) * wide)));
    }
    return rows;
  }
}

function mirror(picture) {
  const turned = { ...picture, data: new Uint8Array(picture.data.length) };
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const from = 3 * (y * picture.width + x);
      turned.data.set(picture.data.subarray(from, from + 3), 3 * (y * picture.width + picture.width - 1 - x));
    }
  }
  return turned;
}

/** Return a face in a picture whose sides are so many times as long. */
export function scaled({ box, score, landmarks }, times) {
  return { box: box.map((side) => side * times), score, landmarks: landmarks.map((point) => point.map((axis) => axis * times)) };
}
