import { useCombobox } from "downshift";
import { useState } from "react";

import { keyOf, search } from "../answers/search";
import { joinPath } from "../answers/text";
import type { Answer, TaxonomyPath } from "../api/contract";

interface Props {
  /** What the label is for, as “shoe.jpg”. */
  name: string;
  /** Its best paths come first. */
  answer: Answer;
  paths: TaxonomyPath[];
  onChoose: (path: TaxonomyPath) => void;
  onClose: () => void;
}

/** Search as you type through the taxonomy. */
export function LabelSearch({ name, answer, paths, onChoose, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const items = search(paths, typed, answer);
  const { getLabelProps, getInputProps, getMenuProps, getItemProps, highlightedIndex, isOpen } = useCombobox({
    items,
    initialIsOpen: true,
    defaultHighlightedIndex: 0,
    itemToString: (path) => path?.article_type ?? "",
    onInputValueChange: ({ inputValue }) => setTyped(inputValue),
    onSelectedItemChange: ({ selectedItem }) => (selectedItem ? onChoose(selectedItem) : onClose()),
  });
  const closeOnEscape = (event: React.KeyboardEvent) => {
    if (event.key === "Escape") onClose();
  };
  return (
    <>
      <label {...getLabelProps({ className: "unseen" })}>Right label for {name}</label>
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
    </>
  );
}
