// The pages in a real browser, against a running server: GraphiQL as a person uses it, Swagger UI, the landing page.
// In: node graphiql.mjs BASE_URL EMAIL PASSWORD [SCREENSHOT_DIR], with an account that may create expenses.
// Out: one line a step, then `N passed, N failed`; exit code 1 when a step failed.
// The browser is Debian's Chromium, or the one that $CHROMIUM names. It reaches BASE_URL and nothing else.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, email, password, screenshots] = process.argv.slice(2);
if (!password) {
  console.error("usage: node graphiql.mjs BASE_URL EMAIL PASSWORD [SCREENSHOT_DIR]");
  process.exit(2);
}
const { origin } = new URL(base);
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
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
context.setDefaultTimeout(15_000);

// What must stay empty: requests to elsewhere, and what the browser complains of.
const outside = [];
const complaints = [];
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

const page = await context.newPage();
const bar = page.getByRole("banner");
const result = page.locator(".result-window");

async function run(document) {
  await page.locator(".graphiql-query-editor .CodeMirror").click();
  await page.keyboard.press("Control+A");
  // Not typed key by key: the editor would close each bracket by itself.
  await page.keyboard.insertText(document);
  await page.getByRole("button", { name: /Execute query/ }).click();
}

const answers = (text) => result.filter({ hasText: text }).waitFor();
const shows = (where, text) => where.getByText(text).first().waitFor();
const shot = async (name) =>
  screenshots && page.screenshot({ path: join(screenshots, `${name}.png`), animations: "disabled" });

async function fillIn(secret) {
  await bar.getByLabel("E-mail").fill(email);
  await bar.getByLabel("Password").fill(secret);
  await bar.getByRole("button", { name: "Sign in" }).click();
}

/** The schema is asked for as the one who signed in. */
const schemaAskedFor = () =>
  page.waitForRequest((request) => request.postData()?.includes("__schema") && "authorization" in request.headers());

let passed = 0;
let failed = 0;

async function step(name, check) {
  try {
    await check();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${error.message.replaceAll("\n", "\n        ")}`);
    await shot(`failed-${failed}`);
  }
}

await step("GraphiQL opens with the trees, and the first query finds Banyan", async () => {
  await page.goto(`${origin}/graphiql`);
  await page.locator(".graphiql-query-editor .CodeMirror").filter({ hasText: "species" }).waitFor();
  await page.getByRole("button", { name: /Execute query/ }).click();
  await answers("Banyan");
  await shot("graphiql-light");
});

await step("the schema is read in the documentation pane", async () => {
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await shows(page.locator(".graphiql-doc-explorer"), "Mutation");
  await shot("graphiql-documentation");
  await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
});

await step("a wrong password is told in words", async () => {
  const before = complaints.length;
  await fillIn(`${password}?`);
  await bar.getByRole("alert").filter({ hasText: /\w+ \w+/ }).waitFor();
  // The browser itself reports the status.
  const own = complaints.splice(before);
  complaints.push(...own.filter((text) => !text.includes("/auth/login")));
  await shot("graphiql-wrong-password");
});

await step("signing in names the account and fetches the schema again", async () => {
  const schema = schemaAskedFor();
  await fillIn(password);
  await shows(bar, email);
  await schema;
  assert.equal(await bar.getByRole("alert").textContent(), "");
});

await step("a query runs as the account", async () => {
  await run("{ me { email } }");
  await answers(email);
});

await step("a mutation creates an expense, its amount exact", async () => {
  const lunch = `{ title: "Browser lunch", amount: "45.58", category: "food" }`;
  await run(`mutation { createExpense(input: ${lunch}) { id title amount } }`);
  await answers("45.58");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("graphiql-dark");
  await page.emulateMedia({ colorScheme: "light" });
});

await step("a token pasted in another tab signs in as its owner", async () => {
  const { token } = await page.evaluate(() => JSON.parse(sessionStorage.getItem("rootstock.session")));
  const other = await context.newPage();
  await other.goto(`${origin}/graphiql`);
  await other.getByLabel("Token").fill(`Bearer ${token}`);
  await other.getByRole("button", { name: "Use" }).click();
  await shows(other.getByRole("banner"), email);
  await other.close();
});

await step("a reload keeps the session, signing out ends it", async () => {
  await page.reload();
  await shows(bar, email);
  await bar.getByRole("button", { name: "Sign out" }).click();
  await bar.getByLabel("E-mail").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("rootstock.session")), null);
  await run("{ me { email } }");
  await answers(/"me": null/);
});

await step("Swagger UI shows every path of the OpenAPI document", async () => {
  const described = await (await context.request.get(`${origin}/openapi.json`)).json();
  await page.goto(`${origin}/docs`);
  await page.locator(".opblock").first().waitFor();
  const shown = await page.locator(".opblock-summary-path").evaluateAll((all) => all.map((one) => one.dataset.path));
  assert.deepEqual([...new Set(shown)].sort(), Object.keys(described.paths).sort());
  await shot("docs-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("docs-dark");
  await page.emulateMedia({ colorScheme: "light" });
});

await step("the landing page names this server, and its links hold", async () => {
  await page.goto(`${origin}/`);
  await shows(page.locator("pre").first(), `curl ${origin}/trees`);
  const links = await page.getByRole("link").evaluateAll((all) => all.map((one) => one.href));
  assert.ok(links.length >= 4, `only ${links.length} links`);
  for (const link of links) assert.equal((await context.request.get(link)).status(), 200, link);
  await shot("landing-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("landing-dark");
});

await step("no request left this server", () => assert.deepEqual(outside, []));
await step("the browser has nothing to complain of, and the policy held", () => assert.deepEqual(complaints, []));

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
