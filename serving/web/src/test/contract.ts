// Answers and problems as the merger sends them, for tests.

import type {
  Answer,
  Explanation,
  HeadPrediction,
  Models,
  PathScore,
  Problem,
  ReviewReason,
  Similar,
} from "../api/contract";
import type { Answered, Labels } from "../pictures/picture";

export const TYPE_THRESHOLD = 0.62;

const path = (master_category: string, sub_category: string, article_type: string, count: number) => ({
  master_category,
  sub_category,
  article_type,
  count,
});

export const PATHS = [
  path("Accessories", "Watches", "Watches", 2000),
  path("Apparel", "Topwear", "Shirts", 2500),
  path("Apparel", "Topwear", "Tshirts", 5000),
  path("Footwear", "Shoes", "Casual Shoes", 2200),
  path("Footwear", "Shoes", "Heels", 1000),
  path("Footwear", "Shoes", "Sports Shoes", 1500),
];

export interface AnswerLike {
  type?: string;
  /** The article type model's probability of the type. */
  confidence?: number;
  disagree?: boolean;
  /** The article type model did not answer. */
  withoutType?: boolean;
  release?: string;
  attributes?: HeadPrediction[];
  /** The release tells no level above the type. */
  typesAlone?: boolean;
  /** Null: the release cannot tell. */
  familiarity?: number | null;
}

/** An answer of the merger, by its own rules. */
export function makeAnswer(like: AnswerLike = {}): Answer {
  const {
    type = "Casual Shoes",
    confidence = 0.87,
    disagree = false,
    withoutType = false,
    release = "3",
    attributes = [],
    typesAlone = false,
    familiarity = 0.9,
  } = like;
  if (typesAlone) return ofTypesAlone(makeAnswer({ ...like, typesAlone: false }));
  const labels = PATHS.find(({ article_type }) => article_type === type);
  if (!labels) throw new Error(`${type} is in no path of the tests' taxonomy.`);
  const reasons = reasonsOf(type, confidence, disagree, withoutType);
  if (familiarity !== null && familiarity < 0.5) {
    const none = { head: null, confidence: null, threshold: 0.5 };
    reasons.push({ code: "unfamiliar", ...none, message: "The picture is unlike those." });
  }
  const isTypeUsable = !withoutType && (confidence >= TYPE_THRESHOLD || disagree);
  const whole = [labels.master_category, labels.sub_category, labels.article_type];
  const best: PathScore = {
    article_type: withoutType ? null : type,
    sub_category: labels.sub_category,
    master_category: labels.master_category,
    confidence,
  };
  return {
    request_id: "request-1",
    article_type: withoutType ? null : makeHead("article_type", type, confidence, { other: "Sports Shoes" }),
    sub_category: makeHead("sub_category", labels.sub_category, 0.99, { other: "Bags" }),
    master_category: makeHead("master_category", labels.master_category, 0.999, { other: "Home" }),
    joint: { ...best, top_k: [best] },
    path: isTypeUsable ? whole : whole.slice(0, 2),
    level: isTypeUsable ? "article_type" : "sub_category",
    agreement: disagree
      ? { agree: false, code: "unknown_path", message: "No product is known as Home › Shoes › Heels." }
      : { agree: withoutType ? null : true, code: withoutType ? "incomplete" : "", message: "" },
    review: { needed: reasons.length > 0, reasons },
    partial: withoutType,
    missing: [],
    release,
    models: [],
    timings: { total_ms: 12.4 },
    image: { format: "JPEG", width: 60, height: 80, size_bytes: 2034, reencoded: false },
    attributes,
    trial: false,
    familiarity,
  };
}

function ofTypesAlone(answer: Answer): Answer {
  const nothing = { sub_category: null, master_category: null };
  const best = { ...answer.joint, ...nothing };
  return {
    ...answer,
    ...nothing,
    joint: { ...best, top_k: [best] },
    path: [best.article_type ?? ""],
    level: "article_type",
    agreement: { agree: null, code: "one_level", message: "" },
    absent_levels: (["master_category", "sub_category"] as const).map((level) => ({
      level,
      message: `The catalogue that release 3 learnt from has no ${level.replace("_", " ")}.`,
    })),
  };
}

