// GraphiQL as a person uses it.

import assert from "node:assert/strict";
import { complaints, context, email, origin, page, password, shot, shows, step } from "./driver.mjs";

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
async function fillIn(secret) {
  await bar.getByLabel("E-mail").fill(email);
  await bar.getByLabel("Password").fill(secret);
  await bar.getByRole("button", { name: "Sign in" }).click();
}

/** The schema is asked for as the one who signed in. */
const schemaAskedFor = () =>
  page.waitForRequest((request) => request.postData()?.includes("__schema") && "authorization" in request.headers());

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
