import { useEffect, useRef, useState } from "react";

import { ACCEPT, droppedFiles, pastedFiles } from "../pictures/files";

interface Props {
  /** True while there are no pictures: the zone then explains itself. */
  isFirst: boolean;
  onAdd: (files: File[]) => void;
}

/** Takes pictures: dropped anywhere on the page, pasted, chosen, or photographed. */
export function AddPictures({ isFirst, onAdd }: Props) {
  const isOver = useDropAndPaste(onAdd);
  return (
    <section
      className={`add${isFirst ? " add-first" : ""}${isOver ? " add-over" : ""}`}
      aria-label="Add pictures"
    >
      {isFirst ? (
        <div className="add-words">
          <Garments />
          <h2>Drop a photo, see what it is.</h2>
          <p>
            One picture or a whole folder: clothes, shoes, bags, watches. JPEG, PNG, WebP and more.
            <span className="only-keys">
              {" "}
              You can also paste one with <kbd>Ctrl</kbd> <kbd>V</kbd>.
            </span>
          </p>
        </div>
      ) : (
        <p className="add-words">Drop, paste or choose more pictures.</p>
      )}
      <div className="add-buttons">
        <PickButton label="Choose pictures" className="button button-main" onAdd={onAdd} />
        <PickButton label="Take a photo" className="button only-touch" isCamera onAdd={onAdd} />
      </div>
    </section>
  );
}

/** A shirt, a shoe, a bag and a watch. */
function Garments() {
  return (
    <svg className="garments" viewBox="0 0 232 48" aria-hidden="true">
      <path d="M16 5l-12 7 4 10 6-3v24h20V19l6 3 4-10-12-7c-2 4-4 5-8 5s-6-1-8-5z" />
      <path d="M66 20v17c0 3 1 5 4 5h42c3 0 5-2 5-5 0-5-5-7-12-8-8-1-12-7-16-13-3 5-9 7-15 6l-8-2zM66 35h51M87 24l5-4M92 29l5-4" />
      <path d="M138 18h34l4 25h-42l4-25zM146 23v-8c0-6 3-10 9-10s9 4 9 10v8" />
      <path d="M203 14l2-10h14l2 10M203 34l2 10h14l2-10M212 18v7l5 3M226 24a14 14 0 1 1-28 0 14 14 0 0 1 28 0z" />
    </svg>
  );
}

interface PickButtonProps {
  label: string;
  className: string;
  isCamera?: boolean;
  onAdd: (files: File[]) => void;
}

function PickButton({ label, className, isCamera = false, onAdd }: PickButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const pick = (event: React.ChangeEvent<HTMLInputElement>) => {
    onAdd([...(event.target.files ?? [])]);
    event.target.value = ""; // so that the same file can be chosen again
  };
  return (
    <>
      <button type="button" className={className} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        hidden
        type="file"
        aria-label={label}
        accept={isCamera ? "image/*" : ACCEPT}
        multiple={!isCamera}
        {...(isCamera ? { capture: "environment" as const } : {})}
        onChange={pick}
      />
    </>
  );
}

/** Adds what is dropped on the page or pasted into it; true while files hover over it. */
function useDropAndPaste(onAdd: (files: File[]) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setIsOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false);
    };
    const drop = (event: DragEvent) => {
      setIsOver(false);
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      void droppedFiles(event.dataTransfer).then(onAdd);
    };
    const paste = (event: ClipboardEvent) => {
      if (event.clipboardData?.files.length) onAdd(pastedFiles(event.clipboardData, new Date()));
    };
    const stop = new AbortController();
    const { signal } = stop;
    document.addEventListener("dragover", over, { signal });
    document.addEventListener("dragleave", leave, { signal });
    document.addEventListener("drop", drop, { signal });
    document.addEventListener("paste", paste, { signal });
    return () => stop.abort();
  }, [onAdd]);
  return isOver;
}
