import { useEffect, useRef } from "react";

import type { Shortcut } from "./shortcuts";

const NAMES: Record<string, string> = { Escape: "Esc", Delete: "Del" };

interface Props {
  shortcuts: readonly Shortcut[];
  isOn: boolean;
  onSwitch: (isOn: boolean) => void;
  onClose: () => void;
}

/** Lists the keys, and turns them off. */
export function ShortcutHelp({ shortcuts, isOn, onSwitch, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const closeOnMark = ({ key }: React.KeyboardEvent) => {
    if (key === "?") dialog.current?.close();
  };
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby="shortcuts-title"
      onClose={onClose}
      onKeyDown={closeOnMark}
    >
      <h2 id="shortcuts-title">Keys</h2>
      <dl className="shortcuts">
        {shortcuts.map(({ key, words }) => (
          <div key={key}>
            <dt>
              <Keys of={key} />
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <label>
        <input type="checkbox" checked={isOn} onChange={() => onSwitch(!isOn)} />
        Single keys do this
      </label>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}

/** "A" is typed with the shift key, and looks no different from "a" on a keyboard. */
function Keys({ of }: { of: string }) {
  const keys = /^[A-Z]$/.test(of) ? ["Shift", of] : of.split("+");
  return keys.map((key) => <kbd key={key}>{NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key)}</kbd>);
}
