import { type Picture, isAnswered, isCorrected, isFailed } from "../pictures/picture";
import { needsLook, overallConfidence } from "./verdict";

export type Filter = "all" | "look" | "disagree" | "checked" | "failed";
export type Order = "added" | "unsure" | "sure" | "label" | "name";

export const FILTERS: Record<Filter, string> = {
  all: "All",
  look: "Needs a look",
  disagree: "Models disagree",
  checked: "Checked",
  failed: "Failed",
};

export const ORDERS: Record<Order, string> = {
  added: "As added",
  unsure: "Least sure first",
  sure: "Most sure first",
  label: "By answer",
  name: "By file name",
};

/** True when `picture` belongs under `filter`. */
export function matches(picture: Picture, filter: Filter, typeThreshold: number | null): boolean {
  switch (filter) {
    case "all":
      return true;
    case "look":
      return isAnswered(picture) && needsLook(picture, typeThreshold);
    case "disagree":
      return isAnswered(picture) && picture.state.answer.agreement.agree === false;
    case "checked":
      return picture.checked !== null;
    case "failed":
      return isFailed(picture);
  }
}

/** Pictures in `order`; those without an answer come last, and equals stay as they were added. */
export function sorted(pictures: Picture[], order: Order): Picture[] {
  switch (order) {
    case "added":
      return pictures;
    case "unsure":
      return pictures.toSorted((a, b) => (overallConfidence(a) ?? 2) - (overallConfidence(b) ?? 2));
    case "sure":
      return pictures.toSorted((a, b) => (overallConfidence(b) ?? -1) - (overallConfidence(a) ?? -1));
    case "label":
      return pictures.toSorted((a, b) => sortLabel(a).localeCompare(sortLabel(b)));
    case "name":
      return pictures.toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  }
}

/** How far a batch is. */
export interface Tally {
  total: number;
  done: number;
  look: number;
  failed: number;
  checked: number;
  corrected: number;
}

export function tally(pictures: Picture[], typeThreshold: number | null): Tally {
  const answered = pictures.filter(isAnswered);
  const failed = pictures.filter(isFailed).length;
  return {
    total: pictures.length,
    done: answered.length + failed,
    look: answered.filter((picture) => needsLook(picture, typeThreshold)).length,
    failed,
    checked: answered.filter((picture) => picture.checked !== null).length,
    corrected: answered.filter(isCorrected).length,
  };
}

function sortLabel(picture: Picture): string {
  if (!isAnswered(picture)) return "\u{10FFFF}";
  const labels = picture.checked ?? picture.state.answer.joint;
  return [labels.master_category, labels.sub_category, labels.article_type ?? ""].join("\u0000");
}
