import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";

import { DARK, PHONE, assertAccessible, closePage, launch, openPage } from "./browser.mjs";
import { pathTo, startMerger } from "./merger.mjs";

describe("The review page over the real stack", () => {
  let merger;
  let browser;
  let folder;
  let store;
  let sent = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "lookbook-"));
    store = join(folder, "review.sqlite");
    merger = await startMerger({ settings: { LOOKBOOK_REVIEW_STORE: store } });
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await merger?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await storeIsOpen();
    const { cards } = await listed();
    await Promise.all(
      cards.map(({ id }) => fetch(`${merger.url}/v1/review/cards/${id}`, { method: "DELETE" })),
    );
  });

  const listed = async () => (await fetch(`${merger.url}/v1/review/cards?limit=100`)).json();

  const storeIsOpen = async () => {
    while (!(await listed()).counts) await new Promise((resolve) => setTimeout(resolve, 50));
  };

  /** Asks about so many unsure pictures, each other bytes, until the store has them. */
  async function ask(count) {
    for (let n = 0; n < count; n++) {
      const body = Buffer.concat([readFileSync(pathTo("grey-1.jpg")), Buffer.from(`${++sent}`)]);
      const reply = await fetch(`${merger.url}/v1/classify`, { method: "POST", body });
      assert.equal((await reply.json()).review.needed, true);
    }
    while ((await listed()).counts.open < count) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** The review page of somebody with a browser of their own. */
  async function openReview(name, options = {}) {
    const page = await openPage(browser, merger.url, options);
    await page.getByRole("link", { name: "Review" }).click();
    await page.getByRole("textbox", { name: "Who decides?" }).fill(name);
    await page.keyboard.press("Enter");
    return page;
  }

  const card = (page) => page.getByRole("article");
  const shown = (page) =>
    page.waitForFunction(() => document.querySelector(".review-photo img")?.naturalWidth === 60);
  const row = (page, index) => page.locator(".decided tbody tr").nth(index);

  it("is decided with the keyboard alone, says who and when, and takes it back", async () => {
    await ask(3);
    const page = await openReview("Anna");
    await shown(page);
    await page.getByRole("radio", { name: "All 3" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("radio", { name: "All 2" }).waitFor();
    await page.keyboard.press("2");
    await page.getByRole("radio", { name: "All 1" }).waitFor();
    await page.keyboard.press("n");
    await page.getByRole("combobox", { name: /Right label/ }).waitFor();
    await page.keyboard.type("Clogs <i>");
    await page.getByRole("option", { name: /“Clogs <i>”/ }).click();
    await page.getByText(/Nothing to decide/).waitFor();
    await row(page, 0).getByText("Clogs <i> (a new label)").waitFor();
    assert.match(await row(page, 0).innerText(), /Anna/);
    const { decisions } = await (await fetch(`${merger.url}/v1/review/decisions`)).json();
    assert.deepEqual(
      decisions.slice(-3).map(({ decision, by }) => [decision, by]),
      [
        ["accepted", "Anna"],
        ["corrected", "Anna"],
        ["new_label", "Anna"],
      ],
    );
    await page.keyboard.press("z");
    await card(page).waitFor();
    await page.keyboard.press("u");
    await row(page, 0).getByText("Nobody can tell").waitFor();
    await page.reload();
    await page.getByText("You are Anna").waitFor();
    await closePage(page);
  });

  it("never shows two people the same card, and gives back what is left undecided", async () => {
    await ask(2);
    const people = await Promise.all(["Anna", "Bo"].map((name) => openReview(name)));
    await Promise.all(people.map(shown));
    assert.equal((await listed()).counts.leased, 2);
    const [anna, bo] = people;
    await anna.keyboard.press("u");
    await anna.getByText(/Others have what is left/).waitFor();
    await closePage(bo);
    await shown(anna);
    await anna.keyboard.press("u");
    await anna.getByText(/Nothing to decide/).waitFor();
    await closePage(anna);
  });

  it("says that the server is gone, keeps the card, and goes on when it is back", async () => {
    await ask(2);
    const page = await openReview("Anna");
    await shown(page);
    await merger.stop();
    await page.keyboard.press("Enter");
    await page.getByText(/Your decision was not kept; the card is still yours/).waitFor();
    await assertAccessible(page, "server gone");
    merger = await startMerger({
      port: merger.port,
      settings: { LOOKBOOK_REVIEW_STORE: store },
    });
    await storeIsOpen();
    await page.keyboard.press("Enter");
    await page.getByRole("radio", { name: "All 1" }).waitFor();
    await closePage(page);
  });

  it("puts a card away whose time is over", async () => {
    await ask(1);
    const short = { LOOKBOOK_REVIEW_STORE: store, LOOKBOOK_REVIEW_LEASE_MS: "5000" };
    await merger.stop();
    merger = await startMerger({ port: merger.port, settings: short });
    const page = await openReview("Anna");
    await page.getByText(/Your time for it is over/).waitFor();
    assert.equal(await page.locator(".review-photo").count(), 0);
    await page.keyboard.press("Enter");
    await card(page).waitFor();
    await closePage(page);
  });

  for (const [look, options] of Object.entries({ light: {}, dark: DARK, phone: PHONE })) {
    it(`has nothing that axe finds wrong and fits the window, ${look}`, async () => {
      await ask(2);
      const page = await openPage(browser, merger.url, options);
      await page.goto(`${merger.url}/review`);
      await page.getByRole("textbox", { name: "Who decides?" }).waitFor();
      await assertAccessible(page, "who decides");
      await page.getByRole("textbox", { name: "Who decides?" }).fill("Anna");
      await page.keyboard.press("Enter");
      await shown(page);
      await page.keyboard.press("Enter");
      await page.getByRole("radio", { name: "All 1" }).waitFor();
      await row(page, 0).waitFor();
      await shown(page);
      await page.keyboard.press("n");
      await page.getByRole("listbox").getByRole("option").first().waitFor();
      await assertAccessible(page, "a card, the label search and decisions");
      const [inside, outside] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ]);
      assert.equal(inside, outside);
      await closePage(page);
    });
  }

  it("says how a store is set where there is none", async () => {
    const without = await startMerger();
    const page = await openPage(browser, without.url);
    await page.getByText("Ready · release 1").waitFor();
    await page.goto(`${without.url}/review`);
    await page.getByText("LOOKBOOK_REVIEW_STORE=postgresql").waitFor();
    await assertAccessible(page, "no store");
    await closePage(page);
    await without.stop();
  });
});
