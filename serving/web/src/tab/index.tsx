// The page without a server: `lookbook export --to browser` writes it beside the models.
import { useEffect, useState } from "react";

import { answerBy } from "../api/client";
import { type TabServer, serverOf } from "./server";

let server: TabServer | undefined;

/** Loads the models, answers the page's calls by them from now on, and keeps all of it for when there is no network. */
export function start(): void {
  server = serverOf(new Worker(new URL("./worker.ts", import.meta.url)));
  answerBy(server.ask);
  // Behind the models, which it fetches once more. Only over https, or on this machine, and not in every browser: without
  // it the page works as long as it is open.
  server.ready.then(() => navigator.serviceWorker?.register("sw.js")).catch(() => undefined); // of models that do not run, Note tells
}

/** Says where pictures go: nowhere. */
export function Note() {
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    server?.ready.catch((error: unknown) => setTrouble(String(error)));
  }, []);
  return (
    <div className="notice notice-calm" role="status">
      <strong>{trouble ? "The models do not run in this browser." : "The models run in this tab."}</strong>
      <div>
        {trouble ||
          "No picture leaves this machine, and nothing needs a network once this page has been open."}
      </div>
    </div>
  );
}