interface HeadLike {
  /** Its second label. */
  other?: string;
  column?: string;
  /** An attribute that needs more than its confidence. */
  threshold?: number;
}

/** What a head says; an attribute's column is its name unless told. */
export function makeHead(
  head: string,
  label: string,
  confidence: number,
  { other = "Other", column = head, threshold = 0 }: HeadLike = {},
): HeadPrediction {
  const rest = Math.round((1 - confidence) * 1e6) / 1e6;
  const message = `${head} “${label}” is too unsure.`;
  return {
    head,
    column,
    review: confidence < threshold ? { code: "low_confidence", head, confidence, threshold, message } : null,
    label,
    confidence,
    top_k: [
      { label, confidence },
      { label: other, confidence: rest },
    ],
  };
}

function reasonsOf(
  type: string,
  confidence: number,
  disagree: boolean,
  withoutType: boolean,
): ReviewReason[] {
  const reasons: ReviewReason[] = [];
  const none = { head: null, confidence: null, threshold: null };
  if (!withoutType && confidence < TYPE_THRESHOLD) {
    const message = `Article type “${type}” has confidence ${confidence}.`;
    reasons.push({
      code: "low_confidence",
      head: "article_type",
      confidence,
      threshold: TYPE_THRESHOLD,
      message,
    });
  }
  if (disagree)
    reasons.push({ code: "models_disagree", ...none, message: "The two models contradict each other." });
  if (withoutType) reasons.push({ code: "incomplete", ...none, message: "One model did not answer." });
  return reasons;
}

export function makeProblem(code: string, status: number, more: Partial<Problem> = {}): Problem {
  const base = {
    title: `Title of ${code}`,
    detail: `Detail of ${code}`,
    request_id: "request-2",
    model: null,
  };
  return { code, status, retry_after_s: null, ...base, ...more };
}

export function makeModels(ready = true, trial = false): Models {
  const heads = [
    { name: "article_type" as const, labels: 6, review_threshold: TYPE_THRESHOLD, review_precision: 0.97 },
  ];
  return {
    release: ready ? "3" : null,
    ready,
    trial,
    models: [
      {
        name: "article_type",
        available: ready,
        message: ready ? "" : "It is loading.",
        card: ready ? { heads, known_pictures: 0 } : null,
      },
      { name: "category", available: ready, message: ready ? "" : "It is loading.", card: null },
    ],
  };
}

/** Six products that look alike, the first two with a picture. */
export function makeSimilar(release: string): Similar {
  const pictures = ["/9j/4AAQ", "iVBORw0KGgoAAAA", "", "", "", ""];
  const products = pictures.map((thumbnail, index) => ({
    id: `${index + 1}`,
    name: index === 5 ? "" : `Shoe ${index + 1}`,
    article_type: "Casual Shoes",
    similarity: 0.9 - index / 10,
    thumbnail,
  }));
  const nearest = [
    { label: "Casual Shoes", count: 18 },
    { label: "Heels", count: 2 },
  ];
  return { products, nearest, counted: 20, release };
}

/** A picture with an answer, without a page around it. */
export function answered(name: string, like: AnswerLike = {}, checked: Labels | null = null): Answered {
  const state = { kind: "answered" as const, answer: makeAnswer(like) };
  return { id: 1, name, file: new File([name], name), productName: "", url: "blob:x", state, checked };
}

/** An explanation over a grid of `columns` columns. */
export function makeExplanation(heat: number[], columns = 2): Explanation {
  const told = {
    head: "article_type" as const,
    label: "Casual Shoes",
    confidence: 0.87,
    release: "3",
    total_ms: 140,
  };
  return { ...told, rows: heat.length / columns, columns, heat };
}
