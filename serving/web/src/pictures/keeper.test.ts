import { answered } from "../test/contract";
import { FakeStore } from "../test/store";
import { type Keeping, Keeper, MOST_BYTES, MOST_PICTURES } from "./keeper";
import type { Picture } from "./picture";

const HEELS = { master_category: "Footwear", sub_category: "Shoes", article_type: "Heels", attributes: {} };
const one = (id: number, more: Partial<Picture> = {}): Picture => ({ ...answered(`${id}.jpg`), id, ...more });

let store: FakeStore;
let told: Keeping[];
let keeper: Keeper;

beforeEach(() => {
  store = new FakeStore();
  told = [];
  keeper = new Keeper(store, (keeping) => told.push(keeping));
});

const settled = async (pictures: Picture[]) => {
  const before = told.length;
  keeper.follow(pictures);
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(before + (before === 0 ? 1 : 0)));
};

describe("Keeper", () => {
  it("keeps pictures, and their labels as they change, writing no file twice", async () => {
    const save = vi.spyOn(store, "saveFile");
    const [first, second] = [one(1), one(2)];
    await settled([first, second]);
    await settled([first, { ...second, checked: HEELS }]);
    expect(store.labels()).toEqual({ "1.jpg": undefined, "2.jpg": "Heels" });
    expect(save).toHaveBeenCalledTimes(2);
    expect(told.at(-1)).toEqual({ kind: "kept" });
  });

  it("forgets what is removed, and nothing that it has not shown", async () => {
    store.kept.set(9, { file: new File([], "9.jpg"), facts: one(9) });
    await settled([one(1), one(2)]);
    await settled([one(2)]);
    expect(Object.keys(store.labels())).toEqual(["9.jpg", "2.jpg"]);
  });

  it("gives back what was kept; a picture that was under way waits", async () => {
    await settled([one(1, { checked: HEELS }), one(2, { state: { kind: "working" } })]);
    const back = await new Keeper(store, () => {}).load();
    expect(back.map(({ id, checked, state }) => [id, checked?.article_type, state.kind])).toEqual([
      [1, "Heels", "answered"],
      [2, undefined, "waiting"],
    ]);
  });

  it("says how many there is no room for, and tries them again when there is", async () => {
    store.room = 1;
    await settled([one(1), one(2), one(3)]);
    expect(told.at(-1)).toEqual({ kind: "full", lost: 2, isOver: false });
    store.room = 2;
    await settled([one(2), one(3)]);
    expect(told.at(-1)).toEqual({ kind: "kept" });
  });

  it("says that nothing is kept where the browser refuses", async () => {
    vi.spyOn(store, "load").mockRejectedValue(new DOMException("private", "InvalidStateError"));
    expect(await keeper.load()).toEqual([]);
    expect(told).toEqual([{ kind: "none" }]);
  });

  it.each([
    ["pictures", Array.from({ length: MOST_PICTURES + 2 }, (_, id) => one(id)), 2],
    ["bytes", [one(1), one(2, { file: { size: MOST_BYTES + 1 } as File })], 1],
  ])("keeps no more than its bound of %s, and says so", async (_, pictures, lost) => {
    await settled(pictures);
    expect(told.at(-1)).toEqual({ kind: "full", lost, isOver: true });
    expect(store.kept.size).toBe(pictures.length - lost);
  });
});
