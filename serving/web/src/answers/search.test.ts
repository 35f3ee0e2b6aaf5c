import { PATHS, makeAnswer } from "../test/contract";
import { search } from "./search";

const found = (typed: string, type = "Casual Shoes") =>
  search(PATHS, typed, makeAnswer({ type })).map(({ article_type }) => article_type);

describe("search", () => {
  it("offers the answer's own path first, then the most common ones", () => {
    expect(found("")).toEqual(["Casual Shoes", "Tshirts", "Shirts", "Watches", "Sports Shoes", "Heels"]);
  });

  it.each([
    ["heel", ["Heels"]],
    ["SPORTS sh", ["Sports Shoes"]],
    ["t-shirt", ["Tshirts", "Shirts"]],
    ["shirt", ["Shirts", "Tshirts"]],
    ["accessories", ["Watches"]],
    ["zebra", []],
  ])("finds by “%s” %j", (typed, expected) => {
    expect(found(typed)).toEqual(expected);
  });

  it("finds labels of any script, with accents or without, and none that is unlike them", () => {
    const labels = ["Туфли", "靴", "Bébé bodies"];
    const paths = labels.map((article_type) => ({ ...PATHS[0]!, article_type }));
    const of = (typed: string) => search(paths, typed, makeAnswer()).map(({ article_type }) => article_type);
    expect(["туф", "靴", "bebe bod", "bébé", "юбка"].map(of)).toEqual([
      ["Туфли"],
      ["靴"],
      ["Bébé bodies"],
      ["Bébé bodies"],
      [],
    ]);
  });

  it("finds every type of a category", () => {
    expect(found("footwear")).toEqual(["Casual Shoes", "Sports Shoes", "Heels"]);
  });
});
