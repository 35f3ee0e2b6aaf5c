import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { vi } from "vitest";

import type { Answer } from "../api/contract";
import { type AnswerLike, makeAnswer, makeModels, makeProblem } from "../test/contract";
import { FakeMerger, picture } from "../test/merger";
import { card, names, open, user } from "../test/page";

let merger: FakeMerger;

beforeEach(() => {
  merger = new FakeMerger().install();
});

/** Makes the merger answer by the picture's name. */
const answers = (likes: Record<string, AnswerLike>) => {
  merger.classify = (name) => makeAnswer(likes[name] ?? {});
};

describe("one picture", () => {
  it("shows the path, how sure each level is, the release and the time", async () => {
    await open("shoe.jpg");
    const shoe = within(card("shoe.jpg"));
    expect(await shoe.findByText("Casual Shoes", { selector: ".path-leaf" })).toBeVisible();
    expect(shoe.getByText(/Footwear › Shoes ›/)).toBeVisible();
    expect(shoe.getByText("87 %")).toBeVisible();
    expect(shoe.getByText(/Release 3 · 12 ms/)).toBeVisible();
  });

  it("shows the best labels of each head on demand", async () => {
    await open("shoe.jpg");
    const toggle = await screen.findByRole("button", { name: "Top 5" });
    expect(screen.queryByText("Sports Shoes")).toBeNull();
    await user.click(toggle);
    expect(screen.getByText("Sports Shoes")).toBeVisible();
    expect(screen.getByText("13 %")).toBeVisible();
  });

  it("says plainly that it needs a look and why, and offers the type only as a guess", async () => {
    answers({ "shoe.jpg": { confidence: 0.41 } });
    await open("shoe.jpg");
    expect(await screen.findByText("Unsure of the article type: 41 %, where 62 % is enough.")).toBeVisible();
    expect(screen.getByText("perhaps Casual Shoes")).toBeVisible();
  });

  it("notes that the two models disagree", async () => {
    answers({ "shoe.jpg": { disagree: true } });
    await open("shoe.jpg");
    expect(await screen.findByText("The two models contradict each other.")).toBeVisible();
  });

  it("says that the release is a trial, before any picture and all the while", async () => {
    merger.models = () => makeModels(true, true);
    await open();
    expect(await screen.findByText("TRIAL · release 3")).toBeVisible();
    expect(screen.getByText(/too few pictures/)).toBeVisible();
  });

  it("tells a screen reader what came out", async () => {
    await open("shoe.jpg");
    expect(await screen.findByText("shoe.jpg: Footwear › Shoes › Casual Shoes.")).toHaveAttribute(
      "aria-live",
      "polite",
    );
  });
});

describe("what goes wrong", () => {
  it("says what a wrong file is and offers no retry", async () => {
    merger.classify = () => makeProblem("image_unsupported", 415);
    await open("notes.jpg");
    expect(await screen.findByText(/Detail of image_unsupported/)).toBeVisible();
    expect(screen.queryByRole("button", { name: /Retry/ })).toBeNull();
  });

  it("retries a picture that failed for want of a server", async () => {
    merger.classify = () => new TypeError("Failed to fetch");
    await open("shoe.jpg");
    await screen.findByText("The server does not answer.");
    merger.classify = () => makeAnswer();
    await user.click(screen.getByRole("button", { name: "Retry shoe.jpg" }));
    expect(await screen.findByText("Casual Shoes", { selector: ".path-leaf" })).toBeVisible();
  });

  it("takes an answer from one model when the other is away and a person wants it", async () => {
    merger.classify = (_, query) =>
      query.get("allow_partial") === "true"
        ? makeAnswer({ withoutType: true })
        : makeProblem("model_unavailable", 503, { model: "article_type" });
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: "Use one model" }));
    expect(await screen.findByText("Shoes", { selector: ".path-leaf" })).toBeVisible();
    expect(screen.getByText(/one model only/)).toBeVisible();
    expect(screen.queryByRole("button", { name: /is right/ })).toBeNull();
  });

  it("says that the models are not ready, and what the server says of them", async () => {
    merger.models = () => makeModels(false);
    await open();
    expect(await screen.findByText("The models are not ready yet.")).toBeVisible();
    await user.click(screen.getByText("What the server says"));
    expect(screen.getAllByText(/It is loading/)[0]).toBeVisible();
  });

  it("says that the server is gone", async () => {
    merger.models = () => new TypeError("Failed to fetch");
    await open();
    expect(await screen.findByText("The server does not answer.")).toBeVisible();
    expect(screen.getByText("No connection")).toBeVisible();
  });
});

