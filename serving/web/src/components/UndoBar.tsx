import type { Undo } from "../pictures/reducer";

interface Props {
  step: Undo;
  onUndo: (step: Undo) => void;
  onDismiss: () => void;
}

/** Says what was done and takes it back; it stays until a person has had enough of it. */
export function UndoBar({ step, onUndo, onDismiss }: Props) {
  return (
    <div className="undo">
      <p role="status">{step.words}</p>
      <button
        type="button"
        className="button button-small"
        data-shortcut="z"
        aria-label={`Undo: ${step.words}`}
        onClick={() => onUndo(step)}
      >
        Undo
      </button>
      <button type="button" className="button-icon" aria-label="Dismiss" title="Dismiss" onClick={onDismiss}>
        <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4 4l8 8M12 4l-8 8" />
        </svg>
      </button>
    </div>
  );
}
