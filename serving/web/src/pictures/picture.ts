import type { Answer, Level, Problem } from "../api/contract";

/** The three labels of a product. */
export type Labels = Record<Level, string>;

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
  /** Object URL of the file, for the thumbnail; revoked when the picture is removed. */
  url: string;
  state: State;
  /** The labels that a person says are right; null until then. */
  checked: Labels | null;
}

export type Answered = Picture & { state: { kind: "answered" } };

export const isAnswered = (picture: Picture): picture is Answered => picture.state.kind === "answered";

export const isFailed = (picture: Picture) => picture.state.kind === "failed";

export const isPending = ({ state }: Picture) => state.kind === "waiting" || state.kind === "working";

/** True when a person gave other labels than the answer's. */
export function isCorrected(picture: Answered): boolean {
  const { checked, state } = picture;
  return checked !== null && !sameLabels(checked, labelsOf(state.answer));
}

/** The answer's labels, whole; null when the article type model did not answer. */
export function labelsOf({ joint }: Answer): Labels | null {
  const { article_type, sub_category, master_category } = joint;
  return article_type === null ? null : { article_type, sub_category, master_category };
}

function sameLabels(one: Labels, other: Labels | null): boolean {
  return (
    other !== null &&
    one.article_type === other.article_type &&
    one.sub_category === other.sub_category &&
    one.master_category === other.master_category
  );
}
