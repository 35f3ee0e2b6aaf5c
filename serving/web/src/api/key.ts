import { recall, remember } from "./remember";

/** The API key of this tab; it is gone when the tab is closed, and no other site can read it. */
const STORE = "lookbook-api-key";

export const apiKey = (): string => recall("sessionStorage", STORE);

export const keepApiKey = (key: string): void => remember("sessionStorage", STORE, key);
