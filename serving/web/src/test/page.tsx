import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";

import { App } from "../components/App";
import { picture } from "./merger";
import { FakeStore } from "./store";

export const user = userEvent.setup();

/** Opens the page and chooses files of these names. */
export const open = (...names: string[]) => openOver(new FakeStore(), ...names);

/** The same over a store that may have something from before; gives what closes the page. */
export async function openOver(store: FakeStore, ...names: string[]) {
  const { unmount } = render(<App store={store} />);
  if (names.length) await choose(...names);
  return unmount;
}

/** Chooses more files. */
export const choose = (...names: string[]) =>
  user.upload(screen.getByLabelText("Choose pictures", { selector: "input" }), names.map(picture));

export const card = (name: string) => screen.getByRole("listitem", { name });

/** Names on the cards, in the order in which they stand. */
export const names = () =>
  within(screen.getByRole("list", { name: "Pictures and answers" }))
    .getAllByRole("heading", { level: 2 })
    .map((heading) => heading.textContent);
