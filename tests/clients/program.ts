// A program over a client that is generated from the OpenAPI document: every path, parameter, body and answer is typed.
// In: node program.js BASE_URL USER_TOKEN. Out: exit code 0, or an error that says what was not as it should be.
// Beside it the test suite puts api.d.ts, which openapi-typescript makes of the document.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Expense = components["schemas"]["Expense"];
type NewExpense = components["schemas"]["CreateExpense"];

const [base, token] = process.argv.slice(2);
assert.ok(base && token, "usage: program.js BASE_URL USER_TOKEN");
const anyone = createClient<paths, "application/json">({ baseUrl: base });
const api = createClient<paths, "application/json">({ baseUrl: base, headers: { Authorization: `Bearer ${token}` } });

// A list, with a condition, an order and a page.
const { data: trees } = await anyone.GET("/trees", {
  params: { query: { species: "like.*a", order: "name.desc", select: "name", limit: 5 } },
});
assert.deepEqual(trees, [{ name: "Quaking Aspen" }, { name: "American Elm" }]);

// A new row, and the errors of one that breaks rules.
const lunch: NewExpense = { title: "Lunch", amount: 45.58, category: "food" };
const { data: created, response } = await api.POST("/expenses", { body: lunch });
assert.ok(created && !Array.isArray(created));
assert.equal(response.status, 201);
assert.equal(created.amount, 45.58);
const id: string = created.id ?? assert.fail("a new row has a key");

const { error: refusal, response: refused } = await api.POST("/expenses", { body: { title: "", amount: "1.005" } });
assert.equal(refused.status, 422);
assert.ok(refusal);
const { code, message, details, hint } = refusal;
assert.deepEqual([code, typeof message, typeof details, hint], ["23514", "string", "string", null]);

// A change that only happens to the row as it was read.
const { response: read } = await api.GET("/expenses/{id}", { params: { path: { id } } });
const tag = read.headers.get("ETag") ?? assert.fail("a row has a tag");
const changed = await api.PATCH("/expenses/{id}", {
  params: { path: { id }, header: { "If-Match": tag } },
  body: { amount: "12.30" },
});
assert.ok(changed.data && !Array.isArray(changed.data));
assert.equal(changed.data.amount, 12.3);
const stale = await api.PATCH("/expenses/{id}", {
  params: { path: { id }, header: { "If-Match": tag } },
  body: { amount: 1 },
});
assert.equal(stale.response.status, 412);
assert.ok(stale.error?.code);

// What is related is an optional member of a row.
const { data: embedded } = await api.GET("/expenses", { params: { query: { select: "title,user(email)" } } });
const first: Expense = embedded?.[0] ?? assert.fail("there is a row");
assert.match(first.user?.email ?? "", /@/);

// A write of all rows that match, and an error without a token.
const many = await api.PATCH("/expenses", {
  params: { query: { category: "eq.food" }, header: { Prefer: "return=representation" } },
  body: { category: "meals" },
});
assert.ok(Array.isArray(many.data) && many.data.length === 1);
const { error: nobody, response: unasked } = await anyone.GET("/expenses");
assert.equal(unasked.status, 401);
assert.equal(nobody?.code, "PGRST302");

const gone = await api.DELETE("/expenses/{id}", { params: { path: { id } } });
assert.equal(gone.response.status, 204);
const missing = await api.GET("/expenses/{id}", { params: { path: { id } } });
assert.equal(missing.response.status, 404);

const { data: me } = await api.GET("/auth/me");
const role: "user" | "editor" | "admin" | undefined = me?.role;
assert.equal(role, "user");
