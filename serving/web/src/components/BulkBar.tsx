import { useEffect, useRef, useState } from "react";

import { count } from "../answers/text";
import type { TaxonomyPath } from "../api/contract";
import { useTaxonomy } from "../api/useTaxonomy";
import {
  type Answered,
  type Labels,
  type Picture,
  attributesOf,
  isAnswered,
  labelsOf,
} from "../pictures/picture";
import type { PictureActions } from "../pictures/usePictures";
import { NoTaxonomy } from "./CorrectLabel";
import { ExportMenu } from "./ExportMenu";
import { LabelSearch } from "./LabelSearch";

interface Props {
  /** Those that are selected and shown: nothing is done to a picture that is out of sight. */
  selected: Picture[];
  typeThreshold: number | null;
  actions: PictureActions;
  onClear: () => void;
}

/** What can be done with several pictures at once; each step can be undone as one. */
export function BulkBar({ selected, typeThreshold, actions, onClear }: Props) {
  const [isCorrecting, setIsCorrecting] = useState(false);
  const answered = selected.filter(isAnswered);
  const right = answered.flatMap((picture): [number, Labels][] => {
    const labels = picture.checked === null ? labelsOf(picture.state.answer) : null;
    return labels ? [[picture.id, labels]] : [];
  });
  const first = answered[0];
  return (
    <div className="bulk" role="group" aria-label="Selected pictures">
      <strong role="status">{count(selected.length, "picture")} selected</strong>
      <div className="bulk-actions">
        <button
          type="button"
          className="button button-small"
          data-shortcut="A"
          disabled={right.length === 0}
          onClick={() => actions.check(new Map(right), `Marked ${count(right.length, "answer")} as right.`)}
        >
          {right.length === 0 ? "Right" : `${right.length} right`}
        </button>
        <button
          type="button"
          className="button button-small"
          data-shortcut="C"
          disabled={!first}
          onClick={() => setIsCorrecting(true)}
        >
          Change label…
        </button>
        <ExportMenu pictures={answered} typeThreshold={typeThreshold} isOfSelected />
        <button
          type="button"
          className="button button-small"
          data-shortcut="Shift+Delete"
          onClick={() => actions.remove(selected)}
        >
          Remove
        </button>
        <button type="button" className="button button-small" data-shortcut="Escape" onClick={onClear}>
          Clear selection
        </button>
      </div>
      {isCorrecting && first && (
        <BulkCorrect
          pictures={answered}
          first={first}
          onChoose={actions.check}
          onClose={() => setIsCorrecting(false)}
        />
      )}
    </div>
  );
}

interface BulkCorrectProps {
  pictures: Answered[];
  first: Answered;
  onChoose: PictureActions["check"];
  onClose: () => void;
}

/** One label for all of them; what each says beside the path stays as it is. */
function BulkCorrect({ pictures, first, onChoose, onClose }: BulkCorrectProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const taxonomy = useTaxonomy(first.state.answer);
  const what = count(pictures.length, "picture");
  useEffect(() => dialog.current?.showModal(), []);
  const choose = ({ article_type, sub_category, master_category }: TaxonomyPath) => {
    const labels = pictures.map(({ id, checked, state }): [number, Labels] => {
      const attributes = checked?.attributes ?? attributesOf(state.answer);
      return [id, { article_type, sub_category, master_category, attributes }];
    });
    onChoose(new Map(labels), `Labelled ${what} ${article_type}.`);
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} className="dialog" aria-label={`Right label for ${what}`} onClose={onClose}>
      <h2>Right label for {what}</h2>
      <div className="correct">
        {taxonomy.kind === "known" ? (
          <LabelSearch
            name={what}
            answer={first.state.answer}
            paths={taxonomy.taxonomy.paths}
            onChoose={choose}
            onClose={() => dialog.current?.close()}
          />
        ) : (
          <NoTaxonomy state={taxonomy} />
        )}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </div>
    </dialog>
  );
}
