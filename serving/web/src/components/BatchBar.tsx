import { FILTERS, type Filter, ORDERS, type Order, matches } from "../answers/selection";
import type { Picture } from "../pictures/picture";

interface Props {
  pictures: Picture[];
  typeThreshold: number | null;
  filter: Filter;
  order: Order;
  onFilter: (filter: Filter) => void;
  onOrder: (order: Order) => void;
}

/** Which pictures to show, and in which order. */
export function BatchBar({ pictures, typeThreshold, filter, order, onFilter, onOrder }: Props) {
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
  );
}

const keys = <K extends string>(record: Record<K, string>) => Object.keys(record) as K[];
