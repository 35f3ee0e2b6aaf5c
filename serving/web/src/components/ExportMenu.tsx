import { useId, useRef, useState } from "react";

import { count } from "../answers/text";
import { download } from "../export/download";
import { toCsv, toJson, toRows } from "../export/rows";
import type { Answered } from "../pictures/picture";

/** Without it Excel takes the file for one of the computer's own old encoding, and “Größe” for “GrÃ¶ÃŸe”. */
const BYTE_ORDER_MARK = "\uFEFF";

interface Props {
  pictures: Answered[];
  typeThreshold: number | null;
  /** True where the pictures are those that a person selected. */
  isOfSelected?: boolean;
}

/** Saves answers and corrections so that they can be trained on. */
export function ExportMenu({ pictures, typeThreshold, isOfSelected = false }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  return (
    <>
      <button
        type="button"
        className={isOfSelected ? "button button-small" : "button button-main"}
        data-shortcut={isOfSelected ? "E" : "e"}
        disabled={pictures.length === 0}
        onClick={() => dialog.current?.showModal()}
      >
        {isOfSelected ? "Export selected…" : "Export…"}
      </button>
      <dialog ref={dialog} className="dialog" aria-labelledby={titleId}>
        <ExportForm
          pictures={pictures}
          typeThreshold={typeThreshold}
          isOfSelected={isOfSelected}
          titleId={titleId}
          onDone={() => dialog.current?.close()}
        />
      </dialog>
    </>
  );
}

interface FormProps extends Props {
  titleId: string;
  onDone: () => void;
}

function ExportForm({ pictures, typeThreshold, isOfSelected, titleId, onDone }: FormProps) {
  const name = useId();
  const checked = pictures.filter((picture) => picture.checked !== null);
  const [wantsChecked, setWantsChecked] = useState(false);
  const isOnlyChecked = wantsChecked && checked.length > 0;
  const chosen = isOnlyChecked ? checked : pictures;
  const rows = toRows(chosen).length;
  const save = (format: "csv" | "json") => {
    if (format === "csv") download(BYTE_ORDER_MARK + toCsv(chosen), "styles.csv", "text/csv;charset=utf-8");
    else download(toJson(chosen, typeThreshold), "lookbook-answers.json", "application/json");
    onDone();
  };
  return (
    <>
      <h2 id={titleId}>{isOfSelected ? "Export the selected" : "Export"}</h2>
      <p>
        One row a picture in the columns of <code>styles.csv</code>; <code>id</code> is the file’s name
        without its ending, so the pictures go beside it as <code>images/&lt;id&gt;.jpg</code>.
      </p>
      <fieldset>
        <legend>Which answers</legend>
        <label>
          <input type="radio" name={name} checked={!isOnlyChecked} onChange={() => setWantsChecked(false)} />
          All {pictures.length}, corrected where you corrected them
        </label>
        <label>
          <input
            type="radio"
            name={name}
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
