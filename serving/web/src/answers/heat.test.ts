import { makeExplanation } from "../test/contract";
import { heatInWords, shares } from "./heat";

describe("shares", () => {
  it("measures every cell by the hottest one, and leaves those cold that speak against the label", () => {
    expect(shares(makeExplanation([0.4, 0.1, -0.3, 0]))).toEqual([1, 0.25, 0, 0]);
  });

  it("colours nothing where nothing decides, rather than noise", () => {
    expect(shares(makeExplanation([0.001, 0.002, -0.001, 0]))).toEqual([0, 0, 0, 0]);
  });
});

describe("heatInWords", () => {
  it.each([
    [[0.4, 0, 0, 0], "upper left"],
    [[0, 0, 0, 0.4], "lower right"],
  ])("names the place of the hottest of %j: the %s", (heat, place) => {
    expect(heatInWords(makeExplanation(heat))).toBe(
      `Casual Shoes rests most on the ${place}: with that hidden, its confidence falls from 87\u00a0% to 47\u00a0%.`,
    );
  });

  it("names the centre of a finer grid", () => {
    expect(heatInWords(makeExplanation([0, 0, 0, 0, 0.4, 0, 0, 0, 0], 3))).toContain("the centre:");
  });

  it("says so when no part decides", () => {
    expect(heatInWords(makeExplanation([0, 0, 0, 0]))).toMatch(/No single part decides/);
  });
});
