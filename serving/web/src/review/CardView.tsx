import { useEffect, useRef, useState } from "react";

import { joinPath, percent, reasonInWords } from "../answers/text";
import type { Answer, ReviewCard, Verdict } from "../api/contract";
import { useTaxonomy } from "../api/useTaxonomy";
import { Alike } from "../components/Alike";
import { Bar } from "../components/Bar";
import { NoTaxonomy } from "../components/CorrectLabel";
import { LabelSearch } from "../components/LabelSearch";
import { type Pick, corrected, picksOf } from "./picks";

interface Props {
  card: ReviewCard;
  picture: Blob;
  isBusy: boolean;
  onDecide: (verdict: Verdict) => void;
  onLater: () => void;
}

/** A card: its picture, large, what was answered and why somebody should look, and what can be said to it. */
export function CardView({ card, picture, isBusy, onDecide, onLater }: Props) {
  const { answer } = card;
  const heading = useRef<HTMLHeadingElement>(null);
  const [isTyping, setIsTyping] = useState(false);
  useEffect(() => heading.current?.focus(), []);
  return (
    <article className="review-card" aria-labelledby="review-answer" aria-busy={isBusy}>
      <Photo picture={picture} format={answer.image.format} />
      <div className="review-body">
        <div>
          <p className="path-parents">
            {joinPath([answer.joint.master_category, answer.joint.sub_category])}
          </p>
          <h2 className="path-leaf" id="review-answer" ref={heading} tabIndex={-1}>
            {answer.joint.article_type ?? "No article type was answered"}
          </h2>
        </div>
        <ul className="look" aria-label="Why it needs a look">
          {answer.review.reasons.map((reason) => (
            <li key={`${reason.code} ${reason.head}`}>{reasonInWords(reason)}</li>
          ))}
        </ul>
        <Picks picks={picksOf(answer)} isBusy={isBusy} onDecide={onDecide} />
        <div className="card-actions">
          <Act
            shortcut="Enter"
            isMain
            isOff={isBusy || answer.joint.article_type === null}
            onAct={() => onDecide({ decision: "accepted" })}
          >
            Right
          </Act>
          <Act shortcut="n" isOff={isBusy} onAct={() => setIsTyping(!isTyping)}>
            Other label…
          </Act>
          <Act shortcut="u" isOff={isBusy} onAct={() => onDecide({ decision: "unknown" })}>
            Can’t tell
          </Act>
          <Act shortcut="l" isOff={isBusy} onAct={onLater}>
            Later
          </Act>
        </div>
        {isTyping && <OtherLabel answer={answer} onDecide={onDecide} onClose={() => setIsTyping(false)} />}
        <Alike file={picture} name="this picture" release={answer.release} />
        <p className="meta">
          Asked by {card.caller}
          {card.count > 1 && `, ${card.count} times`}, first {new Date(card.first_at).toLocaleString()} ·
          release {answer.release}
        </p>
      </div>
    </article>
  );
}

/** The picture, large; small ones are drawn larger than they are. */
function Photo({ picture, format }: { picture: Blob; format: string }) {
  const image = useRef<HTMLImageElement>(null);
  const [isDrawn, setIsDrawn] = useState(true);
  useEffect(() => {
    const url = URL.createObjectURL(picture);
    if (image.current) image.current.src = url;
    return () => URL.revokeObjectURL(url);
  }, [picture]);
  return (
    <div className="review-photo">
      <img ref={image} alt="To be decided" hidden={!isDrawn} onError={() => setIsDrawn(false)} />
      {!isDrawn && (
        <p className="muted">
          This browser cannot draw {format}. Leave it for later, or for another browser.
        </p>
      )}
    </div>
  );
}

interface PicksProps {
  picks: Pick[];
  isBusy: boolean;
  onDecide: (verdict: Verdict) => void;
}

function Picks({ picks, isBusy, onDecide }: PicksProps) {
  return (
    <ol className="picks" aria-label="Best labels">
      {picks.map(({ labels, confidence }, index) => (
        <li key={index}>
          <button
            type="button"
            className="pick"
            data-shortcut={`${index + 1}`}
            disabled={isBusy}
            onClick={() => onDecide(corrected(labels))}
          >
            <kbd>{index + 1}</kbd>
            <span>
              {labels.article_type}{" "}
              <span className="option-path">{joinPath([labels.master_category, labels.sub_category])}</span>
            </span>
            <span aria-hidden="true">
              <Bar value={confidence} />
            </span>
            <span className="level-number">{percent(confidence)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

interface ActProps {
  shortcut: string;
  isOff: boolean;
  isMain?: boolean;
  onAct: () => void;
  children: React.ReactNode;
}

/** A button that says its key. */
export function Act({ shortcut, isOff, isMain = false, onAct, children }: ActProps) {
  return (
    <button
      type="button"
      className={isMain ? "button button-small button-main" : "button button-small"}
      data-shortcut={shortcut}
      disabled={isOff}
      onClick={onAct}
    >
      {children}
      <kbd className="only-keys" aria-hidden="true">
        {shortcut.length === 1 ? shortcut.toUpperCase() : shortcut}
      </kbd>
    </button>
  );
}

interface OtherLabelProps {
  answer: Answer;
  onDecide: (verdict: Verdict) => void;
  onClose: () => void;
}

/** Any label of the release by search, or one that it does not know, as typed. */
function OtherLabel({ answer, onDecide, onClose }: OtherLabelProps) {
  const state = useTaxonomy(answer);
  if (state.kind !== "known") return <NoTaxonomy state={state} />;
  return (
    <div className="correct">
      <LabelSearch
        name="this picture"
        answer={answer}
        paths={state.taxonomy.paths}
        onChoose={(path) => onDecide(corrected(path))}
        onNew={(label) => onDecide({ decision: "new_label", article_type: label })}
        onClose={onClose}
      />
    </div>
  );
}
