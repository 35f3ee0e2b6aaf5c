// A file → pixels, by the browser's own decoder, as the server's picture gate shows them: upright by Exif, transparent
// pixels white, no colour profile applied.
import type { Rows } from "./resize";
import { turn, unturned } from "./turning";

export const MOST_PIXELS = 50_000_000;
/** Orientations from here on swap width and height. */
const FIRST_SIDEWAYS = 5;

/** How a file begins that the server takes, too: browsers show more, icons and JPEG XL, and would answer what it refuses. */
const TAKEN = /^(\xff\xd8\xff|\x89PNG\r\n|RIFF[^]{4}WEBP|GIF8[79]a|BM|II\*\0|MM\0\*|[^]{4}ftyp)/;
const START_BYTES = 12;

/** A file that is not taken, in the server's own codes. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly title: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** The decoded picture; `close` gives its memory back. */
export async function decoded(file: Blob): Promise<Rows & { close(): void }> {
  if (file.size === 0) throw new Refused("image_missing", "There is no picture", "The file is empty.");
  await requireTaken(file);
  const { file: plain, orientation } = await unturned(file);
  const bitmap = await bitmapOf(plain);
  if (bitmap.width * bitmap.height > MOST_PIXELS) {
    bitmap.close();
    const most = MOST_PIXELS.toLocaleString("en");
    const detail = `The picture is ${bitmap.width}×${bitmap.height} pixels, at most ${most} in all are allowed.`;
    throw new Refused("image_too_many_pixels", "The picture has too many pixels", detail);
  }
  const isSideways = orientation >= FIRST_SIDEWAYS;
  const width = isSideways ? bitmap.height : bitmap.width;
  const height = isSideways ? bitmap.width : bitmap.height;
  const read = (top: number, count: number) => rowsOf(bitmap, orientation, { top, count, width });
  return { width, height, read, close: () => bitmap.close() };
}

async function requireTaken(file: Blob) {
  const start = new Uint8Array(await file.slice(0, START_BYTES).arrayBuffer());
  if (TAKEN.test(String.fromCharCode(...start))) return;
  const detail = "It starts like no picture that is taken; give JPEG, PNG, WebP, GIF, BMP or AVIF.";
  throw new Refused("image_unsupported", "The file is no picture of a kind that is taken", detail);
}

async function bitmapOf(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, {
      colorSpaceConversion: "none",
      imageOrientation: "from-image",
      premultiplyAlpha: "none",
    });
  } catch {
    const detail =
      "This browser cannot show it: it is damaged, cut short, or no picture of a kind that it knows.";
    throw new Refused("image_undecodable", "The picture cannot be decoded", detail);
  }
}

/** Rows of the upright picture, over white. */
function rowsOf(
  bitmap: ImageBitmap,
  orientation: number,
  { top, count, width }: { top: number; count: number; width: number },
): Uint8ClampedArray {
  const context = new OffscreenCanvas(width, count).getContext("2d", { willReadFrequently: true });
  if (context === null)
    throw new Error("This browser has no OffscreenCanvas with two dimensions; use a newer one.");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, count);
  context.translate(0, -top);
  turn(context, orientation, bitmap);
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, count).data;
}
