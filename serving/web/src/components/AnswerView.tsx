import { useRef, useState } from "react";

import { absentInWords, duration, headName, joinPath, percent, reasonInWords } from "../answers/text";
import { type LevelVerdict, type Verdict, judge } from "../answers/verdict";
import type { AbsentLevel, HeadPrediction } from "../api/contract";
import { type Answered, type Labels, isCorrected, labelsOf, samePath } from "../pictures/picture";
import { Alike } from "./Alike";
import { Bar } from "./Bar";
import { CorrectLabel } from "./CorrectLabel";
import { TopFive } from "./TopFive";

/** A label that is not among the fifty that the server lists has less than a fiftieth. */
const UNLISTED = "<2\u00a0%";

interface Props {
  picture: Answered;
  typeThreshold: number | null;
  onCheck: (labels: Labels | null) => void;
}

/** What a picture is, how sure that is, and what a person can say to it. */
export function AnswerView({ picture, typeThreshold, onCheck }: Props) {
  const { answer } = picture.state;
  const verdict = judge(answer, typeThreshold);
  return (
    <>
      {picture.checked ? (
        <CheckedPath picture={picture} labels={picture.checked} />
      ) : (
        <Path verdict={verdict} />
      )}
      <Levels levels={verdict.levels} />
      <Absent levels={answer.absent_levels ?? []} />
      <Attributes attributes={answer.attributes} checked={picture.checked} />
      {picture.checked === null && <Reasons verdict={verdict} />}
      <Alike file={picture.file} name={picture.name} release={answer.release} />
      <Actions picture={picture} onCheck={onCheck} />
      <TopFive answer={answer}>
        <span className="meta">
          Release {answer.release} · {duration(answer.timings.total_ms)}
          {typeof answer.familiarity === "number" && ` · familiarity ${percent(answer.familiarity)}`}
          {!!answer.correction_share &&
            ` · ${percent(answer.correction_share)} of it from people’s corrections`}
          {answer.partial && " · one model only"}
        </span>
      </TopFive>
    </>
  );
}

function Path({ verdict }: { verdict: Verdict }) {
  const { path, guess } = verdict;
  return (
    <div className="path">
      <PathLabels labels={path} />
      {guess !== null && <p className="path-guess">perhaps {guess}</p>}
    </div>
  );
}

function CheckedPath({ picture, labels }: { picture: Answered; labels: Labels }) {
  const was = labelsOf(picture.state.answer);
  const answered = was ? inOrder(was) : picture.state.answer.path;
  return (
    <div className="path">
      <PathLabels labels={inOrder(labels)} />
      <p className="checked">
        <Tick />
        {!isCorrected(picture) && "Checked by you"}
        {isCorrected(picture) && "Corrected by you"}
        {!samePath(labels, was) && `; was ${joinPath(answered)}`}
      </p>
    </div>
  );
}

function Tick() {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M3 8.5l3.5 3.5L13 4.5" />
    </svg>
  );
}

const inOrder = (labels: Labels) =>
  [labels.master_category, labels.sub_category, labels.article_type].filter((label) => label !== null);

/** Footwear › Shoes › Casual Shoes, the last one large. */
function PathLabels({ labels }: { labels: string[] }) {
  const parents = labels.slice(0, -1);
  return (
    <p className="path-labels">
      {parents.length > 0 && <span className="path-parents">{joinPath(parents)} › </span>}
      <span className="path-leaf">{labels.at(-1)}</span>
    </p>
  );
}

function Levels({ levels }: { levels: LevelVerdict[] }) {
  return (
    <dl className="levels">
      {levels.toReversed().map(({ level, label, confidence }) => (
        <div key={level} className="level">
          <dt>
            <span className="unseen">{headName(level)}: </span>
            {label}
          </dt>
          <dd>{confidence === null ? UNLISTED : percent(confidence)}</dd>
          <dd aria-hidden="true">
            <Bar value={confidence ?? 0} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A level that is not told is said, or somebody would look for it. */
function Absent({ levels }: { levels: AbsentLevel[] }) {
  return levels.length > 0 && <p className="meta">{absentInWords(levels)}</p>;
}

interface AttributesProps {
  attributes: HeadPrediction[];
  checked: Labels | null;
}

/** What the models say beside the path; in words where they are unsure, since it asks nobody to look. */
function Attributes({ attributes, checked }: AttributesProps) {
  if (attributes.length === 0) return null;
  return (
    <dl className="attributes">
      {attributes.map(({ head, label, confidence, review }) => (
        <div key={head} className="attribute">
          <dt>{headName(head)}</dt>
          <dd>{checked?.attributes[head] ?? (review ? `perhaps ${label}` : label)}</dd>
          <dd>{checked && checked.attributes[head] !== label ? "by you" : percent(confidence)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Reasons({ verdict: { reasons } }: { verdict: Verdict }) {
  if (reasons.length === 0) return null;
  return (
    <div className="look">
      <strong>Needs a look</strong>
      <ul>
        {reasons.map((reason) => (
          <li key={`${reason.code} ${reason.head}`}>{reasonInWords(reason)}</li>
        ))}
      </ul>
    </div>
  );
}

function Actions({ picture, onCheck }: Omit<Props, "typeThreshold">) {
  const [isCorrecting, setIsCorrecting] = useState(false);
  const correct = useRef<HTMLButtonElement>(null);
  const right = labelsOf(picture.state.answer);
  const close = () => {
    setIsCorrecting(false);
    correct.current?.focus();
  };
  return (
    <>
      <div className="card-actions">
        {picture.checked ? (
          <button type="button" className="button button-small" onClick={() => onCheck(null)}>
            Undo
          </button>
        ) : (
          right && (
            <button
              type="button"
              className="button button-small"
              aria-label={`${picture.name}: ${right.article_type} is right`}
              data-shortcut="a"
              onClick={() => onCheck(right)}
            >
              <Tick /> Right
            </button>
          )
        )}
        <button
          type="button"
          ref={correct}
          className="button button-small"
          aria-expanded={isCorrecting}
          data-shortcut="c"
          aria-label={`Change the label of ${picture.name}`}
          onClick={() => setIsCorrecting(!isCorrecting)}
        >
          Change…
        </button>
      </div>
      {isCorrecting && <CorrectLabel picture={picture} onChange={onCheck} onClose={close} />}
    </>
  );
}
