import { useReducer, useState } from "react";

import { classify } from "../api/client";
import type { Labels, Picture } from "./picture";
import { Queue } from "./queue";
import { type Action, reduce } from "./reducer";

/** What the page can do with its pictures. */
export interface PictureActions {
  add: (files: File[]) => void;
  retry: (pictures: Picture[], options?: { allowPartial: boolean }) => void;
  check: (id: number, labels: Labels | null) => void;
  remove: (picture: Picture) => void;
  clear: (pictures: Picture[]) => void;
}

/** The pictures and what can be done with them; answers come by themselves. */
export function usePictures(): [Picture[], PictureActions] {
  const [pictures, dispatch] = useReducer(reduce, []);
  const [actions] = useState(() => makeActions(dispatch));
  return [pictures, actions];
}

function makeActions(dispatch: React.Dispatch<Action>): PictureActions {
  const queue = new Queue(classify, (id, state) => dispatch({ type: "progressed", id, state }));
  let lastId = 0;
  const send = (some: Picture[], allowPartial = false) =>
    queue.add(some.map(({ id, file }) => ({ id, file, allowPartial })));
  return {
    add(files) {
      const added = files.map((file) => newPicture(++lastId, file));
      dispatch({ type: "added", pictures: added });
      send(added);
    },
    retry: (some, options) => send(some, options?.allowPartial),
    check: (id, labels) => dispatch({ type: "checked", id, labels }),
    remove(picture) {
      queue.remove(picture.id);
      dispatch({ type: "removed", id: picture.id });
      URL.revokeObjectURL(picture.url);
    },
    clear(pictures) {
      queue.clear();
      for (const { url } of pictures) URL.revokeObjectURL(url);
      dispatch({ type: "cleared" });
    },
  };
}

function newPicture(id: number, file: File): Picture {
  return {
    id,
    name: file.name,
    file,
    url: URL.createObjectURL(file),
    state: { kind: "waiting", because: null },
    checked: null,
  };
}