describe("many pictures", () => {
  it("keeps them in the order in which they were added, though answers come in another", async () => {
    const waiting = new Map<string, (answer: Answer) => void>();
    merger.classify = (name) => new Promise((resolve) => waiting.set(name, resolve));
    await open("a.jpg", "b.jpg", "c.jpg");
    await waitFor(() => expect(waiting.size).toBe(3));
    waiting.get("c.jpg")?.(makeAnswer({ type: "Heels" }));
    expect(await within(card("c.jpg")).findByText("Heels", { selector: ".path-leaf" })).toBeVisible();
    expect(screen.getByText("1 of 3 done")).toBeVisible();
    expect(names()).toEqual(["a.jpg", "b.jpg", "c.jpg"]);
    waiting.get("a.jpg")?.(makeAnswer());
    waiting.get("b.jpg")?.(makeAnswer());
    expect(await screen.findByText("3 pictures done")).toBeVisible();
  });

  it("fails one with a reason and answers the others", async () => {
    merger.classify = (name) => (name === "b.jpg" ? makeProblem("image_undecodable", 422) : makeAnswer());
    await open("a.jpg", "b.jpg", "c.jpg");
    expect(await within(card("b.jpg")).findByText(/Detail of image_undecodable/)).toBeVisible();
    expect(await screen.findByText("3 pictures done")).toBeVisible();
    expect(screen.getByText("1 failed")).toBeVisible();
  });

  it("retries all that failed at once", async () => {
    merger.classify = () => new TypeError("Failed to fetch");
    await open("a.jpg", "b.jpg");
    const retry = await screen.findByRole("button", { name: "Retry 2 failed" });
    merger.classify = () => makeAnswer();
    await user.click(retry);
    expect(await screen.findByText("Nothing needs a look")).toBeVisible();
  });

  it("tells how many would need a look at another threshold, and goes back to the model's own", async () => {
    answers({ "a.jpg": { confidence: 0.5 }, "b.jpg": { confidence: 0.7 }, "c.jpg": { confidence: 0.9 } });
    await open("a.jpg", "b.jpg", "c.jpg");
    const slider = await screen.findByRole("slider", { name: /less sure than 62\s%/ });
    await waitFor(() =>
      expect(slider).toHaveAttribute("aria-valuetext", "62\u00a0%: 1 of 3 pictures need a look"),
    );
    fireEvent.change(slider, { target: { value: "80" } });
    expect(slider).toHaveAttribute("aria-valuetext", "80\u00a0%: 2 of 3 pictures need a look");
    expect(
      within(card("b.jpg")).getByText("Unsure of the article type: 70 %, where 80 % is enough."),
    ).toBeVisible();
    await user.click(screen.getByRole("button", { name: /Back to the model’s own/ }));
    expect(slider).toHaveValue("62");
  });

  it("filters and sorts", async () => {
    answers({ "a.jpg": { confidence: 0.5 }, "b.jpg": { confidence: 0.9 }, "c.jpg": { confidence: 0.2 } });
    await open("a.jpg", "b.jpg", "c.jpg");
    await screen.findByText("3 pictures done");
    await user.click(screen.getByRole("radio", { name: "Needs a look 2" }));
    expect(names()).toEqual(["a.jpg", "c.jpg"]);
    await user.selectOptions(screen.getByRole("combobox", { name: "Order" }), "Least sure first");
    expect(names()).toEqual(["c.jpg", "a.jpg"]);
    await user.click(screen.getByRole("radio", { name: /Failed/ }));
    expect(screen.getByText(/No picture is like that/)).toBeVisible();
  });

  it("keeps the keyboard in the list when a checked picture leaves the filter", async () => {
    answers({ "a.jpg": { confidence: 0.5 }, "b.jpg": { confidence: 0.4 } });
    await open("a.jpg", "b.jpg");
    await screen.findByText("2 pictures done");
    await user.click(screen.getByRole("radio", { name: "Needs a look 2" }));
    screen.getByRole("button", { name: "a.jpg: Casual Shoes is right" }).focus();
    await user.keyboard("{Enter}");
    expect(names()).toEqual(["b.jpg"]);
    expect(screen.getByRole("button", { name: "b.jpg: Casual Shoes is right" })).toHaveFocus();
  });

  it("removes one, and all after asking when labels would be lost", async () => {
    await open("a.jpg", "b.jpg", "c.jpg");
    await screen.findByText("3 pictures done");
    await user.click(screen.getByRole("button", { name: "Remove b.jpg" }));
    expect(names()).toEqual(["a.jpg", "c.jpg"]);
    await user.click(screen.getByRole("button", { name: "a.jpg: Casual Shoes is right" }));
    const confirm = vi.spyOn(window, "confirm").mockReturnValueOnce(false).mockReturnValueOnce(true);
    await user.click(screen.getByRole("button", { name: "Remove all" }));
    expect(names()).toHaveLength(2);
    await user.click(screen.getByRole("button", { name: "Remove all" }));
    expect(confirm).toHaveBeenCalledTimes(2);
    expect(screen.getByText("Drop a photo, see what it is.")).toBeVisible();
  });
});

describe("adding", () => {
  it("takes pictures that are dropped anywhere or pasted", async () => {
    await open();
    const dropped = { files: [picture("dropped.jpg")], items: [], types: ["Files"] };
    fireEvent.drop(document.body, { dataTransfer: dropped });
    expect(await screen.findByRole("listitem", { name: "dropped.jpg" })).toBeVisible();
    fireEvent.paste(document.body, { clipboardData: { files: [picture("copied.jpg")] } });
    expect(await screen.findByRole("listitem", { name: "copied.jpg" })).toBeVisible();
    await waitFor(() => expect(merger.asked).toEqual(["dropped.jpg", "copied.jpg"]));
  });

  it("leaves words that are pasted into a field to it, though a picture of them comes along", async () => {
    await open("shoe.jpg");
    await user.click(await screen.findByRole("button", { name: "Product name of shoe.jpg" }));
    const clipboardData = { files: [picture("image.png")], types: ["text/plain", "Files"] };
    fireEvent.paste(screen.getByLabelText("What the product on shoe.jpg is called"), { clipboardData });
    fireEvent.paste(document.body, { clipboardData: { files: [picture("copied.jpg")] } });
    await waitFor(() => expect(merger.asked).toEqual(["shoe.jpg", "copied.jpg"]));
  });

  it("leaves a drag without files alone", async () => {
    await open();
    await screen.findByText(/Ready/);
    const isFree = fireEvent.dragOver(document.body, {
      dataTransfer: { files: [], items: [], types: ["text/plain"] },
    });
    expect(isFree).toBe(true);
  });
});
