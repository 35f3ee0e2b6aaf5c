import { type Ref, memo, useId } from "react";

import type { Problem } from "../api/contract";
import { inWords } from "../api/words";
import { type Picture, isAnswered } from "../pictures/picture";
import type { PictureActions } from "../pictures/usePictures";
import { AnswerView } from "./AnswerView";
import { Failure } from "./Failure";
import { ProductName } from "./ProductName";
import { Why } from "./Why";

interface Props {
  picture: Picture;
  typeThreshold: number | null;
  actions: PictureActions;
  isSelected: boolean;
  /** Null where there is but one picture, and nothing to select. */
  onSelect: Select | null;
  /** Where it stands in a list of which only a part is drawn. */
  place?: Place;
}

/** Selects a picture or no more; with `isRange`, and all from the last one to here. */
export type Select = (id: number, isOn: boolean, isRange: boolean) => void;

export interface Place {
  index: number;
  of: number;
  ref: Ref<HTMLLIElement>;
  style: React.CSSProperties | undefined;
  row: number;
}

/** One picture and what came of it. */
export const PictureCard = memo(function PictureCard({
  picture,
  typeThreshold,
  actions,
  isSelected,
  onSelect,
  place,
}: Props) {
  const { name, url, state } = picture;
  const titleId = useId();
  return (
    <li
      className={`card card-${state.kind}${isSelected ? " card-selected" : ""}`}
      aria-labelledby={titleId}
      aria-busy={state.kind === "working"}
      tabIndex={-1}
      {...(place && positionOf(place))}
    >
      <div className="card-side">
        <Thumbnail url={url} key={url} />
        {isAnswered(picture) && <Why picture={picture} />}
      </div>
      <div className="card-body">
        <div className="card-head">
          {onSelect && (
            <input
              type="checkbox"
              className="card-select"
              data-shortcut="x"
              aria-label={`Select ${name}`}
              checked={isSelected}
              onChange={(event) => onSelect(picture.id, event.target.checked, isWithShift(event))}
            />
          )}
          <h2 className="card-name" id={titleId} title={name}>
            {name}
          </h2>
          <button
            type="button"
            className="button-icon"
            aria-label={`Remove ${name}`}
            title="Remove"
            data-shortcut="Delete"
            onClick={() => actions.remove([picture])}
          >
            <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
              <path d="M4 4l8 8M12 4l-8 8" />
            </svg>
          </button>
        </div>
        <ProductName picture={picture} onCall={(productName) => actions.call(picture, productName)} />
        {isAnswered(picture) && (
          <AnswerView
            picture={picture}
            typeThreshold={typeThreshold}
            onCheck={(labels) => actions.check(new Map([[picture.id, labels]]))}
          />
        )}
        {state.kind === "failed" && (
          <Failure
            name={name}
            problem={state.problem}
            onRetry={(options) => actions.retry([picture], options)}
          />
        )}
        {state.kind === "waiting" && <Waiting because={state.because} />}
        {state.kind === "working" && <Working />}
      </div>
    </li>
  );
});

const positionOf = ({ index, of, ref, style, row }: Place) => ({
  ref,
  style,
  "data-index": row,
  "data-place": index,
  "aria-posinset": index + 1,
  "aria-setsize": of,
});

const isWithShift = ({ nativeEvent }: React.ChangeEvent) =>
  "shiftKey" in nativeEvent && nativeEvent.shiftKey === true;

function Waiting({ because }: { because: Problem | null }) {
  const words = because ? `${inWords(because).what} This goes on by itself.` : "Waiting for its turn…";
  return <p className="muted">{words}</p>;
}

function Working() {
  return (
    <div className="working">
      <p className="muted">Looking…</p>
      <span className="bone bone-wide" />
      <span className="bone" />
      <span className="bone" />
    </div>
  );
}

const hide = (event: React.SyntheticEvent<HTMLImageElement>) => {
  event.currentTarget.hidden = true;
};

/** The photo itself; a file that the browser cannot draw shows as an empty frame. */
function Thumbnail({ url }: { url: string }) {
  return (
    <div className="thumb">
      <img src={url} alt="" loading="lazy" decoding="async" onError={hide} />
    </div>
  );
}
