// A face as the network saw it, with the mask of one region over it in the colours of src/facelocus/images/heatmaps.py.

const RED = [214, 39, 40];
const BLUE = [31, 94, 200];
// What a mask's values differ by where they do not.
const FLAT = 1e-6;

/** Draw the aligned face of a picture onto a canvas of 356 x 436; `frame` leads from the frame to the picture. */
function drawFace(canvas, image, face) {
  const context = canvas.getContext("2d");
  const zoom = canvas.width / 178;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!face.frame) {
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return;
  }
  const [[a, b, right], [c, d, down]] = face.frame;
  const size = a * d - b * c;
  const back = new DOMMatrix([d / size, -c / size, -b / size, a / size, 0, 0]);
  const from = back.transformPoint(new DOMPoint(-right, -down));
  context.setTransform(zoom * back.a, zoom * back.b, zoom * back.c, zoom * back.d, zoom * from.x, zoom * from.y);
  context.drawImage(image, 0, 0);
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/** Return the least value of a mask, its mean and its greatest, and how far a value is from the mean in [-1, 1]. */
function scaleOf(mask) {
  const values = mask.flat();
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const furthest = high - low < FLAT ? Infinity : Math.max(high - mean, mean - low);
  return { low, mean, high, away: (value) => (value - mean) / furthest };
}

const cubic = (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((2.5 - 0.5 * x) * x - 4) * x + 2 : 0);

/** Return a row of values enlarged to `size` as Pillow's bicubic does: weights that would lie outside are left out. */
function enlarged(row, size) {
  return Float32Array.from({ length: size }, (_, place) => {
    const centre = ((place + 0.5) * row.length) / size - 0.5;
    let [sum, weights] = [0, 0];
    for (let k = Math.max(0, Math.ceil(centre - 2)); k < Math.min(row.length, centre + 2); k++) {
      const weight = cubic(Math.abs(k - centre));
      sum += weight * row[k];
      weights += weight;
    }
    return sum / weights;
  });
}

/** Return values in [-1, 1], row by row, as a picture: red above 0, blue below, the further the less transparent. */
function coloured(values, width, height) {
  const picture = new OffscreenCanvas(width, height);
  const pixels = new ImageData(width, height);
  values.forEach((away, k) => {
    const [r, g, b] = away > 0 ? RED : BLUE;
    pixels.data.set([r, g, b, Math.round(255 * Math.min(1, Math.abs(away)))], 4 * k);
  });
  picture.getContext("2d").putImageData(pixels, 0, 0);
  return picture;
}

/**
 * Draw a face, and over it a region's mask, rows x columns in [0, 1], where one is given.
 * `seen`: the share of the frame's height and width, around its middle, that the mask covers.
 */
export function draw(canvas, image, face, mask, opacity, seen) {
  drawFace(canvas, image, face);
  if (!mask) return;
  const [height, width] = [Math.round(seen[0] * canvas.height), Math.round(seen[1] * canvas.width)];
  const { away } = scaleOf(mask);
  const wide = mask.map((row) => enlarged(row.map(away), width));
  const values = new Float32Array(width * height);
  for (let x = 0; x < width; x++) enlarged(wide.map((row) => row[x]), height).forEach((value, y) => { values[y * width + x] = value; });
  const context = canvas.getContext("2d");
  context.globalAlpha = opacity;
  context.drawImage(coloured(values, width, height), (canvas.width - width) / 2, (canvas.height - height) / 2);
  context.globalAlpha = 1;
}

/** Colour an element from left to right as a mask is from its least value to its greatest; return that range in words. */
export function drawScale(element, mask, opacity) {
  element.style.background = "none";
  if (!mask) return "";
  const { low, mean, high, away } = scaleOf(mask);
  if (high - low < FLAT) return `${mean.toFixed(2)} everywhere`;
  const colour = (rgb, value) => `rgb(${rgb.join(" ")} / ${opacity * Math.abs(away(value))})`;
  element.style.background = `linear-gradient(90deg, ${colour(BLUE, low)}, transparent ${(100 * (mean - low)) / (high - low)}%, ${colour(RED, high)})`;
  return `${low.toFixed(2)} to ${high.toFixed(2)}, no colour at its mean ${mean.toFixed(2)}`;
}
