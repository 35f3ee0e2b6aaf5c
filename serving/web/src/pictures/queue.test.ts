import { vi } from "vitest";

import { ProblemError } from "../api/client";
import type { Answer } from "../api/contract";
import { makeAnswer, makeProblem } from "../test/contract";
import type { State } from "./picture";
import { Queue } from "./queue";

const job = (id: number) => ({ id, file: new Blob([String(id)]), productName: "", allowPartial: false });
const busy = () => new ProblemError(makeProblem("overloaded", 429, { retry_after_s: 3 }));

interface Call {
  signal: AbortSignal;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

function setUp() {
  const calls: Call[] = [];
  const states = new Map<number, State>();
  const classify = (_: Blob, { signal }: { signal: AbortSignal }) =>
    new Promise<Answer>((resolve, reject) => calls.push({ signal, resolve, reject }));
  const queue = new Queue(classify, (id, state) => states.set(id, state));
  const kinds = () => [...states.values()].map(({ kind }) => kind);
  return { queue, calls, states, kinds };
}

const settled = () => vi.advanceTimersByTimeAsync(0);

describe("Queue", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("sends four at once and the next as soon as one is answered", async () => {
    const { queue, calls, kinds } = setUp();
    queue.add([1, 2, 3, 4, 5, 6].map(job));
    expect(calls).toHaveLength(4);
    calls[1]?.resolve(makeAnswer());
    await settled();
    expect(calls).toHaveLength(5);
    expect(kinds()).toEqual(["working", "answered", "working", "working", "working", "waiting"]);
  });

  it("waits as long as a busy server asks, and then goes on by itself", async () => {
    const { queue, calls, states } = setUp();
    queue.add([job(1)]);
    calls[0]?.reject(busy());
    await settled();
    expect(states.get(1)).toMatchObject({ kind: "waiting", because: { code: "overloaded" } });
    await vi.advanceTimersByTimeAsync(2_900);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    calls[1]?.resolve(makeAnswer());
    await settled();
    expect(states.get(1)?.kind).toBe("answered");
  });

  it("does not ask at once where the wait is longer than any timer", async () => {
    const { queue, calls } = setUp();
    queue.add([job(1)]);
    calls[0]?.reject(new ProblemError(makeProblem("rate_limited", 429, { retry_after_s: 1e7 })));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toHaveLength(1);
  });

  it("sends less at once to a server that was busy", async () => {
    const { queue, calls } = setUp();
    queue.add([1, 2, 3, 4, 5, 6].map(job));
    for (const call of calls) call.reject(busy());
    await vi.advanceTimersByTimeAsync(3_100);
    expect(calls).toHaveLength(5);
    calls[4]?.resolve(makeAnswer());
    await settled();
    expect(calls).toHaveLength(6);
  });

  it("gives up on a server that stays busy, and says why", async () => {
    const { queue, calls, states } = setUp();
    queue.add([job(1)]);
    for (let attempt = 0; attempt < 6; attempt++) {
      calls[attempt]?.reject(busy());
      // oxlint-disable-next-line no-await-in-loop -- each attempt follows the one before
      await vi.advanceTimersByTimeAsync(3_100);
    }
    expect(calls).toHaveLength(6);
    expect(states.get(1)).toMatchObject({ kind: "failed", problem: { code: "overloaded" } });
  });

  it("goes on with the others when one fails", async () => {
    const { queue, calls, kinds } = setUp();
    queue.add([1, 2].map(job));
    calls[0]?.reject(new ProblemError(makeProblem("image_undecodable", 422)));
    calls[1]?.resolve(makeAnswer());
    await settled();
    expect(kinds()).toEqual(["failed", "answered"]);
  });

  it("cuts off the request of a removed picture and forgets one that waits", async () => {
    const { queue, calls, states } = setUp();
    queue.add([1, 2, 3, 4, 5].map(job));
    queue.remove(5);
    queue.remove(1);
    expect(calls[0]?.signal.aborted).toBe(true);
    calls[0]?.reject(new DOMException("gone", "AbortError"));
    await settled();
    expect(calls).toHaveLength(4);
    expect(states.get(1)?.kind).toBe("working");
  });

  it("starts nothing after everything was cleared, not even what waited for a busy server", async () => {
    const { queue, calls } = setUp();
    queue.add([1, 2].map(job));
    calls[0]?.reject(busy());
    await settled();
    queue.clear();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(calls).toHaveLength(2);
    queue.add([job(3)]);
    expect(calls).toHaveLength(3);
  });
});
