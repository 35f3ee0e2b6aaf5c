import { vi } from "vitest";

import type { Answer, AttributeLabels, Explanation, Problem, Similar } from "../api/contract";
import { FakeQueue } from "./queue";
import { PATHS, makeAnswer, makeExplanation, makeModels, makeProblem } from "./contract";

type Reply = Answer | Explanation | Similar | Problem | Error;
type Classify = (picture: string, query: URLSearchParams, productName: string) => Reply | Promise<Reply>;

/** Stands in for the merger behind `fetch`. A picture's content says what it is: see `picture`. */
export class FakeMerger {
  /** Set it to answer otherwise; an Error is a connection that fails. */
  classify: Classify = () => makeAnswer();
  explain: Classify = () => makeExplanation([0.4, 0, 0, 0]);
  /** By default the release has no index. */
  similar: Classify = () => makeProblem("no_index", 501);
  models: () => unknown = () => makeModels();
  attributes: AttributeLabels[] = [];
  /** What it keeps for review; nothing at first. */
  queue: FakeQueue | null = null;
  /** The API key that it wants; none when empty. */
  key = "";
  /** Pictures that were asked for, in order. */
  asked: string[] = [];

  install(): this {
    vi.stubGlobal("fetch", (path: string, request: RequestInit) =>
      this.handle(new URL(path, "http://page"), request),
    );
    return this;
  }

  private async handle(url: URL, request: RequestInit): Promise<Response> {
    const { body, headers, signal } = request;
    if (this.key && new Headers(headers).get("X-API-Key") !== this.key) {
      return respond(makeProblem("unauthenticated", 401));
    }
    if (url.pathname.startsWith("/v1/review/")) {
      return this.queue ? this.queue.handle(url, request) : respond(makeProblem("review_off", 501));
    }
    switch (url.pathname) {
      case "/v1/models":
        return respond(this.models());
      case "/v1/taxonomy":
        return respond({ release: "3", paths: PATHS, attributes: this.attributes });
      case "/v1/classify": {
        const form = body instanceof FormData ? body : null;
        const picture = await textOf((form?.get("image") ?? body) as File);
        const productName = form?.get("name") ?? "";
        this.asked.push(picture);
        const reply = await this.classify(picture, url.searchParams, String(productName));
        signal?.throwIfAborted();
        return respond(reply);
      }
      case "/v1/similar": {
        const reply = await this.similar(await textOf(body as File), url.searchParams, "");
        signal?.throwIfAborted();
        return respond(reply);
      }
      case "/v1/explain": {
        const reply = await this.explain(await textOf(body as File), url.searchParams, "");
        signal?.throwIfAborted();
        return respond(reply);
      }
      default:
        throw new Error(`The page asked for ${url.pathname}, which the merger does not have.`);
    }
  }
}

/** A file whose content is its name. */
export const picture = (name: string) => new File([name], name, { type: "image/jpeg" });

export function respond(reply: unknown): Response {
  if (reply instanceof Error) throw reply;
  const status =
    typeof reply === "object" && reply !== null && "status" in reply ? Number(reply.status) : 200;
  return new Response(JSON.stringify(reply), { status });
}

/** Of the page's own files, and of what `fetch` gave. */
const textOf = (file: File) => ("text" in file ? file.text() : readText(file));

const readText = (file: File) =>
  new Promise<string>((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result)));
    reader.readAsText(file);
  });
