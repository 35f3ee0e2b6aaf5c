import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";

import { allDone, card, choose, closePage, launch, openPage, shownPath } from "./browser.mjs";
import { TRUTH, pathTo, startMerger } from "./merger.mjs";

const NAMES = Object.keys(TRUTH);

describe("The page over the real stack", () => {
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

  it("answers a single picture with path, confidences, release and time", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, [NAMES[0]]);
    await card(page, NAMES[0]).locator(".path-leaf").waitFor();
    assert.deepEqual(await shownPath(page, NAMES[0]), TRUTH[NAMES[0]]);
    const text = await card(page, NAMES[0]).innerText();
    assert.match(text, /\d+\s%/);
    assert.match(text, /Release 1 · [\d.]+ m?s/);
    await closePage(page);
  });

  it("names under the answer the known products that look most like it, and what most of them are", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, [NAMES[0]]);
    const alike = page.getByRole("region", { name: `Products that look like ${NAMES[0]}` });
    await alike.getByText(/^1 of the 6 nearest are /).waitFor();
    const names = await alike.getByRole("listitem").allInnerTexts();
    assert.equal(names.length, 6);
    assert.match(names[0], /^A red thing$/);
    await closePage(page);
  });

  it("sends what a product is called, and says what became of it", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, [NAMES[0]]);
    await card(page, NAMES[0]).locator(".path-leaf").waitFor();
    await page.getByRole("button", { name: `Product name of ${NAMES[0]}` }).click();
    await page.getByRole("textbox", { name: /is called/ }).fill("Puma <b>Größe</b> 41");
    await page.keyboard.press("Enter");
    await card(page, NAMES[0]).getByText("Release 1 was made without names").waitFor();
    assert.deepEqual(await shownPath(page, NAMES[0]), TRUTH[NAMES[0]]);
    await closePage(page);
  });

  it("draws the thumbnail of what was chosen", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, [NAMES[0]]);
    await page.waitForFunction(() => document.querySelector(".thumb img")?.naturalWidth === 60);
    await closePage(page);
  });

  it("answers forty, each with its own labels, in the order in which they were chosen", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, NAMES);
    await allDone(page, 40);
    assert.deepEqual(await page.locator(".card-name").allInnerTexts(), NAMES);
    for (const name of NAMES) assert.deepEqual(await shownPath(page, name), TRUTH[name], name);
    await closePage(page);
  });

  it("says why a wrong and a damaged file have no answer, and answers the one between them", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, ["notes.txt", NAMES[1], "cut.jpg"]);
    await allDone(page, 3);
    assert.match(await card(page, "notes.txt").innerText(), /The picture is text/);
    assert.match(await card(page, "cut.jpg").innerText(), /cut short at \d+ %/);
    assert.deepEqual(await shownPath(page, NAMES[1]), TRUTH[NAMES[1]]);
    await closePage(page);
  });

  it("asks for a look at an unsure answer; the slider changes how many need one", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, ["grey-1.jpg", ...NAMES.slice(0, 3)]);
    await allDone(page, 4);
    await card(page, "grey-1.jpg").getByText("Needs a look").waitFor();
    const slider = page.getByRole("slider");
    await slider.fill("100");
    await page.getByText("4 of 4 answers need a look").waitFor();
    await page.getByRole("radio", { name: "Needs a look 4" }).check();
    await slider.fill("0");
    // Grey says nothing of the category either, and the slider is about the type alone.
    await page.getByText("1 of 4 answers needs a look").waitFor();
    assert.deepEqual(await page.locator(".card-name").allInnerTexts(), ["grey-1.jpg"]);
    await closePage(page);
  });

  it("saves answers and corrections as styles.csv", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, NAMES.slice(0, 2));
    await allDone(page, 2);
    await page.getByRole("button", { name: `Change the label of ${NAMES[1]}` }).click();
    await page.getByRole("combobox", { name: /Right label/ }).fill("sports");
    await page.getByRole("option", { name: /Sports Shoes/ }).click();
    await page.getByText("1 corrected").waitFor();
    const saved = await save(page, "Save CSV");
    const [first, second] = NAMES.map((name) => name.replace(".jpg", ""));
    const [master, sub, type] = TRUTH[NAMES[0]];
    assert.equal(
      saved,
      "\uFEFFid,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n" +
        `${first},,${master},${sub},${type},,,,,\n${second},,Footwear,Shoes,Sports Shoes,,,,,\n`,
    );
    const [, corrected] = JSON.parse(await save(page, "Save JSON"));
    assert.equal(corrected.corrected, true);
    assert.equal(corrected.answer.release, "1");
    await closePage(page);
  });

  it("shows what an answer rests on, by the served model", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, [NAMES[0]]);
    await page.getByRole("button", { name: /^Why/ }).click();
    const dialog = page.getByRole("dialog", { name: `Why ${TRUTH[NAMES[0]][2]}?` });
    await dialog.getByText(/rests most on|No single part decides/).waitFor();
    assert.ok((await dialog.locator(".heat rect").count()) > 1);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await closePage(page);
  });

  it("takes a dropped and a pasted picture", async () => {
    page = await openPage(browser, merger.url);
    await hand(page, "drop", NAMES[0]);
    await card(page, NAMES[0]).locator(".path-leaf").waitFor();
    await hand(page, "paste", NAMES[1]);
    await card(page, NAMES[1]).locator(".path-leaf").waitFor();
    await closePage(page);
  });
});

async function save(page, button) {
  await page.getByRole("button", { name: "Export…" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  return readFileSync(await download.path(), "utf8");
}

/** Drops or pastes a file on the page, as the browser would tell of it. */
async function hand(page, kind, name) {
  const base64 = readFileSync(pathTo(name), "base64");
  await page.evaluate(
    ([type, content, fileName]) => {
      const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], fileName, { type: "image/jpeg" }));
      const details = { bubbles: true, cancelable: true };
      const event =
        type === "drop"
          ? new DragEvent("drop", { ...details, dataTransfer: transfer })
          : new ClipboardEvent("paste", { ...details, clipboardData: transfer });
      document.body.dispatchEvent(event);
    },
    [kind, base64, name],
  );
}
