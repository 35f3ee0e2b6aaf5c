// Two models' scores → one answer: serving/merger/core/merge.py, word for word, for the case that both models answer. The
// formulas are explained there; a test holds this to what a real merger answers.
import {
  type Answer,
  type HeadPrediction,
  LEVELS,
  type Level,
  type PathScore,
  type ReviewReason,
} from "../api/contract";
import type { Manifest, ManifestHead, Scores } from "./contract";

const FLOOR = 1e-12;
const STRONG = 0.5;

export type Merged = Pick<
  Answer,
  | Level
  | "joint"
  | "path"
  | "level"
  | "agreement"
  | "review"
  | "partial"
  | "missing"
  | "release"
  | "attributes"
  | "trial"
  | "familiarity"
  | "absent_levels"
>;

type Labels = Partial<Record<Level, string>>;

/** The answer for the scores of one picture, with so many labels of each head and paths. */
export function merge(manifest: Manifest, scores: Scores, topK: number): Merged {
  const familiarity = manifest.familiarity ? (scores.familiarity?.[0] ?? null) : null;
  const joint = jointOf(manifest, scores, topK);
  const heads = Object.fromEntries(
    Object.entries(manifest.heads).map(([name, head]) => [
      name,
      predictionOf(name, head, scores[name]!, topK),
    ]),
  );
  const agreement = agreementOf(manifest, heads);
  const reasons = [
    ...reasonsOf(manifest, scores, joint.best, agreement),
    ...unfamiliar(manifest, familiarity),
  ];
  const level = levelOf(manifest.levels, reasons);
  const depth = manifest.levels.indexOf(level) + 1;
  const ofLevel = (name: Level) => heads[name] ?? null;
  return {
    article_type: ofLevel("article_type"),
    sub_category: ofLevel("sub_category"),
    master_category: ofLevel("master_category"),
    joint: joint.told,
    path: manifest.levels.slice(0, depth).map((name) => joint.best[name]!),
    level,
    agreement,
    review: { needed: reasons.length > 0, reasons },
    partial: false,
    missing: [],
    release: String(manifest.release),
    attributes: Object.entries(manifest.heads)
      .filter(([, head]) => head.level === null)
      .map(([name, head]) => ({
        ...heads[name]!,
        review: unsure(name, head, scores[name]!, heads[name]!.label),
      })),
    trial: manifest.trial,
    familiarity: familiarity === null ? null : round(familiarity),
    absent_levels: LEVELS.filter((name) => !manifest.levels.includes(name)).map((name) => ({
      level: name,
      message: `The catalogue that release ${manifest.release} learnt from has no ${name.replaceAll("_", " ")}.`,
    })),
  };
}

function predictionOf(name: string, head: ManifestHead, row: Scores[string], topK: number): HeadPrediction {
  const listed = best(row, topK).map((at) => ({ label: head.labels[at]!, confidence: round(row[at]!) }));
  return { ...listed[0]!, top_k: listed, head: name, column: head.column, review: null };
}

function jointOf(manifest: Manifest, scores: Scores, topK: number) {
  const weights = pathWeights(manifest, scores);
  const order = best(weights, topK);
  const likeliest: Labels = manifest.taxonomy[order[0]!]!;
  const share = trust(manifest, scores, likeliest) / weights.reduce((sum, weight) => sum + weight, 0);
  const listed = order.map((at): PathScore => {
    const { count: _, ...labels } = manifest.taxonomy[at]!;
    const none = { article_type: null, sub_category: null, master_category: null };
    return { ...none, ...labels, confidence: round(weights[at]! * share) };
  });
  return { told: { ...listed[0]!, top_k: listed }, best: likeliest };
}

/** P of each path, up to a common factor; the greatest is 1. */
function pathWeights(manifest: Manifest, scores: Scores): number[] {
  const deepest = manifest.levels.at(-1)!;
  const ofType = new Map<string, number>();
  for (const path of manifest.taxonomy)
    ofType.set(path[deepest]!, (ofType.get(path[deepest]!) ?? 0) + path.count);
  const logs = manifest.taxonomy.map((path) => {
    const prior = manifest.joint.path! * Math.log(path.count / ofType.get(path[deepest]!)!);
    return manifest.levels.reduce(
      (sum, level) => sum + manifest.joint[level]! * logOf(manifest, scores, level, path[level]!),
      prior,
    );
  });
  const highest = logs.reduce((most, log) => Math.max(most, log), -Infinity);
  return logs.map((log) => Math.exp(log - highest));
}

