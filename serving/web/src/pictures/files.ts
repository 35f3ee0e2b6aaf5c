// Files out of what people drop, choose and paste.
import { type Found, type Left, isHidden, isZip, mayBePicture, together, unpack } from "./zip";

/** What the file picker offers; a phone turns its own formats into the first of these. */
export const ACCEPT =
  "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff,image/avif,.zip,application/zip";

/** `files` with those of their zips in place of these; zips alone need time. */
export async function withoutZips(files: File[]): Promise<Found> {
  const finds: Found[] = [];
  for (const file of files) {
    // One after the other: each is held in memory while it is unpacked.
    // oxlint-disable-next-line no-await-in-loop
    finds.push(isZip(file) ? await unpack(file) : { files: [file], left: [] });
  }
  return together(finds);
}

/** The pictures and zips of a folder, as the file picker gives it; what is left out is told to `leave`. */
export function ofFolder(files: File[], leave: (left: Left[]) => void = () => {}): File[] {
  const seen = files.filter((file) => !isHidden(file.webkitRelativePath || file.name));
  const taken = seen.filter((file) => mayBePicture(file.name) || isZip(file));
  leave(seen.filter((file) => !taken.includes(file)).map(({ name }) => ({ name, why: "is no picture" })));
  return taken.toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** All files of a drop, pictures in folders included, in the order of their names; the rest is told to `leave`. */
export async function droppedFiles(
  transfer: DataTransfer,
  leave: (left: Left[]) => void = () => {},
): Promise<File[]> {
  // The list of items is emptied as soon as the event is over: take the entries before the first await.
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry != null);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const unread: Left[] = [];
  const loose = entries.filter((entry) => !entry.isDirectory);
  const folders = entries.filter((entry) => entry.isDirectory);
  const [files, inFolders] = await Promise.all([loose, folders].map((some) => allFilesOf(some, unread)));
  const inside = ofFolder(inFolders ?? [], (left) => unread.push(...left));
  leave(unread);
  return [...(files ?? []), ...inside].toSorted((a, b) =>
    a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
}

/** Pictures on the clipboard, named so that they can be told apart. */
export function pastedFiles(clipboard: DataTransfer, now: Date): File[] {
  const stamp = now.toTimeString().slice(0, 8).replaceAll(":", "");
  const images = [...clipboard.files].filter((file) => file.type.startsWith("image/"));
  return images.map((file, index) => rename(file, `pasted-${stamp}-${index + 1}`));
}

function rename(file: File, stem: string): File {
  // The browser calls every bitmap of the clipboard image.png; a copied file keeps its own name.
  if (file.name !== "image.png") return file;
  return new File([file], `${stem}.png`, { type: file.type });
}

const allFilesOf = async (entries: FileSystemEntry[], unread: Left[]) =>
  (await Promise.all(entries.map((entry) => filesOf(entry, unread)))).flat();

/** A file that the system does not give, for want of rights or because it is gone, is told of, not thrown. */
async function filesOf(entry: FileSystemEntry, unread: Left[]): Promise<File[]> {
  if (isHidden(entry.name)) return [];
  try {
    if (!entry.isDirectory) return [await fileOf(entry as FileSystemFileEntry)];
    const inside = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
    return await allFilesOf(inside, unread);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    unread.push({ name: entry.name, why: `cannot be read: ${reason}` });
    return [];
  }
}

const fileOf = (entry: FileSystemFileEntry) =>
  new Promise<File>((resolve, reject) => entry.file(resolve, reject));

async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives at most a hundred entries at a time, and none when it is done.
    // oxlint-disable-next-line no-await-in-loop
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
