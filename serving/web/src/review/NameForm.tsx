import { type SyntheticEvent, useState } from "react";

import { LONGEST_NAME } from "./reviewer";

/** Asks once who decides. */
export function NameForm({ onEntered }: { onEntered: (name: string) => void }) {
  const [name, setName] = useState("");
  const enter = (event: SyntheticEvent) => {
    event.preventDefault();
    onEntered(name.trim());
  };
  return (
    <form className="review-name" onSubmit={enter}>
      <label htmlFor="reviewer">
        <strong>Who decides?</strong>
      </label>
      <p id="reviewer-help">
        Your name stands beside each of your decisions, so that others know whom to ask. This browser keeps
        it.
      </p>
      <div className="key-line">
        <input
          id="reviewer"
          className="field"
          autoComplete="name"
          maxLength={LONGEST_NAME}
          value={name}
          aria-describedby="reviewer-help"
          onChange={({ target }) => setName(target.value)}
        />
        <button type="submit" className="button button-main" disabled={!name.trim()}>
          Begin
        </button>
      </div>
    </form>
  );
}
