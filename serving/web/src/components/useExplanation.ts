import { useEffect, useState } from "react";

import { ProblemError, explain } from "../api/client";
import type { Explanation, Problem } from "../api/contract";

export type ExplanationState =
  { kind: "asking" } | { kind: "known"; explanation: Explanation } | { kind: "failed"; problem: Problem };

/** Why a picture has a label, asked for at once; leaving cuts the request off. Ask anew with another React key. */
export function useExplanation(file: Blob, head: string, label: string): ExplanationState {
  const [state, setState] = useState<ExplanationState>({ kind: "asking" });
  useEffect(() => {
    const abort = new AbortController();
    explain(file, head, label, abort.signal).then(
      (explanation) => !abort.signal.aborted && setState({ kind: "known", explanation }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof ProblemError)) throw error;
        setState({ kind: "failed", problem: error.problem });
      },
    );
    return () => abort.abort();
  }, [file, head, label]);
  return state;
}
