import { useEffect, useState } from "react";

import { ProblemError } from "./client";
import type { Problem } from "./contract";
import { fetchQueue } from "./review";

export type Door = { kind: "asking" } | { kind: "open" } | { kind: "shut"; problem: Problem };

const ASKING: Door = { kind: "asking" };

/** Whether the server keeps answers for review that who has this API key may see; asked once for each key, from when
 * `isWanted`. */
export function useReviewDoor(isWanted: boolean, key: string): Door {
  const [seen, setSeen] = useState({ key, door: ASKING });
  useEffect(() => {
    if (!isWanted) return undefined;
    const abort = new AbortController();
    fetchQueue(abort.signal).then(
      () => setSeen({ key, door: { kind: "open" } }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof ProblemError)) throw error;
        setSeen({ key, door: { kind: "shut", problem: error.problem } });
      },
    );
    return () => abort.abort();
  }, [isWanted, key]);
  return seen.key === key ? seen.door : ASKING;
}
