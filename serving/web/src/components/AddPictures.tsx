import { useCallback, useEffect, useRef, useState } from "react";

import { ACCEPT, droppedFiles, ofFolder, pastedFiles, withoutZips } from "../pictures/files";
import { type Found, type Left, isZip } from "../pictures/zip";

/** Adds files, once those are there that a folder or a zip still has to give. */
type Take = (files: File[] | Promise<File[]>) => Promise<void>;

interface Props {
  /** True while there are no pictures: the zone then explains itself. */
  isFirst: boolean;
  onAdd: (files: File[]) => void;
  /** Told of files that are not taken. */
  onLeft: (left: Left[]) => void;
}

/** Takes pictures, folders and zips: dropped anywhere on the page, pasted, chosen, or photographed. */
export function AddPictures({ isFirst, onAdd, onLeft }: Props) {
  const [reading, setReading] = useState(0);
  const take: Take = useCallback(
    async (files) => {
      if (Array.isArray(files) && !files.some(isZip)) return onAdd(files);
      setReading((n) => n + 1);
      const found = await unpackAll(files);
      setReading((n) => n - 1);
      onAdd(found.files);
      if (found.left.length > 0) onLeft(found.left);
    },
    [onAdd, onLeft],
  );
  const isOver = useDropAndPaste(take, onLeft);
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
            One picture, a whole folder or a zip: clothes, shoes, bags, watches. JPEG, PNG, WebP and more.
            <span className="only-keys">
              {" "}
              You can also paste one with <kbd>Ctrl</kbd> <kbd>V</kbd>.
            </span>
          </p>
        </div>
      ) : (
        <p className="add-words">Drop, paste or choose more pictures, folders or zips.</p>
      )}
      <p className={reading > 0 ? "add-words" : "unseen"} role="status">
        {reading > 0 && "Reading the files…"}
      </p>
      <div className="add-buttons">
        <PickButton label="Choose pictures" className="button button-main" shortcut="o" onTake={take} />
        <PickButton
          label="Choose a folder"
          className="button only-keys"
          kind="folder"
          onTake={(files) => take(ofFolder(files, onLeft))}
        />
        <PickButton label="Take a photo" className="button only-touch" kind="camera" onTake={take} />
      </div>
    </section>
  );
}

/** What is in files and their zips; a drop that cannot be read is told of like a file that is left out. */
async function unpackAll(files: File[] | Promise<File[]>): Promise<Found> {
  try {
    return await withoutZips(await files);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { files: [], left: [{ name: "What was added", why: `cannot be read: ${reason}` }] };
  }
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
  kind?: "files" | "folder" | "camera";
  shortcut?: string;
  onTake: (files: File[]) => unknown;
}

const OF_KIND = {
  files: { accept: ACCEPT, multiple: true },
  folder: { multiple: true, webkitdirectory: "" },
  camera: { accept: "image/*", capture: "environment" as const },
};

function PickButton({ label, className, kind = "files", shortcut, onTake }: PickButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const pick = (event: React.ChangeEvent<HTMLInputElement>) => {
    onTake([...(event.target.files ?? [])]);
    event.target.value = ""; // so that the same file can be chosen again
  };
  return (
    <>
      <button
        type="button"
        className={className}
        data-shortcut={shortcut}
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
      <input ref={input} hidden type="file" aria-label={label} {...OF_KIND[kind]} onChange={pick} />
    </>
  );
}

/** Words for a field: office programs put a picture of them on the clipboard too. */
const isText = ({ target, clipboardData }: ClipboardEvent) =>
  target instanceof Element &&
  target.matches("input, textarea") &&
  clipboardData?.types.includes("text/plain") === true;

/** Adds what is dropped on the page or pasted into it; true while files hover over it. */
function useDropAndPaste(onTake: Take, onLeft: (left: Left[]) => void): boolean {
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
      void onTake(droppedFiles(event.dataTransfer, onLeft));
    };
    const paste = (event: ClipboardEvent) => {
      if (isText(event)) return;
      if (event.clipboardData?.files.length) void onTake(pastedFiles(event.clipboardData, new Date()));
    };
    const stop = new AbortController();
    const { signal } = stop;
    document.addEventListener("dragover", over, { signal });
    document.addEventListener("dragleave", leave, { signal });
    document.addEventListener("drop", drop, { signal });
    document.addEventListener("paste", paste, { signal });
    return () => stop.abort();
  }, [onTake, onLeft]);
  return isOver;
}
