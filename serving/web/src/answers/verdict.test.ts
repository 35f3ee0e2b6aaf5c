import { TYPE_THRESHOLD, answered, makeAnswer } from "../test/contract";
import { judge, needsLook } from "./verdict";

describe("judge", () => {
  it.each([0.3, 0.61, TYPE_THRESHOLD, 0.9])(
    "agrees with the server at the model's own threshold, sure by %d",
    (confidence) => {
      const answer = makeAnswer({ confidence });
      const own = judge(answer, TYPE_THRESHOLD);
      const server = judge(answer, null);
      expect(own.path).toEqual(server.path);
      expect(own.path).toEqual(answer.path);
      expect(own.reasons.map(({ code, head }) => [code, head])).toEqual(
        server.reasons.map(({ code, head }) => [code, head]),
      );
    },
  );

  it("ends the path above an unsure type and offers the type as a guess", () => {
    expect(judge(makeAnswer({ confidence: 0.41 }), null)).toMatchObject({
      path: ["Footwear", "Shoes"],
      guess: "Casual Shoes",
    });
  });

  it("takes the type back into the path when the threshold sinks below it", () => {
    const verdict = judge(makeAnswer({ confidence: 0.41 }), 0.4);
    expect(verdict).toMatchObject({ path: ["Footwear", "Shoes", "Casual Shoes"], guess: null, reasons: [] });
  });

  it("asks for a look at a disagreement whatever the threshold", () => {
    expect(judge(makeAnswer({ confidence: 0.9, disagree: true }), 0).reasons.map(({ code }) => code)).toEqual(
      ["models_disagree"],
    );
  });

  it("gives each level the probability that its head gives the path's label", () => {
    expect(judge(makeAnswer({ confidence: 0.87 }), null).levels).toEqual([
      { level: "master_category", label: "Footwear", confidence: 0.999 },
      { level: "sub_category", label: "Shoes", confidence: 0.99 },
      { level: "article_type", label: "Casual Shoes", confidence: 0.87 },
    ]);
  });

  it("is the type alone, unsure or not, where the release tells no other level", () => {
    const answer = makeAnswer({ typesAlone: true, confidence: 0.2 });
    for (const threshold of [null, 0.9]) {
      const { levels, path, guess, reasons } = judge(answer, threshold);
      expect({ path, guess }).toEqual({ path: ["Casual Shoes"], guess: null });
      expect(levels).toEqual([{ level: "article_type", label: "Casual Shoes", confidence: 0.2 }]);
      expect(reasons).toHaveLength(1);
    }
  });

  it("has no guess where the article type model did not answer", () => {
    expect(judge(makeAnswer({ withoutType: true }), 0.9)).toMatchObject({
      path: ["Footwear", "Shoes"],
      guess: null,
    });
  });
});

describe("needsLook", () => {
  it("is over once a person has looked", () => {
    const checked = {
      master_category: "Footwear",
      sub_category: "Shoes",
      article_type: "Heels",
      attributes: {},
    };
    expect(needsLook(answered("a.jpg", { confidence: 0.2 }), null)).toBe(true);
    expect(needsLook(answered("a.jpg", { confidence: 0.2 }, checked), null)).toBe(false);
  });
});
