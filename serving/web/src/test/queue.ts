import type { Problem, ReviewCard, ReviewDecision, Verdict } from "../api/contract";
import { type AnswerLike, makeAnswer, makeProblem } from "./contract";
import { respond } from "./merger";

interface Kept {
  card: ReviewCard;
  decided: ReviewDecision | null;
}

const LEASE_MS = 300_000;

/** Stands in for the merger's review queue, by its rules. */
export class FakeQueue {
  private readonly kept: Kept[];
  private version = 0;
  private leases = 0;
  /** Set it to fail the next calls whose address has these words. */
  trouble: { at: string; problem: Problem | Error } | null = null;
  leaseMs = LEASE_MS;

  constructor(...likes: AnswerLike[]) {
    this.kept = likes.map((like, index) => ({ card: makeCard(index + 1, like), decided: null }));
  }

  /** "Heels by Anna", in the order of the decisions that hold. */
  get decisions(): string[] {
    return this.holding().map(({ decision, article_type, by }) => `${article_type ?? decision} by ${by}`);
  }

  /** Ids of the cards that somebody has. */
  get leased(): number[] {
    return this.kept.filter((one) => this.isLeased(one)).map(({ card }) => card.id);
  }

  /** Somebody else gets a card, whoever has it. */
  take(id: number): void {
    this.lease(this.of(id));
  }

  async handle(url: URL, { method = "GET", body }: RequestInit): Promise<Response> {
    if (this.trouble && url.pathname.includes(this.trouble.at)) return respond(this.trouble.problem);
    const said = body ? (JSON.parse(String(body)) as Said) : {};
    const [, , , what, id, step] = url.pathname.split("/");
    if (method === "GET" && what === "cards" && step === "picture") return new Response("picture");
    return respond(this.answer(`${method} ${what} ${step ?? ""}`.trim(), Number(id), said));
  }

  private answer(what: string, id: number, said: Said): unknown {
    switch (what) {
      case "GET cards":
        return { cards: [], counts: this.counts() };
      case "GET decisions":
        return { decisions: this.holding().toReversed() };
      case "POST claim":
        return this.claim(said.reason ?? "");
      case "POST cards give-back":
        return this.giveBack(id, said);
      case "POST cards decision":
        return this.decide(id, said);
      case "POST decisions undo":
        return this.undo(id);
      default:
        throw new Error(`The page asked for ${what} of the queue, which there is not.`);
    }
  }

  private claim(reason: string) {
    const free = this.kept.find(
      (one) => !one.decided && !this.isLeased(one) && (!reason || one.card.reasons.includes(reason)),
    );
    return { card: free ? this.lease(free) : null, counts: this.counts() };
  }

  private lease(one: Kept): ReviewCard {
    const leased_until = new Date(Date.now() + this.leaseMs).toISOString();
    one.card = { ...one.card, lease: `lease-${++this.leases}`, leased_until };
    return one.card;
  }

  private giveBack(id: number, { lease }: Said) {
    const one = this.of(id);
    if (one.card.lease === lease) one.card = { ...one.card, lease: null, leased_until: null };
    return this.counts();
  }

  private decide(id: number, { lease, name, ...verdict }: Said) {
    const one = this.of(id);
    if (one.card.lease !== lease) return makeProblem("review_conflict", 409);
    const { joint, path } = one.card.answer;
    const none = { article_type: null, sub_category: null, master_category: null };
    const labels = verdict.decision === "accepted" ? { article_type: joint.article_type } : verdict;
    one.decided = {
      ...none,
      decision: "unknown",
      ...verdict,
      ...labels,
      version: ++this.version,
      answered: path.join(" / "),
      by: name ?? "",
      at: "2026-11-29T09:00:00+00:00",
    };
    return one.decided;
  }

  private undo(version: number) {
    const one = this.kept.find(({ decided }) => decided?.version === version);
    if (!one) return makeProblem("review_conflict", 409);
    one.decided = null;
    return { card: this.lease(one), counts: this.counts() };
  }

  private counts() {
    const open = this.kept.filter(({ decided }) => !decided);
    const reasons = [...new Set(open.flatMap(({ card }) => card.reasons))];
    return {
      open: open.length,
      leased: this.leased.length,
      decided: this.kept.length - open.length,
      reasons: reasons.map((reason) => ({
        reason,
        count: open.filter(({ card }) => card.reasons.includes(reason)).length,
      })),
    };
  }

  private holding(): ReviewDecision[] {
    return this.kept.flatMap(({ decided }) => decided ?? []).toSorted((a, b) => a.version - b.version);
  }

  private of(id: number): Kept {
    const one = this.kept.find(({ card }) => card.id === id);
    if (!one) throw new Error(`The page asked for card ${id}, which it never got.`);
    return one;
  }

  private isLeased = ({ card, decided }: Kept) =>
    !decided && card.leased_until !== null && Date.parse(card.leased_until) > Date.now();
}

type Said = Partial<Verdict> & { lease?: string; name?: string; reason?: string };

function makeCard(id: number, like: AnswerLike): ReviewCard {
  const answer = makeAnswer({ confidence: 0.4, ...like });
  return {
    id,
    answer,
    reasons: answer.review.reasons.map(({ code }) => code),
    caller: "shop",
    count: 1,
    first_at: "2026-11-29T08:00:00+00:00",
    leased_until: null,
    lease: null,
  };
}
