// A JPEG read at 1/2, 1/4 or 1/8 of its size, by the decoder that Pillow has too: the same pixels.

/** Return [width, height] as they are stored, before the picture is turned; null where a file is no JPEG. */
export function storedSize(content) {
  const bytes = new DataView(content);
  if (bytes.byteLength < 2 || bytes.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= bytes.byteLength;) {
    const [start, marker] = [bytes.getUint8(at), bytes.getUint8(at + 1)];
    if (start !== 0xff || marker === 0xff) at += 1;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return [bytes.getUint16(at + 7), bytes.getUint16(at + 5)];
    } else at += 2 + bytes.getUint16(at + 2);
  }
  return null;
}

/** Return the power of two up to 8 by which sides are divided on reading, so that the longer keeps at least `read` pixels. */
export function reduction(sides, read) {
  const share = Math.min(1, read / Math.max(...sides));
  const times = Math.min(...sides.map((side) => Math.trunc(side / Math.max(1, Math.trunc(side * share)))));
  return [8, 4, 2, 1].find((factor) => times >= factor);
}

/** Return a frame that is `factor` times smaller, to be closed; null where this browser reads whole pictures only. */
export async function readSmall(content, sides, factor) {
  if (!("ImageDecoder" in self)) return null;
  const [width, height] = sides.map((side) => Math.ceil(side / factor));
  const wanted = { desiredWidth: width, desiredHeight: height, colorSpaceConversion: "none" };
  const decoder = new ImageDecoder({ data: content, type: "image/jpeg", ...wanted });
  try {
    const { image } = await decoder.decode();
    if (image.codedWidth === width && image.codedHeight === height) return image;
    image.close();
    return null;
  } finally {
    decoder.close();
  }
}
