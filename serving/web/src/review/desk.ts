import { ProblemError, serverNow } from "../api/client";
import type {
  Problem,
  ReviewCard,
  ReviewClaim,
  ReviewCounts,
  ReviewDecision,
  ReviewOrder,
  Verdict,
} from "../api/contract";
import { claimCard, decide, fetchCardPicture, fetchDecisions, giveBack, undoDecision } from "../api/review";

/** Decisions of anybody that are listed. */
const LISTED = 8;

/** The card is put away a little before its time is over: by then somebody else may have it. */
const MARGIN_MS = 2_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Codes of a card that is not ours any more. */
const LOST = new Set(["review_conflict", "not_found"]);

export type View =
  | { kind: "asking" }
  | { kind: "card"; card: ReviewCard; picture: Blob }
  /** There is none that nobody has. */
  | { kind: "empty" }
  | { kind: "lost"; why: string }
  | { kind: "failed"; problem: Problem };

export interface Trouble {
  /** What was not done, in a sentence. */
  words: string;
  problem: Problem;
}

export interface DeskState {
  view: View;
  counts: ReviewCounts | null;
  /** The newest decisions, newest first. */
  decided: ReviewDecision[];
  /** Versions of what was decided here and can be undone, oldest first. */
  mine: number[];
  /** What was asked for last was not done; what was on the desk is there still. */
  trouble: Trouble | null;
  /** Something is under way; nothing else is begun. */
  isBusy: boolean;
}

export const AT_FIRST: DeskState = {
  view: { kind: "asking" },
  counts: null,
  decided: [],
  mine: [],
  trouble: null,
  isBusy: false,
};

/** One person's desk: a card of the queue at a time, whose lease it holds until it is decided or given back. */
export class Desk {
  private state = AT_FIRST;
  private card: ReviewCard | null = null;
  private reason = "";
  private order: ReviewOrder = "least_sure";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  constructor(
    private readonly name: string,
    private readonly tell: (state: DeskState) => void,
  ) {}

  open(): void {
    this.isClosed = false;
    void this.next();
  }

  /** Gives back what is held. */
  close(): void {
    this.isClosed = true;
    void this.giveBack();
  }

  /** Another part of the queue, or another order. */
  choose(reason: string, order: ReviewOrder): Promise<void> {
    return this.work(async () => {
      [this.reason, this.order] = [reason, order];
      await this.giveBack();
      await this.claim();
    });
  }

  /** The next card, where none is held. */
  next = () => this.work(() => this.claim());

  /** The next card; this one stays ours until its time is over, or we would get it again at once. */
  later = () =>
    this.work(async () => {
      this.letGo();
      await this.claim();
    });

  decide = (verdict: Verdict) =>
    this.work(async () => {
      if (!this.card) return;
      try {
        const { version } = await decide(this.card, verdict, this.name);
        this.set({ mine: [...this.state.mine, version] });
      } catch (error) {
        const problem = problemOf(error);
        if (LOST.has(problem.code)) return this.lose(problem.detail);
        return this.fail("Your decision was not kept; the card is still yours.", problem);
      }
      this.letGo();
      await this.claim();
    });

  /** Takes a decision back, and its card onto the desk. */
  undo = (version: number) =>
    this.work(async () => {
      let claimed: ReviewClaim;
      try {
        claimed = await undoDecision(version, this.name);
      } catch (error) {
        const problem = problemOf(error);
        if (LOST.has(problem.code)) this.forget(version);
        return this.fail("That was not undone.", problem);
      }
      this.forget(version);
      await this.giveBack();
      await this.take(claimed);
    });

  private async work(step: () => Promise<void>): Promise<void> {
    if (this.state.isBusy) return;
    this.set({ isBusy: true, trouble: null });
    try {
      await step();
    } catch (error) {
      this.set({ view: { kind: "failed", problem: problemOf(error) } });
    } finally {
      this.set({ isBusy: false });
    }
  }

  private async claim(): Promise<void> {
    await this.take(await claimCard(this.reason, this.order));
  }

  private async take({ card, counts }: ReviewClaim): Promise<void> {
    await this.show(card, counts);
    void this.look(); // nobody need wait for it
  }

  private async look(): Promise<void> {
    try {
      this.set({ decided: (await fetchDecisions(LISTED)).decisions });
    } catch (error) {
      this.fail("What was decided last cannot be listed.", problemOf(error));
    }
  }

  private async show(card: ReviewCard | null, counts: ReviewCounts): Promise<void> {
    if (!card) return this.set({ view: { kind: "empty" }, counts });
    this.card = card;
    try {
      const picture = await fetchCardPicture(card);
      this.set({ view: { kind: "card", card, picture }, counts });
    } catch (error) {
      await this.giveBack();
      throw error;
    }
    if (this.isClosed) return this.giveBack();
    const leftMs = Date.parse(card.leased_until ?? "") - serverNow() - MARGIN_MS;
    this.timer = setTimeout(
      () => this.lose("Your time for it is over, and somebody else may have it now."),
      Math.min(leftMs, LONGEST_TIMER_MS),
    );
  }

  private lose(why: string): void {
    this.letGo();
    this.set({ view: { kind: "lost", why } });
  }

  private letGo(): ReviewCard | null {
    clearTimeout(this.timer);
    const { card } = this;
    this.card = null;
    return card;
  }

  private async giveBack(): Promise<void> {
    const card = this.letGo();
    if (!card) return;
    try {
      await giveBack(card);
    } catch (error) {
      problemOf(error); // its lease ends by itself
    }
  }

  private forget(version: number): void {
    this.set({ mine: this.state.mine.filter((one) => one !== version) });
  }

  private fail(words: string, problem: Problem): void {
    this.set({ trouble: { words, problem } });
  }

  private set(changes: Partial<DeskState>): void {
    this.state = { ...this.state, ...changes };
    this.tell(this.state);
  }
}

/** What the server said; anything else is a mistake of the page, and thrown on. */
function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  throw error;
}
