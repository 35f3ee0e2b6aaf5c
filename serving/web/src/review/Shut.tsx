import type { Problem } from "../api/contract";
import { REVIEW_OFF } from "../api/client";

/** Codes of a queue that asking again does not open. */
export const SHUT = new Set([REVIEW_OFF, "forbidden"]);

/** Why there is nothing to decide here, and what whoever runs Lookbook can do about it. */
export function Shut({ problem: { code, title, detail } }: { problem: Problem }) {
  return (
    <div className="notice" role="status">
      <strong>{title}.</strong>
      {code === REVIEW_OFF ? (
        <>
          <p>
            Answers that need a look are kept, with their pictures, where the server is started with a review
            store: a file, or a PostgreSQL database.
          </p>
          <pre>
            <code>{`python -m serving.stack --review-store build/review.sqlite
LOOKBOOK_REVIEW_STORE=postgresql://user:password@host/database`}</code>
          </pre>
          <p>
            In a cluster the component <code>review-store</code> does it. <code>LOOKBOOK_REVIEWERS</code>{" "}
            names who may decide.
          </p>
        </>
      ) : (
        <p>{detail}</p>
      )}
    </div>
  );
}
