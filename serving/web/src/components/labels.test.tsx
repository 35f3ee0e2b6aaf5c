import { screen, waitFor, within } from "@testing-library/react";
import { vi } from "vitest";

import { makeAnswer, makeExplanation, makeProblem } from "../test/contract";
import { FakeMerger } from "../test/merger";
import { open, user } from "../test/page";

let merger: FakeMerger;

beforeEach(() => {
  merger = new FakeMerger().install();
});

const openWhy = async () => {
  await open("shoe.jpg");
  await user.click(await screen.findByRole("button", { name: "Why? What the answer for shoe.jpg rests on" }));
  return within(screen.getByRole("dialog", { name: /^Why/ }));
};

describe("labels", () => {
  it("are corrected by searching as you type, with the keyboard, and can be undone", async () => {
    await open("shoe.jpg");
    const change = await screen.findByRole("button", { name: "Change the label of shoe.jpg" });
    await user.click(change);
    expect(await screen.findByRole("combobox", { name: "Right label for shoe.jpg" })).toHaveFocus();
    await user.keyboard("hee{Enter}");
    expect(screen.getByText("Heels", { selector: ".path-leaf" })).toBeVisible();
    expect(screen.getByText("Corrected by you; was Footwear › Shoes › Casual Shoes")).toBeVisible();
    expect(change).toHaveFocus();
    await user.click(screen.getByRole("button", { name: "Undo" }));
    expect(screen.getByText("Casual Shoes", { selector: ".path-leaf" })).toBeVisible();
  });

  it("stay as they are when a person thinks better of it", async () => {
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: "Change the label of shoe.jpg" }));
    await screen.findByRole("combobox", { name: /Right label/ });
    await user.keyboard("hee{Escape}");
    expect(screen.queryByRole("combobox", { name: /Right label/ })).toBeNull();
    expect(screen.getByText("Casual Shoes", { selector: ".path-leaf" })).toBeVisible();
  });

  it("say so when nothing is like what was typed", async () => {
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: "Change the label of shoe.jpg" }));
    await user.type(await screen.findByRole("combobox", { name: /Right label/ }), "zebra");
    expect(screen.getByText("No label is like “zebra”.")).toBeVisible();
  });
});

describe("a release of one level", () => {
  it("shows the type alone, says which levels there are not and why, and can be marked as right", async () => {
    merger.classify = () => makeAnswer({ typesAlone: true });
    await open("shoe.jpg");
    expect(await screen.findByText("Casual Shoes", { selector: ".path-leaf" })).toBeVisible();
    expect(document.querySelector(".path-parents")).toBeNull();
    expect(
      screen.getByText(/^No master category and no sub category: The catalogue that release 3/),
    ).toBeVisible();
    await user.click(screen.getByRole("button", { name: "shoe.jpg: Casual Shoes is right" }));
    expect(screen.getByText("Checked by you")).toBeVisible();
    expect(document.body.textContent).not.toMatch(/null|undefined/);
  });
});

describe("why", () => {
  it("asks for the label that is shown and says where it rests, in colours and in words", async () => {
    const asked: string[] = [];
    merger.explain = (_, query) => {
      asked.push(query.toString());
      return makeExplanation([0.4, 0.1, 0, 0]);
    };
    const dialog = await openWhy();
    expect(await dialog.findByText(/Casual Shoes rests most on the upper left/)).toBeVisible();
    const opacities = [...document.querySelectorAll(".heat rect")].map((cell) =>
      cell.getAttribute("fill-opacity"),
    );
    expect(opacities).toEqual(["0.7", "0.175", "0", "0"]);
    await user.click(dialog.getByRole("checkbox", { name: "Show the warm parts" }));
    expect(document.querySelector(".heat")).toBeNull();
    await user.click(dialog.getByRole("radio", { name: "Sub category" }));
    await waitFor(() =>
      expect(asked).toEqual(["head=article_type&label=Casual+Shoes", "head=sub_category&label=Shoes"]),
    );
  });

  it("says what went wrong and tries again", async () => {
    merger.explain = () => makeProblem("overloaded", 429);
    const dialog = await openWhy();
    expect(await dialog.findByText("The server is busy with other pictures.")).toBeVisible();
    merger.explain = () => makeExplanation([0, 0, 0, 0]);
    await user.click(dialog.getByRole("button", { name: "Retry" }));
    expect(await dialog.findByText(/No single part decides/)).toBeVisible();
  });

  it("cuts the request off when a person looks no longer", async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const pass = fetch;
    vi.stubGlobal("fetch", (path: string, request: RequestInit) => {
      if (path.startsWith("/v1/explain")) signals.push(request.signal);
      return pass(path, request);
    });
    merger.explain = () => new Promise(() => {});
    const dialog = await openWhy();
    await user.click(dialog.getByRole("button", { name: "Close" }));
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
  });
});

describe("export", () => {
  it("saves all answers, or only those that a person checked", async () => {
    const saved: Blob[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${saved.push(blob as Blob)}`);
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    await open("1.jpg", "2.jpg");
    await screen.findByText("2 pictures done");
    await user.click(screen.getByRole("button", { name: "2.jpg: Casual Shoes is right" }));
    saved.length = 0;
    await user.click(screen.getByRole("button", { name: "Export…" }));
    await user.click(screen.getByRole("button", { name: "Save CSV" }));
    await user.click(screen.getByRole("button", { name: "Export…" }));
    await user.click(screen.getByRole("radio", { name: /Only the 1 you checked/ }));
    await user.click(screen.getByRole("button", { name: "Save CSV" }));
    const rows = await Promise.all(
      saved.map(async (blob) => (await read(blob)).trimEnd().split("\n").length - 1),
    );
    expect(rows).toEqual([2, 1]);
  });
});

const read = (blob: Blob) =>
  new Promise<string>((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result)));
    reader.readAsText(blob);
  });
