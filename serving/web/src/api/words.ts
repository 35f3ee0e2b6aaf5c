import type { Problem } from "./contract";
import { UNAUTHENTICATED, UNINTELLIGIBLE, UNREACHABLE, UNREADABLE } from "./client";

/** What went wrong, for a person: what it is and what to do. */
export interface Words {
  what: string;
  todo: string;
  /** True when the same picture may well succeed later. */
  canRetry: boolean;
}

const NEW_FILE = "Choose another file.";

const OWN_WORDS: Record<string, Words> = {
  [UNREACHABLE]: {
    what: "The server does not answer.",
    todo: "Check your connection, or ask whoever runs Lookbook, then retry.",
    canRetry: true,
  },
  [UNINTELLIGIBLE]: {
    what: "The server answered something this page does not understand.",
    todo: "Retry; if it stays so, reload the page.",
    canRetry: true,
  },
  [UNREADABLE]: {
    what: "The file cannot be read: it was changed, moved or removed after it was added.",
    todo: "Add it again; or retry, once it is back.",
    canRetry: true,
  },
  [UNAUTHENTICATED]: {
    what: "The server wants an API key.",
    todo: "Enter it at the top of the page, then retry.",
    canRetry: true,
  },
  rate_limited: {
    what: "More pictures came from here than the server takes at a time.",
    todo: "Retry in a moment.",
    canRetry: true,
  },
  image_missing: { what: "The file is empty.", todo: NEW_FILE, canRetry: false },
  overloaded: { what: "The server is busy with other pictures.", todo: "Retry in a moment.", canRetry: true },
  not_ready: {
    what: "The models are not ready yet.",
    todo: "Wait for “Ready” at the top of the page, then retry.",
    canRetry: true,
  },
  deadline_exceeded: { what: "The server ran out of time.", todo: "Retry in a moment.", canRetry: true },
};

const SAYS_ITSELF: Record<string, Pick<Words, "todo" | "canRetry">> = {
  image_unsupported: { todo: "Save it as JPEG or PNG and add it again.", canRetry: false },
  image_undecodable: {
    todo: "Open it in a picture program, save it again, or fetch the original.",
    canRetry: false,
  },
  image_too_large: { todo: "Save it smaller and add it again.", canRetry: false },
  request_too_large: { todo: "Save it smaller and add it again.", canRetry: false },
  image_too_many_pixels: { todo: "Scale it down and add it again.", canRetry: false },
  model_unavailable: { todo: "Retry in a moment, or take an answer from the other model.", canRetry: true },
};

/** Words for a problem; codes that this page does not know speak by the server's own title and detail. */
export function inWords(problem: Problem): Words {
  const own = OWN_WORDS[problem.code];
  if (own) return own;
  const known = SAYS_ITSELF[problem.code];
  const what = [problem.title, problem.detail].filter(Boolean).map(sentence).join(" ");
  return { what, todo: known?.todo ?? "Retry in a moment.", canRetry: known?.canRetry ?? true };
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);
