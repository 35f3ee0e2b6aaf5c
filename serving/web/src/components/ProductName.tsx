import { type SyntheticEvent, useRef, useState } from "react";

import { percent } from "../answers/text";
import type { NameUse } from "../api/contract";
import { type Picture, isAnswered } from "../pictures/picture";

/** As long as the server takes it. */
const LONGEST = 512;

interface Props {
  picture: Picture;
  /** Called with another name; empty: none. */
  onCall: (productName: string) => void;
}

/** What the product is called, and what came of it; a person may say it, and the picture is asked about again. */
export function ProductName({ picture, onCall }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const { name, productName } = picture;
  const use = isAnswered(picture) ? picture.state.answer.name : null;
  const close = () => {
    setIsOpen(false);
    button.current?.focus();
  };
  return (
    <div className="product-name">
      <p className="meta">
        <button
          type="button"
          ref={button}
          className="button-text"
          aria-expanded={isOpen}
          aria-label={`Product name of ${name}`}
          onClick={() => setIsOpen(!isOpen)}
        >
          {productName || "Product name"}
        </button>{" "}
        {productName && use && inWords(use)}
      </p>
      {isOpen && <NameField productName={productName} name={name} onCall={onCall} onClose={close} />}
    </div>
  );
}

interface FieldProps {
  productName: string;
  name: string;
  onCall: (productName: string) => void;
  onClose: () => void;
}

function NameField({ productName, name, onCall, onClose }: FieldProps) {
  const [typed, setTyped] = useState(productName);
  const call = (event: SyntheticEvent) => {
    event.preventDefault();
    if (typed.trim() !== productName) onCall(typed.trim());
    onClose();
  };
  const closeOnEscape = (event: React.KeyboardEvent) => {
    if (event.key === "Escape") onClose();
  };
  return (
    <form className="key-line" onSubmit={call}>
      <input
        className="field"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- a person has just asked for it
        autoFocus
        maxLength={LONGEST}
        value={typed}
        aria-label={`What the product on ${name} is called`}
        placeholder="For example “Puma Men White Shoes”"
        onChange={({ target }) => setTyped(target.value)}
        onKeyDown={closeOnEscape}
      />
      <button type="submit" className="button button-small">
        Ask again
      </button>
    </form>
  );
}

const inWords = ({ heard, message, fits }: NameUse) =>
  heard ? `heard${fits === null ? "" : `, fits ${percent(fits)}`}` : message;
