/** What the browser refuses to keep, for as long as the page is open. */
const memory = new Map<string, string>();

/** A short text under `name`: in `area`, or in the page alone where the browser blocks or has no room for that. */
export function recall(area: "localStorage" | "sessionStorage", name: string): string {
  try {
    return memory.get(name) ?? window[area].getItem(name) ?? "";
  } catch {
    return ""; // blocked by the person's settings: nothing can have been kept
  }
}

export function remember(area: "localStorage" | "sessionStorage", name: string, text: string): void {
  memory.delete(name);
  try {
    window[area].setItem(name, text);
  } catch {
    memory.set(name, text);
  }
}
