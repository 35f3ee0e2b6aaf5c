import { count } from "../answers/text";
import { type Keeping, MOST_BYTES, MOST_PICTURES } from "../pictures/keeper";

/** Whether pictures and labels outlive a reload. */
export function KeptNote({ keeping, total }: { keeping: Keeping; total: number }) {
  if (keeping.kind === "loading") return null;
  if (keeping.kind === "kept") {
    return <p className="kept">Pictures and labels stay in this browser until you remove them.</p>;
  }
  return (
    <p className="kept kept-not" role="status">
      {keeping.kind === "none"
        ? "This browser keeps nothing for this page, as in a private window: a reload loses pictures and labels."
        : fullInWords(keeping.lost, total, keeping.isOver)}{" "}
      Export what you need before you leave.
    </p>
  );
}

function fullInWords(lost: number, total: number, isOver: boolean): string {
  const why = isOver
    ? `this page keeps ${MOST_PICTURES} pictures and ${MOST_BYTES / 2 ** 20} MB at most`
    : "this browser has no more room for them";
  return `A reload loses ${lost === total ? "all" : `${lost} of`} ${count(total, "picture")}, or their latest labels: ${why}.`;
}
