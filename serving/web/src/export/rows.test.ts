import { answered, makeHead } from "../test/contract";
import { toCsv, toJson } from "./rows";

const HEELS = { master_category: "Footwear", sub_category: "Shoes", article_type: "Heels", attributes: {} };
const HEADER =
  "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName";

const lines = (csv: string) => csv.trimEnd().split("\n");

describe("toCsv", () => {
  it("writes the columns of styles.csv, the file's name as id, and a person's labels over the model's", () => {
    const csv = toCsv([answered("10001.jpg"), answered("10002.jpg", {}, HEELS)]);
    expect(lines(csv)).toEqual([
      HEADER,
      "10001,,Footwear,Shoes,Casual Shoes,,,,,",
      "10002,,Footwear,Shoes,Heels,,,,,",
    ]);
  });

  it.each(["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "=1\n2"])(
    "keeps a file called %j from running as a formula",
    (stem) => {
      expect(lines(toCsv([answered(`${stem}.jpg`)]))[1]).toMatch(/^"?'/);
    },
  );

  it("has what the product is called, which runs as no formula either", () => {
    const [, line] = lines(toCsv([{ ...answered("1.jpg"), productName: "=Puma" }]));
    expect(line).toMatch(/,"?'=Puma"?$/);
  });

  it("quotes names with commas and quotes so that they read back whole", () => {
    expect(lines(toCsv([answered('red, "new".jpg')]))[1]).toMatch(/^"red, ""new""",/);
  });

  it("gives every picture its own id, though files of two folders share a name", () => {
    const ids = lines(toCsv([answered("1.jpg"), answered("1.png"), answered("1.jpg")])).slice(1);
    expect(ids.map((line) => line.split(",")[0])).toEqual(["1", "1-2", "1-3"]);
  });

  it("gives no picture the id that is another file's name", () => {
    const ids = lines(toCsv([answered("1.jpg"), answered("1.png"), answered("1-2.jpg")])).slice(1);
    expect(ids.map((line) => line.split(",")[0])).toEqual(["1", "1-3", "1-2"]);
  });

  it("has each attribute in its column, a person's over the model's, and a column that is not of styles.csv last", () => {
    const attributes = [
      makeHead("gender", "Men", 0.9, { column: "gender" }),
      makeHead("base_colour", "Red", 0.9, { column: "baseColour" }),
      makeHead("sleeve", "long", 0.9, { column: "sleeveLength" }),
    ];
    const corrected = { ...HEELS, attributes: { gender: "Women", base_colour: "Red", sleeve: "long" } };
    const csv = toCsv([answered("1.jpg", { attributes }), answered("2.jpg", { attributes }, corrected)]);
    expect(lines(csv)).toEqual([
      `${HEADER},sleeveLength`,
      "1,Men,Footwear,Shoes,Casual Shoes,Red,,,,,long",
      "2,Women,Footwear,Shoes,Heels,Red,,,,,long",
    ]);
  });

  it("leaves a cell empty where an older release had no such attribute", () => {
    const attributes = [makeHead("sleeve", "long", 0.9)];
    const csv = toCsv([answered("1.jpg"), answered("2.jpg", { attributes })]);
    expect(lines(csv)[1]).toBe("1,,Footwear,Shoes,Casual Shoes,,,,,,");
  });

  it("leaves the columns of levels empty that the release does not tell", () => {
    const none = { ...HEELS, master_category: null, sub_category: null };
    const csv = toCsv([
      answered("1.jpg", { typesAlone: true }),
      answered("2.jpg", { typesAlone: true }, none),
    ]);
    expect(lines(csv)).toEqual([HEADER, "1,,,,Casual Shoes,,,,,", "2,,,,Heels,,,,,"]);
  });

  it("leaves out an answer without an article type until a person gives one", () => {
    const partial = { withoutType: true };
    expect(lines(toCsv([answered("1.jpg", partial)]))).toEqual([HEADER]);
    expect(lines(toCsv([answered("1.jpg", partial, HEELS)]))).toHaveLength(2);
  });
});

describe("toJson", () => {
  it("says beside the columns what was answered, by which release, and what a person did", () => {
    const [entry] = JSON.parse(toJson([answered("1.jpg", { confidence: 0.4 }, HEELS)], null));
    expect(Object.keys(entry).slice(0, 10).join()).toBe(HEADER);
    expect(entry).toMatchObject({
      id: "1",
      articleType: "Heels",
      file: "1.jpg",
      checked: true,
      corrected: true,
    });
    expect(entry.answer).toMatchObject({
      familiarity: 0.9,
      path: ["Footwear", "Shoes"],
      article_type: "Casual Shoes",
      release: "3",
    });
    expect(entry.answer.review).toHaveLength(1);
  });
});
