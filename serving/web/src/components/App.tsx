import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";

import { REVIEW_UNAVAILABLE, UNAUTHENTICATED, UNREACHABLE } from "../api/client";
import { apiKey, keepApiKey } from "../api/key";
import { inWords } from "../api/words";
import { type Door, useReviewDoor } from "../api/useReviewDoor";
import { useServer, useTypeCard } from "../api/useServer";
import { type Filter, type Order, matches, sorted, tally } from "../answers/selection";
import { isAnswered } from "../pictures/picture";
import { type Store, browserStore } from "../pictures/store";
import { usePictures } from "../pictures/usePictures";
import type { Left } from "../pictures/zip";
import { AddPictures } from "./AddPictures";
import { Announcer } from "./Announcer";
import { ApiKeyForm } from "./ApiKeyForm";
import { BatchBar } from "./BatchBar";
import { BulkBar } from "./BulkBar";
import { CardList, type CardListHandle } from "./CardList";
import { ExportMenu } from "./ExportMenu";
import { Header } from "./Header";
import { KeptNote } from "./KeptNote";
import { LeftOut } from "./LeftOut";
import { Progress } from "./Progress";
import { ServerNotice } from "./ServerNotice";
import { ShortcutHelp } from "./ShortcutHelp";
import { ThresholdSlider } from "./ThresholdSlider";
import { UndoBar } from "./UndoBar";
import { SHORTCUTS, focusedIndex, useShortcuts, useShortcutsOn } from "./shortcuts";
import { useKeptFocus } from "./useKeptFocus";
import { useSelection } from "./useSelection";

const IN_DOUBT = new Set([UNREACHABLE, UNAUTHENTICATED, "not_ready", "model_unavailable"]);
const BROWSER_STORE = browserStore();

interface Props {
  /** Keeps the page's work over a reload. */
  store?: Store;
  /** What there is to say of who answers, above everything else. */
  note?: ReactNode;
}

