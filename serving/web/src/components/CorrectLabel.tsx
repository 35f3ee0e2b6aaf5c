import { useCombobox } from "downshift";
import { useState } from "react";

import { keyOf, search } from "../answers/search";
import { headName, joinPath } from "../answers/text";
import type { AttributeLabels, TaxonomyPath } from "../api/contract";
import { useTaxonomy } from "../api/useTaxonomy";
import { inWords } from "../api/words";
import { type Answered, type Labels, attributesOf, labelsOf } from "../pictures/picture";

interface Props {
  picture: Answered;
  /** Called with each label that a person chose. */
  onChange: (labels: Labels) => void;
  /** Called when they are done, or changed their mind. */
  onClose: () => void;
}

/** Asks for the right labels: search as you type through the taxonomy, and a list for each attribute. */
export function CorrectLabel({ picture, onChange, onClose }: Props) {
  const { answer } = picture.state;
  const state = useTaxonomy(answer);
  if (state.kind === "asking") return <p className="muted">Fetching the labels…</p>;
  if (state.kind === "failed") {
    const { what, todo } = inWords(state.problem);
    return (
      <p className="failure" role="alert">
        <strong>The labels cannot be fetched. {what}</strong> {todo}
      </p>
    );
  }
  const labels = picture.checked ?? labelsOf(answer);
  const choose = ({ article_type, sub_category, master_category }: TaxonomyPath) => {
    const attributes = labels?.attributes ?? attributesOf(answer);
    onChange({ article_type, sub_category, master_category, attributes });
    onClose();
  };
  const attributes = state.taxonomy.attributes.filter(({ head }) => labels && head in labels.attributes);
  return (
    <div className="correct">
      <LabelSearch picture={picture} paths={state.taxonomy.paths} onChoose={choose} onClose={onClose} />
      {labels &&
        attributes.map((one) => (
          <AttributeChoice key={one.head} attribute={one} labels={labels} onChange={onChange} />
        ))}
    </div>
  );
}

interface AttributeChoiceProps {
  attribute: AttributeLabels;
  labels: Labels;
  onChange: (labels: Labels) => void;
}

function AttributeChoice({ attribute: { head, labels: known }, labels, onChange }: AttributeChoiceProps) {
  return (
    <label className="correct-attribute">
      {headName(head)}
      <select
        className="field"
        value={labels.attributes[head]}
        onChange={({ target }) =>
          onChange({ ...labels, attributes: { ...labels.attributes, [head]: target.value } })
        }
      >
        {known.toSorted().map((label) => (
          <option key={label}>{label}</option>
        ))}
      </select>
    </label>
  );
}

interface LabelSearchProps {
  picture: Answered;
  paths: TaxonomyPath[];
  onChoose: (path: TaxonomyPath) => void;
  onClose: () => void;
}

function LabelSearch({ picture, paths, onChoose, onClose }: LabelSearchProps) {
  const [typed, setTyped] = useState("");
  const items = search(paths, typed, picture.state.answer);
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
    </>
  );
}
