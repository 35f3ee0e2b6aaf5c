import type { Labels, Picture, State } from "./picture";

export type Action =
  | { type: "added"; pictures: Picture[] }
  | { type: "progressed"; id: number; state: State }
  | { type: "checked"; id: number; labels: Labels | null }
  | { type: "removed"; id: number }
  | { type: "cleared" };

/** The pictures after `action`, in the order in which they were added. */
export function reduce(pictures: Picture[], action: Action): Picture[] {
  switch (action.type) {
    case "added":
      return [...pictures, ...action.pictures];
    case "progressed":
      return change(pictures, action.id, { state: action.state });
    case "checked":
      return change(pictures, action.id, { checked: action.labels });
    case "removed":
      return pictures.filter((picture) => picture.id !== action.id);
    case "cleared":
      return [];
  }
}

const change = (pictures: Picture[], id: number, changes: Partial<Picture>) =>
  pictures.map((picture) => (picture.id === id ? { ...picture, ...changes } : picture));
