import type { Problem } from "../api/contract";
import { inWords } from "../api/words";

interface Props {
  name: string;
  problem: Problem;
  onRetry: (options: { allowPartial: boolean }) => void;
}

/** Why there is no answer, and what to do about it. */
export function Failure({ name, problem, onRetry }: Props) {
  const { what, todo, canRetry } = inWords(problem);
  return (
    <div className="failure">
      <p>
        <strong>{what}</strong> {todo}
      </p>
      {canRetry && (
        <div className="card-actions">
          <button
            type="button"
            className="button button-small"
            aria-label={`Retry ${name}`}
            onClick={() => onRetry({ allowPartial: false })}
          >
            Retry
          </button>
          {problem.code === "model_unavailable" && (
            <button
              type="button"
              className="button button-small"
              onClick={() => onRetry({ allowPartial: true })}
            >
              Use one model
            </button>
          )}
        </div>
      )}
      {canRetry && problem.request_id && (
        <details className="meta">
          <summary>For whoever runs Lookbook</summary>
          <code>{problem.code}</code>, request <code>{problem.request_id}</code>
        </details>
      )}
    </div>
  );
}
