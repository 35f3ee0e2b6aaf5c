import { apiKey } from "./key";
import type { Answer, Explanation, Models, Problem, Similar, Taxonomy } from "./contract";

/** Longest wait for any answer; the server gives up sooner by itself. */
const PATIENCE_MS = 60_000;

/** Labels listed in each head: the top five, and enough below to find the joint path's label in its head. */
const TOP_K = 50;

/** Codes of problems that the page itself finds; the server's own are in its contract. */
export const UNREACHABLE = "unreachable";
export const UNINTELLIGIBLE = "unintelligible";
export const UNREADABLE = "unreadable";

/** The server's code for a release that knows no products by name. */
export const NO_INDEX = "no_index";

/** The server's code for a call without an API key that it knows. */
export const UNAUTHENTICATED = "unauthenticated";

/** The server's code for one that keeps nothing for review. */
export const REVIEW_OFF = "review_off";

/** The server's code for a queue whose store is away. */
export const REVIEW_UNAVAILABLE = "review_unavailable";

/** What something in front of the server means that explains nothing, by HTTP status; the codes are the server's. */
const BY_STATUS: Record<number, { code: string; title: string }> = {
  413: { code: "request_too_large", title: "The picture is too large" },
  429: { code: "rate_limited", title: "That was too much at once" },
  503: { code: "overloaded", title: "The server is busy" },
};

/** The server said no, or said nothing: `problem` tells which. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
  }
}

type Ask = (path: string, request: RequestInit) => Promise<Response>;

let ask: Ask = (path, request) => fetch(path, request);

/** From now on `other` answers, in place of the server that this page came from. */
export const answerBy = (other: Ask): void => {
  ask = other;
};

export interface ClassifyOptions {
  allowPartial?: boolean;
  /** What the product is called, as a hint. */
  productName?: string;
  signal?: AbortSignal;
}

/** The answer for one picture. Rejects with a ProblemError, or an AbortError when `signal` says stop. */
export function classify(
  image: Blob,
  { allowPartial = false, productName = "", signal }: ClassifyOptions = {},
): Promise<Answer> {
  const query = new URLSearchParams({ top_k: String(TOP_K), allow_partial: String(allowPartial) });
  return call(
    `/v1/classify?${query}`,
    productName ? namedRequest(image, productName) : pictureRequest(image),
    signal,
    ["joint", "path", "review", "agreement", "attributes", "timings"],
  );
}

/** Which parts of a picture a label of a head rests on. Rejects as `classify` does. */
export function explain(image: Blob, head: string, label: string, signal: AbortSignal): Promise<Explanation> {
  return call(`/v1/explain?${new URLSearchParams({ head, label })}`, pictureRequest(image), signal, ["heat"]);
}

/** The known products that look most like a picture, with their pictures. Rejects as `classify` does. */
export function findSimilar(image: Blob, k: number, signal: AbortSignal): Promise<Similar> {
  const query = new URLSearchParams({ k: String(k), thumbnails: "true" });
  return call(`/v1/similar?${query}`, pictureRequest(image), signal, ["products", "nearest"]);
}

/** Every path that an answer can name. */
export const fetchTaxonomy = (): Promise<Taxonomy> =>
  call("/v1/taxonomy", {}, undefined, ["paths", "attributes"]);

/** The release that answers now, and the models' review thresholds. */
export const fetchModels = (signal?: AbortSignal): Promise<Models> =>
  call("/v1/models", {}, signal, ["models"]);

/** The browser says the boundary of a form. */
function namedRequest(image: Blob, productName: string): RequestInit {
  const body = new FormData();
  body.set("image", image);
  body.set("name", productName);
  return { method: "POST", body };
}

function pictureRequest(image: Blob): RequestInit {
  // The server reads the format from the bytes; what the browser guesses from the file's name may be wrong.
  return { method: "POST", body: image, headers: { "Content-Type": "application/octet-stream" } };
}

/** What the server answers as JSON, with these fields at least. Rejects as `classify` does. */
export async function call<T>(
  path: string,
  request: RequestInit,
  signal?: AbortSignal,
  fields: (keyof T)[] = [],
): Promise<T> {
  return read<T>(await send(path, request, signal), fields);
}

/** The bytes of a picture that the server keeps. Rejects as `classify` does. */
export async function fetchPicture(path: string, signal?: AbortSignal): Promise<Blob> {
  const response = await send(path, {}, signal);
  return response.ok ? response.blob() : read<never>(response);
}

/** Milliseconds since 1970 by the server's clock: this computer's may be wrong. */
export const serverNow = (): number => Date.now() + aheadMs;

let aheadMs = 0;

async function send(path: string, request: RequestInit, signal?: AbortSignal): Promise<Response> {
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  const anySignal = signal ? AbortSignal.any([signal, timeout]) : timeout;
  try {
    const headers = withKey(request.headers);
    const response = await ask(path, { ...request, headers, signal: anySignal });
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(date)) aheadMs = date - Date.now();
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    const isGone = await isUnreadable(request.body);
    const [code, title] = isGone
      ? [UNREADABLE, "The file cannot be read"]
      : [UNREACHABLE, "The server cannot be reached"];
    throw new ProblemError(ownProblem(code, title, String(error)));
  }
}

/** True for a picture whose file was moved, changed or removed: the browser calls that a failing connection. */
async function isUnreadable(body: RequestInit["body"]): Promise<boolean> {
  const picture = body instanceof FormData ? body.get("image") : body;
  if (!(picture instanceof Blob)) return false;
  return picture
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => false,
      () => true,
    );
}

function withKey(headers: HeadersInit | undefined): Headers {
  const all = new Headers(headers);
  try {
    if (apiKey()) all.set("X-API-Key", apiKey());
  } catch {
    // No header can have it, so no server knows it: it will say so.
  }
  return all;
}

async function read<T>(response: Response, fields: (keyof T)[] = []): Promise<T> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null && hasAll(body as T, fields)) return body as T;
  if (isProblem(body)) throw new ProblemError(body);
  throw new ProblemError(unexplained(response));
}

/** Something else than the server may answer in its place, and in JSON too. */
const hasAll = <T>(body: T, fields: (keyof T)[]) =>
  fields.every((field) => body[field] !== undefined && body[field] !== null);

function unexplained({ status, headers }: Response): Problem {
  const retry_after_s = patienceOf(headers);
  const known = status === 503 && retry_after_s === null ? undefined : BY_STATUS[status];
  const { code, title } = known ?? { code: UNINTELLIGIBLE, title: "The answer cannot be read" };
  const detail = `The server answered with HTTP ${status} and no explanation.`;
  return { ...ownProblem(code, title, detail, status), retry_after_s };
}

/** Seconds of Retry-After, which has these or a date; null where it has neither. */
function patienceOf(headers: Headers): number | null {
  const text = headers.get("Retry-After") ?? "";
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - serverNow()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body && "title" in body;
}

function ownProblem(code: string, title: string, detail: string, status = 0): Problem {
  return { title, status, detail, code, request_id: "", model: null, retry_after_s: null };
}
