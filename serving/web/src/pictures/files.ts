// Files out of what people drop and paste.

/** What the file picker offers; a phone turns its own formats into the first of these. */
export const ACCEPT = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff,image/avif";

/** All files of a drop, those in folders included, in the order of their names. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  // The list of items is emptied as soon as the event is over: take the entries before the first await.
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry != null);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const files = (await Promise.all(entries.map(filesOf))).flat();
  return files.toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
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

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.name.startsWith(".")) return [];
  if (!entry.isDirectory) return [await fileOf(entry as FileSystemFileEntry)];
  const inside = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(inside.map(filesOf))).flat();
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
