import { useEffect, useId, useRef, useState } from "react";

import { heatInWords, shares } from "../answers/heat";
import { headName } from "../answers/text";
import { judge } from "../answers/verdict";
import type { Answer, Explanation } from "../api/contract";
import { inWords } from "../api/words";
import type { Answered } from "../pictures/picture";
import { type ExplanationState, useExplanation } from "./useExplanation";

/** Opens a large view of the photo that shows what the answer rests on. */
export function Why({ picture }: { picture: Answered }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="button button-small why-button"
        aria-haspopup="dialog"
        data-shortcut="w"
        aria-label={`Why? What the answer for ${picture.name} rests on`}
        onClick={() => setIsOpen(true)}
      >
        Why?
      </button>
      {isOpen && <WhyDialog picture={picture} onClose={() => setIsOpen(false)} />}
    </>
  );
}

function WhyDialog({ picture, onClose }: { picture: Answered; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const labels = labelsToExplain(picture.state.answer);
  const [head, setHead] = useState(labels[0]?.head ?? "");
  const [isHeatShown, setIsHeatShown] = useState(true);
  const [attempt, setAttempt] = useState(1);
  const label = labels.find((one) => one.head === head)?.label ?? "";
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="dialog why" aria-labelledby={titleId} onClose={onClose}>
      <h2 id={titleId}>Why {label}?</h2>
      <fieldset className="filters">
        <legend className="unseen">Explain the</legend>
        {labels.map((one) => (
          <label key={one.head} className="chip">
            <input
              type="radio"
              name="why-head"
              checked={one.head === head}
              onChange={() => setHead(one.head)}
            />
            <span>{headName(one.head)}</span>
          </label>
        ))}
      </fieldset>
      <Explained
        key={`${head} ${attempt}`}
        picture={picture}
        head={head}
        label={label}
        isHeatShown={isHeatShown}
        onRetry={() => setAttempt(attempt + 1)}
      />
      <label>
        <input type="checkbox" checked={isHeatShown} onChange={() => setIsHeatShown(!isHeatShown)} />
        Show the warm parts
      </label>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}

/** The labels that the card shows, the deepest level first, then what stands beside the path. */
function labelsToExplain(answer: Answer): { head: string; label: string }[] {
  const levels = judge(answer, null).levels.toReversed();
  return [...levels.map(({ level, label }) => ({ head: level, label })), ...answer.attributes];
}

interface ExplainedProps {
  picture: Answered;
  head: string;
  label: string;
  isHeatShown: boolean;
  onRetry: () => void;
}

function Explained({ picture, head, label, isHeatShown, onRetry }: ExplainedProps) {
  const state = useExplanation(picture.file, head, label);
  return (
    <>
      <div className="why-photo">
        <img src={picture.url} alt={picture.name} />
        {state.kind === "known" && isHeatShown && <HeatMap explanation={state.explanation} />}
      </div>
      <div role="status">
        <Words state={state} onRetry={onRetry} />
      </div>
    </>
  );
}

function Words({ state, onRetry }: { state: ExplanationState; onRetry: () => void }) {
  if (state.kind === "asking") return <p className="muted">Hiding one part after the other…</p>;
  if (state.kind === "known") return <p>{heatInWords(state.explanation)}</p>;
  const { what, todo, canRetry } = inWords(state.problem);
  return (
    <div className="failure">
      <p>
        <strong>{what}</strong> {todo}
      </p>
      {canRetry && (
        <button type="button" className="button button-small" onClick={onRetry}>
          Retry
        </button>
      )}
    </div>
  );
}

/** The warmer a part, the more of the confidence is lost without it; the words below say the same. */
function HeatMap({ explanation }: { explanation: Explanation }) {
  const { rows, columns } = explanation;
  return (
    <svg className="heat" viewBox={`0 0 ${columns} ${rows}`} preserveAspectRatio="none" aria-hidden="true">
      {shares(explanation).map((share, cell) => (
        <rect
          key={cell}
          x={cell % columns}
          y={Math.floor(cell / columns)}
          width={1.02}
          height={1.02}
          fillOpacity={0.7 * share}
        />
      ))}
    </svg>
  );
}
