import { useId, useState } from "react";

import { headName, percent } from "../answers/text";
import { type Answer, LEVELS } from "../api/contract";
import { Bar } from "./Bar";

const SHOWN = 5;

interface Props {
  answer: Answer;
  /** Stands beside the button. */
  children: React.ReactNode;
}

/** The five best labels of each head, on demand. */
export function TopFive({ answer, children }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const id = useId();
  return (
    <div className="top-five">
      <p className="card-foot">
        <button
          type="button"
          className="button-text"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setIsOpen(!isOpen)}
        >
          Top 5
        </button>
        {children}
      </p>
      <div id={id} hidden={!isOpen}>
        {isOpen && <Lists answer={answer} />}
      </div>
    </div>
  );
}

function Lists({ answer }: { answer: Answer }) {
  const levels = LEVELS.toReversed().flatMap((level) => answer[level] ?? []);
  return [...levels, ...answer.attributes].map(({ head, top_k }) => (
    <section key={head}>
      <h3>{headName(head)}</h3>
      <ol>
        {top_k.slice(0, SHOWN).map(({ label, confidence }) => (
          <li key={label} className="score">
            <span className="score-label">{label}</span>
            <span aria-hidden="true">
              <Bar value={confidence} />
            </span>
            <span className="level-number">{percent(confidence)}</span>
          </li>
        ))}
      </ol>
    </section>
  ));
}
