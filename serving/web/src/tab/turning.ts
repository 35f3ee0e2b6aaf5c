// How a PNG or WebP must be turned to be upright, by its Exif. Of these, browsers turn some and others not; JPEGs they all do.

const UPRIGHT = 1;
const ORIENTATION = 0x0112;
const EXIF_PREFIX = 6;
const [LITTLE, BIG] = [0x4949, 0x4d4d];

/** A file that no browser turns, and how it must be turned; 1 also where every browser does so by itself. */
export async function unturned(file: Blob): Promise<{ file: Blob; orientation: number }> {
  const view = new DataView(await file.arrayBuffer());
  const exif = exifOf(view);
  try {
    const orientation = exif ? take(exif) : UPRIGHT;
    return orientation === UPRIGHT ? { file, orientation } : { file: new Blob([view]), orientation };
  } catch (error) {
    if (error instanceof RangeError) return { file, orientation: UPRIGHT }; // it points outside of itself
    throw error;
  }
}

/** Makes what is drawn from now on upright, its top left corner at 0, 0. */
export function turn(context: OffscreenCanvasRenderingContext2D, orientation: number, size: Size): void {
  const { width, height } = size;
  const ways: Record<number, DOMMatrix2DInit> = {
    2: { a: -1, b: 0, c: 0, d: 1, e: width, f: 0 },
    3: { a: -1, b: 0, c: 0, d: -1, e: width, f: height },
    4: { a: 1, b: 0, c: 0, d: -1, e: 0, f: height },
    5: { a: 0, b: 1, c: 1, d: 0, e: 0, f: 0 },
    6: { a: 0, b: 1, c: -1, d: 0, e: height, f: 0 },
    7: { a: 0, b: -1, c: -1, d: 0, e: height, f: width },
    8: { a: 0, b: -1, c: 1, d: 0, e: 0, f: width },
  };
  const way = ways[orientation];
  if (way) context.transform(way.a!, way.b!, way.c!, way.d!, way.e!, way.f!);
}

/** Of the picture as it is stored. */
interface Size {
  width: number;
  height: number;
}

/** The Exif of a PNG or WebP, if it has any. */
function exifOf(view: DataView): DataView | null {
  if (text(view, 1, 3) === "PNG") return png(view);
  if (text(view, 0, 4) === "RIFF" && text(view, 8, 4) === "WEBP") return webp(view);
  return null;
}

function png(view: DataView): DataView | null {
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    if (text(view, at + 4, 4) === "eXIf") return part(view, at + 8, view.getUint32(at));
  }
  return null;
}

function webp(view: DataView): DataView | null {
  for (let at = 12; at + 8 <= view.byteLength; at += 8 + 2 * Math.ceil(view.getUint32(at + 4, true) / 2)) {
    if (text(view, at, 4) === "EXIF") return part(view, at + 8, view.getUint32(at + 4, true));
  }
  return null;
}

const part = (view: DataView, at: number, length: number) =>
  new DataView(view.buffer, at, Math.min(length, view.byteLength - at));

function text(view: DataView, at: number, length: number): string {
  if (at + length > view.byteLength) return "";
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length));
}

/** The orientation that stands there, in whose place "upright" is put: `imageOrientation: "none"` means nothing. */
function take(exif: DataView): number {
  const start = text(exif, 0, 4) === "Exif" ? EXIF_PREFIX : 0;
  const order = exif.getUint16(start);
  if (order !== LITTLE && order !== BIG) return UPRIGHT;
  const isLittle = order === LITTLE;
  const first = start + exif.getUint32(start + 4, isLittle);
  for (let index = 0; index < exif.getUint16(first, isLittle); index++) {
    const at = first + 2 + 12 * index;
    if (exif.getUint16(at, isLittle) === ORIENTATION) {
      const value = exif.getUint16(at + 8, isLittle);
      exif.setUint16(at + 8, UPRIGHT, isLittle);
      return value >= 1 && value <= 8 ? value : UPRIGHT;
    }
  }
  return UPRIGHT;
}
