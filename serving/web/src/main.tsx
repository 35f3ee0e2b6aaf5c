import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./components/App";
import { ReviewPage } from "./review/ReviewPage";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/page.css";
import "./styles/card.css";
import "./styles/review.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root to draw the page into.");
// The build says which page this is; of the other nothing is left in it.
const tab = import.meta.env.MODE === "tab" ? await import("./tab") : null;
tab?.start();
createRoot(root).render(
  <StrictMode>
    {window.location.pathname === "/review" ? <ReviewPage /> : <App note={tab && <tab.Note />} />}
  </StrictMode>,
);
