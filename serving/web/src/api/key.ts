/** The API key of this tab; it is gone when the tab is closed, and no other site can read it. */
const STORE = "lookbook-api-key";

export const apiKey = (): string => sessionStorage.getItem(STORE) ?? "";

export const keepApiKey = (key: string): void => sessionStorage.setItem(STORE, key);
