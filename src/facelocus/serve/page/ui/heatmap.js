// A face as the network saw it, with the mask of one region over it.

const RED = [214, 39, 40];
const BLUE = [31, 94, 200];

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

/** Return a mask as a picture of one pixel a cell: red above its mean, blue below, the further the less transparent. */
function coloured(mask) {
  const values = mask.flat();
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const furthest = Math.max(...values.map((value) => Math.abs(value - mean)), 1e-6);
  const cells = new ImageData(mask[0].length, mask.length);
  values.forEach((value, k) => {
    const away = (value - mean) / furthest;
    cells.data.set([...(away > 0 ? RED : BLUE), Math.round(255 * Math.abs(away))], 4 * k);
  });
  const small = document.createElement("canvas");
  small.width = cells.width;
  small.height = cells.height;
  small.getContext("2d").putImageData(cells, 0, 0);
  return small;
}

/** Draw a face, and over it a region's mask where one is given; return the mask's range in words. */
export function draw(canvas, image, face, mask, opacity) {
  drawFace(canvas, image, face);
  if (!mask) return "";
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.globalAlpha = opacity;
  context.drawImage(coloured(mask), 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 1;
  const values = mask.flat();
  return `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
}
