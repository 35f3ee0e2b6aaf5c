import { screen, waitFor, within } from "@testing-library/react";

import type { HeadPrediction } from "../api/contract";
import { makeAnswer, makeExplanation, makeHead } from "../test/contract";
import { FakeMerger } from "../test/merger";
import { card, choose, open, user } from "../test/page";

const ATTRIBUTES = [
  makeHead("gender", "Men", 0.96, { other: "Women", threshold: 0.8 }),
  makeHead("base_colour", "Red", 0.41, { column: "baseColour", threshold: 0.7 }),
];

let merger: FakeMerger;

const answerWith = (attributes: HeadPrediction[], more = {}) => {
  merger.classify = () => makeAnswer({ attributes, ...more });
};

/** What stands on the card, by the attribute's name. */
const shown = async (name: string) => {
  const term = await within(card("shoe.jpg")).findByText(name, { selector: ".attributes dt" });
  return [...(term.parentElement?.querySelectorAll("dd") ?? [])].map((cell) => cell.textContent);
};

beforeEach(() => {
  merger = new FakeMerger().install();
  merger.attributes = [
    { head: "gender", column: "gender", labels: ["Women", "Men"] },
    { head: "base_colour", column: "baseColour", labels: ["Blue", "Red"] },
  ];
  answerWith(ATTRIBUTES);
});

describe("attributes", () => {
  it("stand on the card with their confidence, an unsure one as a guess that asks nobody to look", async () => {
    await open("shoe.jpg");
    expect(await shown("Gender")).toEqual(["Men", "96\u00a0%"]);
    expect(await shown("Base colour")).toEqual(["perhaps Red", "41\u00a0%"]);
    expect(screen.queryByText("Needs a look", { selector: "strong" })).toBeNull();
  });

  it("leave no trace where the release has none", async () => {
    answerWith([]);
    await open("shoe.jpg");
    await screen.findByText("Casual Shoes", { selector: ".path-leaf" });
    expect(document.querySelector(".attributes")).toBeNull();
  });

  it("are among the best labels of each head", async () => {
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: "Top 5" }));
    expect(screen.getByRole("heading", { name: "Gender" })).toBeVisible();
    expect(screen.getByText("Women", { selector: ".score-label" })).toBeVisible();
  });

  it("are corrected from their own labels, whatever the path, and can be undone", async () => {
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: "Change the label of shoe.jpg" }));
    await user.selectOptions(await screen.findByRole("combobox", { name: "Gender" }), "Women");
    expect(await shown("Gender")).toEqual(["Women", "by you"]);
    expect(await shown("Base colour")).toEqual(["Red", "41\u00a0%"]);
    expect(screen.getByText("Corrected by you")).toBeVisible();
    await user.click(screen.getByRole("combobox", { name: "Right label for shoe.jpg" }));
    await user.keyboard("hee{Enter}");
    expect(await shown("Gender")).toEqual(["Women", "by you"]);
    expect(screen.getByText("Corrected by you; was Footwear › Shoes › Casual Shoes")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Undo" }));
    expect(await shown("Gender")).toEqual(["Men", "96\u00a0%"]);
  });

  it("can be corrected although the labels were fetched while their model was away", async () => {
    const labels = merger.attributes;
    merger.attributes = [];
    answerWith([]);
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: "Change the label of shoe.jpg" }));
    await screen.findByRole("combobox", { name: /Right label/ });
    expect(screen.queryByRole("combobox", { name: "Gender" })).toBeNull();
    merger.attributes = labels;
    answerWith(ATTRIBUTES);
    await user.click(screen.getByRole("button", { name: "Remove shoe.jpg" }));
    await choose("boot.jpg");
    await user.click(await screen.findByRole("button", { name: "Change the label of boot.jpg" }));
    expect(await screen.findByRole("combobox", { name: "Gender" })).toBeVisible();
  });

  it("show in the list what they are, though a newer release has no such label", async () => {
    merger.attributes = merger.attributes.map((one) => ({ ...one, labels: ["Another"] }));
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: "Change the label of shoe.jpg" }));
    expect(await screen.findByRole("combobox", { name: "Gender" })).toHaveValue("Men");
  });

  it("can be asked what they rest on", async () => {
    const asked: string[] = [];
    merger.explain = (_, query) => {
      asked.push(query.toString());
      return makeExplanation([0.4, 0.1, 0, 0]);
    };
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: /^Why\?/ }));
    await user.click(screen.getByRole("radio", { name: "Base colour" }));
    await waitFor(() => expect(asked.at(-1)).toBe("head=base_colour&label=Red"));
    expect(screen.getByRole("heading", { name: "Why Red?" })).toBeVisible();
  });
});
