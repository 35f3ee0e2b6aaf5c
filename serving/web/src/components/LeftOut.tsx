import { count } from "../answers/text";
import type { Left } from "../pictures/zip";

/** Files listed by name; the number of the others is told. */
const LISTED = 100;

/** Which files of folders and zips are not on the page, and why. */
export function LeftOut({ left, onDismiss }: { left: Left[]; onDismiss: () => void }) {
  const only = left.length === 1 ? left[0] : undefined;
  return (
    <div className="notice notice-left" role="status">
      <div>
        <strong>
          {only ? `Left out: ${only.name} ${only.why}.` : `${count(left.length, "file")} left out.`}
        </strong>
        {!only && (
          <details>
            <summary>Which, and why</summary>
            <ul>
              {left.slice(0, LISTED).map(({ name, why }, index) => (
                <li key={index}>
                  {name} {why}.
                </li>
              ))}
              {left.length > LISTED && <li>And {left.length - LISTED} more.</li>}
            </ul>
          </details>
        )}
      </div>
      <button type="button" className="button button-small" onClick={onDismiss}>
        Dismiss
      </button>
    </div>
  );
}
