import { useId } from "react";

import { count, percent, thresholdInWords } from "../answers/text";
import { isBelow, needsLook, needsLookAtType, typeConfidence } from "../answers/verdict";
import type { HeadCard } from "../api/contract";
import type { Answered } from "../pictures/picture";

const BINS = 25;

interface Props {
  pictures: Answered[];
  /** The article type head's card: its own threshold. */
  card: HeadCard;
  /** Threshold that a person set, 0 to 1; null for the model's own. */
  value: number | null;
  onChange: (value: number | null) => void;
}

/** How sure the article type must be, and how many pictures need a look at that, for that and for other reasons. */
export function ThresholdSlider({ pictures, card, value, onChange }: Props) {
  const id = useId();
  const effective = value ?? card.review_threshold;
  const look = pictures.filter((picture) => needsLook(picture, value)).length;
  const below = pictures.filter((picture) => needsLookAtType(picture, value)).length;
  const shown = thresholdInWords(effective);
  const why = look > 0 ? `: ${whyInWords(below, look - below, shown)}` : "";
  return (
    <div className="slider">
      <label htmlFor={id}>
        Look at pictures whose article type is less sure than <strong>{shown}</strong>
      </label>
      <Histogram pictures={pictures} threshold={effective} />
      <input
        id={id}
        type="range"
        min={0}
        max={100}
        step={1}
        value={Math.round(Math.min(1, effective) * 100)}
        aria-valuetext={`${shown}: ${look} of ${count(pictures.length, "picture")} need a look`}
        aria-describedby={`${id}-words`}
        onChange={(event) => onChange(Number(event.target.value) / 100)}
      />
      <p className="slider-words" id={`${id}-words`}>
        <span>
          {`${look} of ${count(pictures.length, "answer")} ${look === 1 ? "needs" : "need"} a look`}
          {why}
        </span>
        {value === null ? (
          <span className="muted">{ownInWords(card)}</span>
        ) : (
          <button type="button" className="button button-small" onClick={() => onChange(null)}>
            Back to the model’s own ({thresholdInWords(card.review_threshold)})
          </button>
        )}
      </p>
    </div>
  );
}

/** The slider moves the first number alone, so the second is told apart from it. */
function whyInWords(below: number, others: number, shown: string): string {
  const first = `${below} below ${shown}`;
  return others === 0 ? first : `${first}, ${others} for another reason alone`;
}

const ownInWords = ({ review_threshold, review_precision }: HeadCard) =>
  review_threshold > 1
    ? "The model’s own: it learned too little to be trusted with any."
    : `The model’s own: above it, ${percent(review_precision)} were right when tested.`;

/** Where the pictures lie, so that the slider is not moved blindly; the numbers beside it say the same. */
function Histogram({ pictures, threshold }: { pictures: Answered[]; threshold: number }) {
  const bins = Array.from({ length: BINS }, () => ({ below: 0, above: 0 }));
  for (const { state } of pictures) {
    if (state.answer.joint.article_type === null) continue;
    const bin = bins[Math.min(BINS - 1, Math.floor((typeConfidence(state.answer) ?? 0) * BINS))];
    if (bin) bin[isBelow(state.answer, threshold) ? "below" : "above"] += 1;
  }
  const scale = 9.5 / Math.max(1, ...bins.map(({ below, above }) => below + above));
  return (
    <svg className="histogram" viewBox={`0 0 ${BINS} 10`} preserveAspectRatio="none" aria-hidden="true">
      {bins.map(({ below, above }, bin) => (
        <g key={bin} transform={`translate(${bin + 0.1} 10) scale(1 -1)`}>
          {below + above === 0 && <rect className="bin-empty" width={0.8} height={0.3} />}
          <rect className="bin-below" width={0.8} height={below * scale} />
          <rect className="bin-above" width={0.8} y={below * scale} height={above * scale} />
        </g>
      ))}
    </svg>
  );
}
