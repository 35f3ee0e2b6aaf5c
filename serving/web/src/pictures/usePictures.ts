import { useEffect, useReducer, useRef, useState } from "react";

import { count } from "../answers/text";
import { classify } from "../api/client";
import { type Kept, type Keeping, Keeper } from "./keeper";
import { type Labels, type Picture, isPending } from "./picture";
import { Queue } from "./queue";
import { type Action, NO_WORK, type Undo, reduce } from "./reducer";
import type { Store } from "./store";

/** What the page can do with its pictures. */
export interface PictureActions {
  add: (files: File[]) => void;
  retry: (pictures: Picture[], options?: { allowPartial: boolean }) => void;
  /** Says what a picture's product is called, and asks again. */
  call: (picture: Picture, productName: string) => void;
  /** Labels that a person gives, by picture; null takes them back. With `words` the step can be undone as one. */
  check: (labels: ReadonlyMap<number, Labels | null>, words?: string) => void;
  remove: (pictures: Picture[]) => void;
  undo: (step: Undo) => void;
  dismiss: () => void;
}

export interface Pictures {
  pictures: Picture[];
  undo: Undo | null;
  keeping: Keeping;
  actions: PictureActions;
}

/** The pictures and what can be done with them; answers come by themselves, and `store` keeps all over a reload. */
export function usePictures(store: Store): Pictures {
  const [{ pictures, undo }, dispatch] = useReducer(reduce, NO_WORK);
  const [keeping, setKeeping] = useState<Keeping>({ kind: "loading" });
  const [{ actions, restore }] = useState(() => makeActions(dispatch));
  const [keeper] = useState(() => new Keeper(store, setKeeping));
  useEffect(() => void keeper.load().then(restore), [keeper, restore]);
  useEffect(() => keeper.follow(pictures), [keeper, pictures]);
  useRevokedUrls(pictures, undo);
  return { pictures, undo, keeping, actions };
}

function makeActions(dispatch: React.Dispatch<Action>) {
  const queue = new Queue(classify, (id, state) => dispatch({ type: "progressed", id, state }));
  let lastId = 0;
  // Of the clock, so that those kept from before, or added in another tab, have other ones.
  const nextId = () => (lastId = Math.max(lastId + 1, Date.now() * 1000));
  const send = (some: Picture[], allowPartial = false) =>
    queue.add(some.map(({ id, file, productName }) => ({ id, file, productName, allowPartial })));
  const show = (some: Picture[]) => {
    dispatch({ type: "added", pictures: some });
    send(some.filter(isPending));
  };
  const actions: PictureActions = {
    add: (files) => show(files.map((file) => newPicture(nextId(), file))),
    retry: (some, options) => send(some, options?.allowPartial),
    call(picture, productName) {
      dispatch({ type: "named", id: picture.id, productName });
      queue.remove(picture.id);
      send([{ ...picture, productName }]);
    },
    check: (labels, words) => dispatch({ type: "checked", labels, ...(words ? { words } : {}) }),
    remove(some) {
      for (const { id } of some) queue.remove(id);
      const only = some.length === 1 ? some[0] : undefined;
      const words = `Removed ${only?.name ?? count(some.length, "picture")}.`;
      dispatch({ type: "removed", ids: new Set(some.map(({ id }) => id)), words });
    },
    undo(step) {
      dispatch({ type: "undone" });
      send(step.removed.filter(isPending));
    },
    dismiss: () => dispatch({ type: "dismissed" }),
  };
  const restore = (kept: Kept[]) => show(kept.map(asPicture));
  return { actions, restore };
}

const newPicture = (id: number, file: File) =>
  asPicture({
    id,
    name: file.name,
    file,
    productName: "",
    state: { kind: "waiting", because: null },
    checked: null,
  });

const asPicture = (kept: Kept): Picture => ({ ...kept, url: URL.createObjectURL(kept.file) });

/** Frees the thumbnails of pictures that are neither shown nor can come back. */
function useRevokedUrls(pictures: Picture[], undo: Undo | null) {
  const before = useRef(new Set<string>());
  useEffect(() => {
    const now = new Set([...pictures, ...(undo?.removed ?? [])].map(({ url }) => url));
    for (const url of before.current) if (!now.has(url)) URL.revokeObjectURL(url);
    before.current = now;
  }, [pictures, undo]);
}
