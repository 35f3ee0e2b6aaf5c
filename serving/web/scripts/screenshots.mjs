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

/** The queue after the pictures above: one person has decided up to three cards and looks at the next. */
async function review(page) {
  await page.goto(`${url}/review`);
  await page.getByRole("textbox", { name: "Who decides?" }).fill("Anna");
  await page.keyboard.press("Enter");
  await page.locator(".review-card[aria-busy=false]").waitFor();
  const open = Number(await page.locator(".chip-count").first().innerText());
  for (const [done, key] of ["Enter", "2", "u"].slice(0, open - 1).entries()) {
    // oxlint-disable-next-line no-await-in-loop
    await page.keyboard.press(key);
    // oxlint-disable-next-line no-await-in-loop
    await page.locator(".decided tbody tr").nth(done).waitFor();
    // oxlint-disable-next-line no-await-in-loop
    await page.locator(".review-card[aria-busy=false]").waitFor();
  }
  await page.locator(".alike li").first().waitFor();
}

mkdirSync(out, { recursive: true });
await shoot("empty", DESKTOP, async () => {});
await shoot("desktop", DESKTOP, (page) => answer(page, files));
await shoot("dark", { ...DESKTOP, colorScheme: "dark" }, (page) => answer(page, files));
await shoot("phone", PHONE, (page) => answer(page, files));
await shoot("why", DESKTOP, why);
await shoot("review", { viewport: { width: 1280, height: 1000 } }, review);
await browser.close();
