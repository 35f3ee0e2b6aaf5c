import { type RefObject, useEffect, useState } from "react";

import { NO_INDEX, ProblemError, findSimilar } from "./client";
import type { Problem, Similar } from "./contract";

/** Products shown under an answer. */
export const SHOWN = 6;

/** Requests at once: answers go first, and these are an extra. */
const AT_ONCE = 2;

export type SimilarState =
  | { kind: "asking" }
  | { kind: "known"; similar: Similar }
  /** The release knows no products by name. */
  | { kind: "none" }
  | { kind: "failed"; problem: Problem };

const known = new WeakMap<Blob, Similar>();
const withoutIndex = new Set<string>();
const waiting: (() => void)[] = [];
let underWay = 0;

/** The products that look like a picture, asked for once it is in sight. Ask anew with another React key. */
export function useSimilar(file: Blob, release: string, place: RefObject<Element | null>): SimilarState {
  const [state, setState] = useState<SimilarState>({ kind: "asking" });
  const isSeen = useSeen(place);
  useEffect(() => {
    if (!isSeen) return undefined;
    const abort = new AbortController();
    load(file, release, abort.signal).then(
      (next) => !abort.signal.aborted && setState(next),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof ProblemError)) throw error;
        setState({ kind: "failed", problem: error.problem });
      },
    );
    return () => abort.abort();
  }, [file, release, isSeen]);
  return state;
}

/** True from when an element first comes into sight. */
function useSeen(place: RefObject<Element | null>): boolean {
  const [isSeen, setIsSeen] = useState(typeof IntersectionObserver === "undefined");
  useEffect(() => {
    if (isSeen || !place.current) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setIsSeen(true);
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [isSeen, place]);
  return isSeen;
}

async function load(file: Blob, release: string, signal: AbortSignal): Promise<SimilarState> {
  const before = known.get(file);
  if (before?.release === release) return { kind: "known", similar: before };
  if (withoutIndex.has(release)) return { kind: "none" };
  await turn();
  try {
    signal.throwIfAborted();
    if (withoutIndex.has(release)) return { kind: "none" };
    const similar = await findSimilar(file, SHOWN, signal);
    known.set(file, similar);
    return { kind: "known", similar };
  } catch (error) {
    if (!(error instanceof ProblemError && error.problem.code === NO_INDEX)) throw error;
    withoutIndex.add(release);
    return { kind: "none" };
  } finally {
    underWay--;
    waiting.shift()?.();
  }
}

async function turn(): Promise<void> {
  if (underWay >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  underWay++;
}
