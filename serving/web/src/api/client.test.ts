import { vi } from "vitest";

import { makeAnswer, makeProblem } from "../test/contract";
import { FakeMerger, picture } from "../test/merger";
import {
  ProblemError,
  UNINTELLIGIBLE,
  UNREACHABLE,
  UNREADABLE,
  classify,
  fetchModels,
  fetchTaxonomy,
} from "./client";
import { keepApiKey } from "./key";

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

  it.each([
    [413, {}, "request_too_large", null],
    [429, { "Retry-After": "7" }, "rate_limited", 7],
    [503, { "Retry-After": "Fri, 02 Jan 2026 09:00:30 GMT" }, "overloaded", 30],
    [503, {}, UNINTELLIGIBLE, null],
  ])("understands a proxy's HTTP %i with %j, which has no words", async (status, more, code, wait) => {
    const headers = { Date: "Fri, 02 Jan 2026 09:00:00 GMT", ...more };
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("<h1>No</h1>", { status, headers })));
    const problem = await problemOf(classify(picture("a.jpg")));
    expect(problem).toMatchObject({ code, status });
    expect(problem.retry_after_s && Math.round(problem.retry_after_s)).toBe(wait);
  });

  it.each(["{}", "[]", "7", '"Please log in"', '{"joint": null}', '{"request_id": "cut sh'])(
    "takes %s for no answer, whatever the status says",
    async (body) => {
      vi.stubGlobal("fetch", () => Promise.resolve(new Response(body)));
      for (const asked of [classify(picture("a.jpg")), fetchModels(), fetchTaxonomy()]) {
        // oxlint-disable-next-line no-await-in-loop
        expect((await problemOf(asked)).code).toBe(UNINTELLIGIBLE);
      }
    },
  );

  it.each(["", "Puma"])(
    "says of a file that is gone that it is, not of the server (called %j)",
    async (productName) => {
      vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
      const gone = new DOMException("gone", "NotReadableError");
      vi.spyOn(Blob.prototype, "arrayBuffer").mockRejectedValue(gone);
      expect((await problemOf(classify(picture("a.jpg"), { productName }))).code).toBe(UNREADABLE);
    },
  );

  it("lets the server say that it does not know a key that no header can have", async () => {
    new FakeMerger().install().key = "correct";
    keepApiKey("ключ");
    expect((await problemOf(classify(picture("a.jpg")))).code).toBe("unauthenticated");
    keepApiKey("");
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
