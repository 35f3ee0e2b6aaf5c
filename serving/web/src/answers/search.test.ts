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

  it("finds every type of a category", () => {
    expect(found("footwear")).toEqual(["Casual Shoes", "Sports Shoes", "Heels"]);
  });
});
