import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { strToU8, zipSync } from "fflate";
import { vi } from "vitest";

import { makeAnswer } from "../test/contract";
import { FakeMerger, picture } from "../test/merger";
import { card, names, open, openOver, user } from "../test/page";
import { FakeStore } from "../test/store";

let merger: FakeMerger;

beforeEach(() => {
  localStorage.clear();
  merger = new FakeMerger().install();
});

const press = (keys: string) => user.keyboard(keys);
const leaf = (name: string) => within(card(name)).getByText(/.+/, { selector: ".path-leaf" }).textContent;

describe("work", () => {
  it("is there again when the page is opened anew, labels and all, and asked for no second time", async () => {
    const store = new FakeStore();
    const close = await openOver(store, "a.jpg", "b.jpg");
    await screen.findByText("2 pictures done");
    await user.click(screen.getByRole("button", { name: "a.jpg: Casual Shoes is right" }));
    await waitFor(() => expect(store.labels()).toEqual({ "a.jpg": "Casual Shoes", "b.jpg": undefined }));
    close();
    merger.asked = [];
    await openOver(store, "c.jpg");
    expect(await screen.findByText("3 pictures done")).toBeVisible();
    expect(names()).toEqual(["a.jpg", "b.jpg", "c.jpg"]);
    expect(within(card("a.jpg")).getByText("Checked by you")).toBeVisible();
    expect(merger.asked).toEqual(["c.jpg"]);
  });

  it("says what is lost when there is no room, and warns before the page is left", async () => {
    const store = new FakeStore();
    store.room = 1;
    await openOver(store, "a.jpg", "b.jpg");
    expect(await screen.findByText(/loses 1 of 2 pictures.*no more room/)).toBeVisible();
    expect(isWarned()).toBe(false);
    await user.click(await screen.findByRole("button", { name: "a.jpg: Casual Shoes is right" }));
    expect(isWarned()).toBe(true);
  });

  it("warns of nothing where all is kept", async () => {
    await open("a.jpg");
    await user.click(await screen.findByRole("button", { name: "a.jpg: Casual Shoes is right" }));
    expect(await screen.findByText(/stay in this browser/)).toBeVisible();
    expect(isWarned()).toBe(false);
  });
});

const isWarned = () => !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));

describe("undo", () => {
  it("brings a removed picture back to its place with its answer", async () => {
    await open("a.jpg", "b.jpg", "c.jpg");
    await screen.findByText("3 pictures done");
    const revoke = vi.spyOn(URL, "revokeObjectURL");
    await user.click(screen.getByRole("button", { name: "Remove b.jpg" }));
    await user.click(screen.getByRole("button", { name: "Undo: Removed b.jpg." }));
    expect(names()).toEqual(["a.jpg", "b.jpg", "c.jpg"]);
    expect(leaf("b.jpg")).toBe("Casual Shoes");
    expect(revoke).not.toHaveBeenCalled();
    expect(merger.asked).toHaveLength(3);
    await user.click(screen.getByRole("button", { name: "Remove b.jpg" }));
    await user.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(revoke).toHaveBeenCalledTimes(1);
  });

  it("asks anew for a picture that was removed before it had an answer", async () => {
    merger.classify = () => new Promise(() => {});
    await open("a.jpg", "b.jpg");
    await waitFor(() => expect(merger.asked).toHaveLength(2));
    await user.click(screen.getByRole("button", { name: "Remove b.jpg" }));
    merger.classify = () => makeAnswer();
    await user.click(screen.getByRole("button", { name: "Undo: Removed b.jpg." }));
    await waitFor(() => expect(leaf("b.jpg")).toBe("Casual Shoes"));
  });

  it("brings all back after all were removed", async () => {
    await open("a.jpg", "b.jpg");
    await screen.findByText("2 pictures done");
    await user.click(screen.getByRole("button", { name: "Remove all" }));
    await user.click(screen.getByRole("button", { name: "Undo: Removed 2 pictures." }));
    expect(names()).toEqual(["a.jpg", "b.jpg"]);
  });
});

const select = async (...some: string[]) => {
  for (const name of some) {
    // oxlint-disable-next-line no-await-in-loop
    await user.click(screen.getByRole("checkbox", { name: `Select ${name}` }));
  }
};
const bar = () => within(screen.getByRole("group", { name: "Selected pictures" }));

