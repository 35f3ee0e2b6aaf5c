import { memo, useId } from "react";

import type { Problem } from "../api/contract";
import { inWords } from "../api/words";
import { type Picture, isAnswered } from "../pictures/picture";
import type { PictureActions } from "../pictures/usePictures";
import { AnswerView } from "./AnswerView";
import { Failure } from "./Failure";
import { Why } from "./Why";

interface Props {
  picture: Picture;
  typeThreshold: number | null;
  actions: PictureActions;
}

/** One picture and what came of it. */
export const PictureCard = memo(function PictureCard({ picture, typeThreshold, actions }: Props) {
  const { name, url, state } = picture;
  const titleId = useId();
  return (
    <li className={`card card-${state.kind}`} aria-labelledby={titleId} aria-busy={state.kind === "working"}>
      <div className="card-side">
        <Thumbnail url={url} key={url} />
        {isAnswered(picture) && <Why picture={picture} />}
      </div>
      <div className="card-body">
        <div className="card-head">
          <h2 className="card-name" id={titleId} title={name}>
            {name}
          </h2>
          <button
            type="button"
            className="button-icon"
            aria-label={`Remove ${name}`}
            title="Remove"
            onClick={() => actions.remove(picture)}
          >
            <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
              <path d="M4 4l8 8M12 4l-8 8" />
            </svg>
          </button>
        </div>
        {isAnswered(picture) && (
          <AnswerView picture={picture} typeThreshold={typeThreshold} onCheck={actions.check} />
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
