import { type Answer, LEVELS, type Level, type ReviewDecision, type Verdict } from "../api/contract";

/** Picks on the keys 1 to 5. */
const MOST = 5;

/** A label that can be picked with one key. */
export interface Pick {
  /** From the top; null where the release does not tell a level, or where the label stands alone. */
  labels: Record<Level, string | null> & { article_type: string };
  /** 0 to 1. */
  confidence: number;
}

/** The best whole paths of an answer; where the caller asked for fewer, the best article types behind them. */
export function picksOf({ joint, article_type }: Answer): Pick[] {
  const paths = joint.top_k.flatMap(({ confidence, ...levels }) =>
    levels.article_type === null
      ? []
      : [{ labels: { ...levels, article_type: levels.article_type }, confidence }],
  );
  const known = new Set(paths.map(({ labels }) => labels.article_type));
  const alone = (article_type?.top_k ?? []).flatMap(({ label, confidence }) =>
    known.has(label)
      ? []
      : [{ labels: { article_type: label, sub_category: null, master_category: null }, confidence }],
  );
  return [...paths, ...alone].slice(0, MOST);
}

/** What the server is told for a label; levels that are null are left out, and it finds them where they are clear. */
export const corrected = (labels: Pick["labels"]): Verdict => ({
  decision: "corrected",
  ...Object.fromEntries(LEVELS.flatMap((level) => (labels[level] === null ? [] : [[level, labels[level]]]))),
});

/** Why an answer needs a look, in a few words for a list. */
export function reasonName(code: string): string {
  const words = REASONS[code] ?? code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const REASONS: Record<string, string> = {
  low_confidence: "unsure",
  models_disagree: "contradictory",
  incomplete: "one model away",
  name_contradicts: "name does not fit",
};

/** What was decided, in words. */
export function decisionInWords({ decision, article_type }: ReviewDecision): string {
  if (decision === "unknown") return "Nobody can tell";
  if (decision === "new_label") return `${article_type} (a new label)`;
  return decision === "accepted" ? `${article_type}, as answered` : `${article_type}`;
}
