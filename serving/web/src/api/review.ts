import { call, fetchPicture } from "./client";
import type {
  ReviewCard,
  ReviewClaim,
  ReviewCounts,
  ReviewDecision,
  ReviewOrder,
  ReviewQueue,
  Verdict,
} from "./contract";

// Each of these rejects with a ProblemError, as `classify` does.

/** Whether this server keeps a queue that we may see; asks for no card. */
export const fetchQueue = (signal?: AbortSignal): Promise<ReviewQueue> =>
  call("/v1/review/cards?limit=1", {}, signal);

/** The next card of a reason ("": of any), which nobody else gets until its lease ends. */
export const claimCard = (reason: string, order: ReviewOrder): Promise<ReviewClaim> =>
  post("claim", { reason, order });

/** Gives a card back undecided; it is sent even when the page is being closed. */
export const giveBack = ({ id, lease }: ReviewCard): Promise<ReviewCounts> =>
  post(`cards/${id}/give-back`, { lease }, { keepalive: true });

/** The picture of a card, as it was sent. */
export const fetchCardPicture = ({ id }: ReviewCard): Promise<Blob> =>
  fetchPicture(`/v1/review/cards/${id}/picture`);

/** Keeps what `name` says of a card. */
export const decide = ({ id, lease }: ReviewCard, verdict: Verdict, name: string): Promise<ReviewDecision> =>
  post(`cards/${id}/decision`, { lease, name, ...verdict });

/** Takes a decision back; its card is ours again. */
export const undoDecision = (version: number, name: string): Promise<ReviewClaim> =>
  post(`decisions/${version}/undo`, { name });

/** The newest decisions of anybody, newest first. */
export const fetchDecisions = (limit: number): Promise<{ decisions: ReviewDecision[] }> =>
  call(
    `/v1/review/decisions?${new URLSearchParams({ newest: "true", limit: String(limit) })}`,
    {},
    undefined,
    ["decisions"],
  );

const post = <T>(path: string, body: object, more: RequestInit = {}): Promise<T> =>
  call(`/v1/review/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
    ...more,
  });
