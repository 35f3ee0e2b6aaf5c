import { useEffect, useState } from "react";

import { AT_FIRST, Desk, type DeskState } from "./desk";

/** Milliseconds between looks at a queue that had nothing, or did not answer. */
const LOOK_MS = 3_000;

/** A desk for `name`, for as long as the page is open; another name needs another React key. */
export function useDesk(name: string): [DeskState, Desk] {
  const [state, setState] = useState(AT_FIRST);
  const [desk] = useState(() => new Desk(name, setState));
  useEffect(() => {
    const close = () => desk.close();
    const again = ({ persisted }: PageTransitionEvent) => persisted && desk.open();
    desk.open();
    window.addEventListener("pagehide", close);
    window.addEventListener("pageshow", again); // the browser's “Back” brings the page as it was
    return () => {
      window.removeEventListener("pagehide", close);
      window.removeEventListener("pageshow", again);
      close();
    };
  }, [desk]);
  const isIdle = state.view.kind === "empty" || state.view.kind === "failed";
  useEffect(() => {
    if (!isIdle) return undefined;
    const look = () => document.visibilityState === "visible" && void desk.next();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [desk, isIdle]);
  return [state, desk];
}
