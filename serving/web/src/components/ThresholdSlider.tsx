import { useId } from "react";

import { count, percent } from "../answers/text";
import { needsLook, typeConfidence } from "../answers/verdict";
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

/** How sure the article type must be, and how many pictures need a look at that. */
export function ThresholdSlider({ pictures, card, value, onChange }: Props) {
  const id = useId();
  const effective = value ?? card.review_threshold;
  const look = pictures.filter((picture) => needsLook(picture, value)).length;
  return (
    <div className="slider">
      <label htmlFor={id}>
        Look at pictures whose article type is less sure than <strong>{percent(effective)}</strong>
      </label>
      <Histogram pictures={pictures} threshold={effective} />
      <input
        id={id}
        type="range"
        min={0}
        max={100}
        step={1}
        value={Math.round(effective * 100)}
        aria-valuetext={`${percent(effective)}: ${look} of ${count(pictures.length, "picture")} need a look`}
        onChange={(event) => onChange(Number(event.target.value) / 100)}
      />
      <p className="slider-words">
        <span>
          <strong>{look}</strong> of {count(pictures.length, "answer")} {look === 1 ? "needs" : "need"} a look
        </span>
        {value === null ? (
          <span className="muted">
            The model’s own: above it, {percent(card.review_precision)} were right when tested.
          </span>
        ) : (
          <button type="button" className="button button-small" onClick={() => onChange(null)}>
            Back to the model’s own ({percent(card.review_threshold)})
          </button>
        )}
      </p>
    </div>
  );
}

/** Where the pictures lie, so that the slider is not moved blindly; the numbers beside it say the same. */
function Histogram({ pictures, threshold }: { pictures: Answered[]; threshold: number }) {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const { state } of pictures) {
    const confidence = typeConfidence(state.answer);
    if (confidence === null) continue;
    const bin = Math.min(BINS - 1, Math.floor(confidence * BINS));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const highest = Math.max(1, ...bins);
  return (
    <svg className="histogram" viewBox={`0 0 ${BINS} 10`} preserveAspectRatio="none" aria-hidden="true">
      {bins.map((n, bin) => {
        const height = n === 0 ? 0.3 : (9.5 * n) / highest;
        const isBelow = (bin + 0.5) / BINS < threshold;
        const className = n === 0 ? "bin-empty" : isBelow ? "bin-below" : "bin-above";
        return (
          <rect key={bin} className={className} x={bin + 0.1} y={10 - height} width={0.8} height={height} />
        );
      })}
    </svg>
  );
}
