import { useRef, useState } from "react";

import { count } from "../answers/text";
import { download } from "../export/download";
import { toCsv, toJson, toRows } from "../export/rows";
import type { Answered } from "../pictures/picture";

interface Props {
  pictures: Answered[];
  typeThreshold: number | null;
}

/** Saves answers and corrections so that they can be trained on. */
export function ExportMenu({ pictures, typeThreshold }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button
        type="button"
        className="button button-main"
        disabled={pictures.length === 0}
        onClick={() => dialog.current?.showModal()}
      >
        Export…
      </button>
      <dialog ref={dialog} className="dialog" aria-labelledby="export-title">
        <ExportForm
          pictures={pictures}
          typeThreshold={typeThreshold}
          onDone={() => dialog.current?.close()}
        />
      </dialog>
    </>
  );
}

function ExportForm({ pictures, typeThreshold, onDone }: Props & { onDone: () => void }) {
  const checked = pictures.filter((picture) => picture.checked !== null);
  const [wantsChecked, setWantsChecked] = useState(false);
  const isOnlyChecked = wantsChecked && checked.length > 0;
  const chosen = isOnlyChecked ? checked : pictures;
  const rows = toRows(chosen).length;
  const save = (format: "csv" | "json") => {
    if (format === "csv") download(toCsv(chosen), "styles.csv", "text/csv;charset=utf-8");
    else download(toJson(chosen, typeThreshold), "lookbook-answers.json", "application/json");
    onDone();
  };
  return (
    <>
      <h2 id="export-title">Export</h2>
      <p>
        One row a picture in the columns of <code>styles.csv</code>; <code>id</code> is the file’s name
        without its ending, so the pictures go beside it as <code>images/&lt;id&gt;.jpg</code>.
      </p>
      <fieldset>
        <legend>Which answers</legend>
        <label>
          <input
            type="radio"
            name="export"
            checked={!isOnlyChecked}
            onChange={() => setWantsChecked(false)}
          />
          All {pictures.length}, corrected where you corrected them
        </label>
        <label>
          <input
            type="radio"
            name="export"
            checked={isOnlyChecked}
            disabled={checked.length === 0}
            onChange={() => setWantsChecked(true)}
          />
          Only the {checked.length} you checked — the better ones to train on
        </label>
      </fieldset>
      {rows < chosen.length && (
        <p className="look">
          {count(chosen.length - rows, "answer")} without an article type will be left out.
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onDone}>
          Cancel
        </button>
        <button type="button" className="button" onClick={() => save("json")}>
          Save JSON
        </button>
        <button type="button" className="button button-main" onClick={() => save("csv")}>
          Save CSV
        </button>
      </div>
    </>
  );
}
