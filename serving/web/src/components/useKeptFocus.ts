import { useEffect, useLayoutEffect, useRef } from "react";

const FALLBACK = ".filters input:checked, .add button";

/**
 * Keeps the keyboard where it was when the focused card leaves the list, because it was removed or no longer fits the
 * filter: the card that takes its place gets the focus. Give the ref to the list.
 */
export function useKeptFocus() {
  const list = useRef<HTMLOListElement>(null);
  const last = useRef(-1);
  useEffect(() => {
    const remember = (event: FocusEvent) => {
      const card = event.target instanceof Element ? event.target.closest("li.card") : null;
      last.current = card ? [...(list.current?.children ?? [])].indexOf(card) : -1;
    };
    document.addEventListener("focusin", remember);
    return () => document.removeEventListener("focusin", remember);
  }, []);
  useLayoutEffect(() => {
    if (last.current < 0 || document.activeElement !== document.body) return;
    const cards = [...(list.current?.children ?? [])];
    const next = cards[Math.min(last.current, cards.length - 1)];
    const target =
      next?.querySelector<HTMLElement>(".card-actions button") ?? next?.querySelector<HTMLElement>("button");
    (target ?? document.querySelector<HTMLElement>(FALLBACK))?.focus();
  });
  return list;
}
