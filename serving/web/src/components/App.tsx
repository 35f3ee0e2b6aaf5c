import { useEffect, useMemo, useState } from "react";

import { UNAUTHENTICATED, UNREACHABLE } from "../api/client";
import { apiKey, keepApiKey } from "../api/key";
import { inWords } from "../api/words";
import { useServer, useTypeCard } from "../api/useServer";
import { type Filter, type Order, matches, sorted, tally } from "../answers/selection";
import { isAnswered } from "../pictures/picture";
import { usePictures } from "../pictures/usePictures";
import { AddPictures } from "./AddPictures";
import { Announcer } from "./Announcer";
import { ApiKeyForm } from "./ApiKeyForm";
import { BatchBar } from "./BatchBar";
import { ExportMenu } from "./ExportMenu";
import { Header } from "./Header";
import { PictureCard } from "./PictureCard";
import { Progress } from "./Progress";
import { ServerNotice } from "./ServerNotice";
import { ThresholdSlider } from "./ThresholdSlider";
import { useKeptFocus } from "./useKeptFocus";

const IN_DOUBT = new Set([UNREACHABLE, UNAUTHENTICATED, "not_ready", "model_unavailable"]);

/** The whole page. */
export function App() {
  const [pictures, actions] = usePictures();
  const [typeThreshold, setTypeThreshold] = useState<number | null>(null);
  const [chosenFilter, setFilter] = useState<Filter>("all");
  const [order, setOrder] = useState<Order>("added");
  const [key, setKey] = useState(apiKey);
  const server = useServer(
    pictures.some(({ state }) => state.kind === "failed" && IN_DOUBT.has(state.problem.code)),
    key,
  );

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
  useWarningBeforeLeaving(sums.checked > 0);
  const list = useKeptFocus();

  return (
    <>
      <Header server={server} />
      <main className={pictures.length ? "page" : "page page-empty"}>
        <ServerNotice server={server} />
        {server.kind === "locked" && <ApiKeyForm isKeyWrong={server.isKeyWrong} onEntered={enterKey} />}
        <AddPictures isFirst={pictures.length === 0} onAdd={actions.add} />
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
                <ClearButton checked={sums.checked} onClear={() => actions.clear(pictures)} />
              </div>
            </section>
            {isBatch && (
              <BatchBar
                pictures={pictures}
                typeThreshold={typeThreshold}
                filter={filter}
                order={order}
                onFilter={setFilter}
                onOrder={setOrder}
              />
            )}
            <ol
              className={isBatch ? "cards" : "cards cards-single"}
              aria-label="Pictures and answers"
              ref={list}
            >
              {shown.map((picture) => (
                <PictureCard
                  key={picture.id}
                  picture={picture}
                  typeThreshold={typeThreshold}
                  actions={actions}
                />
              ))}
            </ol>
            {shown.length === 0 && (
              <p className="nothing">No picture is like that. Choose “All” to see every one.</p>
            )}
          </>
        )}
      </main>
      <Announcer pictures={pictures} tally={sums} />
    </>
  );
}

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
