import { decoded } from "./decode";
import { unturned } from "./turning";

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const big = (value: number, size: number) =>
  Array.from({ length: size }, (_, at) => String.fromCharCode((value >> (8 * (size - 1 - at))) & 255)).join(
    "",
  );
const little = (value: number, size: number) => [...big(value, size)].toReversed().join("");

/** A block of Exif with one entry for each kind, count and value of four bytes. */
function exif(...entries: [kind: number, value: string][]) {
  const packed = entries.map(([kind, value]) => `\x01\x12${big(kind, 2)}${big(1, 4)}${value}`).join("");
  return `MM\0*${big(8, 4)}${big(entries.length, 2)}${packed}${big(0, 4)}`;
}

const segment = (payload: string) => `\xff\xe1${big(payload.length + 2, 2)}${payload}`;
const jpeg = (...exifs: string[]) =>
  `\xff\xd8\xff\xe0\0\x04ab${exifs.map((one) => segment(`Exif\0\0${one}`)).join("")}\xff\xda\0\x02pixels`;
const chunk = (kind: string, payload: string) => `${big(payload.length, 4)}${kind}${payload}\0\0\0\0`;
const png = (one: string) => `\x89PNG\r\n\x1a\n${chunk("IHDR", "")}${chunk("eXIf", one)}${chunk("IEND", "")}`;
const webp = (one: string) => `RIFF\0\0\0\0WEBPEXIF${little(one.length, 4)}${one}`;

const six: [number, string] = [3, "\0\x06\0\0"];
const turnOf = async (file: string) => (await unturned(new Blob([bytes(file)]))).orientation;

describe("how a picture must be turned", () => {
  it.each([
    ["a short number, as nearly all write it", exif(six), 6],
    ["a long number", exif([4, "\0\0\0\x06"]), 6],
    ["a byte", exif([1, "\x06\0\0\0"]), 6],
    ["a number below 0", exif([8, "\0\x06\0\0"]), 1],
    ["the first of two", exif([3, "\0\x63\0\0"], six), 1],
    ["no way that there is", exif([3, "\0\x63\0\0"]), 1],
    ["a letter of another kind of file", exif(six).replace("*", "+"), 1],
    ["something outside of itself", "MM\0*\0\x0f\xff\xff", 1],
    ["nothing", "", 1],
  ])("is read as the server reads it where Exif has %s", async (_, one, wanted) => {
    const turns = await Promise.all([jpeg(one), png(one), webp(one)].map(turnOf));
    expect(turns).toEqual([wanted, wanted, wanted]);
  });

  it("is what the first of several Exifs says, and none of them is left to the browser", async () => {
    const { file, orientation } = await unturned(new Blob([bytes(jpeg(exif(six), exif([3, "\0\x03\0\0"])))]));
    expect(orientation).toBe(6);
    const left = String.fromCharCode(...new Uint8Array(await file.arrayBuffer()));
    expect(left).not.toMatch(/Exif|MM\0\*/);
    expect(left).toMatch(/pixels$/);
  });

  it("is not told by what stands behind the end of a PNG", async () => {
    expect(await turnOf(png("") + chunk("eXIf", exif(six)))).toBe(1);
  });
});

describe("a file that the server would refuse", () => {
  it.each([
    ["an icon", "\0\0\x01\0\x01\0"],
    ["JPEG XL", "\xff\x0a\xfa\x7f"],
    ["a text", "not found"],
  ])("is refused where it is %s, whatever the browser can show", async (_, start) => {
    await expect(decoded(new Blob([bytes(start)]))).rejects.toMatchObject({ code: "image_unsupported" });
  });
});
