import { type Answer, LEVELS, type Level, type ReviewReason } from "../api/contract";
import { type Answered, type Picture, isAnswered } from "../pictures/picture";

/** One level of the answer's path. */
export interface LevelVerdict {
  level: Level;
  label: string;
  /** The head's probability of the label, 0 to 1; null where the server did not list it. */
  confidence: number | null;
}

/** What to make of an answer at a threshold. */
export interface Verdict {
  /** Every level that has a label, from the top. */
  levels: LevelVerdict[];
  /** The labels to use. */
  path: string[];
  /** The article type, when it is too unsure to be part of the path. */
  guess: string | null;
  /** Why a person should look; empty when nobody needs to. */
  reasons: ReviewReason[];
}

/**
 * Judges an answer.
 *
 * `typeThreshold` takes the place of the article type model's own review threshold; null leaves the server's verdict
 * as it is. The rule is the server's: when nothing but the type is unsure, the path ends at the level above, where there
 * is one.
 */
export function judge(answer: Answer, typeThreshold: number | null): Verdict {
  const levels = levelsOf(answer);
  const reasons = typeThreshold === null ? answer.review.reasons : reasonsAt(answer, typeThreshold);
  const unsure = reasons.filter((reason) => reason.code === "low_confidence").map((reason) => reason.head);
  const isTypeUnsure = unsure.length === 1 && unsure[0] === "article_type";
  const depth =
    typeThreshold === null
      ? answer.path.length
      : isTypeUnsure
        ? Math.max(1, levels.length - 1)
        : levels.length;
  const labels = levels.map(({ label }) => label);
  return { levels, reasons, path: labels.slice(0, depth), guess: labels[depth] ?? null };
}

/** True when a person should look: the answer is unsure, and nobody has looked yet. */
export function needsLook(picture: Answered, typeThreshold: number | null): boolean {
  return picture.checked === null && judge(picture.state.answer, typeThreshold).reasons.length > 0;
}

/** True when the article type is among the reasons for a look. */
export const needsLookAtType = (picture: Answered, typeThreshold: number | null): boolean =>
  picture.checked === null &&
  judge(picture.state.answer, typeThreshold).reasons.some(
    ({ code, head }) => code === "low_confidence" && head === "article_type",
  );

/** Confidence of the answer as a whole, 0 to 1; null while there is none. */
export const overallConfidence = (picture: Picture): number | null =>
  isAnswered(picture) ? picture.state.answer.joint.confidence : null;

/** The article type model's probability of the answer's type, 0 to 1; null when it did not answer. */
export const typeConfidence = (answer: Answer): number | null =>
  levelsOf(answer).find(({ level }) => level === "article_type")?.confidence ?? null;

/** True when the article type is less sure than `threshold`; a label that is not even listed is below any but 0. */
export const isBelow = (answer: Answer, threshold: number): boolean =>
  answer.joint.article_type !== null && (typeConfidence(answer) ?? 0) < threshold;

function levelsOf(answer: Answer): LevelVerdict[] {
  return LEVELS.flatMap((level) => {
    const label = answer.joint[level];
    return label === null ? [] : [{ level, label, confidence: confidenceOf(answer, level, label) }];
  });
}

function confidenceOf(answer: Answer, level: Level, label: string): number | null {
  return answer[level]?.top_k.find((score) => score.label === label)?.confidence ?? null;
}

function reasonsAt(answer: Answer, threshold: number): ReviewReason[] {
  const others = answer.review.reasons.filter((reason) => reason.head !== "article_type");
  const confidence = typeConfidence(answer);
  if (!isBelow(answer, threshold)) return others;
  const message = `Article type “${answer.joint.article_type}” is too unsure.`;
  return [{ code: "low_confidence", head: "article_type", confidence, threshold, message }, ...others];
}
