import { vi } from "vitest";

import { makeAnswer, makeProblem } from "../test/contract";
import { FakeMerger, picture } from "../test/merger";
import { ProblemError, UNINTELLIGIBLE, UNREACHABLE, classify } from "./client";

const problemOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProblemError);
  return (error as ProblemError).problem;
};

describe("classify", () => {
  it("gives the server's answer", async () => {
    const merger = new FakeMerger().install();
    merger.classify = () => makeAnswer({ type: "Heels" });
    expect((await classify(picture("a.jpg"))).joint.article_type).toBe("Heels");
  });

  it("gives the server's own problem", async () => {
    const merger = new FakeMerger().install();
    merger.classify = () => makeProblem("image_unsupported", 415);
    expect(await problemOf(classify(picture("a.txt")))).toMatchObject({
      code: "image_unsupported",
      status: 415,
    });
  });

  it("calls a failing connection unreachable", async () => {
    const merger = new FakeMerger().install();
    merger.classify = () => new TypeError("Failed to fetch");
    expect((await problemOf(classify(picture("a.jpg")))).code).toBe(UNREACHABLE);
  });

  it("calls a proxy's error page unintelligible and names its status", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("<h1>Bad gateway</h1>", { status: 502 })));
    const problem = await problemOf(classify(picture("a.jpg")));
    expect(problem.code).toBe(UNINTELLIGIBLE);
    expect(problem.detail).toContain("502");
  });

  it("asks for a partial answer only when told to", async () => {
    const merger = new FakeMerger().install();
    const seen: (string | null)[] = [];
    merger.classify = (_, query) => {
      seen.push(query.get("allow_partial"));
      return makeAnswer();
    };
    await classify(picture("a.jpg"));
    await classify(picture("a.jpg"), { allowPartial: true });
    expect(seen).toEqual(["false", "true"]);
  });
});