describe("several at once", () => {
  beforeEach(async () => {
    await open("a.jpg", "b.jpg", "c.jpg", "d.jpg");
    await screen.findByText("4 pictures done");
  });

  it("are marked as right but for those that a person has checked, and that is one step back", async () => {
    await user.click(screen.getByRole("button", { name: "a.jpg: Casual Shoes is right" }));
    await select("a.jpg", "b.jpg", "c.jpg");
    await user.click(bar().getByRole("button", { name: "2 right" }));
    expect(screen.getByText("3 checked by you")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Undo: Marked 2 answers as right." }));
    expect(screen.getByText("1 checked by you")).toBeVisible();
  });

  it("keep on undo the label that a person gave one of them afterwards", async () => {
    await select("a.jpg", "b.jpg");
    await user.click(bar().getByRole("button", { name: "2 right" }));
    await user.click(screen.getByRole("button", { name: "Change the label of b.jpg" }));
    await screen.findByRole("combobox", { name: "Right label for b.jpg" });
    await press("hee{Enter}");
    await user.click(screen.getByRole("button", { name: "Undo: Marked 2 answers as right." }));
    expect(leaf("b.jpg")).toBe("Heels");
    expect(screen.getByText("1 checked by you · 1 corrected")).toBeVisible();
  });

  it("get one label", async () => {
    await select("b.jpg", "d.jpg");
    await user.click(bar().getByRole("button", { name: "Change label…" }));
    await screen.findByRole("combobox", { name: "Right label for 2 pictures" });
    await press("hee{Enter}");
    expect(["a.jpg", "b.jpg", "c.jpg", "d.jpg"].map(leaf)).toEqual([
      "Casual Shoes",
      "Heels",
      "Casual Shoes",
      "Heels",
    ]);
  });

  it("are removed, a range by the shift key", async () => {
    await select("b.jpg");
    await user.keyboard("{Shift>}");
    await select("d.jpg");
    await user.keyboard("{/Shift}");
    expect(bar().getByText("3 pictures selected")).toBeVisible();
    await user.click(bar().getByRole("button", { name: "Remove" }));
    expect(names()).toEqual(["a.jpg"]);
  });

  it("are exported alone", async () => {
    const saved: Blob[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${saved.push(blob as Blob)}`);
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    await select("b.jpg", "d.jpg");
    await user.click(bar().getByRole("button", { name: "Export selected…" }));
    await user.click(screen.getByRole("button", { name: "Save CSV" }));
    const bytes = new Uint8Array(await saved[0]!.arrayBuffer());
    expect([...bytes].slice(0, 3)).toEqual([0xef, 0xbb, 0xbf]); // or Excel takes no umlauts
    const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
    expect(lines.slice(1).map((line) => line.split(",")[0])).toEqual(["b", "d"]);
  });

  it("are all that are shown, and none that a filter hides", async () => {
    await user.click(screen.getByRole("button", { name: "Select all 4" }));
    expect(bar().getByText("4 pictures selected")).toBeVisible();
    await user.click(screen.getByRole("radio", { name: /Failed/ }));
    expect(screen.queryByRole("group", { name: "Selected pictures" })).toBeNull();
  });
});

describe("keys", () => {
  it("move between pictures, mark, select and remove the one that has the keyboard", async () => {
    await open("a.jpg", "b.jpg", "c.jpg");
    await screen.findByText("3 pictures done");
    await press("jj");
    expect(card("b.jpg")).toHaveFocus();
    await press("a");
    expect(within(card("b.jpg")).getByText("Checked by you")).toBeVisible();
    await press("jx");
    expect(screen.getByRole("checkbox", { name: "Select c.jpg" })).toBeChecked();
    await press("k{Backspace}");
    expect(names()).toEqual(["a.jpg", "c.jpg"]);
    await press("z");
    expect(names()).toEqual(["a.jpg", "b.jpg", "c.jpg"]);
  });

  it("are listed by ?, do nothing where somebody types, and can be turned off", async () => {
    await open("a.jpg", "b.jpg");
    await screen.findByText("2 pictures done");
    await press("jc");
    const typed = await screen.findByRole("combobox", { name: /Right label/ });
    await press("jx?");
    expect(typed).toHaveValue("jx?");
    await press("{Escape}?");
    const help = within(screen.getByRole("dialog", { name: "Keys" }));
    expect(help.getByText("Next picture")).toBeVisible();
    await user.click(help.getByRole("checkbox", { name: "Single keys do this" }));
    await user.click(help.getByRole("button", { name: "Close" }));
    await press("j");
    expect(card("a.jpg")).not.toHaveFocus();
    expect(card("b.jpg")).not.toHaveFocus();
  });
});

describe("keys with caps lock on", () => {
  it("are the same keys: those of the selected are with shift alone", async () => {
    await open("a.jpg", "b.jpg");
    await screen.findByText("2 pictures done");
    await select("a.jpg", "b.jpg");
    card("b.jpg").focus();
    fireEvent.keyDown(card("b.jpg"), { key: "A", modifierCapsLock: true });
    expect(screen.getByText("1 checked by you")).toBeVisible();
    fireEvent.keyDown(card("b.jpg"), { key: "a", modifierCapsLock: true, shiftKey: true });
    expect(screen.getByText("2 checked by you")).toBeVisible();
  });
});

describe("the slider's words", () => {
  it("count by reason what the filter shows, and mark the same in the chart", async () => {
    const likes = { "a.jpg": { confidence: 0.5 }, "b.jpg": { disagree: true }, "c.jpg": {} };
    merger.classify = (name) => makeAnswer(likes[name as keyof typeof likes]);
    await open("a.jpg", "b.jpg", "c.jpg");
    const words = await screen.findByText(
      /2 of 3 answers need a look: 1 below 62\s%, 1 for another reason alone/,
    );
    expect(screen.getByRole("slider")).toHaveAccessibleDescription(/1 for another reason alone/);
    fireEvent.change(screen.getByRole("slider"), { target: { value: "40" } });
    expect(words).toHaveTextContent(
      /^1 of 3 answers needs a look: 0 below 40\s%, 1 for another reason alone$/,
    );
    await user.click(screen.getByRole("radio", { name: "Needs a look 1" }));
    expect(names()).toEqual(["b.jpg"]);
    const below = [...document.querySelectorAll(".bin-below")].map((rect) =>
      Number(rect.getAttribute("height")),
    );
    expect(below.every((height) => height === 0)).toBe(true);
  });
});

describe("zips", () => {
  it("are opened where they are dropped; what is no picture is named until it is dismissed", async () => {
    await open();
    const zip = zipSync({ "in/1.jpg": strToU8("1.jpg"), "in/styles.csv": strToU8("id") });
    const files = [new File([zip as BlobPart], "shop.zip"), picture("2.jpg")];
    fireEvent.drop(document.body, { dataTransfer: { files, items: [], types: ["Files"] } });
    expect(await screen.findByText("2 pictures done")).toBeVisible();
    expect(names()).toEqual(["1.jpg", "2.jpg"]);
    expect(screen.getByText("Left out: shop.zip: in/styles.csv is no picture.")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(screen.queryByText(/Left out/)).toBeNull();
  });
});
