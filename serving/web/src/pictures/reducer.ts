import type { Labels, Picture, State } from "./picture";

/** The pictures on the page, and how to take the last step back. */
export interface Work {
  /** In the order in which they were added. */
  pictures: Picture[];
  undo: Undo | null;
}

/** A step that can be taken back, until it is dismissed or another one follows. */
export interface Undo {
  /** What was done, for a person. */
  words: string;
  removed: Picture[];
  /** Labels from before, by picture. */
  checked: ReadonlyMap<number, Labels | null>;
}

export type Action =
  | { type: "added"; pictures: Picture[] }
  | { type: "progressed"; id: number; state: State }
  | { type: "named"; id: number; productName: string }
  | { type: "checked"; labels: ReadonlyMap<number, Labels | null>; words?: string }
  | { type: "removed"; ids: ReadonlySet<number>; words: string }
  | { type: "undone" }
  | { type: "dismissed" };

export const NO_WORK: Work = { pictures: [], undo: null };

/** The work after `action`. */
export function reduce(work: Work, action: Action): Work {
  const { pictures, undo } = work;
  switch (action.type) {
    case "added":
      return { pictures: merge(pictures, action.pictures), undo };
    case "progressed":
      return { pictures: change(pictures, action.id, { state: action.state }), undo };
    case "named":
      return { pictures: change(pictures, action.id, { productName: action.productName }), undo };
    case "checked":
      return check(work, action.labels, action.words);
    case "removed": {
      const removed = pictures.filter(({ id }) => action.ids.has(id));
      const left = pictures.filter(({ id }) => !action.ids.has(id));
      return { pictures: left, undo: { words: action.words, removed, checked: new Map() } };
    }
    case "undone":
      return undo ? takeBack(pictures, undo) : work;
    case "dismissed":
      return { pictures, undo: null };
  }
}

function check(work: Work, labels: ReadonlyMap<number, Labels | null>, words?: string): Work {
  const was = work.pictures.filter(({ id }) => labels.has(id));
  const undo = words
    ? { words, removed: [], checked: new Map(was.map(({ id, checked }) => [id, checked])) }
    : work.undo && without(work.undo, labels);
  return { pictures: relabel(work.pictures, labels), undo };
}

/** Labels that were given after the step are not taken back with it. */
const without = (undo: Undo, labels: ReadonlyMap<number, unknown>): Undo => ({
  ...undo,
  checked: new Map([...undo.checked].filter(([id]) => !labels.has(id))),
});

const takeBack = (pictures: Picture[], { removed, checked }: Undo): Work => ({
  pictures: relabel(merge(pictures, removed), checked),
  undo: null,
});

const relabel = (pictures: Picture[], labels: ReadonlyMap<number, Labels | null>) =>
  pictures.map((picture) => {
    const given = labels.get(picture.id);
    return given === undefined ? picture : { ...picture, checked: given };
  });

/** Ids rise as pictures are added, over reloads too; one that is here already stays as it is. */
function merge(pictures: Picture[], more: Picture[]): Picture[] {
  const here = new Set(pictures.map(({ id }) => id));
  return [...pictures, ...more.filter(({ id }) => !here.has(id))].toSorted((a, b) => a.id - b.id);
}

const change = (pictures: Picture[], id: number, changes: Partial<Picture>) =>
  pictures.map((picture) => (picture.id === id ? { ...picture, ...changes } : picture));
