import { useEffect, useState } from "react";

import { ProblemError, fetchTaxonomy } from "./client";
import type { Answer, Problem, Taxonomy } from "./contract";

export type TaxonomyState =
  { kind: "asking" } | { kind: "known"; taxonomy: Taxonomy } | { kind: "failed"; problem: Problem };

const known = new Map<string, Taxonomy>();

/** The taxonomy of the answer's release, asked for once; each release has its own. */
export function useTaxonomy(answer: Answer): TaxonomyState {
  const [state, setState] = useState<TaxonomyState>({ kind: "asking" });
  useEffect(() => {
    let isWanted = true;
    const tell = (next: TaxonomyState) => isWanted && setState(next);
    load(answer).then(
      (taxonomy) => tell({ kind: "known", taxonomy }),
      (error: unknown) => {
        if (!(error instanceof ProblemError)) throw error;
        tell({ kind: "failed", problem: error.problem });
      },
    );
    return () => {
      isWanted = false;
    };
  }, [answer]);
  return state;
}

async function load(answer: Answer): Promise<Taxonomy> {
  const before = known.get(answer.release);
  if (before && hasAttributesOf(answer, before)) return before;
  const taxonomy = await fetchTaxonomy();
  known.set(taxonomy.release, taxonomy);
  return taxonomy;
}

/** False when it was fetched while the model with the attributes was away. */
const hasAttributesOf = (answer: Answer, { attributes }: Taxonomy) =>
  answer.attributes.every(({ head }) => attributes.some((one) => one.head === head));
