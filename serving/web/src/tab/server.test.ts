import { vi } from "vitest";

import { start } from ".";
import { answerBy, classify } from "../api/client";
import { picture } from "../test/merger";
import type { Manifest, Question, Reply, Scores } from "./contract";
import cases from "./merge-cases.json";
import { serverOf } from "./server";

const manifest = cases.manifest as unknown as Manifest;
const [first] = cases.cases;

/** Stands in for the models' own thread: takes what can be sent to one, and always sees the same. */
class FakeWorker extends EventTarget {
  static last: FakeWorker;

  constructor() {
    super();
    FakeWorker.last = this;
  }

  say = (data: Reply) => this.dispatchEvent(new MessageEvent("message", { data }));

  postMessage({ id, picture: sent }: Question) {
    if (!(sent instanceof Blob)) throw new DOMException("could not be cloned", "DataCloneError");
    const heads = Object.entries(first!.scores).map(([head, row]) => [head, Float64Array.from(row)]);
    const scores = { ...Object.fromEntries(heads), familiarity: Float64Array.of(1) } as Scores;
    this.say({ kind: "scores", id, seen: { width: 6, height: 8 }, scores: [scores], rows: 0, columns: 0 });
  }
}

describe("the page without a server", () => {
  afterEach(() => answerBy((path, request) => fetch(path, request)));

  it("answers a picture that has a product name, and says that the name is not heard", async () => {
    const worker = new FakeWorker();
    answerBy(serverOf(worker as unknown as Worker).ask);
    worker.say({ kind: "ready", manifest });
    const named = await classify(picture("a.jpg"), { productName: "Puma" });
    expect(named.name).toMatchObject({ heard: false, message: expect.stringMatching(/\.$/) });
    expect(named.joint).toEqual((await classify(picture("a.jpg"))).joint);
  });

  it("works where the browser refuses to keep it", async () => {
    vi.stubGlobal("Worker", FakeWorker);
    const register = vi.fn<() => Promise<never>>(() =>
      Promise.reject(new DOMException("no", "SecurityError")),
    );
    vi.stubGlobal("navigator", { ...navigator, serviceWorker: { register } });
    start();
    FakeWorker.last.say({ kind: "ready", manifest });
    await vi.waitFor(() => expect(register).toHaveBeenCalled());
    expect((await classify(picture("a.jpg"))).release).toBe(String(manifest.release));
  });
});
