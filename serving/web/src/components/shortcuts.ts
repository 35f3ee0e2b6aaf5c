import { useEffect, useState } from "react";

import { recall, remember } from "../api/remember";

export interface Shortcut {
  key: string;
  words: string;
  /** "card": presses the button of the card that has the keyboard. "page": of the page. "own": is handled by name. */
  where: "card" | "page" | "own";
}

/** Every key of the page that does something; the help lists them, and buttons name theirs in `data-shortcut`. */
export const SHORTCUTS: Shortcut[] = [
  { key: "?", words: "Show or hide these keys", where: "own" },
  { key: "j", words: "Next picture", where: "own" },
  { key: "k", words: "Picture before", where: "own" },
  { key: "a", words: "The answer is right", where: "card" },
  { key: "c", words: "Change the label", where: "card" },
  { key: "w", words: "Why this answer?", where: "card" },
  { key: "x", words: "Select it, or no more", where: "card" },
  { key: "Delete", words: "Remove it", where: "card" },
  { key: "s", words: "Select all that are shown", where: "page" },
  { key: "A", words: "All selected are right", where: "page" },
  { key: "C", words: "Change the label of all selected", where: "page" },
  { key: "E", words: "Export the selected", where: "page" },
  { key: "Shift+Delete", words: "Remove all selected", where: "page" },
  { key: "Escape", words: "Clear the selection", where: "page" },
  { key: "z", words: "Undo what was removed, or done to the selected", where: "page" },
  { key: "o", words: "Choose pictures", where: "page" },
  { key: "e", words: "Export", where: "page" },
];

const STORE = "lookbook-shortcuts";
const OFF = "off";

/** Whether single keys do something: who speaks to the computer, or hits keys by accident, wants them off. */
export function useShortcutsOn(): [boolean, (isOn: boolean) => void] {
  const [isOn, setIsOn] = useState(() => recall("localStorage", STORE) !== OFF);
  const keep = (next: boolean) => {
    remember("localStorage", STORE, next ? "" : OFF);
    setIsOn(next);
  };
  return [isOn, keep];
}

/** What keys do that press no button, by key. */
type Own = Record<string, () => void>;

/** Listens for the keys while `isOn`, though never where somebody types or a dialog is open. */
export function useShortcuts(shortcuts: readonly Shortcut[], isOn: boolean, own: Own): void {
  useEffect(() => {
    if (!isOn) return;
    const press = (event: KeyboardEvent) => {
      if (isTyping(event) || isPressing(event)) return;
      const key = nameOf(event);
      // A key with shift that means nothing of its own is the same key.
      const shortcut = [key, key.toLowerCase()]
        .map((name) => shortcuts.find((one) => one.key === name))
        .find(Boolean);
      if (!shortcut) return;
      const act = own[shortcut.key];
      if (act) act();
      else if (event.repeat || !click(shortcut)) return; // a key that is held presses once
      event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [shortcuts, isOn, own]);
}

/** True for Enter on what it presses by itself. */
const isPressing = ({ key, target }: KeyboardEvent) =>
  key === "Enter" && target instanceof Element && target.matches("button, a, summary");

/** The key that is called "delete" on a Mac is another one's backspace. */
function nameOf(event: KeyboardEvent): string {
  const { key, shiftKey } = event;
  const name =
    key === "Backspace" ? "Delete" : event.getModifierState("CapsLock") ? cased(key, shiftKey) : key;
  return shiftKey && name.length > 1 ? `Shift+${name}` : name;
}

/** A letter as it is without caps lock; names of keys stay. */
function cased(key: string, isUpper: boolean): string {
  if (key.length > 1) return key;
  return isUpper ? key.toUpperCase() : key.toLowerCase();
}

function isTyping({
  target,
  ctrlKey,
  metaKey,
  altKey,
  isComposing,
  defaultPrevented,
}: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey || isComposing || defaultPrevented) return true;
  if (document.querySelector("dialog[open]")) return true;
  const isText =
    "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=range], [type=file])";
  return target instanceof Element && target.matches(isText);
}

function click({ key, where }: Shortcut): boolean {
  const within = where === "card" ? document.activeElement?.closest("li.card") : document;
  const button = within?.querySelector<HTMLElement>(`[data-shortcut="${key}"]:not(:disabled)`);
  button?.click();
  return button !== null && button !== undefined;
}

/** Index of the card that has the keyboard; -1 for none. */
export function focusedIndex(list: HTMLOListElement | null): number {
  const card = document.activeElement?.closest<HTMLElement>("li.card");
  if (!card || !list?.contains(card)) return -1;
  return Number(card.dataset.place ?? [...list.children].indexOf(card));
}
