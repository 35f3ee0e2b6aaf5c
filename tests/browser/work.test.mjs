import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import {
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

const { zipSync } = createRequire(new URL("../../serving/web/package.json", import.meta.url))("fflate");
const NAMES = Object.keys(TRUTH);
const SOME = 130;

describe("The page with much work", () => {
  let merger;
  let browser;
  let page;
  let folder;

  before(async () => {
    merger = await startMerger();
    browser = await launch();
    folder = mkdtempSync(join(tmpdir(), "lookbook-"));
  });

  after(async () => {
    await browser?.close();
    await merger?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const reload = async () => {
    await page.reload();
    await page.getByText("Ready · release 1").waitFor();
  };

  it("has pictures, answers and corrections again after a reload, until they are removed", async () => {
    page = await openPage(browser, merger.url);
    await choose(page, [...NAMES.slice(0, 3), "notes.txt"]);
    await allDone(page, 4);
    await page.getByRole("button", { name: `Change the label of ${NAMES[1]}` }).click();
    await page.getByRole("combobox", { name: /Right label/ }).fill("sports");
    await page.getByRole("option", { name: /Sports Shoes/ }).click();
    await page.getByText("1 corrected").waitFor();
    await page.getByText("stay in this browser").waitFor();
    await kept(page, 4, "Sports Shoes");
    let asked = 0;
    page.on("request", (request) => (asked += request.url().includes("/v1/classify") ? 1 : 0));
    await reload();
    await allDone(page, 4);
    assert.equal(asked, 0, "answers are kept, not asked for again");
    assert.deepEqual(await shownPath(page, NAMES[0]), TRUTH[NAMES[0]]);
    assert.equal((await shownPath(page, NAMES[1])).at(-1), "Sports Shoes");
    await page.waitForFunction(() => document.querySelector(".thumb img")?.naturalWidth === 60);
    await card(page, "notes.txt")
      .getByText(/no .*picture|not a .*picture|not.*picture/i)
      .first()
      .waitFor();

    page.on("dialog", (dialog) => dialog.accept());
    await page.getByRole("button", { name: "Remove all" }).click();
    await kept(page, 0);
    await reload();
    await page.getByText("Drop a photo, see what it is.").waitFor();
    await closePage(page);
  });

  it("asks again for a picture that had no answer when the page was reloaded", async () => {
    page = await openPage(browser, merger.url);
    await page.route("**/v1/classify*", () => {}); // never answered
    await choose(page, NAMES.slice(0, 2));
    await kept(page, 2);
    await page.unroute("**/v1/classify*");
    await reload();
    await allDone(page, 2);
    assert.deepEqual(await shownPath(page, NAMES[1]), TRUTH[NAMES[1]]);
    await closePage(page);
  });

  it("says that nothing is kept where the browser keeps nothing, and works", async () => {
    const before = () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("blocked", "SecurityError");
      };
    };
    page = await openPage(browser, merger.url, { before });
    await choose(page, NAMES.slice(0, 2));
    await allDone(page, 2);
    await page.getByText(/keeps nothing for this page/).waitFor();
    await closePage(page);
  });

  it("says how many are lost where there is no room, and works", async () => {
    page = await openPage(browser, merger.url);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: merger.url, quotaSize: 1 });
    await choose(page, NAMES.slice(0, 2));
    await allDone(page, 2);
    await page.getByText(/A reload loses all 2 pictures.*no more room/).waitFor();
    await assertAccessible(page, "nothing kept");
    await closePage(page);
  });

  it("takes pictures of nested folders and of zips, and names what it leaves out", async () => {
    page = await openPage(browser, merger.url);
    const inner = join(folder, "shop", "summer", "shoes");
    mkdirSync(inner, { recursive: true });
    const names = Array.from({ length: SOME }, (_, n) => `${String(n).padStart(3, "0")}.jpg`);
    for (const name of names) writeFileSync(join(inner, name), readFileSync(pathTo(NAMES[0])));
    writeFileSync(join(folder, "shop", "styles.csv"), "id\n1\n");
    writeFileSync(join(folder, "shop", ".DS_Store"), "");
    const picture = new Uint8Array(readFileSync(pathTo(NAMES[1])));
    const zip = { "a/b/zipped.jpg": picture, "a/notes.txt": picture, "__MACOSX/a/._zipped.jpg": picture };
    writeFileSync(join(folder, "more.zip"), zipSync(zip));
    await drop(page, [join(folder, "shop"), join(folder, "more.zip")]);
    await allDone(page, SOME + 1);
    await page.getByText("2 files left out.").waitFor();
    await page.getByText("Which, and why").click();
    await page.getByText("more.zip: a/notes.txt is no picture.").waitFor();
    await page.getByText("styles.csv is no picture.").waitFor();
    await assertAccessible(page, "files left out");
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.locator("input[webkitdirectory]").setInputFiles(inner);
    await allDone(page, 2 * SOME + 1);
    await page.getByRole("combobox", { name: "Order" }).selectOption("By file name");
    assert.equal(await page.locator(".card-name").first().innerText(), "000.jpg");
    await closePage(page);
  });
});

/** Waits until the browser has `count` pictures, the last written with `words` among their labels. */
async function kept(page, count, words = "") {
  await page.waitForFunction(
    async ([wanted, text]) => {
      const open = (name) =>
        new Promise((resolve, reject) => {
          const request = indexedDB.open(name);
          request.addEventListener("success", () => resolve(request.result));
          request.addEventListener("error", () => reject(request.error));
        });
      const all = (database, store) =>
        new Promise((resolve, reject) => {
          const request = database.transaction(store).objectStore(store).getAll();
          request.addEventListener("success", () => resolve(request.result));
          request.addEventListener("error", () => reject(request.error));
        });
      const [facts, files] = await Promise.all([open("lookbook-facts-1"), open("lookbook-files-1")]);
      const found = [await all(facts, "facts"), await all(files, "files")];
      facts.close();
      files.close();
      return found.every((some) => some.length === wanted) && JSON.stringify(found[0]).includes(text);
    },
    [count, words],
  );
}

/** Drops files and folders of the disk on the page, as the desktop does. */
async function drop(page, paths) {
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"])
    await devtools.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
}