/** What is left of the confidence in a path: 1 where each head says the same by itself. */
function trust(manifest: Manifest, scores: Scores, path: Labels): number {
  const givenUp = manifest.levels.reduce((sum, level) => {
    const most = Math.max(...scores[level]!);
    return sum + Math.log(most + FLOOR) - logOf(manifest, scores, level, path[level]!);
  }, 0);
  return Math.exp(-(manifest.joint.contradiction ?? 0) * givenUp);
}

const logOf = (manifest: Manifest, scores: Scores, head: string, label: string) =>
  Math.log(scores[head]![manifest.heads[head]!.labels.indexOf(label)]! + FLOOR);

/** Whether the labels at the heads' best positions form a known path. */
function agreementOf(manifest: Manifest, heads: Record<string, HeadPrediction>): Answer["agreement"] {
  if (manifest.levels.length === 1) {
    const message = "This release tells one level alone, so nothing can be compared.";
    return { agree: null, code: "one_level", message };
  }
  const labels = manifest.levels.map((level) => heads[level]!.label);
  const isKnown = manifest.taxonomy.some((path) =>
    manifest.levels.every((level, at) => path[level] === labels[at]),
  );
  if (isKnown) return { agree: true, code: "", message: "" };
  return { agree: false, code: "unknown_path", message: `No product is known as ${labels.join(" › ")}.` };
}

function reasonsOf(
  manifest: Manifest,
  scores: Scores,
  path: Labels,
  agreement: Answer["agreement"],
): ReviewReason[] {
  const reasons = manifest.levels
    .map((level) => unsure(level, manifest.heads[level]!, scores[level]!, path[level]!))
    .filter((reason) => reason !== null);
  if (agreement.code !== "unknown_path") return reasons;
  const left = trust(manifest, scores, path);
  const cost = left < STRONG ? ` That leaves ${Math.round(100 * left)}% of the confidence.` : "";
  const message = `The two models contradict each other. ${agreement.message}${cost}`;
  return [...reasons, { code: "models_disagree", head: null, confidence: null, threshold: null, message }];
}

function unfamiliar(manifest: Manifest, familiarity: number | null): ReviewReason[] {
  const threshold = manifest.familiarity?.review_threshold ?? 0;
  if (familiarity === null || familiarity >= threshold) return [];
  const message =
    "The picture is unlike those that the models learnt from: its familiarity is " +
    `${familiarity.toFixed(2)}; ${threshold.toFixed(2)} would have been enough.`;
  return [{ code: "unfamiliar", head: null, confidence: null, threshold, message }];
}

function unsure(name: string, head: ManifestHead, row: Scores[string], label: string): ReviewReason | null {
  const confidence = row[head.labels.indexOf(label)]!;
  const threshold = head.review_threshold;
  if (confidence >= threshold) return null;
  const needed =
    threshold <= 1
      ? `${threshold.toFixed(2)} would have been enough`
      : "the model is never sure enough of it";
  const words = name.replaceAll("_", " ");
  const message = `${words[0]!.toUpperCase()}${words.slice(1)} “${label}” has confidence ${confidence.toFixed(2)}; ${needed}.`;
  return { code: "low_confidence", head: name, confidence: round(confidence), threshold, message };
}

function levelOf(levels: Level[], reasons: ReviewReason[]): Level {
  const deepest = levels.at(-1)!;
  const unsureHeads = reasons.filter(({ code }) => code === "low_confidence").map(({ head }) => head);
  const isTypeAlone = unsureHeads.length === 1 && unsureHeads[0] === deepest;
  // Where the unsure type is all that there is, it stays, as a suggestion.
  return levels.length > 1 && isTypeAlone ? levels.at(-2)! : deepest;
}

/** Positions of the greatest values, greatest first; of equals the first. */
function best(values: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: values.length }, (_, at) => at)
    .toSorted((one, other) => values[other]! - values[one]! || one - other)
    .slice(0, count);
}

const round = (value: number) => Math.round(value * 1e6) / 1e6;
