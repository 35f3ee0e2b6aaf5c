import type { AbsentLevel, ReviewReason } from "../api/contract";

/** "base_colour" → "Base colour". */
export function headName(head: string): string {
  if (head === "master_category") return "Category";
  const words = head.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Keeps a number and its unit on one line. */
const SPACE = "\u00a0";

/** 0.8712 → "87 %"; only what is all but certain is called 100 %, and what is possible is never 0 %. */
export function percent(probability: number): string {
  if (probability > 0 && probability < 0.005) return `<1${SPACE}%`;
  const rounded = Math.round(probability * 100);
  return `${rounded === 100 && probability < 0.9995 ? 99 : rounded}${SPACE}%`;
}

/** A threshold, which may be over 1 where nothing is sure enough. */
export const thresholdInWords = (threshold: number) => percent(Math.min(1, threshold));

/** Why a person should look, in a sentence. */
export function reasonInWords({ code, head, confidence, threshold, message }: ReviewReason): string {
  if (code !== "low_confidence" || head === null || confidence === null || threshold === null) return message;
  if (threshold > 1) {
    return `The ${headName(head).toLowerCase()} always needs a look: the model learned too little to be trusted with it.`;
  }
  const enough =
    percent(confidence) === percent(threshold) ? "just too little" : `where ${percent(threshold)} is enough`;
  return `Unsure of the ${headName(head).toLowerCase()}: ${percent(confidence)}, ${enough}.`;
}

/** 1 → "1 picture", 2 → "2 pictures". */
export const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** 12.4 → "12 ms", 1234 → "1.2 s". */
export const duration = (ms: number) =>
  ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;

/** Master category › sub category › …, without the levels that a release does not tell. */
export const joinPath = (labels: (string | null)[]) => labels.filter((label) => label !== null).join(" › ");

/** Which levels an answer lacks, and the server's reasons. */
export const absentInWords = (absent: AbsentLevel[]) =>
  `No ${absent.map(({ level }) => level.replaceAll("_", " ")).join(" and no ")}: ${absent.map(({ message }) => message).join(" ")}`;
