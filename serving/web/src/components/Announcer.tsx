import { useEffect, useRef, useState } from "react";

import type { Tally } from "../answers/selection";
import { count, joinPath } from "../answers/text";
import { inWords } from "../api/words";
import type { Picture } from "../pictures/picture";

/** Parts of a batch after which a screen reader says how far it is; each single picture would be too much. */
const STEPS = 4;

/** Says to screen readers what happens on the page. */
export function Announcer({ pictures, tally }: { pictures: Picture[]; tally: Tally }) {
  const [message, setMessage] = useState("");
  const last = useRef({ total: 0, step: 0 });
  useEffect(() => {
    const { total, done } = tally;
    const step = total === 0 ? 0 : Math.floor((done / total) * STEPS);
    if (total === last.current.total && step === last.current.step) return;
    last.current = { total, step };
    setMessage(words(pictures, tally));
  }, [pictures, tally]);
  return (
    <p className="unseen" role="status" aria-live="polite">
      {message}
    </p>
  );
}

function words(pictures: Picture[], { total, done, look, failed }: Tally): string {
  if (total === 0) return "";
  const only = total === 1 ? pictures[0] : undefined;
  if (only && done === 1) return oneInWords(only);
  if (done < total) return `${done} of ${count(total, "picture")} done.`;
  return `All ${count(total, "picture")} done. ${look} need a look, ${failed} failed.`;
}

function oneInWords({ name, state }: Picture): string {
  if (state.kind === "answered") {
    const { path, review } = state.answer;
    return `${name}: ${joinPath(path)}.${review.needed ? " Needs a look." : ""}`;
  }
  return state.kind === "failed" ? `${name}: ${inWords(state.problem).what}` : "";
}
