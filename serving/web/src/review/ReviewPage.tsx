import { useCallback, useEffect, useMemo, useState } from "react";

import { UNAUTHENTICATED } from "../api/client";
import type { ReviewOrder } from "../api/contract";
import { apiKey, keepApiKey } from "../api/key";
import { useReviewDoor } from "../api/useReviewDoor";
import { useServer } from "../api/useServer";
import { ApiKeyForm } from "../components/ApiKeyForm";
import { Header } from "../components/Header";
import { ShortcutHelp } from "../components/ShortcutHelp";
import { useShortcuts, useShortcutsOn } from "../components/shortcuts";
import { Act, CardView } from "./CardView";
import { Decided } from "./Decided";
import { NameForm } from "./NameForm";
import { QueueBar } from "./QueueBar";
import { SHUT, Shut } from "./Shut";
import { Failed, TroubleNote } from "./Trouble";
import { KEYS } from "./keys";
import { keepReviewer, reviewer } from "./reviewer";
import { useDesk } from "./useDesk";

/** The whole page at `/review`: answers that need a look, one at a time, until somebody decides. */
export function ReviewPage() {
  const [name, setName] = useState(reviewer);
  const [key, setKey] = useState(apiKey);
  const server = useServer(false, key);
  const door = useReviewDoor(true, key);
  useEffect(() => {
    document.title = "Review · Lookbook";
  }, []);
  const enterKey = (entered: string) => {
    keepApiKey(entered);
    setKey(entered);
  };
  const enterName = (entered: string) => {
    keepReviewer(entered);
    setName(entered);
  };
  const code = door.kind === "shut" ? door.problem.code : "";
  return (
    <>
      <Header server={server}>
        <a href="/">Pictures</a>
      </Header>
      <main className="page review">
        {code === UNAUTHENTICATED && <ApiKeyForm isKeyWrong={key !== ""} onEntered={enterKey} />}
        {door.kind === "shut" && SHUT.has(code) && <Shut problem={door.problem} />}
        {door.kind !== "asking" &&
          code !== UNAUTHENTICATED &&
          !SHUT.has(code) &&
          (name ? <Queue name={name} onRename={() => enterName("")} /> : <NameForm onEntered={enterName} />)}
      </main>
    </>
  );
}

function Queue({ name, onRename }: { name: string; onRename: () => void }) {
  const [{ view, counts, decided, mine, trouble, isBusy }, desk] = useDesk(name);
  const [reason, setReason] = useState("");
  const [order, setOrder] = useState<ReviewOrder>("least_sure");
  const choose = (nextReason: string, nextOrder: ReviewOrder) => {
    setReason(nextReason);
    setOrder(nextOrder);
    void desk.choose(nextReason, nextOrder);
  };
  const last = mine.at(-1);
  return (
    <>
      {counts && <QueueBar counts={counts} reason={reason} order={order} isBusy={isBusy} onChoose={choose} />}
      {trouble && <TroubleNote trouble={trouble} />}
      {view.kind === "card" && (
        <CardView
          key={view.card.lease}
          card={view.card}
          picture={view.picture}
          isBusy={isBusy}
          onDecide={(verdict) => void desk.decide(verdict)}
          onLater={() => void desk.later()}
        />
      )}
      {view.kind === "asking" && <p className="nothing">Looking for the next card…</p>}
      {view.kind === "empty" && (
        <p className="nothing" role="status">
          {counts?.leased ? "Others have what is left. " : "Nothing to decide. "}
          This page keeps asking.
        </p>
      )}
      {view.kind === "lost" && (
        <div className="notice notice-left" role="alert">
          <p>
            <strong>This card is not yours any more.</strong> {view.why} Nothing was decided by you.
          </p>
          <Act shortcut="Enter" isMain isOff={isBusy} onAct={() => void desk.next()}>
            Next card
          </Act>
        </div>
      )}
      {view.kind === "failed" && <Failed problem={view.problem} />}
      <div className="review-foot">
        <Act
          shortcut="z"
          isOff={isBusy || last === undefined}
          onAct={() => last !== undefined && void desk.undo(last)}
        >
          Undo my last
        </Act>
        <p className="meta">
          You are {name}.{" "}
          <button type="button" className="button-text button-plain" onClick={onRename}>
            Somebody else…
          </button>
        </p>
        <Help />
      </div>
      <Decided decided={decided} isBusy={isBusy} onUndo={(version) => void desk.undo(version)} />
    </>
  );
}

/** The keys of the page, and their list. */
function Help() {
  const [isOpen, setIsOpen] = useState(false);
  const [areOn, switchThem] = useShortcutsOn();
  const open = useCallback(() => setIsOpen(true), []);
  const own = useMemo(() => ({ "?": open }), [open]);
  useShortcuts(KEYS, areOn, own);
  return (
    <>
      <button type="button" className="button-text button-plain only-keys" onClick={open}>
        Keys: <kbd>?</kbd>
      </button>
      {isOpen && (
        <ShortcutHelp shortcuts={KEYS} isOn={areOn} onSwitch={switchThem} onClose={() => setIsOpen(false)} />
      )}
    </>
  );
}
