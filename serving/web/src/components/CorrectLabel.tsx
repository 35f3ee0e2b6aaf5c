import { headName } from "../answers/text";
import type { AttributeLabels, TaxonomyPath } from "../api/contract";
import { type TaxonomyState, useTaxonomy } from "../api/useTaxonomy";
import { inWords } from "../api/words";
import { type Answered, type Labels, attributesOf, labelsOf } from "../pictures/picture";
import { LabelSearch } from "./LabelSearch";

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
  if (state.kind !== "known") return <NoTaxonomy state={state} />;
  const labels = picture.checked ?? labelsOf(answer);
  const choose = ({ article_type, sub_category, master_category }: TaxonomyPath) => {
    const attributes = labels?.attributes ?? attributesOf(answer);
    onChange({ article_type, sub_category, master_category, attributes });
    onClose();
  };
  const attributes = state.taxonomy.attributes.filter(({ head }) => labels && head in labels.attributes);
  return (
    <div className="correct">
      <LabelSearch
        name={picture.name}
        answer={answer}
        paths={state.taxonomy.paths}
        onChoose={choose}
        onClose={onClose}
      />
      {labels &&
        attributes.map((one) => (
          <AttributeChoice key={one.head} attribute={one} labels={labels} onChange={onChange} />
        ))}
    </div>
  );
}

/** What stands in place of the labels while they are fetched, or when they cannot be. */
export function NoTaxonomy({ state }: { state: Exclude<TaxonomyState, { kind: "known" }> }) {
  if (state.kind === "asking") return <p className="muted">Fetching the labels…</p>;
  const { what, todo } = inWords(state.problem);
  return (
    <p className="failure" role="alert">
      <strong>The labels cannot be fetched. {what}</strong> {todo}
    </p>
  );
}

interface AttributeChoiceProps {
  attribute: AttributeLabels;
  labels: Labels;
  onChange: (labels: Labels) => void;
}

function AttributeChoice({ attribute: { head, labels: known }, labels, onChange }: AttributeChoiceProps) {
  // The one that it has may be of another release; without it the browser would show the first.
  const choices = new Set([...known, labels.attributes[head] ?? ""]);
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
        {[...choices].toSorted().map((label) => (
          <option key={label}>{label}</option>
        ))}
      </select>
    </label>
  );
}
