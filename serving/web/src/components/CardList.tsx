import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useImperativeHandle, useRef, useState } from "react";
import { flushSync } from "react-dom";

import type { Picture } from "../pictures/picture";
import type { PictureActions } from "../pictures/usePictures";
import { PictureCard, type Place, type Select } from "./PictureCard";

/** Up to so many cards are all drawn, where the browser's own search finds each. */
export const DRAWN_WHOLE = 60;

/** Pixels, until a row has been measured, and between rows as in card.css. */
const ROW_GUESS = 330;
const GAP = 16;
const ROWS_BEYOND = 2;

export interface CardListHandle {
  /** Gives the keyboard to the card at this place of the list, drawn or not. */
  focus: (index: number) => void;
}

interface Props {
  pictures: Picture[];
  typeThreshold: number | null;
  actions: PictureActions;
  selected: ReadonlySet<number>;
  onSelect: Select | null;
  list: RefObject<HTMLOListElement | null>;
  handle: RefObject<CardListHandle | null>;
}

/** The pictures as cards, in a frame of their own that scrolls; of many, those in sight and around. */
export function CardList(props: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const isBatch = props.onSelect !== null;
  return (
    <div className={isBatch ? "frame" : undefined} ref={frame}>
      {props.pictures.length > DRAWN_WHOLE ? (
        <SomeCards {...props} frame={frame} />
      ) : (
        <AllCards {...props} className={isBatch ? "cards" : "cards cards-single"} />
      )}
    </div>
  );
}

function AllCards({ pictures, list, handle, className, ...rest }: Props & { className: string }) {
  useImperativeHandle(handle, () => ({
    focus: (index) => (list.current?.children[index] as HTMLElement | undefined)?.focus(),
  }));
  return (
    <ol className={className} aria-label="Pictures and answers" ref={list}>
      {pictures.map((picture) => (
        <Card key={picture.id} picture={picture} {...rest} />
      ))}
    </ol>
  );
}

/** The rows in sight stand in their grid, which is pushed down by the height of those above. */
function SomeCards({
  pictures,
  list,
  handle,
  frame,
  ...rest
}: Props & { frame: RefObject<HTMLDivElement | null> }) {
  const columns = useColumns(list);
  const [focused, setFocused] = useFocusedPlace(list);
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoized over what it returns
  const rows = useVirtualizer({
    count: Math.ceil(pictures.length / columns),
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_GUESS,
    gap: GAP,
    overscan: ROWS_BEYOND,
  });
  useImperativeHandle(handle, () => ({
    focus(index) {
      flushSync(() => setFocused(index));
      list.current?.querySelector<HTMLElement>(`[data-place="${index}"]`)?.focus();
    },
  }));
  useEffect(() => rows.measure(), [rows, columns]);
  const drawn = rows.getVirtualItems();
  const [first, last] = [drawn[0], drawn.at(-1)];
  const [from, to] = [(first?.index ?? 0) * columns, ((last?.index ?? -1) + 1) * columns];
  const places = pictures.map((_, index) => index).slice(from, to);
  // The card that has the keyboard stays, or the keyboard would be lost when it is scrolled out of sight.
  const isAway = focused >= 0 && focused < pictures.length && (focused < from || focused >= to);
  const shown = isAway ? [...places, focused].toSorted((a, b) => a - b) : places;
  const placeOf = (index: number): Place => {
    const row = Math.floor(index / columns);
    const isOut = isAway && index === focused;
    const top = rows.getOffsetForIndex(row, "start")?.[0] ?? 0;
    return {
      index,
      row,
      of: pictures.length,
      ref: index % columns === 0 && !isOut ? rows.measureElement : null,
      style: isOut ? { position: "absolute", top, width: `${100 / columns}%` } : undefined,
    };
  };
  return (
    <ol
      className="cards cards-some"
      aria-label="Pictures and answers"
      ref={list}
      style={{ paddingTop: first?.start ?? 0, paddingBottom: rows.getTotalSize() - (last?.end ?? 0) }}
    >
      {shown.map((index) => {
        const picture = pictures[index];
        return picture && <Card key={picture.id} picture={picture} place={placeOf(index)} {...rest} />;
      })}
    </ol>
  );
}

type CardProps = Pick<Props, "typeThreshold" | "actions" | "selected" | "onSelect"> & {
  picture: Picture;
  place?: Place;
};

const Card = ({ picture, selected, ...rest }: CardProps) => (
  <PictureCard picture={picture} isSelected={selected.has(picture.id)} {...rest} />
);

/** How many columns the grid has at its present width: the style sheet decides. */
function useColumns(list: RefObject<HTMLOListElement | null>): number {
  const [columns, setColumns] = useState(1);
  useEffect(() => {
    const grid = list.current;
    if (!grid) return;
    const count = () => setColumns(getComputedStyle(grid).gridTemplateColumns.split(" ").length);
    const observer = new ResizeObserver(count); // tells the first size by itself
    observer.observe(grid);
    return () => observer.disconnect();
  }, [list]);
  return columns;
}

/** Place of the card that last had the keyboard, and a way to say that it will; -1 for none. */
function useFocusedPlace(list: RefObject<HTMLOListElement | null>): [number, (place: number) => void] {
  const [place, setPlace] = useState(-1);
  useEffect(() => {
    const see = ({ target }: FocusEvent) => {
      const card = target instanceof Element ? target.closest<HTMLElement>("li.card") : null;
      setPlace(card && list.current?.contains(card) ? Number(card.dataset.place) : -1);
    };
    document.addEventListener("focusin", see);
    return () => document.removeEventListener("focusin", see);
  }, [list]);
  return [place, setPlace];
}
