// Boxes that suppress each other, and the similarity that leads from the frame to a face.

export const FRAME = { rows: 218, columns: 178 };

/** Return the places of the boxes kept, best score first: of two that overlap by more than `limit` the better one. */
export function suppress(boxes, scores, limit, smaller = false) {
  const order = scores.map((_, k) => k).sort((one, other) => scores[other] - scores[one] || one - other);
  const kept = [];
  // Their sides and area, five numbers each, side by side: most of the time of a crowded picture goes by here.
  const better = new Float64Array(5 * boxes.length);
  for (const k of order) {
    const [x0, y0, x1, y1] = boxes[k];
    const area = Math.max(x1 - x0, 0) * Math.max(y1 - y0, 0);
    let covered = false;
    for (let at = 0; at < 5 * kept.length && !covered; at += 5) {
      const across = Math.min(x1, better[at + 2]) - Math.max(x0, better[at]);
      const down = Math.min(y1, better[at + 3]) - Math.max(y0, better[at + 1]);
      const shared = Math.max(across, 0) * Math.max(down, 0);
      const other = better[at + 4];
      covered = shared > limit * (smaller ? Math.min(area, other) : other + area - shared);
    }
    if (covered) continue;
    better.set([x0, y0, x1, y1, area], 5 * kept.length);
    kept.push(k);
  }
  return kept;
}

/** Return [a, b, x, y]: the rotation and scaling (a, b) and the shift that best take points to others. */
export function similarity(here, there) {
  const mean = (points, k) => points.reduce((sum, point) => sum + point[k], 0) / points.length;
  const [zx, zy, wx, wy] = [mean(here, 0), mean(here, 1), mean(there, 0), mean(there, 1)];
  let a = 0, b = 0, spread = 0;
  here.forEach(([x, y], k) => {
    const [p, q] = [x - zx, y - zy];
    a += p * there[k][0] + q * there[k][1];
    b += p * there[k][1] - q * there[k][0];
    spread += p * p + q * q;
  });
  [a, b] = [a / spread, b / spread];
  return [a, b, wx - (a * zx - b * zy), wy - (b * zx + a * zy)];
}

/** Return the 2 x 3 matrix, by rows, from points of the frame to points of the picture with these five landmarks. */
export function frameToPicture(landmarks, { template, fitted, correction, furthest }) {
  const [a, b, x, y] = similarity(fitted.map((k) => template[k]), fitted.map((k) => landmarks[k]));
  const size = a * a + b * b;
  if (!size) return [a, -b, x, b, a, y];
  const off = landmarks.flatMap(([u, v], k) => {
    const [p, q] = [u - x, v - y];
    const found = [(a * p + b * q) / size, (a * q - b * p) / size];
    return found.map((value, axis) => Math.min(furthest, Math.max(-furthest, value - template[k][axis])));
  });
  const [zoom, turn, right, down] = [0, 1, 2, 3].map((k) => off.reduce((sum, value, row) => sum + value * correction[row][k], 0));
  const [c, s] = [Math.exp(-zoom) * Math.cos(-turn), Math.exp(-zoom) * Math.sin(-turn)];
  const [mx, my] = [FRAME.columns / 2, FRAME.rows / 2];
  const [tx, ty] = [mx - (c * (mx + right) - s * (my + down)), my - (s * (mx + right) + c * (my + down))];
  const [p, q] = [a * c - b * s, a * s + b * c];
  return [p, -q, a * tx - b * ty + x, q, p, b * tx + a * ty + y];
}
