import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { vi } from "vitest";

import { makeProblem } from "../test/contract";
import { FakeMerger } from "../test/merger";
import { open as openPictures, user } from "../test/page";
import { FakeQueue } from "../test/queue";
import { ReviewPage } from "./ReviewPage";

let merger: FakeMerger;

beforeEach(() => {
  localStorage.clear();
  localStorage.setItem("lookbook-reviewer", "Anna");
  merger = new FakeMerger().install();
});

/** Opens the page over a queue and waits for the first card. */
async function open(queue: FakeQueue) {
  merger.queue = queue;
  const { unmount } = render(<ReviewPage />);
  await answerIs(/./);
  return unmount;
}

const answerIs = (words: RegExp | string) => screen.findByRole("heading", { level: 2, name: words });
const press = (keys: string) => user.keyboard(keys);
const decided = () =>
  within(screen.getByRole("table"))
    .getAllByRole("row")
    .slice(1)
    .map((row) =>
      within(row)
        .getAllByRole("cell")
        .slice(0, 3)
        .map(({ textContent }) => textContent),
    );

describe("the review page", () => {
  it("is decided with single keys, and each decision says what, who and when", async () => {
    const queue = new FakeQueue({}, { type: "Heels" }, { type: "Watches" }, { type: "Shirts" });
    await open(queue);
    await press("{Enter}");
    await answerIs("Heels");
    await press("2");
    await answerIs("Watches");
    await press("u");
    await answerIs("Shirts");
    expect(queue.decisions).toEqual(["Casual Shoes by Anna", "Sports Shoes by Anna", "unknown by Anna"]);
    await waitFor(() => expect(decided()).toHaveLength(3));
    expect(decided()[0]).toEqual(["Nobody can tell", "was Accessories / Watches", "Anna"]);
    expect(decided()[2]).toEqual(["Casual Shoes, as answered", "", "Anna"]);
    expect(screen.getAllByText(new Date("2026-11-29T09:00:00Z").toLocaleString())).toHaveLength(3);
  });

  it("undoes the last decision and puts its card back on the desk; the one that was there is anybody's", async () => {
    const queue = new FakeQueue({}, { type: "Heels" }, { type: "Shirts" });
    await open(queue);
    await press("{Enter}");
    await answerIs("Heels");
    await press("z");
    await answerIs("Casual Shoes");
    expect(queue.decisions).toEqual([]);
    expect(queue.leased).toEqual([1]);
    expect(screen.getByRole("button", { name: /^Undo my last/ })).toBeDisabled();
  });

  it("takes any label by search, and one that the release does not know as it is typed", async () => {
    const queue = new FakeQueue({}, { type: "Heels" }, { type: "Shirts" });
    await open(queue);
    await press("n");
    await screen.findByRole("combobox", { name: /Right label/ });
    await press("watch{Enter}");
    await answerIs("Heels");
    await press("n");
    await screen.findByRole("combobox", { name: /Right label/ });
    await press("<b>Clogs</b{Enter}");
    expect(queue.decisions).toHaveLength(1);
    await press(">");
    expect(screen.getByRole("option", { name: /“<b>Clogs<\/b>” A new label/ })).toBeVisible();
    await press("{ArrowDown}{Enter}");
    await answerIs("Shirts");
    expect(queue.decisions).toEqual(["Watches by Anna", "<b>Clogs</b> by Anna"]);
    expect(await screen.findByText("<b>Clogs</b> (a new label)")).toBeVisible();
  });

  it("asks once who decides, and keeps it", async () => {
    localStorage.clear();
    merger.queue = new FakeQueue({});
    const { unmount } = render(<ReviewPage />);
    await user.type(await screen.findByRole("textbox", { name: "Who decides?" }), " Berta {Enter}");
    await answerIs("Casual Shoes");
    unmount();
    render(<ReviewPage />);
    await answerIs("Casual Shoes");
    await press("{Enter}");
    await waitFor(() => expect(merger.queue?.decisions).toEqual(["Casual Shoes by Berta"]));
  });

  it("shows two people two cards, and gives back what nobody decided when it is closed", async () => {
    const queue = new FakeQueue({}, { type: "Heels" });
    const close = await open(queue);
    render(<ReviewPage />);
    await answerIs("Heels");
    expect(queue.leased).toEqual([1, 2]);
    close();
    await waitFor(() => expect(queue.leased).toEqual([2]));
  });

  it("leaves a card for later, and goes on with the next", async () => {
    const queue = new FakeQueue({}, { type: "Heels" });
    await open(queue);
    await press("l");
    await answerIs("Heels");
    expect(queue.leased).toEqual([1, 2]);
  });

  it("shows the cards of one reason, with how many each has", async () => {
    const queue = new FakeQueue({}, { type: "Heels", disagree: true });
    await open(queue);
    await user.click(screen.getByRole("radio", { name: "Contradictory 1" }));
    await answerIs("Heels");
    expect(queue.leased).toEqual([2]);
  });

  it("says that the queue is empty, and shows what comes", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      merger.queue = new FakeQueue();
      render(<ReviewPage />);
      expect(await screen.findByText(/Nothing to decide/)).toBeVisible();
      merger.queue = new FakeQueue({});
      await act(() => vi.advanceTimersByTimeAsync(3_000));
      await answerIs("Casual Shoes");
    } finally {
      vi.useRealTimers();
    }
  });

  it("says that a card is lost when somebody else got it, and goes on", async () => {
    const queue = new FakeQueue({}, { type: "Heels" });
    await open(queue);
    queue.take(1);
    await press("{Enter}");
    expect(await screen.findByText("This card is not yours any more.")).toBeVisible();
    expect(queue.decisions).toEqual([]);
    await press("{Enter}");
    await answerIs("Heels");
  });

  it("puts a card away when its time is over, and takes no other unasked", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      const queue = new FakeQueue({}, { type: "Heels" });
      await open(queue);
      await act(() => vi.advanceTimersByTimeAsync(queue.leaseMs));
      expect(await screen.findByText(/Your time for it is over/)).toBeVisible();
      expect(screen.queryByRole("img")).toBeNull();
      expect(queue.leased).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    [
      "the store is away",
      makeProblem("review_unavailable", 503, { title: "The review store is unavailable" }),
    ],
    ["the network is", new TypeError("Failed to fetch")],
  ])("keeps the card and says so when a decision cannot be kept since %s", async (_, problem) => {
    const queue = new FakeQueue({}, { type: "Heels" });
    await open(queue);
    queue.trouble = { at: "/decision", problem };
    await press("{Enter}");
    expect(await screen.findByText(/Your decision was not kept; the card is still yours/)).toBeVisible();
    expect(screen.getByText(/The review store is unavailable|The server does not answer/)).toBeVisible();
    queue.trouble = null;
    await press("{Enter}");
    await answerIs("Heels");
    expect(queue.decisions).toEqual(["Casual Shoes by Anna"]);
  });

  it("says that the store is away where there is no card, and comes back by itself", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      merger.queue = new FakeQueue({});
      const title = "The review store is unavailable";
      merger.queue.trouble = { at: "/v1/review", problem: makeProblem("review_unavailable", 503, { title }) };
      render(<ReviewPage />);
      expect(await screen.findByText(/The queue cannot be had/)).toBeVisible();
      merger.queue.trouble = null;
      await act(() => vi.advanceTimersByTimeAsync(3_000));
      await answerIs("Casual Shoes");
    } finally {
      vi.useRealTimers();
    }
  });

  it("says how a store is set where the server has none", async () => {
    render(<ReviewPage />);
    expect(await screen.findByText(/LOOKBOOK_REVIEW_STORE=postgresql/)).toBeVisible();
    expect(screen.getByText(/--review-store build\/review\.sqlite/)).toBeVisible();
    expect(screen.queryByRole("textbox")).toBeNull();
  });

  it("says that one may not, and asks for the API key that is wanted", async () => {
    merger.queue = new FakeQueue({});
    merger.key = "secret";
    render(<ReviewPage />);
    await user.type(await screen.findByLabelText("This server wants an API key."), "secret{Enter}");
    await answerIs("Casual Shoes");
    merger.queue.trouble = { at: "/v1/review", problem: makeProblem("forbidden", 403) };
    render(<ReviewPage />);
    expect(await screen.findByText("Detail of forbidden")).toBeVisible();
    sessionStorage.clear();
  });

  it("does nothing by a key that is held or typed, and by Enter what the button says that has the focus", async () => {
    const queue = new FakeQueue({}, { type: "Heels" }, { type: "Shirts" });
    await open(queue);
    fireEvent.keyDown(document.body, { key: "Enter", repeat: true });
    await press("n");
    await screen.findByRole("combobox", { name: /Right label/ });
    await press("u1z{Escape}");
    expect(queue.decisions).toEqual([]);
    screen.getByRole("button", { name: /^Can’t tell/ }).focus();
    await press("{Enter}");
    await answerIs("Heels");
    expect(queue.decisions).toEqual(["unknown by Anna"]);
  });

  it("lists its keys", async () => {
    await open(new FakeQueue({}));
    await press("?");
    expect(within(screen.getByRole("dialog", { name: "Keys" })).getByText("Nobody can tell")).toBeVisible();
  });
});

describe("the page of pictures", () => {
  it("leads to the review page where the server keeps a queue that one may see", async () => {
    merger.queue = new FakeQueue({});
    await openPictures();
    expect(await screen.findByRole("link", { name: "Review" })).toHaveAttribute("href", "/review");
    cleanup();
    merger.queue.trouble = { at: "/v1/review", problem: makeProblem("review_unavailable", 503) };
    await openPictures();
    expect(await screen.findByRole("link", { name: "Review" })).toBeVisible();
  });

  it("does not where it keeps none", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    await openPictures();
    await waitFor(() => expect(fetched.mock.calls.flat()).toContain("/v1/review/cards?limit=1"));
    await screen.findByText("Ready · release 3");
    expect(screen.queryByRole("link", { name: "Review" })).toBeNull();
  });
});
