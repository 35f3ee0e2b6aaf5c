// The page of `lookbook export --to browser` in a real browser: served once, then without any network.
//
//   node tab.mjs EXPORT ANSWERS   asks it of all pictures of LOOKBOOK_TEST_PICTURES, and writes what it saw as JSON
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

import { assertAccessible, closePage, launch, openPage } from "./browser.mjs";
import { TRUTH, pathTo } from "./merger.mjs";

const [EXPORT, ANSWERS] = process.argv.slice(2);
const PATIENCE_MS = 300_000;
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};

/** Any plain web server; the export lies in a folder of it, not at its top. */
async function serve(folder, prefix) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    if (`${path}/` === prefix) {
      response.writeHead(301, { Location: prefix }).end();
      return;
    }
    const name = path === prefix ? "index.html" : path.slice(prefix.length);
    try {
      const body = readFileSync(join(folder, name));
      const tag = `"${createHash("sha256").update(body).digest("hex")}"`;
      const headers = {
        "Content-Type": TYPES[extname(name)] ?? "application/octet-stream",
        ETag: tag,
      };
      const isKnown = request.headers["if-none-match"] === tag;
      response.writeHead(isKnown ? 304 : 200, headers).end(isKnown ? undefined : body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}${prefix}`.replace(/\/$/, "");
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, stop };
}

const add = (page, names) =>
  page
    .getByLabel("Choose pictures", { exact: true })
    .and(page.locator("input"))
    .setInputFiles(names.map(pathTo));

/** File name and state of each picture that the page keeps. */
const statesOf = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("lookbook-facts-1");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const asking = opening.result.transaction("facts").objectStore("facts").getAll();
          asking.onsuccess = () => resolve(asking.result.map(({ name, state }) => [name, state]));
        };
      }),
  );

/** What the page keeps, once that `isEnough`; it keeps what it was told, as it was. */
async function kept(page, isEnough) {
  const until = Date.now() + PATIENCE_MS;
  let found = await statesOf(page);
  while (!isEnough(found)) {
    assert.ok(Date.now() < until, `${found.length} pictures are kept`);
    found = await statesOf(page);
  }
  return Object.fromEntries(found);
}

const isDone = ([, { kind }]) => kind === "answered" || kind === "failed";

const names = Object.keys(TRUTH);
const server = await serve(EXPORT, "/shop/lookbook/");
const browser = await launch();
try {
  const started = performance.now();
  const page = await openPage(browser, server.url);
  page.setDefaultTimeout(PATIENCE_MS);
  await page.getByText("The models run in this tab.").waitFor();
  await page.getByText(/^Ready · release/).waitFor();
  await add(page, [names[0]]);
  await page.locator("li.card .path-leaf").waitFor();
  const firstMs = performance.now() - started;
  await assertAccessible(page, "one answer");
  await page.getByRole("button", { name: /^Why/ }).click();
  await page
    .getByRole("dialog")
    .getByText(/rests most on|No single part decides/)
    .waitFor();
  await page.keyboard.press("Escape");
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await page.getByRole("button", { name: "Remove all" }).click();
  // A page that is left before has it still, and then there is one picture more.
  await kept(page, (found) => found.length === 0);

  await server.stop();
  await page.context().setOffline(true);
  await page.reload();
  await page.getByText(/^Ready · release/).waitFor();
  await add(page, names);
  try {
    // Some are large, and one follows the other.
    await page
      .getByText(`${names.length} pictures done`, { exact: true })
      .waitFor({ timeout: 4 * PATIENCE_MS });
  } catch (error) {
    console.error((await page.locator("main").innerText()).slice(0, 2000));
    throw error;
  }
  writeFileSync(
    ANSWERS,
    JSON.stringify({
      firstMs,
      states: await kept(page, (found) => found.filter(isDone).length >= names.length),
    }),
  );
  await closePage(page);
} finally {
  await browser.close();
}
