// How a JPEG, PNG or WebP must be turned to be upright, by its Exif, as the server's picture gate reads it. Browsers turn some
// files and others not, and each reads odd Exif in its own way: so it is blotted out, and we turn.

const UPRIGHT = 1;
const ORIENTATION = 0x0112;
const EXIF_PREFIX = 6;
const [LITTLE, BIG] = [0x49492a00, 0x4d4d002a];
const MARKER = 0xff00;
const [APP1, START_OF_SCAN] = [0xffe1, 0xffda];
/** Marks of Exif's whole numbers, and how they are read. */
const WHOLE: Record<number, (view: DataView, at: number, isLittle: boolean) => number> = {
  1: (view, at) => view.getUint8(at),
  3: (view, at, isLittle) => view.getUint16(at, isLittle),
  4: (view, at, isLittle) => view.getUint32(at, isLittle),
};

/** A file that no browser turns, and how it must be turned; 1 also where the browser does so by itself. */
export async function unturned(file: Blob): Promise<{ file: Blob; orientation: number }> {
  const view = new DataView(await file.arrayBuffer());
  const exifs = exifsOf(view);
  if (exifs.length === 0) return { file, orientation: UPRIGHT };
  const orientation = orientationOf(exifs[0]!);
  for (const exif of exifs) blot(exif);
  return { file: new Blob([view]), orientation };
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

/** Every Exif of a JPEG, PNG or WebP, the one that counts first. */
function exifsOf(view: DataView): DataView[] {
  if (text(view, 0, 3) === "\xff\xd8\xff") return [...jpeg(view)];
  if (text(view, 1, 3) === "PNG") return [...png(view)];
  if (text(view, 0, 4) === "RIFF" && text(view, 8, 4) === "WEBP") return [...webp(view)];
  return [];
}

function* jpeg(view: DataView) {
  let at = 2;
  while (at + 4 <= view.byteLength) {
    const marker = view.getUint16(at);
    if (marker === START_OF_SCAN) return;
    if (marker < MARKER || marker === 0xffff) {
      at += 1; // fill, or bytes that are none of it
      continue;
    }
    const length = view.getUint16(at + 2);
    if (marker === APP1 && text(view, at + 4, 5) === "Exif\0") yield part(view, at + 4, length - 2);
    at += 2 + length;
  }
}

function* png(view: DataView) {
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    const kind = text(view, at + 4, 4);
    if (kind === "IEND") return;
    if (kind === "eXIf") yield part(view, at + 8, view.getUint32(at));
  }
}

function* webp(view: DataView) {
  for (let at = 12; at + 8 <= view.byteLength; at += 8 + 2 * Math.ceil(view.getUint32(at + 4, true) / 2)) {
    if (text(view, at, 4) === "EXIF") yield part(view, at + 8, view.getUint32(at + 4, true));
  }
}

const part = (view: DataView, at: number, length: number) =>
  new DataView(view.buffer, view.byteOffset + at, Math.max(Math.min(length, view.byteLength - at), 0));

function text(view: DataView, at: number, length: number): string {
  if (at + length > view.byteLength) return "";
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length));
}

/** Where its Exif begins behind the prefix that a JPEG gives it. */
const startOf = (exif: DataView) => (text(exif, 0, EXIF_PREFIX) === "Exif\0\0" ? EXIF_PREFIX : 0);

/** 1 to 8, as Exif counts; upright where it cannot be read, or points outside of itself. */
function orientationOf(exif: DataView): number {
  try {
    const value = valueOf(part(exif, startOf(exif), exif.byteLength));
    return value >= 1 && value <= 8 ? value : UPRIGHT;
  } catch (error) {
    if (error instanceof RangeError) return UPRIGHT;
    throw error;
  }
}

function valueOf(exif: DataView): number {
  const order = exif.getUint32(0);
  if (order !== LITTLE && order !== BIG) return UPRIGHT;
  const isLittle = order === LITTLE;
  const first = exif.getUint32(4, isLittle);
  for (let index = 0; index < exif.getUint16(first, isLittle); index++) {
    const at = first + 2 + 12 * index;
    const read = WHOLE[exif.getUint16(at + 2, isLittle)];
    if (exif.getUint16(at, isLittle) === ORIENTATION && read) return read(exif, at + 8, isLittle);
  }
  return UPRIGHT;
}

/** Leaves nothing that any browser could read: `imageOrientation: "none"` means nothing. */
function blot(exif: DataView) {
  for (let at = 0; at < Math.min(exif.byteLength, 2 * EXIF_PREFIX); at++) exif.setUint8(at, 0);
}
