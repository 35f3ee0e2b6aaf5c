import { type Picture, isPending } from "./picture";
import type { Facts, Store } from "./store";

/** What is kept at most; a browser may give less. */
export const MOST_PICTURES = 1000;
export const MOST_BYTES = 256 * 2 ** 20;

/** How it stands with what is kept. */
export type Keeping =
  | { kind: "loading" }
  | { kind: "kept" }
  /** The browser keeps nothing for this page. */
  | { kind: "none" }
  /** These many pictures, or the newest labels of them, are lost with the page. */
  | { kind: "full"; lost: number; isOver: boolean };

/** A picture as it comes back. */
export type Kept = Omit<Picture, "url">;

type Tell = (keeping: Keeping) => void;

/** Writes the pictures of the page into a store, a change at a time, and reads them back when the page is opened. */
export class Keeper {
  private readonly written = new Map<number, Picture | Kept>();
  private seen = new Set<number>();
  private latest: Picture[] | null = null;
  private loaded: Promise<Kept[]> | null = null;
  private isBusy = false;
  private isBroken = false;

  constructor(
    private readonly store: Store,
    private readonly tell: Tell,
  ) {}

  /** What was kept, oldest first; nothing where the browser keeps nothing. */
  load(): Promise<Kept[]> {
    this.loaded ??= this.read();
    return this.loaded;
  }

  /** Keeps `pictures` from now on, and forgets those that were among the last ones and are no more. */
  follow(pictures: Picture[]): void {
    this.latest = pictures;
    if (!this.isBusy) void this.work();
  }

  private async read(): Promise<Kept[]> {
    try {
      const kept = await this.store.load();
      this.tell({ kind: "kept" });
      return kept.map(({ id, file, facts }) => this.remember({ id, file, productName: "", ...facts }));
    } catch {
      this.isBroken = true;
      this.tell({ kind: "none" });
      return [];
    }
  }

  private remember(kept: Kept): Kept {
    this.written.set(kept.id, kept);
    return kept;
  }

  private async work(): Promise<void> {
    this.isBusy = true;
    await this.load();
    while (this.latest !== null && !this.isBroken) {
      const pictures = this.latest;
      this.latest = null;
      // oxlint-disable-next-line no-await-in-loop
      await this.write(pictures);
    }
    this.isBusy = false;
  }

  private async write(pictures: Picture[]): Promise<void> {
    const wanted = withinBounds(pictures);
    let lost = pictures.length - wanted.length;
    const isOver = lost > 0;
    try {
      await this.forgetOthers(pictures, wanted);
    } catch {
      lost += 1; // what could not be deleted may come back
    }
    for (const picture of wanted) {
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.save(picture))) lost += 1;
    }
    this.tell(lost > 0 ? { kind: "full", lost, isOver } : { kind: "kept" });
  }

  private async forgetOthers(pictures: Picture[], wanted: Picture[]): Promise<void> {
    const now = new Set(wanted.map(({ id }) => id));
    const gone = [...this.seen].filter((id) => !now.has(id) && this.written.has(id));
    this.seen = new Set(pictures.map(({ id }) => id));
    if (gone.length === 0) return;
    await this.store.forget(gone);
    for (const id of gone) this.written.delete(id);
  }

  private async save(picture: Picture): Promise<boolean> {
    const before = this.written.get(picture.id);
    if (before && isSame(before, picture)) return true;
    try {
      if (!before) await this.store.saveFile(picture.id, picture.file);
      await this.store.saveFacts(picture.id, factsOf(picture));
      this.written.set(picture.id, picture);
      return true;
    } catch {
      return false;
    }
  }
}

/** As many as the bounds have room for, oldest first. */
function withinBounds(pictures: Picture[]): Picture[] {
  let bytes = 0;
  return pictures.slice(0, MOST_PICTURES).filter(({ file }) => (bytes += file.size) <= MOST_BYTES);
}

/** A picture that is under way when the page is closed waits when it is opened again. */
const factsOf = ({ name, productName, state, checked }: Kept): Facts => ({
  name,
  productName,
  checked,
  state: isPending({ state }) ? { kind: "waiting", because: null } : state,
});

const isSame = (one: Kept, other: Picture): boolean =>
  one.checked === other.checked &&
  one.productName === other.productName &&
  (one.state === other.state || (isPending(one) && isPending(other)));
