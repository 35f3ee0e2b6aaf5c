import { answered, makeProblem } from "../test/contract";
import type { Picture } from "../pictures/picture";
import { type Order, matches, sorted, tally } from "./selection";

const HEELS = { master_category: "Footwear", sub_category: "Shoes", article_type: "Heels", attributes: {} };
const failed: Picture = {
  ...answered("5.jpg"),
  state: { kind: "failed", problem: makeProblem("image_undecodable", 422) },
};
const PICTURES: Picture[] = [
  answered("10.jpg", { type: "Watches", confidence: 0.9 }),
  answered("9.jpg", { type: "Shirts", confidence: 0.4 }),
  failed,
  answered("1.jpg", { type: "Tshirts", confidence: 0.7, disagree: true }),
  answered("2.jpg", { type: "Casual Shoes", confidence: 0.3 }, HEELS),
];
const names = (pictures: Picture[]) => pictures.map(({ name }) => name);

describe("matches", () => {
  it.each([
    ["all", null, 5],
    ["look", null, 2],
    ["look", 0.95, 3],
    ["look", 0, 1],
    ["disagree", null, 1],
    ["checked", null, 1],
    ["failed", null, 1],
  ] as const)("keeps under %s at threshold %s %i pictures", (filter, threshold, expected) => {
    expect(PICTURES.filter((picture) => matches(picture, filter, threshold))).toHaveLength(expected);
  });
});

describe("sorted", () => {
  it.each<[Order, string[]]>([
    ["added", ["10.jpg", "9.jpg", "5.jpg", "1.jpg", "2.jpg"]],
    ["unsure", ["2.jpg", "9.jpg", "1.jpg", "10.jpg", "5.jpg"]],
    ["sure", ["10.jpg", "1.jpg", "9.jpg", "2.jpg", "5.jpg"]],
    ["name", ["1.jpg", "2.jpg", "5.jpg", "9.jpg", "10.jpg"]],
    ["label", ["10.jpg", "9.jpg", "1.jpg", "2.jpg", "5.jpg"]],
  ])("orders by %s, pictures without an answer last among answers", (order, expected) => {
    expect(names(sorted(PICTURES, order))).toEqual(expected);
  });
});

describe("tally", () => {
  it("counts what is done, failed, checked, corrected and still to look at", () => {
    expect(tally(PICTURES, null)).toEqual({
      total: 5,
      done: 5,
      look: 2,
      failed: 1,
      checked: 1,
      corrected: 1,
    });
  });
});
