import type { Answer, PathScore, TaxonomyPath } from "../api/contract";

/** Options shown at once. */
const SHOWN = 60;

/**
 * Paths of the taxonomy that fit what was typed, best first: each word must begin a word of the path,
 * or all of them together be part of the type, so that "t-shirt" finds "Tshirts".
 *
 * With nothing typed, the answer's own best paths come first and then the most common ones.
 */
export function search(paths: TaxonomyPath[], typed: string, answer: Answer): TaxonomyPath[] {
  const words = fold(typed).split(" ").filter(Boolean);
  const suggested = new Map(answer.joint.top_k.map((path, index) => [keyOf(path), index]));
  const rank = (path: TaxonomyPath) =>
    words.length > 0 && squash(path.article_type).startsWith(words.join(""))
      ? -1
      : (suggested.get(keyOf(path)) ?? 99);
  return paths
    .filter((path) => fits(path, words))
    .toSorted((a, b) => rank(a) - rank(b) || b.count - a.count)
    .slice(0, SHOWN);
}

export const keyOf = (path: PathScore | TaxonomyPath) =>
  [path.master_category, path.sub_category, path.article_type].join("\u0000");

function fits({ article_type, sub_category, master_category }: TaxonomyPath, words: string[]): boolean {
  const known = fold(`${article_type} ${sub_category ?? ""} ${master_category ?? ""}`).split(" ");
  const isWithin = squash(article_type).includes(words.join(""));
  return isWithin || words.every((word) => known.some((one) => one.startsWith(word)));
}

/** Lower case, without accents and punctuation, in any script. */
const fold = (text: string) =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}+/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

const squash = (text: string) => fold(text).replaceAll(" ", "");
