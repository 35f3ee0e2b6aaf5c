// Stands where the server stands, for the same page: answers its calls by the models in this tab.
import type { Answer, Explanation, Models, NameUse, Problem, Taxonomy } from "../api/contract";
import { LEVELS } from "../api/contract";
import type { Manifest, Question, Reply, Seen } from "./contract";
import { merge } from "./merge";

const CELLS = 48;
const NOT_HERE = "no_index";
const UNHEARD: NameUse = { heard: false, message: "Names are heard by a server alone.", fits: null };

type Scored = Extract<Reply, { kind: "scores" }>;
type Waiting = { resolve: (reply: Scored) => void; reject: (problem: Problem) => void };

export interface TabServer {
  /** What the models are, once they are loaded; rejects with the reason in words where that fails. */
  ready: Promise<Manifest>;
  /** As `fetch` of the server would be. */
  ask(path: string, request: RequestInit): Promise<Response>;
}

/** A server whose models `worker` runs. */
export function serverOf(worker: Worker): TabServer {
  const waiting = new Map<number, Waiting>();
  let count = 0;
  const ready = new Promise<Manifest>((resolve, reject) => {
    worker.addEventListener("error", (event) =>
      reject(new Error(event.message || "The models do not run here.")),
    );
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      if (data.kind === "ready") resolve(data.manifest);
      else if (data.kind === "broken") reject(new Error(data.reason));
      else settle(waiting, data);
    });
  });
  ready.catch(() => undefined); // told by whoever asks
  const scored = (question: Omit<Question, "id">) =>
    new Promise<Scored>((resolve, reject) => {
      const id = count++;
      waiting.set(id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's has none
      worker.postMessage({ ...question, id } satisfies Question);
    });
  const ask = async (path: string, request: RequestInit) => {
    const manifest = await ready;
    request.signal?.throwIfAborted();
    try {
      return Response.json(
        await answerOf(manifest, scored, new URL(path, "http://tab"), request.body as Blob | FormData),
      );
    } catch (error) {
      if (isProblem(error)) return Response.json(error, { status: error.status });
      throw error;
    }
  };
  return { ready, ask };
}

function settle(waiting: Map<number, Waiting>, reply: Extract<Reply, { id: number }>): void {
  const one = waiting.get(reply.id);
  waiting.delete(reply.id);
  if (reply.kind === "scores") one?.resolve(reply);
  else one?.reject(problem(422, reply.code, reply.title, reply.detail));
}

type Scorer = (question: Omit<Question, "id">) => Promise<Scored>;

async function answerOf(
  manifest: Manifest,
  scored: Scorer,
  url: URL,
  body: Blob | FormData,
): Promise<unknown> {
  const picture = body instanceof FormData ? (body.get("image") as File) : body;
  switch (url.pathname) {
    case "/v1/models":
      return modelsOf(manifest);
    case "/v1/taxonomy":
      return taxonomyOf(manifest);
    case "/v1/classify":
      return {
        ...(await classified(manifest, scored, picture, Number(url.searchParams.get("top_k") ?? 5))),
        name: body instanceof FormData ? UNHEARD : null,
      };
    case "/v1/explain":
      return explained(manifest, scored, picture, url.searchParams);
    default:
      throw problem(501, NOT_HERE, "Not in the browser", `Without a server there is no ${url.pathname}.`);
  }
}

async function classified(manifest: Manifest, scored: Scorer, picture: Blob, topK: number): Promise<Answer> {
  const started = performance.now();
  const { scores, seen } = await scored({ picture });
  return {
    ...merge(manifest, scores[0]!, topK),
    request_id: crypto.randomUUID?.() ?? "",
    models: Object.keys(manifest.models).map((name) => ({ name, version: String(manifest.release) })),
    timings: { total_ms: performance.now() - started },
    image: imageOf(picture, seen),
  };
}

const imageOf = (picture: Blob, { width, height }: Seen): Answer["image"] => ({
  format: picture.type.replace("image/", "").toUpperCase(),
  width,
  height,
  size_bytes: picture.size,
  reencoded: true,
});

async function explained(
  manifest: Manifest,
  scored: Scorer,
  picture: Blob,
  query: URLSearchParams,
): Promise<Explanation> {
  const started = performance.now();
  const head = query.get("head") ?? "article_type";
  const { labels } = manifest.heads[head]!;
  const { scores, rows, columns } = await scored({ picture, explain: { head, cells: CELLS } });
  const at = labels.indexOf(query.get("label") ?? "");
  const [confidence, ...hidden] = scores.map((one) => one[head]![at]!);
  return {
    head,
    label: labels[at]!,
    confidence: confidence!,
    rows,
    columns,
    heat: hidden.map((one) => confidence! - one),
    release: String(manifest.release),
    total_ms: performance.now() - started,
  };
}

function modelsOf(manifest: Manifest): Models {
  return {
    release: String(manifest.release),
    ready: true,
    trial: manifest.trial,
    models: Object.entries(manifest.models).map(([name, { known_pictures }]) => ({
      name,
      available: true,
      message: "",
      card: {
        known_pictures,
        heads: Object.entries(manifest.heads)
          .filter(([, head]) => head.model === name)
          .map(([headName, head]) => ({
            name: headName,
            labels: head.labels.length,
            review_threshold: head.review_threshold,
            review_precision: head.review_precision,
          })),
      },
    })),
  };
}

function taxonomyOf(manifest: Manifest): Taxonomy {
  const none = Object.fromEntries(LEVELS.map((level) => [level, null]));
  return {
    release: String(manifest.release),
    paths: manifest.taxonomy.map((path) => ({ ...none, ...path })) as Taxonomy["paths"],
    attributes: Object.entries(manifest.heads)
      .filter(([, { level }]) => level === null)
      .map(([head, { column, labels }]) => ({ head, column, labels })),
  };
}

const problem = (status: number, code: string, title: string, detail: string): Problem => ({
  title,
  status,
  detail,
  code,
  request_id: "",
  model: null,
  retry_after_s: null,
});

const isProblem = (error: unknown): error is Problem =>
  typeof error === "object" &&
  error !== null &&
  "code" in error &&
  "status" in error &&
  !(error instanceof Error);
