import { type Answer, LEVELS, type Level, type Problem } from "../api/contract";

/** The labels of a product: one on each level that the release tells, null on others, and those beside them by head. */
export type Labels = Record<Exclude<Level, "article_type">, string | null> & {
  article_type: string;
  attributes: Record<string, string>;
};

export type State =
  | { kind: "waiting"; because: Problem | null }
  | { kind: "working" }
  | { kind: "answered"; answer: Answer }
  | { kind: "failed"; problem: Problem };

/** One picture on the page. */
export interface Picture {
  id: number;
  name: string;
  file: File;
  /** What the product is called, as a hint for the answer; empty: nobody said. */
  productName: string;
  /** Object URL of the file, for the thumbnail; revoked when the picture is removed. */
  url: string;
  state: State;
  /** The labels that a person says are right; null until then. */
  checked: Labels | null;
}

export type Answered = Picture & { state: { kind: "answered" } };

export const isAnswered = (picture: Picture): picture is Answered => picture.state.kind === "answered";

export const isFailed = (picture: Picture) => picture.state.kind === "failed";

export const isPending = ({ state }: Pick<Picture, "state">) =>
  state.kind === "waiting" || state.kind === "working";

/** True when a person gave other labels than the answer's. */
export function isCorrected(picture: Answered): boolean {
  const { checked, state } = picture;
  return checked !== null && !sameLabels(checked, labelsOf(state.answer));
}

/** The answer's labels, whole; null when the article type model did not answer. */
export function labelsOf(answer: Answer): Labels | null {
  const { article_type, sub_category, master_category } = answer.joint;
  if (article_type === null) return null;
  return { article_type, sub_category, master_category, attributes: attributesOf(answer) };
}

/** Head → label of what the answer says beside the path. */
export const attributesOf = ({ attributes }: Answer): Record<string, string> =>
  Object.fromEntries(attributes.map(({ head, label }) => [head, label]));

export const samePath = (one: Labels, other: Labels | null): boolean =>
  other !== null && LEVELS.every((level) => one[level] === other[level]);

function sameLabels(one: Labels, other: Labels | null): boolean {
  return (
    samePath(one, other) &&
    Object.entries(one.attributes).every(([head, label]) => other?.attributes[head] === label)
  );
}
