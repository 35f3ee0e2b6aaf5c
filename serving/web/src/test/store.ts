import type { Facts, Store } from "../pictures/store";

/** Keeps pictures as the browser's database does, over pages that are opened with it. */
export class FakeStore implements Store {
  readonly kept = new Map<number, { file: File; facts: Facts | null }>();
  /** Files that there is room for. */
  room = Infinity;

  async load() {
    return [...this.kept].flatMap(([id, { file, facts }]) => (facts ? [{ id, file, facts }] : []));
  }

  async saveFile(id: number, file: File) {
    if (this.kept.size >= this.room) throw new DOMException("no room", "QuotaExceededError");
    this.kept.set(id, { file, facts: null });
  }

  async saveFacts(id: number, facts: Facts) {
    const one = this.kept.get(id);
    if (!one) throw new Error(`Facts without a file: ${id}`);
    one.facts = structuredClone(facts);
  }

  async forget(ids: number[]) {
    for (const id of ids) this.kept.delete(id);
  }

  /** What is kept, by name, with its article type. */
  labels = () =>
    Object.fromEntries(
      [...this.kept.values()].map(({ facts }) => [facts?.name, facts?.checked?.article_type]),
    );
}
