import { recall, remember } from "../api/remember";

/** What the person at this browser calls themselves; the server keeps it beside each decision. */
const STORE = "lookbook-reviewer";

/** As long as the server takes it. */
export const LONGEST_NAME = 60;

export const reviewer = (): string => recall("localStorage", STORE);

export const keepReviewer = (name: string): void => remember("localStorage", STORE, name);
