import { droppedFiles, pastedFiles } from "./files";

const file = (name: string, type = "image/jpeg") => new File([name], name, { type });

const fileEntry = (name: string) => ({
  name,
  isDirectory: false,
  file: (take: (one: File) => void) => take(file(name)),
});

function folder(name: string, entries: unknown[]) {
  const batches = [entries.slice(0, 1), entries.slice(1), []]; // a reader gives its entries bit by bit
  const readEntries = (take: (some: unknown[]) => void) => take(batches.shift() ?? []);
  return { name, isDirectory: true, createReader: () => ({ readEntries }) };
}

const transfer = (entries: unknown[], files: File[] = []) =>
  ({ files, items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })) }) as unknown as DataTransfer;

describe("droppedFiles", () => {
  it("takes loose files in the order in which they came", async () => {
    const files = [file("b.jpg"), file("a.jpg")];
    const entries = [fileEntry("b.jpg"), fileEntry("a.jpg")];
    expect(await droppedFiles(transfer(entries, files))).toEqual(files);
  });

  it("opens folders within folders, by name, and leaves hidden files behind", async () => {
    const inner = folder("inner", [fileEntry("10.jpg")]);
    const outer = folder("outer", [fileEntry("2.jpg"), fileEntry(".DS_Store"), inner]);
    const names = (await droppedFiles(transfer([outer]))).map(({ name }) => name);
    expect(names).toEqual(["2.jpg", "10.jpg"]);
  });
});

describe("pastedFiles", () => {
  const now = new Date(2026, 0, 2, 9, 5, 7);
  const paste = (files: File[]) =>
    pastedFiles({ files } as unknown as DataTransfer, now).map(({ name }) => name);

  it("tells bitmaps of the clipboard apart and keeps the names of copied files", () => {
    expect(paste([file("image.png", "image/png"), file("shoe.jpg")])).toEqual([
      "pasted-090507-1.png",
      "shoe.jpg",
    ]);
  });

  it("leaves what is no picture to the page", () => {
    expect(paste([file("notes.txt", "text/plain")])).toEqual([]);
  });
});
