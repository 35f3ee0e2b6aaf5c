import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";

import { allDone, assertAccessible, card, choose, closePage, launch, openPage } from "./browser.mjs";
import { TRUTH, pathTo, startMerger } from "./merger.mjs";

const NAMES = Object.keys(TRUTH).slice(0, 8);

// Small limits, so that forty pictures are not needed to reach them.
const NARROW = {
  LOOKBOOK_MAX_ACTIVE_IMAGES: "1",
  LOOKBOOK_MAX_QUEUED_IMAGES: "0",
  LOOKBOOK_MAX_IMAGE_BYTES: "5000",
};

describe("The page in trouble", () => {
  let merger;
  let browser;
  let page;

  before(async () => {
    merger = await startMerger({ settings: NARROW });
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await merger?.stop();
  });

  it("waits for a busy server and answers every picture in the end", async () => {
    page = await openPage(browser, merger.url);
    let refused = 0;
    page.on("response", (response) => {
      if (response.status() === 429) refused += 1;
    });
    await choose(page, NAMES.slice(0, 4));
    await allDone(page, 4);
    assert.ok(refused > 0, "the server refused none");
    assert.equal(await page.locator(".path-leaf").count(), 4);
    await closePage(page);
  });

  it("says the limit that a picture is over", async () => {
    page = await openPage(browser, merger.url);
    const buffer = Buffer.concat([readFileSync(pathTo(NAMES[0])), Buffer.alloc(6000)]).subarray(0, 6000);
    const file = { name: "big.jpg", mimeType: "image/jpeg", buffer };
    await page.locator("input[type=file]").first().setInputFiles([file]);
    await card(page, "big.jpg")
      .getByText(/more than 5000 bytes/)
      .waitFor();
    assert.equal(await page.getByRole("button", { name: /Retry/ }).count(), 0);
    await closePage(page);
  });

  it("says that the server is gone, keeps the pictures, and goes on when it is back", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, [NAMES[0]]);
    await card(page, NAMES[0]).locator(".path-leaf").waitFor();
    await merger.stop();
    await choose(page, [NAMES[1], NAMES[2]]);
    await card(page, NAMES[1]).getByText("The server does not answer.").waitFor();
    await page.getByText("No connection").waitFor();
    await assertAccessible(page, "server gone");
    assert.equal(await page.locator("li.card").count(), 3);

    merger = await startMerger({ port: merger.port });
    await page.getByText("Ready · release 1").waitFor();
    await page.getByRole("button", { name: "Retry 2 failed" }).click();
    await allDone(page, 3);
    assert.equal(await page.locator(".path-leaf").count(), 3);
    await closePage(page);
  });
});
