import { FILTERS, type Filter, ORDERS, type Order, matches } from "../answers/selection";
import type { Picture } from "../pictures/picture";

interface Props {
  pictures: Picture[];
  typeThreshold: number | null;
  filter: Filter;
  order: Order;
  onFilter: (filter: Filter) => void;
  onOrder: (order: Order) => void;
  /** Pictures under the filter. */
  shown: number;
  onSelectAll: () => void;
}

/** Which pictures to show, and in which order. */
export function BatchBar({
  pictures,
  typeThreshold,
  filter,
  order,
  onFilter,
  onOrder,
  shown,
  onSelectAll,
}: Props) {
  const filters = keys(FILTERS).map((key) => ({
    key,
    count: pictures.filter((picture) => matches(picture, key, typeThreshold)).length,
  }));
  return (
    <div className="batch-bar">
      <fieldset className="filters">
        <legend className="unseen">Show</legend>
        {filters.map(({ key, count }) => (
          <label key={key} className="chip">
            <input
              type="radio"
              name="filter"
              value={key}
              checked={filter === key}
              onChange={() => onFilter(key)}
            />
            <span>
              {FILTERS[key]} <span className="chip-count">{count}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div className="batch-end">
        <button
          type="button"
          className="button button-small"
          data-shortcut="s"
          disabled={shown === 0}
          onClick={onSelectAll}
        >
          Select all {shown}
        </button>
        <label className="order">
          <span>Order</span>
          <select value={order} onChange={(event) => onOrder(event.target.value as Order)}>
            {keys(ORDERS).map((key) => (
              <option key={key} value={key}>
                {ORDERS[key]}
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  );
}

const keys = <K extends string>(record: Record<K, string>) => Object.keys(record) as K[];
