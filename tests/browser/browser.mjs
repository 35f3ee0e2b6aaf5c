// A headless Chromium, pages that watch themselves, and what a person does on them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { pathTo } from "./merger.mjs";

const require = createRequire(new URL("../../serving/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PATIENCE_MS = 30_000;

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
export const DARK = { colorScheme: "dark" };

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGS });

/**
 * The page at `url` in a profile of its own. `page.complaints` gathers what must never be: a request to another
 * place, a violation of the Content-Security-Policy, an error in a script. `before` runs on the page ahead of all else.
 */
export async function openPage(browser, url, { before, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  if (before) await context.addInitScript(before);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.complaints = [];
  page.on("request", (request) => {
    const address = request.url();
    if (address !== url && !address.startsWith(`${url}/`) && !/^(blob|data):/.test(address))
      page.complaints.push(`request to ${address}`);
  });
  page.on("console", (message) => {
    if (/content.security.policy/i.test(message.text())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error.stack)));
  await page.goto(url);
  return page;
}

/** Closes the page; it must have had nothing to complain of. */
export async function closePage(page) {
  await page.context().close();
  assert.deepEqual(page.complaints, []);
}

export const choose = (page, names) =>
  page
    .getByLabel("Choose pictures", { exact: true })
    .and(page.locator("input"))
    .setInputFiles(names.map(pathTo));

/** Waits until all `count` pictures of a batch have an answer or a reason why not. */
export const allDone = (page, count) => page.getByText(`${count} pictures done`, { exact: true }).waitFor();

export const card = (page, name) =>
  page.locator("li.card").filter({ has: page.getByRole("heading", { name, exact: true }) });

/** Labels of the path that a card shows, from the top. */
export async function shownPath(page, name) {
  const text = await card(page, name).locator(".path-labels").innerText();
  return text
    .split(/[›\n]/)
    .map((label) => label.trim())
    .filter(Boolean);
}

/** Axe finds nothing wrong on the page as it stands. */
export async function assertAccessible(page, state) {
  await page.evaluate(AXE);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await page.evaluate(
    (values) => window.axe.run({ runOnly: { type: "tag", values } }),
    tags,
  );
  const found = violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n  ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join("\n  ")}`,
  );
  assert.deepEqual(found, [], `${state}:\n${found.join("\n")}`);
}
