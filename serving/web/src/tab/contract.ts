// manifest.json of `lookbook export --to browser`, as pipeline/exporting/manifest.py writes it, and what the worker says.
import type { Level } from "../api/contract";

export interface ManifestHead {
  model: string;
  column: string;
  /** Null for an attribute. */
  level: number | null;
  labels: string[];
  review_threshold: number;
  review_precision: number;
}

export type ManifestPath = { count: number } & Partial<Record<Level, string>>;

export interface ManifestModel {
  /** The same of models that share their features: it gives the outputs of all of them. */
  file: string;
  input: { name: string; shape: [number, number, number, number] };
  outputs: Record<string, number[]>;
  known_pictures: number;
}

export interface Manifest {
  release: number;
  trial: boolean;
  models: Record<string, ManifestModel>;
  /** From the top down. */
  levels: Level[];
  heads: Record<string, ManifestHead>;
  taxonomy: ManifestPath[];
  /** Exponents, by head and `path`; `contradiction` where the release has it. */
  joint: Record<string, number>;
  familiarity: { review_threshold: number } | null;
  /** Name → SHA-256. */
  files: Record<string, string>;
}

/** Head → probabilities of its labels; `familiarity` where the release tells it. */
export type Scores = Record<string, Float32Array | Float64Array>;

export interface Size {
  height: number;
  width: number;
}

/** What the worker is asked: scores of a picture, or of one with each of these windows hidden in turn. */
export interface Question {
  id: number;
  picture: Blob;
  /** Explains this head, over at most so many cells. */
  explain?: { head: string; cells: number };
}

export interface Seen {
  width: number;
  height: number;
}

export type Reply =
  | { kind: "ready"; manifest: Manifest }
  | { kind: "broken"; reason: string }
  | { kind: "scores"; id: number; seen: Seen; scores: Scores[]; rows: number; columns: number }
  | { kind: "refused"; id: number; code: string; title: string; detail: string };
