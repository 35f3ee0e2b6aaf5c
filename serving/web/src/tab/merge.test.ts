import type { Manifest } from "./contract";
import cases from "./merge-cases.json";
import { merge } from "./merge";

// The list is the merger's own, and a test of the merger holds it to that.
const manifest = cases.manifest as unknown as Manifest;

/** What the merger leaves out of its messages where it is empty, and the page's contract fills in. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "number") return Number(value.toFixed(5));
  if (typeof value !== "object" || value === null) return value;
  const told = Object.entries(value).map(([name, one]) => [name, plain(one)] as const);
  return Object.fromEntries(told.filter(([, one]) => isTold(one)));
}

const isTold = (one: unknown) => Boolean(one) && !(Array.isArray(one) && one.length === 0);

describe("merge", () => {
  it.each(cases.cases.map((one, at) => [at, one] as const))(
    "answers case %i as the merger does",
    (_, one) => {
      const scores = Object.fromEntries(
        Object.entries(one.scores).map(([head, row]) => [head, Float64Array.from(row)]),
      );
      const told = merge(manifest, { ...scores, familiarity: Float64Array.of(one.familiarity) }, cases.top_k);
      const fields = Object.keys(one.answer) as (keyof typeof told)[];
      expect(plain(Object.fromEntries(fields.map((field) => [field, told[field]])))).toEqual(
        plain(one.answer),
      );
    },
  );
});
