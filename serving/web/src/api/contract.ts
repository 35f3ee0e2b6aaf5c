// The merger's JSON, field by field as in serving/proto/lookbook/v1/classifier.proto.

export type Level = "master_category" | "sub_category" | "article_type";

/** The levels of a path, from the top. */
export const LEVELS: readonly Level[] = ["master_category", "sub_category", "article_type"];

export interface LabelScore {
  label: string;
  /** Probability, 0 to 1. */
  confidence: number;
}

export interface HeadPrediction extends LabelScore {
  /** Best labels, best first. */
  top_k: LabelScore[];
  head: string;
  /** Of styles.csv. */
  column: string;
  /** An attribute's own reason for a look; null when it is sure enough, and for the levels of the path. */
  review: ReviewReason | null;
}

export interface PathScore {
  /** Null when its model did not answer; a level above is null when the release does not tell it. */
  article_type: string | null;
  sub_category: string | null;
  master_category: string | null;
  confidence: number;
}

export interface JointPrediction extends PathScore {
  top_k: PathScore[];
}

export interface ReviewReason {
  code: string;
  head: string | null;
  confidence: number | null;
  threshold: number | null;
  message: string;
}

export interface Problem {
  title: string;
  status: number;
  detail: string;
  code: string;
  request_id: string;
  model: string | null;
  retry_after_s: number | null;
}

export interface Answer {
  request_id: string;
  article_type: HeadPrediction | null;
  sub_category: HeadPrediction | null;
  master_category: HeadPrediction | null;
  joint: JointPrediction;
  path: string[];
  level: Level;
  agreement: { agree: boolean | null; code: string; message: string };
  review: { needed: boolean; reasons: ReviewReason[] };
  partial: boolean;
  missing: Problem[];
  release: string;
  models: { name: string; version: string }[];
  timings: { total_ms: number };
  image: { format: string; width: number; height: number; size_bytes: number; reencoded: boolean };
  /** What the models say beside the path, such as the gender. */
  attributes: HeadPrediction[];
  /** The release was made from too few rows to mean much. */
  trial: boolean;
  /** How much the picture is like those that were learnt from, 0 to 1; null where the release cannot tell. Not there in
   * answers that an older page kept. */
  familiarity?: number | null;
  /** What share of the answer comes of people's decisions about pictures like this one, 0 to 1; null where none counts.
   * Not there in answers that an older page kept. */
  correction_share?: number | null;
  /** Levels that the catalogue of the release has not. Not there in answers that an older page kept. */
  absent_levels?: AbsentLevel[];
  /** Null where no name was given. Not there in answers that an older page kept. */
  name?: NameUse | null;
}

/** What became of a product's name. */
export interface NameUse {
  /** The answer goes by it too. */
  heard: boolean;
  /** Why not, in words; empty when it was heard. */
  message: string;
  /** The probability that it belongs to the picture; null when it was not heard. */
  fits: number | null;
}

export interface AbsentLevel {
  level: Level;
  /** Why, in words. */
  message: string;
}

export interface SimilarProduct {
  id: string;
  name: string;
  article_type: string;
  /** 0 to 1. */
  similarity: number;
  /** JPEG or PNG as Base64; empty where the server has none. */
  thumbnail: string;
}

export interface Similar {
  /** Nearest first. */
  products: SimilarProduct[];
  /** What the nearest are, commonest first. */
  nearest: { label: string; count: number }[];
  /** How many of the nearest are counted there. */
  counted: number;
  release: string;
}

export interface Explanation {
  head: string;
  label: string;
  confidence: number;
  rows: number;
  columns: number;
  /** Row by row: how much of the confidence is lost when the cell is hidden. */
  heat: number[];
  release: string;
  total_ms: number;
}

export interface TaxonomyPath {
  article_type: string;
  /** Null when the release does not tell that level, as below. */
  sub_category: string | null;
  master_category: string | null;
  /** Pictures of this path in training. */
  count: number;
}

export interface AttributeLabels {
  head: string;
  column: string;
  labels: string[];
}

export interface Taxonomy {
  release: string;
  paths: TaxonomyPath[];
  attributes: AttributeLabels[];
}

export interface HeadCard {
  name: string;
  labels: number;
  review_threshold: number;
  review_precision: number;
}

export interface ModelStatus {
  name: string;
  available: boolean;
  message: string;
  card: { heads: HeadCard[]; known_pictures: number } | null;
}

export interface Models {
  release: string | null;
  ready: boolean;
  models: ModelStatus[];
  /** The release that answers was made from too few rows to mean much. */
  trial: boolean;
}

export interface ReviewCard {
  id: number;
  answer: Answer;
  /** Codes of the answer's review. */
  reasons: string[];
  /** Who asked first. */
  caller: string;
  /** How often the picture was asked about. */
  count: number;
  first_at: string;
  /** Until when somebody has it; null when nobody has. */
  leased_until: string | null;
  /** What a decision must name; null unless the card is ours. */
  lease: string | null;
}

export interface ReviewCounts {
  open: number;
  leased: number;
  decided: number;
  /** Reason → open cards that have it, commonest first. */
  reasons: { reason: string; count: number }[];
}

export interface ReviewQueue {
  cards: ReviewCard[];
  counts: ReviewCounts;
}

export interface ReviewClaim {
  /** Null when there is none that nobody has. */
  card: ReviewCard | null;
  counts: ReviewCounts;
}

export type ReviewOrder = "least_sure" | "surest" | "oldest";

/** What a person says of a card. */
export interface Verdict {
  decision: "accepted" | "corrected" | "new_label" | "unknown";
  article_type?: string;
  sub_category?: string;
  master_category?: string;
}

export interface ReviewDecision {
  version: number;
  decision: Verdict["decision"];
  article_type: string | null;
  sub_category: string | null;
  master_category: string | null;
  /** The path that had been answered, joined by " / ". */
  answered: string;
  by: string;
  /** ISO 8601. */
  at: string;
}
