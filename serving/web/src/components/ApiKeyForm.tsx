import { type SyntheticEvent, useState } from "react";

/** Asks for the key of a server that wants one. */
export function ApiKeyForm({
  isKeyWrong,
  onEntered,
}: {
  isKeyWrong: boolean;
  onEntered: (key: string) => void;
}) {
  const [key, setKey] = useState("");
  const enter = (event: SyntheticEvent) => {
    event.preventDefault();
    onEntered(key.trim());
  };
  return (
    <form className="notice key" onSubmit={enter}>
      <label htmlFor="api-key">
        <strong>This server wants an API key.</strong>
      </label>
      <p id="api-key-help" role="status">
        {isKeyWrong
          ? "It does not know the one it got. Check it, or ask whoever runs Lookbook for another."
          : "Whoever runs Lookbook has one for you. This tab keeps it until it is closed."}
      </p>
      <div className="key-line">
        <input
          id="api-key"
          className="field"
          type="password"
          autoComplete="off"
          value={key}
          aria-describedby="api-key-help"
          onChange={({ target }) => setKey(target.value)}
        />
        <button type="submit" className="button" disabled={!key.trim()}>
          Use this key
        </button>
      </div>
    </form>
  );
}