/** The whole page. */
export function App({ store = BROWSER_STORE, note = null }: Props) {
  const { pictures, undo, keeping, actions } = usePictures(store);
  const [left, setLeft] = useState<Left[]>([]);
  const [typeThreshold, setTypeThreshold] = useState<number | null>(null);
  const [chosenFilter, setFilter] = useState<Filter>("all");
  const [order, setOrder] = useState<Order>("added");
  const [key, setKey] = useState(apiKey);
  const server = useServer(
    pictures.some(({ state }) => state.kind === "failed" && IN_DOUBT.has(state.problem.code)),
    key,
  );

  const door = useReviewDoor(server.kind === "ready" || server.kind === "not_ready", key);

  const enterKey = (entered: string) => {
    keepApiKey(entered);
    setKey(entered);
  };

  const card = useTypeCard(server);
  const isBatch = pictures.length > 1;
  const filter = isBatch ? chosenFilter : "all";
  const sums = useMemo(() => tally(pictures, typeThreshold), [pictures, typeThreshold]);
  const shown = useMemo(
    () => sorted(pictures, order).filter((picture) => matches(picture, filter, typeThreshold)),
    [pictures, order, filter, typeThreshold],
  );
  const answered = useMemo(() => pictures.filter(isAnswered), [pictures]);
  const retryable = pictures.filter(
    ({ state }) => state.kind === "failed" && inWords(state.problem).canRetry,
  );
  const selection = useSelection(shown);
  const addLeft = useCallback((more: Left[]) => setLeft((before) => [...before, ...more]), []);
  useWarningBeforeLeaving(sums.checked > 0 && keeping.kind !== "kept");
  const list = useRef<HTMLOListElement>(null);
  const cards = useRef<CardListHandle>(null);
  useKeptFocus(list);
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const [areShortcutsOn, switchShortcuts] = useShortcutsOn();
  const openHelp = useCallback(() => setIsHelpOpen(true), []);
  const move = useCallback(
    (by: number) => {
      const from = focusedIndex(list.current);
      const to = from < 0 ? 0 : Math.min(Math.max(0, from + by), shown.length - 1);
      cards.current?.focus(to);
    },
    [shown.length],
  );
  const own = useMemo(() => ({ "?": openHelp, j: () => move(1), k: () => move(-1) }), [openHelp, move]);
  useShortcuts(SHORTCUTS, areShortcutsOn, own);

  return (
    <>
      <Header server={server}>{isReviewThere(door) && <a href="/review">Review</a>}</Header>
      <main className={pictures.length ? "page" : "page page-empty"}>
        {note}
        <ServerNotice server={server} />
        {server.kind === "locked" && <ApiKeyForm isKeyWrong={server.isKeyWrong} onEntered={enterKey} />}
        <AddPictures isFirst={pictures.length === 0} onAdd={actions.add} onLeft={addLeft} />
        {left.length > 0 && <LeftOut left={left} onDismiss={() => setLeft([])} />}
        {pictures.length > 0 && (
          <>
            <section className={isBatch ? "panel" : "panel panel-plain"} aria-label="All pictures">
              {isBatch && <Progress tally={sums} retryable={retryable} onRetry={actions.retry} />}
              {isBatch && card && answered.length > 0 && (
                <ThresholdSlider
                  pictures={answered}
                  card={card}
                  value={typeThreshold}
                  onChange={setTypeThreshold}
                />
              )}
              <div className="panel-actions">
                <ExportMenu pictures={answered} typeThreshold={typeThreshold} />
                <ClearButton checked={sums.checked} onClear={() => actions.remove(pictures)} />
              </div>
            </section>
            <KeptNote keeping={keeping} total={pictures.length} />
            {isBatch && (
              <BatchBar
                pictures={pictures}
                typeThreshold={typeThreshold}
                filter={filter}
                order={order}
                onFilter={setFilter}
                onOrder={setOrder}
                shown={shown.length}
                onSelectAll={selection.selectAll}
              />
            )}
            {isBatch && selection.selected.length > 0 && (
              <BulkBar
                selected={selection.selected}
                typeThreshold={typeThreshold}
                actions={actions}
                onClear={selection.clear}
              />
            )}
            <CardList
              pictures={shown}
              typeThreshold={typeThreshold}
              actions={actions}
              selected={selection.ids}
              onSelect={isBatch ? selection.select : null}
              list={list}
              handle={cards}
            />
            {shown.length === 0 && (
              <p className="nothing">No picture is like that. Choose “All” to see every one.</p>
            )}
          </>
        )}
      </main>
      <footer className="foot only-keys">
        <button type="button" className="button-text button-plain" onClick={openHelp}>
          Keys: <kbd>?</kbd>
        </button>
      </footer>
      {undo && <UndoBar step={undo} onUndo={actions.undo} onDismiss={actions.dismiss} />}
      {isHelpOpen && (
        <ShortcutHelp
          shortcuts={SHORTCUTS}
          isOn={areShortcutsOn}
          onSwitch={switchShortcuts}
          onClose={() => setIsHelpOpen(false)}
        />
      )}
      <Announcer pictures={pictures} tally={sums} />
    </>
  );
}

/** A store that is away just now is one. */
const isReviewThere = (door: Door) =>
  door.kind === "open" || (door.kind === "shut" && door.problem.code === REVIEW_UNAVAILABLE);

function ClearButton({ checked, onClear }: { checked: number; onClear: () => void }) {
  const clear = () => {
    if (
      checked === 0 ||
      window.confirm(`Remove all pictures and the labels you checked on ${checked} of them?`)
    ) {
      onClear();
    }
  };
  return (
    <button type="button" className="button" onClick={clear}>
      Remove all
    </button>
  );
}

/** Asks before labels that a person checked are lost with the page. */
function useWarningBeforeLeaving(isWorthIt: boolean) {
  useEffect(() => {
    if (!isWorthIt) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isWorthIt]);
}
