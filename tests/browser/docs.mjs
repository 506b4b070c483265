// Swagger UI as a person uses it.

import assert from "node:assert/strict";
import { complaints, context, email, origin, page, password, shot, step } from "./driver.mjs";

const operation = (id) => page.locator(`[id="operations-${id}"]`);

/** Opens an operation, and makes its fields ones to write in. */
async function tryOut(id) {
  const block = operation(id);
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Try it out" }).click();
  return block;
}

/** Sends the request, and gives what is shown of its answer. */
async function execute(block) {
  await block.getByRole("button", { name: "Execute" }).click();
  const answer = block.locator(".live-responses-table");
  const status = await answer.locator(".response-col_status").last().textContent();
  const body = answer.locator(".response-col_description .highlight-code code").first();
  return { status: status.trim().slice(0, 3), body: await body.textContent(), headers: await answer.textContent() };
}

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

await step("Authorize signs in by e-mail and password", async () => {
  await page.locator(".scheme-container").getByRole("button", { name: "Authorize" }).click();
  const form = page.locator(".auth-container", { has: page.locator("[for=oauth_username]") });
  await form.locator("#oauth_username").fill(email);
  await form.locator("#oauth_password").fill(password);
  await shot("docs-authorize");
  const signedIn = page.waitForResponse(`${origin}/auth/login`);
  await form.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  assert.equal((await signedIn).status(), 200);
  await form.getByRole("button", { name: "Remove authorization" }).waitFor();
  await form.getByRole("button", { name: "Close", exact: true }).click();
});

await step("an expense is created on the page, its amount exact", async () => {
  const block = await tryOut("expenses-createExpense");
  const lunch = { title: "Swagger lunch", amount: 45.58, category: "food" };
  await block.locator("textarea.body-param__text").fill(JSON.stringify(lunch));
  const { status, body, headers } = await execute(block);
  assert.equal(status, "201", body);
  assert.deepEqual([JSON.parse(body).title, body.includes("45.58")], ["Swagger lunch", true]);
  assert.match(headers, /location: \/expenses\//);
  await block.locator(".live-responses-table").scrollIntoViewIfNeeded();
  await shot("docs-created");
  await block.locator(".opblock-summary-control").click();
});

await step("the expenses are listed on the page, by a condition and an order", async () => {
  const block = await tryOut("expenses-listExpenses");
  const parameter = (name) => block.locator(`tr[data-param-name="${name}"] input`).first();
  await parameter("title").fill("eq.Swagger lunch");
  await parameter("select").fill("title,amount,user(email)");
  await parameter("order").fill("amount.desc");
  await shot("docs-list-form");
  const { status, body, headers } = await execute(block);
  assert.equal(status, "200", body);
  assert.deepEqual(JSON.parse(body), [{ title: "Swagger lunch", amount: 45.58, user: { email } }]);
  assert.match(headers, /content-range: 0-0\/\*/);
  await block.locator(".live-responses-table").scrollIntoViewIfNeeded();
  await shot("docs-listed");
});

await step("what is wrong with an expense is shown on the page", async () => {
  await page.goto(`${origin}/docs#/expenses/deleteExpense`);
  await page.reload();
  const block = operation("expenses-deleteExpense");
  await block.getByRole("button", { name: "Try it out" }).click();
  const before = complaints.length;
  const { status, body } = await execute(block);
  // The browser itself reports the status.
  const own = complaints.splice(before);
  complaints.push(...own.filter((text) => !text.includes("/expenses/")));
  assert.deepEqual([status, JSON.parse(body).code], ["401", "PGRST302"]);
});
