import type { Shortcut } from "../components/shortcuts";

/** Every key of the review page. */
export const KEYS: readonly Shortcut[] = [
  { key: "?", words: "Show or hide these keys", where: "own" },
  { key: "Enter", words: "The answer is right; or the next card, where there is none", where: "page" },
  { key: "1", words: "The first of the listed labels is right", where: "page" },
  { key: "2", words: "The second", where: "page" },
  { key: "3", words: "The third", where: "page" },
  { key: "4", words: "The fourth", where: "page" },
  { key: "5", words: "The fifth", where: "page" },
  { key: "n", words: "Another label: search, or type a new one", where: "page" },
  { key: "u", words: "Nobody can tell", where: "page" },
  { key: "l", words: "Later: the next card now, this one again when its time is over", where: "page" },
  { key: "z", words: "Undo your last decision", where: "page" },
];
