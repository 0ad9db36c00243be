// A WebP that lies on its side: browsers turn other pictures as their EXIF says, this one not all of them do.

const ORIENTATION = 0x0112;
// Of each orientation (EXIF 2.32, tag 0x0112): the axes of the stored picture in the upright one, as (a, b, c, d).
const AXES = { 2: [-1, 0, 0, 1], 3: [-1, 0, 0, -1], 4: [1, 0, 0, -1], 5: [0, 1, 1, 0], 6: [0, 1, -1, 0], 7: [0, -1, -1, 0], 8: [0, -1, 1, 0] };

const text = (bytes, at, length) => String.fromCharCode(...new Uint8Array(bytes.buffer, at, length));

/** Return where an EXIF block that begins at `start` has its orientation, and in which order of bytes; null where it has none. */
function placeIn(bytes, start) {
  const tiff = text(bytes, start, 6) === "Exif\0\0" ? start + 6 : start;
  const little = bytes.getUint16(tiff) === 0x4949;
  const directory = tiff + bytes.getUint32(tiff + 4, little);
  for (let k = 0; k < bytes.getUint16(directory, little); k++) {
    const entry = directory + 2 + 12 * k;
    if (bytes.getUint16(entry, little) === ORIENTATION) return { at: entry + 8, little };
  }
  return null;
}

/** Return the same for a file's content; null where it is no WebP, too. */
function placeOf(bytes) {
  if (bytes.byteLength < 16 || text(bytes, 0, 4) !== "RIFF" || text(bytes, 8, 4) !== "WEBP") return null;
  for (let at = 12; at + 8 < bytes.byteLength;) {
    if (text(bytes, at, 4) === "EXIF") return placeIn(bytes, at + 8);
    const size = bytes.getUint32(at + 4, true);
    at += 8 + size + (size % 2);
  }
  return null;
}

/** Return a canvas of a WebP that is to be turned, upright; null for every other file, and where its EXIF is broken.
 *
 * The browser is given a copy that says to be upright, so that it is turned once by each. */
export async function turned(file, content, options = {}) {
  const bytes = new DataView(content);
  let place = null;
  let axes = null;
  try {
    place = placeOf(bytes);
    axes = place && AXES[bytes.getUint16(place.at, place.little)];
  } catch (error) {
    // It points outside the file.
    if (!(error instanceof RangeError)) throw error;
  }
  if (!axes) return null;
  const copy = new DataView(content.slice(0));
  copy.setUint16(place.at, 1, place.little);
  const bitmap = await createImageBitmap(new Blob([copy.buffer], { type: file.type }), options);
  const { width, height } = bitmap;
  const [a, b, c, d] = axes;
  const canvas = a ? new OffscreenCanvas(width, height) : new OffscreenCanvas(height, width);
  const context = canvas.getContext("2d");
  context.setTransform(a, b, c, d, a + c < 0 ? canvas.width : 0, b + d < 0 ? canvas.height : 0);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas;
}
