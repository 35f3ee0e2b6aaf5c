import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import type { Picture } from "../pictures/picture";
import type { Select } from "./PictureCard";

export interface Selection {
  ids: ReadonlySet<number>;
  /** Those of the pictures that are selected, in their order. */
  selected: Picture[];
  select: Select;
  selectAll: () => void;
  clear: () => void;
}

const NONE: ReadonlySet<number> = new Set();

/** Which of the pictures `shown` are selected; one that is out of sight is not. */
export function useSelection(shown: Picture[]): Selection {
  const [ids, setIds] = useState(NONE);
  const last = useRef<number | null>(null);
  const order = useRef(shown);
  useEffect(() => {
    order.current = shown;
  }, [shown]);
  const select: Select = useCallback((id, isOn, isRange) => {
    const range = isRange ? between(order.current, last.current, id) : [id];
    last.current = id;
    setIds((before) => {
      const after = new Set(before);
      for (const one of range)
        if (isOn) after.add(one);
        else after.delete(one);
      return after;
    });
  }, []);
  const selected = useMemo(() => shown.filter(({ id }) => ids.has(id)), [shown, ids]);
  return {
    ids,
    selected,
    select,
    selectAll: () => setIds(new Set(shown.map(({ id }) => id))),
    clear: () => setIds(NONE),
  };
}

/** Ids from one picture to another, whichever stands first; the last alone where the first is out of sight. */
function between(shown: Picture[], from: number | null, to: number): number[] {
  const [start, end] = [from, to].map((id) => shown.findIndex((picture) => picture.id === id)) as [
    number,
    number,
  ];
  if (start < 0 || end < 0) return [to];
  return shown.slice(Math.min(start, end), Math.max(start, end) + 1).map(({ id }) => id);
}
