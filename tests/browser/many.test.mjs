import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
  shownPath,
} from "./browser.mjs";
import { TRUTH, pathTo, startMerger } from "./merger.mjs";

const NAMES = Object.keys(TRUTH);
const MANY = 200;
const PATIENCE_MS = 120_000;

describe("The page with many pictures", () => {
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

  for (const [look, options] of Object.entries({ light: {}, dark: DARK, phone: PHONE })) {
    it(`shows ${MANY} in a short page of few cards, ${look}`, async () => {
      page = await openPage(browser, merger.url, options);
      const buffers = NAMES.map((name) => readFileSync(pathTo(name)));
      const files = Array.from({ length: MANY }, (_, n) => ({
        name: `${n}.jpg`,
        mimeType: "image/jpeg",
        buffer: buffers[n % buffers.length],
      }));
      await addMany(page, files);
      const { height, width, cards } = await page.evaluate(() => ({
        height: document.documentElement.scrollHeight / innerHeight,
        width: document.documentElement.scrollWidth - innerWidth,
        cards: document.querySelectorAll("li.card").length,
      }));
      assert.ok(height < 3, `${height} screens`);
      assert.ok(cards < 40, `${cards} cards`);
      assert.equal(width, 0);
      await page.locator("li.card").nth(2).locator(".card-select").check();
      await assertAccessible(page, `${MANY} pictures`);
      await closePage(page);
    });
  }

  it("keeps the keyboard and a screen reader's place among many cards", async () => {
    page = await openPage(browser, merger.url);
    const buffer = readFileSync(pathTo(NAMES[0]));
    const files = Array.from({ length: MANY }, (_, n) => ({
      name: `${n}.jpg`,
      mimeType: "image/jpeg",
      buffer,
    }));
    await addMany(page, files);
    const place = () =>
      page.evaluate(() => {
        const one = document.activeElement.closest("li.card");
        return one && [one.ariaPosInSet, one.ariaSetSize, one.querySelector("h2").textContent].join(" ");
      });
    for (let n = 0; n < 30; n++) await page.keyboard.press("j");
    assert.equal(await place(), "30 200 29.jpg");
    const isInSight = () =>
      page.evaluate(() => {
        const box = document.activeElement.getBoundingClientRect();
        const frame = document.querySelector(".frame").getBoundingClientRect();
        return box.bottom > frame.top && box.top < frame.bottom;
      });
    assert.ok(await isInSight());
    await page.locator(".frame").evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
    await card(page, "199.jpg").waitFor();
    assert.equal(await place(), "30 200 29.jpg", "scrolled out of sight, and still the keyboard's");
    await page.keyboard.press("k");
    assert.equal(await place(), "29 200 28.jpg");
    await page.waitForFunction(() => document.activeElement.getBoundingClientRect().top < innerHeight);
    assert.ok(await isInSight());
    await page.keyboard.press("Tab");
    for (let n = 0; n < 60; n++) await page.keyboard.press("Tab");
    assert.match(await place(), /^(3[4-9]|4\d) 200/, "Tab goes on from card to card");
    await closePage(page);
  });

  it("does all to several at once with the keyboard alone, and takes it back", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, NAMES.slice(0, 4));
    await allDone(page, 4);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).getByText("Next picture").waitFor();
    await assertAccessible(page, "keys");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "detached" });
    for (const key of ["j", "x", "j", "x"]) await page.keyboard.press(key);
    await page.getByText("2 pictures selected").waitFor();
    await assertAccessible(page, "two selected");
    await page.keyboard.press("Shift+A");
    await page.getByText("2 checked by you").waitFor();
    await page.keyboard.press("Shift+C");
    await page
      .getByRole("dialog", { name: "Right label for 2 pictures" })
      .getByRole("option")
      .first()
      .waitFor();
    await page.keyboard.type("sports");
    await page.keyboard.press("Enter");
    await page.getByText("Labelled 2 pictures Sports Shoes.").waitFor();
    for (const name of NAMES.slice(0, 2)) assert.equal((await shownPath(page, name)).at(-1), "Sports Shoes");
    await page.keyboard.press("z");
    await page.getByText("Labelled 2 pictures").waitFor({ state: "detached" });
    assert.deepEqual(await shownPath(page, NAMES[0]), TRUTH[NAMES[0]]);
    await page.keyboard.press("Shift+Delete");
    await page.getByText("Removed 2 pictures.").waitFor();
    await assertAccessible(page, "two removed");
    assert.deepEqual(await page.locator(".card-name").allInnerTexts(), NAMES.slice(2, 4));
    await page.keyboard.press("z");
    assert.deepEqual(await page.locator(".card-name").allInnerTexts(), NAMES.slice(0, 4));
    await closePage(page);
  });
});

/** Adds pictures and waits for all their answers, which a slow machine takes its time for. */
async function addMany(page, files) {
  page.setDefaultTimeout(PATIENCE_MS);
  await page.locator("input[type=file]").first().setInputFiles(files);
  await allDone(page, files.length);
}
