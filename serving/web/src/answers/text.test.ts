import { duration, percent, reasonInWords } from "./text";

describe("percent", () => {
  it.each([
    [0, "0 %"],
    [0.004, "<1 %"],
    [0.8712, "87 %"],
    [0.996, "99 %"],
    [0.9999, "100 %"],
  ])("writes %d as %s: never certain when it is not", (probability, text) => {
    expect(percent(probability)).toBe(text.replace(" ", "\u00a0"));
  });
});

const reason = (confidence: number, threshold = 0.92) =>
  reasonInWords({ code: "low_confidence", head: "article_type", confidence, threshold, message: "" });

describe("reasonInWords", () => {
  it("never says that as much as there is would be enough", () => {
    expect(reason(0.41)).toBe("Unsure of the article type: 41\u00a0%, where 92\u00a0% is enough.");
    expect(reason(0.919)).toBe("Unsure of the article type: 92\u00a0%, just too little.");
  });

  it("asks for no more than certainty of a head that is never sure", () => {
    expect(reason(0.99, 1.01)).toMatch(/^The article type always needs a look/);
  });
});

describe("duration", () => {
  it.each([
    [0.2, "1 ms"],
    [12.4, "12 ms"],
    [1234, "1.2 s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
