import { createStore, delMany, entries, set } from "idb-keyval";

import type { Picture } from "./picture";

/** Goes up when what is kept changes its form: what an older page kept is then left alone. */
const FORMAT = 1;

/** What is kept of a picture beside its file. */
export type Facts = Pick<Picture, "name" | "state" | "checked"> & {
  /** Not there in what an older page kept. */
  productName?: string;
};

/** Where pictures outlive the page. Every call may reject: private windows, full disks. */
export interface Store {
  load: () => Promise<{ id: number; file: File; facts: Facts }[]>;
  saveFile: (id: number, file: File) => Promise<void>;
  saveFacts: (id: number, facts: Facts) => Promise<void>;
  forget: (ids: number[]) => Promise<void>;
}

/** The browser's own database. Files have one of their own: a new answer does not write the picture again. */
export function browserStore(): Store {
  const files = () => (filesStore ??= createStore(`lookbook-files-${FORMAT}`, "files"));
  const facts = () => (factsStore ??= createStore(`lookbook-facts-${FORMAT}`, "facts"));
  let filesStore: ReturnType<typeof createStore> | undefined;
  let factsStore: ReturnType<typeof createStore> | undefined;
  return {
    async load() {
      const known = new Map(await entries<number, Facts>(facts()));
      const kept = await entries<number, File>(files());
      return kept.flatMap(([id, file]) => {
        const fact = known.get(id);
        return fact ? [{ id, file, facts: fact }] : [];
      });
    },
    saveFile: async (id, file) => set(id, file, files()),
    saveFacts: async (id, fact) => set(id, fact, facts()),
    async forget(ids) {
      await Promise.all([delMany(ids, facts()), delMany(ids, files())]);
    },
  };
}
