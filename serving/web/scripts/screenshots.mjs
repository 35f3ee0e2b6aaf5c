// Photographs the page at LOOKBOOK_URL with the pictures of a folder: node scripts/screenshots.mjs PICTURES OUT
// `python -m tests.browser.screenshots` runs it over a stack of its own.
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { chromium } from "playwright-core";

const [pictures, out] = process.argv.slice(2);
const url = process.env.LOOKBOOK_URL;
const files = readdirSync(pictures)
  .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  .toSorted()
  .slice(0, 40)
  .map((name) => join(pictures, name));
const DESKTOP = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
});

async function shoot(name, options, act) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByText(/^Ready/).waitFor();
  await act(page);
  await page.screenshot({ path: join(out, `${name}.png`) });
  await context.close();
}

async function answer(page, some) {
  await page.locator("input[type=file]").first().setInputFiles(some);
  if (some.length > 1) await page.getByText(`${some.length} pictures done`, { exact: true }).waitFor();
  else await page.locator(".path-leaf").waitFor();
}

async function why(page) {
  await answer(page, files.slice(0, 1));
  await page.getByRole("button", { name: /^Why/ }).click();
  await page.getByText(/rests most on|No single part/).waitFor();
}

mkdirSync(out, { recursive: true });
await shoot("empty", DESKTOP, async () => {});
await shoot("desktop", DESKTOP, (page) => answer(page, files));
await shoot("dark", { ...DESKTOP, colorScheme: "dark" }, (page) => answer(page, files));
await shoot("phone", PHONE, (page) => answer(page, files));
await shoot("why", DESKTOP, why);
await browser.close();
