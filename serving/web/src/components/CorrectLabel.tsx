import { useCombobox } from "downshift";
import { useState } from "react";

import { keyOf, search } from "../answers/search";
import { joinPath } from "../answers/text";
import type { TaxonomyPath } from "../api/contract";
import { useTaxonomy } from "../api/useTaxonomy";
import { inWords } from "../api/words";
import type { Answered, Labels } from "../pictures/picture";

interface Props {
  picture: Answered;
  /** Called with the labels that a person chose, or without when they changed their mind. */
  onClose: (labels?: Labels) => void;
}

/** Asks for the right labels: search as you type through the taxonomy. */
export function CorrectLabel({ picture, onClose }: Props) {
  const taxonomy = useTaxonomy(picture.state.answer.release);
  if (taxonomy.kind === "asking") return <p className="muted">Fetching the labels…</p>;
  if (taxonomy.kind === "failed") {
    const { what, todo } = inWords(taxonomy.problem);
    return (
      <p className="failure" role="alert">
        <strong>The labels cannot be fetched. {what}</strong> {todo}
      </p>
    );
  }
  return <LabelSearch picture={picture} paths={taxonomy.paths} onClose={onClose} />;
}

function LabelSearch({ picture, paths, onClose }: Props & { paths: TaxonomyPath[] }) {
  const [typed, setTyped] = useState("");
  const items = search(paths, typed, picture.state.answer);
  const { getLabelProps, getInputProps, getMenuProps, getItemProps, highlightedIndex, isOpen } = useCombobox({
    items,
    initialIsOpen: true,
    defaultHighlightedIndex: 0,
    itemToString: (path) => path?.article_type ?? "",
    onInputValueChange: ({ inputValue }) => setTyped(inputValue),
    onSelectedItemChange: ({ selectedItem }) => onClose(selectedItem ? labelsOnly(selectedItem) : undefined),
  });
  const closeOnEscape = (event: React.KeyboardEvent) => {
    if (event.key === "Escape") onClose();
  };
  return (
    <div className="correct">
      <label {...getLabelProps({ className: "unseen" })}>Right label for {picture.name}</label>
      <input
        {...getInputProps({ className: "field", autoFocus: true, onKeyDown: closeOnEscape })}
        placeholder="Type to search, for example “heels”"
      />
      <ul {...getMenuProps({ className: "correct-list", "aria-label": "Labels" })}>
        {isOpen &&
          items.map((path, index) => (
            <li
              key={keyOf(path)}
              {...getItemProps({
                item: path,
                index,
                className: index === highlightedIndex ? "option-on" : "option",
              })}
            >
              {path.article_type}{" "}
              <span className="option-path">{joinPath([path.master_category, path.sub_category])}</span>
            </li>
          ))}
      </ul>
      <p className={items.length ? "unseen" : "muted"} role="status">
        {items.length ? `${items.length} labels` : `No label is like “${typed}”.`}
      </p>
    </div>
  );
}

const labelsOnly = ({ article_type, sub_category, master_category }: TaxonomyPath): Labels => ({
  article_type,
  sub_category,
  master_category,
});
