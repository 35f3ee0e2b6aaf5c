import type { Problem } from "../api/contract";
import { inWords } from "../api/words";
import type { Trouble } from "./desk";

/** What was asked for last was not done; what was on the desk is there still. */
export function TroubleNote({ trouble: { words, problem } }: { trouble: Trouble }) {
  const { what, todo } = inWords(problem);
  return (
    <p className="notice" role="alert">
      <strong>{words}</strong> {what} {todo}
    </p>
  );
}

/** There is no card, since the server or its store does not answer. */
export function Failed({ problem }: { problem: Problem }) {
  return (
    <p className="notice" role="status">
      <strong>The queue cannot be had.</strong> {inWords(problem).what} This page keeps asking; nothing that
      was decided is lost.
    </p>
  );
}
