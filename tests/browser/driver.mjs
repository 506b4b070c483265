// The browser of these tests, which reaches one server and nothing else, and the steps that are taken in it.
// In: node pages.mjs BASE_URL EMAIL PASSWORD [SCREENSHOT_DIR], with an account that may create expenses.
// Out: one line a step, then `N passed, N failed`; exit code 1 when a step failed.
// The browser is Debian's Chromium, or the one that $CHROMIUM names.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { finish as end, step as run } from "../steps.mjs";

export const [base, email, password, screenshots] = process.argv.slice(2);
if (!password) {
  console.error("usage: node pages.mjs BASE_URL EMAIL PASSWORD [SCREENSHOT_DIR]");
  process.exit(2);
}
export const { origin } = new URL(base);
if (screenshots) mkdirSync(screenshots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Chromium refuses to start as root with its sandbox.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ],
});
export const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
context.setDefaultTimeout(15_000);

// What must stay empty: requests to elsewhere, and what the browser complains of.
const outside = [];
export const complaints = [];
await context.route("**/*", (route) => {
  const url = new URL(route.request().url());
  if (url.origin === origin) return route.continue();
  outside.push(url.href);
  return route.abort();
});
context.on("console", (message) => {
  if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url})`);
});
context.on("weberror", (error) => complaints.push(String(error.error())));
// A library that tries `eval` and catches the refusal says nothing on the console.
await context.addInitScript(() =>
  document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
  ),
);

export const page = await context.newPage();
export const shows = (where, text) => where.getByText(text).first().waitFor();
export const shot = async (name) =>
  screenshots && page.screenshot({ path: join(screenshots, `${name}.png`), animations: "disabled" });

/** Takes a step, and a picture of the page where it fails. */
export const step = (name, check) => run(name, check, (number) => shot(`failed-${number}`));

/** What must hold in the end, and how many steps did. */
export async function finish() {
  await step("no request left this server", () => assert.deepEqual(outside, []));
  await step("the browser has nothing to complain of, and the policy held", () => assert.deepEqual(complaints, []));

  await browser.close();
  end();
}
