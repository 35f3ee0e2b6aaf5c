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
  /** Takes a label that the release does not know, as it was typed; without it there are none. */
  onNew?: (label: string) => void;
  onClose: () => void;
}

/** A label that no path has. */
interface New {
  label: string;
}

const isNew = (item: TaxonomyPath | New): item is New => "label" in item;

/** Search as you type through the taxonomy; a label that is not in it may be offered behind what is. */
export function LabelSearch({ name, answer, paths, onChoose, onNew, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const label = typed.trim();
  const isOffered = onNew && label && !paths.some(({ article_type }) => article_type === label);
  const found = search(paths, typed, answer);
  const items = [...found, ...(isOffered ? [{ label }] : [])];
  const { getLabelProps, getInputProps, getMenuProps, getItemProps, highlightedIndex, isOpen } = useCombobox({
    items,
    initialIsOpen: true,
    defaultHighlightedIndex: found.length > 0 ? 0 : -1, // a slip of the hand makes no new label
    itemToString: (item) => (!item ? "" : isNew(item) ? item.label : item.article_type),
    onInputValueChange: ({ inputValue }) => setTyped(inputValue),
    onSelectedItemChange: ({ selectedItem }) => {
      if (!selectedItem) onClose();
      else if (isNew(selectedItem)) onNew?.(selectedItem.label);
      else onChoose(selectedItem);
    },
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
          items.map((item, index) => (
            <li
              key={isNew(item) ? "new" : keyOf(item)}
              {...getItemProps({
                item,
                index,
                className: index === highlightedIndex ? "option-on" : "option",
              })}
            >
              {isNew(item) ? `“${item.label}”` : item.article_type}{" "}
              <span className="option-path">
                {isNew(item)
                  ? "A new label, kept apart until it has enough pictures"
                  : joinPath([item.master_category, item.sub_category])}
              </span>
            </li>
          ))}
      </ul>
      <p className={items.length ? "unseen" : "muted"} role="status">
        {items.length ? `${items.length} labels` : `No label is like “${typed}”.`}
      </p>
    </>
  );
}
