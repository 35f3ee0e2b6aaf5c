import { type UnzipFileInfo, unzipSync } from "fflate";

/** A file that was not taken, and why. */
export interface Left {
  name: string;
  why: string;
}

/** What came of files, folders and zips. */
export interface Found {
  files: File[];
  left: Left[];
}

/** What a zip may be and become at most: a few kilobytes can unpack to all of the memory. */
export const LIMITS = {
  zipBytes: 512 * 2 ** 20,
  pictures: 2000,
  pictureBytes: 64 * 2 ** 20,
  allBytes: 512 * 2 ** 20,
};

/** Unpacked at once, between which the page can draw. */
const AT_ONCE_BYTES = 8 * 2 ** 20;

/** The packing that encrypted files have. */
const AES = 99;
const LOCKED = "is locked with a password: unpack the zip yourself, and add what is in it";
const DAMAGED = "it is damaged or locked with a password: try to unpack the zip yourself";

// Both as schema/file_names.py has them.
const PICTURE = /\.(p?jpeg|jpg|jpe|jfif|jif|mpo|a?png|webp|gif|bmp|dib|tiff?|avif|hei[cf]|hif)$/i;
const OF_A_SYSTEM = new Set([
  "thumbs.db",
  "ehthumbs.db",
  "ehthumbs_vista.db",
  "desktop.ini",
  "picasa.ini",
  "icon\r",
  "__macosx",
  "system volume information",
  "$recycle.bin",
  "recycler",
  "lost+found",
  "@eadir",
  "#recycle",
  "#snapshot",
  "@recycle",
  "@recently-snapshot",
  "~snapshot",
  "network trash folder",
  "temporary items",
]);

const ZIP = /\.zip$/i;

const baseName = (path: string) => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);

/** What systems put beside files: nobody means to add it. "./" and "../" are but ways. */
export const isHidden = (path: string) =>
  path
    .toLowerCase()
    .split(/[/\\]/)
    .some((part) => OF_A_SYSTEM.has(part) || /^(\.(?!\.?$)|~\$)|:zone\.identifier$/.test(part));

/** Whether a file of a folder or zip is added; without an ending, its content will tell. */
export const mayBePicture = (path: string) => PICTURE.test(path) || !baseName(path).includes(".");

export const isZip = ({ name, type }: File) => ZIP.test(name) || type === "application/zip";

/** The pictures in `zip`, by name, in folders within it too; what is left out is told, but for hidden files. */
export async function unpack(zip: File, limits = LIMITS): Promise<Found> {
  if (zip.size > limits.zipBytes) return nothing(zip, `is larger than ${megabytes(limits.zipBytes)}`);
  let data: Uint8Array;
  let entries: UnzipFileInfo[];
  try {
    data = new Uint8Array(await zip.arrayBuffer());
    entries = list(data);
  } catch {
    return nothing(zip, "is no zip that can be read: it is damaged, or cut short");
  }
  const { taken, left } = choose(entries, limits);
  const files: File[] = [];
  for (const group of inGroups(taken)) {
    const done = unpackGroup(data, group);
    files.push(...done.files);
    left.push(...done.left);
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve));
  }
  if (files.length + left.length === 0) return nothing(zip, "has no picture in it");
  files.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return { files, left: left.map(({ name, why }) => ({ name: `${zip.name}: ${name}`, why })) };
}

/** A name as it was meant: macOS writes UTF-8 and does not say so, and each byte became a letter. */
function readable(name: string): string {
  const codes = Array.from(name, (letter) => letter.codePointAt(0) ?? 0);
  if (codes.some((code) => code > 0xff)) return name;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(codes)).normalize("NFC");
  } catch {
    return name;
  }
}

const nothing = (zip: File, why: string): Found => ({ files: [], left: [{ name: zip.name, why }] });

function list(data: Uint8Array): UnzipFileInfo[] {
  const entries: UnzipFileInfo[] = [];
  unzipSync(data, { filter: (entry) => entries.push(entry) < 0 });
  return entries;
}

/** By what the zip says of itself; fflate unpacks no more of a file than that. */
function choose(entries: UnzipFileInfo[], limits: typeof LIMITS): { taken: UnzipFileInfo[]; left: Left[] } {
  const taken = new Map<string, UnzipFileInfo>();
  const left: Left[] = [];
  let bytes = 0;
  for (const entry of entries.filter(({ name }) => !/[/\\]$/.test(name) && !isHidden(name))) {
    const { name, originalSize } = entry;
    const why =
      (ZIP.test(name) && "is a zip within a zip: unpack it first") ||
      (!mayBePicture(name) && "is no picture") ||
      (isLocked(entry) && LOCKED) ||
      (taken.has(name) && "is there twice") ||
      (originalSize > limits.pictureBytes && `is larger than ${megabytes(limits.pictureBytes)}`) ||
      (taken.size >= limits.pictures &&
        `is beyond the ${limits.pictures} pictures that are taken of a zip`) ||
      (bytes + originalSize > limits.allBytes &&
        `is beyond the ${megabytes(limits.allBytes)} that are unpacked`);
    if (why) left.push({ name: readable(name), why });
    else {
      bytes += originalSize;
      taken.set(name, entry);
    }
  }
  return { taken: [...taken.values()], left };
}

/** Encrypted in the newer way, which is a packing of its own, or in the older one, which makes what is not packed longer. */
const isLocked = ({ compression, size, originalSize }: UnzipFileInfo) =>
  compression === AES || (compression === 0 && size !== originalSize);

function inGroups(entries: UnzipFileInfo[]): UnzipFileInfo[][] {
  const groups: UnzipFileInfo[][] = [];
  let room = 0;
  for (const entry of entries) {
    if (room < entry.originalSize || !groups.length) {
      groups.push([]);
      room = AT_ONCE_BYTES;
    }
    groups.at(-1)?.push(entry);
    room -= entry.originalSize;
  }
  return groups;
}

function unpackGroup(data: Uint8Array, group: UnzipFileInfo[]): Found {
  const names = new Set(group.map(({ name }) => name));
  try {
    const unpacked = Object.entries(unzipSync(data, { filter: ({ name }) => names.delete(name) }));
    const files = unpacked.map(([name, bytes]) => new File([bytes as BlobPart], baseName(readable(name))));
    return { files, left: [] };
  } catch (error) {
    if (group.length > 1) return together(group.map((entry) => unpackGroup(data, [entry])));
    const reason = error instanceof Error ? error.message : String(error);
    return {
      files: [],
      left: [{ name: readable(group[0]?.name ?? ""), why: `cannot be unpacked: ${reason}; ${DAMAGED}` }],
    };
  }
}

/** All of several finds, in order. */
export const together = (finds: Found[]): Found => ({
  files: finds.flatMap(({ files }) => files),
  left: finds.flatMap(({ left }) => left),
});

const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
