import { useEffect, useState } from "react";

import { ProblemError, fetchTaxonomy } from "./client";
import type { Problem, TaxonomyPath } from "./contract";

export type TaxonomyState =
  { kind: "asking" } | { kind: "known"; paths: TaxonomyPath[] } | { kind: "failed"; problem: Problem };

const known = new Map<string, TaxonomyPath[]>();

/** The paths of the taxonomy of `release`, asked for once; each release has its own. */
export function useTaxonomy(release: string): TaxonomyState {
  const [state, setState] = useState<TaxonomyState>({ kind: "asking" });
  useEffect(() => {
    let isWanted = true;
    const tell = (next: TaxonomyState) => isWanted && setState(next);
    load(release).then(
      (paths) => tell({ kind: "known", paths }),
      (error: unknown) => {
        if (!(error instanceof ProblemError)) throw error;
        tell({ kind: "failed", problem: error.problem });
      },
    );
    return () => {
      isWanted = false;
    };
  }, [release]);
  return state;
}

async function load(release: string): Promise<TaxonomyPath[]> {
  const before = known.get(release);
  if (before) return before;
  const taxonomy = await fetchTaxonomy();
  known.set(taxonomy.release, taxonomy.paths);
  return taxonomy.paths;
}
