import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import {
  DARK,
  PHONE,
  allDone,
  assertAccessible,
  card,
  choose,
  closePage,
  launch,
  openPage,
} from "./browser.mjs";
import { TRUTH, pathTo, startMerger } from "./merger.mjs";

const NAMES = Object.keys(TRUTH).slice(0, 4);
const UNSURE = ["grey-1.jpg", "grey-2.jpg", "grey-3.jpg", "grey-4.jpg"];

describe("The page for everyone", () => {
  let merger;
  let browser;
  let page;

  before(async () => {
    merger = await startMerger();
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await merger?.stop();
  });

  it("can be used from picture to export with the keyboard alone", async () => {
    page = await openPage(browser, merger.url);
    const chooser = page.waitForEvent("filechooser"); // Chromium must know of it before the key is pressed
    await page.getByText("Ready · release 1").waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Choose pictures");
    await page.keyboard.press("Enter");
    await (await chooser).setFiles(UNSURE.map(pathTo));
    await allDone(page, 4);

    await tabTo(page, "All 4");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.locator("li.card").count(), 4, "all need a look");
    await tabTo(page, new RegExp(`^${UNSURE[0]}: .* is right$`));
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("li.card").count(), 3, "the checked one is gone from the filter");
    assert.match(
      await focused(page),
      new RegExp(`^${UNSURE[1]}: .* is right$`),
      "and the next one has the focus",
    );

    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("listbox").getByRole("option").first().waitFor();
    await page.keyboard.type("jea");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.getByText("2 checked by you · 1 corrected").waitFor();

    await tabTo(page, "Export…", "Shift+Tab");
    await page.keyboard.press("Enter");
    await tabTo(page, "Save CSV");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    assert.equal(download.suggestedFilename(), "styles.csv");
    assert.equal(await focused(page), "Export…", "the dialog gives the focus back");
    await closePage(page);
  });

  for (const [look, options] of Object.entries({ light: {}, dark: DARK, phone: PHONE })) {
    it(`has nothing that axe finds wrong in any state, ${look}`, async () => {
      page = await openPage(browser, merger.url, options);
      await page.getByText("Ready · release 1").waitFor();
      await assertAccessible(page, "empty");
      await choose(page, [...NAMES, UNSURE[0], "notes.txt"]);
      await allDone(page, 6);
      await page.getByRole("button", { name: "Top 5" }).first().click();
      await page.getByRole("button", { name: `Change the label of ${NAMES[1]}` }).click();
      await page.getByRole("listbox").getByRole("option").first().waitFor();
      await assertAccessible(page, "answers, top five and label search");
      await page.keyboard.type("sports");
      await page.keyboard.press("Enter");
      await page.getByText("1 corrected").waitFor();
      await assertAccessible(page, "corrected");
      await page.getByRole("button", { name: /^Why/ }).first().click();
      await page.getByText(/rests most on|No single part decides/).waitFor();
      await assertAccessible(page, "why");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Export…" }).click();
      await assertAccessible(page, "export");
      await closePage(page);
    });

    it(`fits the width of the window, ${look}`, async () => {
      page = await openPage(browser, merger.url, options);
      await choose(page, [...NAMES, "notes.txt"]);
      await allDone(page, 5);
      const [inside, outside] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ]);
      assert.equal(inside, outside);
      await closePage(page);
    });
  }

  it("shows where the keyboard is", async () => {
    page = await openPage(browser, merger.url);
    await page.getByText("Ready · release 1").waitFor();
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid");
    await closePage(page);
  });

  it("tells a screen reader when a batch is done", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, NAMES);
    await page
      .locator("[aria-live=polite]", { hasText: "All 4 pictures done. 0 need a look, 0 failed." })
      .waitFor();
    await closePage(page);
  });
});

/** Name of the element that has the keyboard. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText;
    return label.replace(/\s+/g, " ").trim();
  });
}

/** Tabs until the element of this name has the keyboard. */
async function tabTo(page, name, key = "Tab") {
  const seen = [];
  for (let presses = 0; presses < 60; presses++) {
    const now = await focused(page);
    if (typeof name === "string" ? now === name : name.test(now)) return;
    seen.push(now);
    await page.keyboard.press(key);
  }
  assert.fail(`${name} was not reached by ${key}; passed ${seen.join(", ")}`);
}
