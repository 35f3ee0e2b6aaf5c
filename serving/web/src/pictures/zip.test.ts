import { strToU8, zipSync } from "fflate";

import { withoutZips } from "./files";
import { LIMITS, unpack } from "./zip";

const bytes = strToU8("a picture");
const zipOf = (entries: Record<string, Uint8Array>, name = "shop.zip") =>
  new File([zipSync(entries) as BlobPart], name, { type: "application/zip" });
const names = (files: File[]) => files.map(({ name }) => name);

const read = (file: Blob) =>
  new Promise<string>((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result)));
    reader.readAsText(file);
  });

describe("unpack", () => {
  it("takes the pictures of all folders by name, whole, and names what is no picture", async () => {
    const zip = zipOf({
      "shop/b/10.JPG": bytes,
      "shop/2.png": bytes,
      "shop/styles.csv": bytes,
      "shop/IMG_7": bytes,
    });
    const { files, left } = await unpack(zip);
    expect(names(files)).toEqual(["2.png", "10.JPG", "IMG_7"]);
    expect(await read(files[0] as File)).toBe("a picture");
    expect(left).toEqual([{ name: "shop.zip: shop/styles.csv", why: "is no picture" }]);
  });

  it("reads names of UTF-8 that do not say so, as macOS writes them, and those of Latin letters", async () => {
    const zip = zipSync({ "e\u0301tui.jpg": bytes, "日本.jpg": bytes });
    for (let at = 0; at < zip.length - 9; at++) {
      const [p, k, kind] = zip.subarray(at, at + 3);
      if (p !== 0x50 || k !== 0x4b || (kind !== 1 && kind !== 3)) continue;
      const flags = at + (kind === 1 ? 9 : 7);
      zip[flags] = (zip[flags] ?? 0) & ~8; // of two bytes the upper one, with the mark of UTF-8
    }
    const { files } = await unpack(new File([zip as BlobPart], "mac.zip"));
    expect(names(files)).toEqual(["étui.jpg", "日本.jpg"]);
    expect(names((await unpack(zipOf({ "größe.jpg": bytes }))).files)).toEqual(["größe.jpg"]);
  });

  it("passes over what systems put beside files", async () => {
    const hidden = {
      "__MACOSX/._1.jpg": bytes,
      ".DS_Store": bytes,
      "a/.git/1.jpg": bytes,
      "a/Thumbs.db": bytes,
      "a/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg": bytes,
      "#recycle/1.jpg": bytes,
      "$RECYCLE.BIN/1.jpg": bytes,
      "a/~$1.jpg": bytes,
    };
    expect(names((await unpack(zipOf({ ...hidden, "1.jpg": bytes }))).files)).toEqual(["1.jpg"]);
  });

  it("takes pictures below “./”, as some programs write their folders, and makes no picture of a folder", async () => {
    const zip = zipOf({ "./a/1.jpg": bytes, "../2.jpg": bytes, "a\\": new Uint8Array(), "a\\3.jpg": bytes });
    const { files, left } = await unpack(zip);
    expect([names(files), left]).toEqual([["1.jpg", "2.jpg", "3.jpg"], []]);
  });

  it.each([{}, { "a/": new Uint8Array(), "a/.DS_Store": bytes }])(
    "says of a zip that has no picture in it",
    async (entries) => {
      expect((await unpack(zipOf(entries))).left).toEqual([
        { name: "shop.zip", why: "has no picture in it" },
      ]);
    },
  );

  it.each([
    ["older", 0, 12],
    ["newer", 99, 28],
  ])("says of a file that is encrypted in the %s way that it is locked", async (_, packing, more) => {
    const zip = zipSync({ "1.jpg": bytes }, { level: 0 });
    const view = new DataView(zip.buffer, zip.byteOffset);
    const at = view.getUint32(zip.length - 6, true); // of the directory
    view.setUint16(at + 10, packing, true);
    view.setUint32(at + 20, bytes.length + more, true);
    const { files, left } = await unpack(new File([zip as BlobPart], "shop.zip"));
    expect([files, left]).toEqual([
      [],
      [{ name: "shop.zip: 1.jpg", why: expect.stringMatching(/locked with a password/) }],
    ]);
  });

  it("opens no zip within a zip, and says so", async () => {
    const { files, left } = await unpack(zipOf({ "inner.zip": zipSync({ "1.jpg": bytes }) }));
    expect(files).toEqual([]);
    expect(left[0]?.why).toMatch(/zip within a zip/);
  });

  it.each([
    ["pictures", { pictures: 1 }, /beyond the 1 pictures/],
    ["bytes of all", { allBytes: 5000 }, /beyond the 0 MB/],
    ["bytes of one", { pictureBytes: 3000 }, /larger than 0 MB/],
  ])(
    "stops at the bound of %s, by what the zip says of itself, and names the rest",
    async (_, bound, why) => {
      const zip = zipOf({ "1.jpg": new Uint8Array(2999), "2.jpg": new Uint8Array(4000) });
      const { files, left } = await unpack(zip, { ...LIMITS, ...bound });
      expect(names(files)).toEqual(["1.jpg"]);
      expect(left).toEqual([{ name: "shop.zip: 2.jpg", why: expect.stringMatching(why) }]);
    },
  );

  it("unpacks no more of a file than the zip said it has", async () => {
    const packed = zipSync({ "1.jpg": new Uint8Array(1_000_000) });
    const view = new DataView(packed.buffer, packed.byteOffset);
    for (let at = 0; at + 30 < packed.length; at++) {
      const mark = view.getUint32(at, true);
      if (mark === 0x04034b50) view.setUint32(at + 22, 100, true);
      if (mark === 0x02014b50) view.setUint32(at + 24, 100, true);
    }
    const { files } = await unpack(new File([packed as BlobPart], "bomb.zip"));
    expect(files.every(({ size }) => size <= 100)).toBe(true);
  });

  it("refuses a zip that is larger than it may be", async () => {
    const { left } = await unpack(zipOf({ "1.jpg": bytes }), { ...LIMITS, zipBytes: 10 });
    expect(left[0]?.why).toMatch(/larger than/);
  });

  it.each(["no zip at all", ""])("says that %j is no zip", async (content) => {
    const { files, left } = await unpack(new File([content], "broken.zip"));
    expect([files, left]).toEqual([[], [{ name: "broken.zip", why: expect.stringMatching(/no zip/) }]]);
  });

  it("names the one file that is damaged and takes the others", async () => {
    const packed = zipSync({ "1.jpg": strToU8("abc".repeat(500)), "2.jpg": bytes });
    packed.fill(0xff, 35, 45); // within the first file's data
    const { files, left } = await unpack(new File([packed as BlobPart], "half.zip"));
    expect(names(files)).toEqual(["2.jpg"]);
    expect(left).toEqual([{ name: "half.zip: 1.jpg", why: expect.stringMatching(/cannot be unpacked/) }]);
  });
});

describe("withoutZips", () => {
  it("puts a zip's pictures in its place among the others", async () => {
    const files = [new File([], "1.jpg"), zipOf({ "2.jpg": bytes }), new File([], "3.jpg")];
    expect(names((await withoutZips(files)).files)).toEqual(["1.jpg", "2.jpg", "3.jpg"]);
  });
});
