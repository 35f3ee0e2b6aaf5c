import { makeProblem } from "../test/contract";
import { UNREACHABLE, UNREADABLE } from "./client";
import { inWords } from "./words";

const CODES: [code: string, status: number, canRetry: boolean][] = [
  ["image_missing", 400, false],
  ["image_too_large", 413, false],
  ["image_too_many_pixels", 422, false],
  ["image_unsupported", 415, false],
  ["image_undecodable", 422, false],
  ["request_too_large", 413, false],
  ["overloaded", 429, true],
  ["not_ready", 503, true],
  ["model_unavailable", 503, true],
  ["model_failed", 502, true],
  ["deadline_exceeded", 504, true],
  ["internal", 500, true],
  [UNREACHABLE, 0, true],
  [UNREADABLE, 0, true],
];

describe("inWords", () => {
  it.each(CODES)(
    "tells of %s what it is and what to do, and whether a retry can help",
    (code, status, canRetry) => {
      const words = inWords(makeProblem(code, status));
      expect(words.what).toMatch(/\.$/);
      expect(words.todo).toMatch(/\.$/);
      expect(words.canRetry).toBe(canRetry);
      expect(words.todo).not.toContain("_unsupported");
    },
  );

  it("keeps the server's numbers where a limit is the point", () => {
    const detail = "The picture has 31457280 bytes; at most 20971520 are allowed.";
    expect(inWords(makeProblem("image_too_large", 413, { detail })).what).toContain(detail);
  });

  it("lets a code that it does not know speak for itself", () => {
    expect(inWords(makeProblem("moon_phase", 500)).what).toBe("Title of moon_phase. Detail of moon_phase.");
  });
});
