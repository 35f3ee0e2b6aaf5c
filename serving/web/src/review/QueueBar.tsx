import type { ReviewCounts, ReviewOrder } from "../api/contract";
import { reasonName } from "./picks";

const ORDERS: Record<ReviewOrder, string> = {
  least_sure: "Least sure first",
  surest: "Surest first",
  oldest: "Oldest first",
};

interface Props {
  counts: ReviewCounts;
  reason: string;
  order: ReviewOrder;
  isBusy: boolean;
  onChoose: (reason: string, order: ReviewOrder) => void;
}

/** Which cards to decide, and in which order. */
export function QueueBar({ counts, reason, order, isBusy, onChoose }: Props) {
  const there = counts.reasons.some((one) => one.reason === reason);
  const gone = reason && !there ? [{ reason, count: 0 }] : []; // the last of them was decided
  const chips = [{ reason: "", count: counts.open }, ...counts.reasons, ...gone];
  return (
    <div className="batch-bar">
      <fieldset className="filters" disabled={isBusy}>
        <legend className="unseen">Reason</legend>
        {chips.map((one) => (
          <label key={one.reason} className="chip">
            <input
              type="radio"
              name="reason"
              checked={one.reason === reason}
              onChange={() => onChoose(one.reason, order)}
            />
            <span>
              {one.reason ? reasonName(one.reason) : "All"} <span className="chip-count">{one.count}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <label className="order">
        <span>Order</span>
        <select
          value={order}
          disabled={isBusy}
          onChange={({ target }) => onChoose(reason, target.value as ReviewOrder)}
        >
          {(Object.keys(ORDERS) as ReviewOrder[]).map((one) => (
            <option key={one} value={one}>
              {ORDERS[one]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
