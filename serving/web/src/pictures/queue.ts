import { ProblemError } from "../api/client";
import type { Answer, Problem } from "../api/contract";
import type { State } from "./picture";

/** Requests under way at once: a browser opens six connections to one host, the rest stay free for everything else. */
const AT_ONCE = 4;

/** A busy server halves what is under way at once; each answer gives back a part of a place. */
const REGAINED = 0.25;

/** Attempts of one picture, first included, while the server asks for patience. */
const ATTEMPTS = 6;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const PATIENCE_CODES = new Set(["overloaded", "rate_limited", "not_ready"]);

export interface Job {
  id: number;
  file: Blob;
  productName: string;
  allowPartial: boolean;
}

type Options = Pick<Job, "productName" | "allowPartial"> & { signal: AbortSignal };
type Classify = (file: Blob, options: Options) => Promise<Answer>;
type Report = (id: number, state: State) => void;

interface Running {
  job: Job;
  attempts: number;
  abort: AbortController;
}

/** Sends pictures in order, a few at once, and reports each state; waits when the server is busy. */
export class Queue {
  private waiting: Running[] = [];
  private readonly running = new Set<Running>();
  private places = AT_ONCE;
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly classify: Classify,
    private readonly report: Report,
  ) {}

  add(jobs: Job[]): void {
    this.waiting.push(...jobs.map((job) => ({ job, attempts: 0, abort: new AbortController() })));
    for (const { id } of jobs) this.report(id, { kind: "waiting", because: null });
    this.advance();
  }

  /** Forgets a picture; its request is cut off. */
  remove(id: number): void {
    this.waiting = this.waiting.filter(({ job }) => job.id !== id);
    for (const entry of this.running) if (entry.job.id === id) entry.abort.abort();
  }

  /** Forgets everything. */
  clear(): void {
    this.waiting = [];
    clearTimeout(this.pause);
    this.pause = undefined;
    for (const entry of this.running) entry.abort.abort();
  }

  private advance(): void {
    while (this.pause === undefined && this.running.size < Math.floor(this.places)) {
      const next = this.waiting.shift();
      if (!next) return;
      void this.send(next);
    }
  }

  private async send(entry: Running): Promise<void> {
    const { job, abort } = entry;
    this.running.add(entry);
    entry.attempts += 1;
    this.report(job.id, { kind: "working" });
    try {
      const { file, productName, allowPartial } = job;
      const answer = await this.classify(file, { productName, allowPartial, signal: abort.signal });
      this.places = Math.min(AT_ONCE, this.places + REGAINED);
      if (!abort.signal.aborted) this.report(job.id, { kind: "answered", answer });
    } catch (error) {
      if (!abort.signal.aborted) this.fail(entry, error);
    } finally {
      this.running.delete(entry);
      this.advance();
    }
  }

  private fail(entry: Running, error: unknown): void {
    if (!(error instanceof ProblemError)) throw error;
    const { problem } = error;
    if (entry.attempts < ATTEMPTS && PATIENCE_CODES.has(problem.code)) this.waitAndRetry(entry, problem);
    else this.report(entry.job.id, { kind: "failed", problem });
  }

  private waitAndRetry(entry: Running, problem: Problem): void {
    this.places = Math.max(1, this.places / 2);
    this.waiting = [...this.waiting, entry].toSorted((a, b) => a.job.id - b.job.id);
    this.report(entry.job.id, { kind: "waiting", because: problem });
    this.pause ??= setTimeout(
      () => {
        this.pause = undefined;
        this.advance();
      },
      Math.min((problem.retry_after_s ?? 1) * 1000, LONGEST_TIMER_MS),
    );
  }
}
