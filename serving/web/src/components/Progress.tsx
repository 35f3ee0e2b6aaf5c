import type { Tally } from "../answers/selection";
import { count } from "../answers/text";
import type { Picture } from "../pictures/picture";

interface Props {
  tally: Tally;
  retryable: Picture[];
  onRetry: (pictures: Picture[]) => void;
}

/** How far the batch is, and what came out. */
export function Progress({ tally, retryable, onRetry }: Props) {
  const { total, done } = tally;
  return (
    <div className="progress">
      <p className="progress-words">
        <strong>{done < total ? `${done} of ${total} done` : `${count(total, "picture")} done`}</strong>
        <span>{outcome(tally)}</span>
        {retryable.length > 0 && (
          <button type="button" className="button button-small" onClick={() => onRetry(retryable)}>
            Retry {retryable.length} failed
          </button>
        )}
      </p>
      <progress className="progress-bar" aria-label="Pictures done" max={total} value={done} />
    </div>
  );
}

function outcome({ look, failed, checked, corrected, done, total }: Tally): string {
  const parts = [
    look > 0 && `${look} ${look === 1 ? "needs" : "need"} a look`,
    failed > 0 && `${failed} failed`,
    checked > 0 && `${checked} checked by you`,
    corrected > 0 && `${corrected} corrected`,
  ].filter(Boolean);
  return parts.join(" · ") || (done === total ? "Nothing needs a look" : "");
}
