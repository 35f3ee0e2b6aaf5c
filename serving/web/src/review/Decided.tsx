import type { ReviewDecision } from "../api/contract";
import { decisionInWords } from "./picks";

interface Props {
  decided: ReviewDecision[];
  isBusy: boolean;
  onUndo: (version: number) => void;
}

/** The newest decisions of anybody: what, who and when. */
export function Decided({ decided, isBusy, onUndo }: Props) {
  if (decided.length === 0) return null;
  return (
    <section className="decided" aria-labelledby="decided-title">
      <h2 id="decided-title">Decided last</h2>
      <table>
        <thead className="unseen">
          <tr>
            <th scope="col">What</th>
            <th scope="col">Answered</th>
            <th scope="col">Who</th>
            <th scope="col">When</th>
            <th scope="col">Undo</th>
          </tr>
        </thead>
        <tbody>
          {decided.map((one) => (
            <tr key={one.version}>
              <td>{decisionInWords(one)}</td>
              <td className="muted">{one.decision !== "accepted" && `was ${one.answered}`}</td>
              <td>{one.by}</td>
              <td>
                <time dateTime={one.at}>{new Date(one.at).toLocaleString()}</time>
              </td>
              <td>
                <button
                  type="button"
                  className="button button-small"
                  disabled={isBusy}
                  aria-label={`Undo: ${decisionInWords(one)}, by ${one.by}`}
                  onClick={() => onUndo(one.version)}
                >
                  Undo
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
