import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

const FALLBACK = ".filters input:checked, .add button";

/**
 * Keeps the keyboard where it was when the focused card leaves `list`, because it was removed or no longer fits the
 * filter: the card that takes its place gets the focus.
 */
export function useKeptFocus(list: RefObject<HTMLOListElement | null>): void {
  const last = useRef<{ card: Element; index: number } | null>(null);
  useEffect(() => {
    const remember = (event: FocusEvent) => {
      const card = event.target instanceof Element ? event.target.closest("li.card") : null;
      last.current = card && { card, index: [...(list.current?.children ?? [])].indexOf(card) };
    };
    document.addEventListener("focusin", remember);
    return () => document.removeEventListener("focusin", remember);
  }, [list]);
  useLayoutEffect(() => {
    if (!last.current || last.current.card.isConnected || document.activeElement !== document.body) return;
    const cards = [...(list.current?.children ?? [])];
    const next = cards[Math.min(last.current.index, cards.length - 1)];
    const target =
      next?.querySelector<HTMLElement>(".card-actions button") ?? next?.querySelector<HTMLElement>("button");
    (target ?? document.querySelector<HTMLElement>(FALLBACK))?.focus();
  });
}
