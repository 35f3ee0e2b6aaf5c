import { useEffect, useState } from "react";

import { ProblemError, UNAUTHENTICATED, fetchModels } from "./client";
import type { HeadCard, Models } from "./contract";

/** Milliseconds between looks at the server: while all is well, and while it is not. */
const CALM_MS = 30_000;
const WORRIED_MS = 2_000;

export type Server =
  | { kind: "asking" }
  | { kind: "ready"; models: Models }
  | { kind: "not_ready"; models: Models }
  | { kind: "locked"; isKeyWrong: boolean }
  | { kind: "gone" };

/**
 * How the server is, asked again and again while the page is looked at, and at once for a new API key.
 * `isInDoubt`: something failed, so ask soon.
 */
export function useServer(isInDoubt: boolean, key: string): Server {
  const [server, setServer] = useState<Server>({ kind: "asking" });
  const isCalm = server.kind === "ready" && !isInDoubt;
  useEffect(() => {
    const abort = new AbortController();
    const look = async () => {
      if (document.visibilityState === "hidden") return;
      const seen = await ask(abort.signal, key);
      if (!abort.signal.aborted) setServer(seen);
    };
    const timer = setInterval(() => void look(), isCalm ? CALM_MS : WORRIED_MS);
    if (!isCalm) void look();
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [isCalm, key]);
  return server;
}

/** The card of the article type head, the last one seen while no release answers; undefined before the first. */
export function useTypeCard(server: Server): HeadCard | undefined {
  const [known, setKnown] = useState<HeadCard>();
  const seen = typeCard(server);
  if (seen && seen !== known) setKnown(seen);
  return seen ?? known;
}

function typeCard(server: Server): HeadCard | undefined {
  if (server.kind !== "ready" && server.kind !== "not_ready") return undefined;
  return server.models.models
    .flatMap(({ card }) => card?.heads ?? [])
    .find(({ name }) => name === "article_type");
}

async function ask(signal: AbortSignal, key: string): Promise<Server> {
  try {
    const models = await fetchModels(signal);
    return { kind: models.ready ? "ready" : "not_ready", models };
  } catch (error) {
    if (error instanceof ProblemError && error.problem.code === UNAUTHENTICATED) {
      return { kind: "locked", isKeyWrong: key !== "" };
    }
    if (error instanceof ProblemError || signal.aborted) return { kind: "gone" };
    throw error;
  }
}
