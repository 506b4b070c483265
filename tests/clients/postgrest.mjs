// The JavaScript client of PostgREST, unchanged, against a running server.
// In: node postgrest.mjs BASE_URL USER_TOKEN EDITOR_TOKEN, with the four trees, an account that owns nothing yet, one
// that may write trees, and the resource `species` of the test suite beside the shipped ones.
// Out: one line a step, then `N passed, N failed`; exit code 1 when a step failed.

import assert from "node:assert/strict";
import { PostgrestClient } from "@supabase/postgrest-js";
import { finish, step } from "../steps.mjs";

const [base, userToken, editorToken] = process.argv.slice(2);
if (!editorToken) {
  console.error("usage: node postgrest.mjs BASE_URL USER_TOKEN EDITOR_TOKEN");
  process.exit(2);
}

const client = (token, options = {}) =>
  new PostgrestClient(base, { headers: token ? { Authorization: `Bearer ${token}` } : {}, ...options });
const anyone = client();
const user = client(userToken);
const editor = client(editorToken);

/** The data of an answer that must be one. */
async function data(query, status = 200) {
  const answer = await query;
  assert.equal(answer.error, null, JSON.stringify(answer.error));
  assert.equal(answer.status, status);
  return answer.data;
}

/** Asserts the data of an answer. */
const gives = async (query, expected, status) => assert.deepEqual(await data(query, status), expected);

/** Asserts which trees are found, by their keys. */
const finds = (query, ...ids) => gives(query, ids.map((id) => ({ id })));

/** Asserts that a request is refused, and gives the error. */
async function refused(query, status, code) {
  const answer = await query;
  assert.equal(answer.data, null, JSON.stringify(answer.data));
  assert.deepEqual([answer.status, answer.error.code], [status, code], JSON.stringify(answer.error));
  for (const member of ["message", "details", "hint"]) assert.ok(member in answer.error, `no ${member}`);
  return answer.error;
}

const trees = () => anyone.from("trees").select("id").order("id");
const banyan = { id: 1, name: "Banyan", species: "Ficus benghalensis" };
const aspen = { id: 2, name: "Quaking Aspen", species: "Populus tremula" };
const elm = { id: 3, name: "American Elm", species: "Ulmus americana" };
const maple = { id: 4, name: "Red Maple", species: "Acer rubrum" };

// Reads

await step("select", async () => {
  await gives(anyone.from("trees").select(), [banyan, aspen, elm, maple]);
  await gives(anyone.from("trees").select("*").eq("id", 1), [banyan]);
  await gives(anyone.from("trees").select("name").eq("id", 1), [{ name: "Banyan" }]);
  await gives(client(undefined, { schema: "public" }).from("trees").select("id").eq("id", 1), [{ id: 1 }]);
});

await step("select with other names and types", async () => {
  await gives(anyone.from("trees").select("tree:name, key:id::text").eq("id", 1), [{ tree: "Banyan", key: "1" }]);
  await gives(anyone.from("trees").select("id::text").eq("id", 2), [{ id: "2" }]);
});

await step("comparisons", async () => {
  await finds(trees().eq("name", "Banyan"), 1);
  await finds(trees().neq("name", "Banyan"), 2, 3, 4);
  await finds(trees().gt("id", 2), 3, 4);
  await finds(trees().gte("id", 2).lt("id", 4), 2, 3);
  await finds(trees().lte("id", 1), 1);
  await finds(trees().isDistinct("id", 1), 2, 3, 4);
  await finds(trees().in("name", ["Banyan", "Red Maple", "a,b(c)"]), 1, 4);
  await finds(trees().in("id", []));
  await finds(trees().notIn("id", [1, 2]), 3, 4);
  await finds(trees().is("name", null));
  await finds(trees().match({ id: 1, name: "Banyan" }), 1);
});

await step("patterns", async () => {
  await finds(trees().like("species", "%a"), 2, 3);
  await finds(trees().like("name", "banyan"));
  await finds(trees().ilike("name", "b%"), 1);
  await finds(trees().likeAllOf("name", ["%e%", "%M%"]), 4);
  await finds(trees().likeAnyOf("name", ["B%", "A%"]), 1, 3);
  await finds(trees().ilikeAllOf("name", ["%E%", "%M%"]), 3, 4);
  await finds(trees().ilikeAnyOf("name", ["b%", "q%"]), 1, 2);
  await finds(trees().regexMatch("name", "^[A-B]"), 1, 3);
  await finds(trees().regexIMatch("name", "^[a-b]"), 1, 3);
});

await step("not, or, and filters by name", async () => {
  await finds(trees().not("id", "in", "(1,2)"), 3, 4);
  await finds(trees().not("name", "is", null), 1, 2, 3, 4);
  await finds(trees().filter("name", "in", '("Banyan","Red Maple")'), 1, 4);
  await finds(trees().filter("id", "not.gt", 1), 1);
  await finds(trees().or("id.eq.1,name.like.Red*"), 1, 4);
  await finds(trees().or("id.eq.4,and(id.gt.1,not.or(id.eq.3,id.eq.4))"), 2, 4);
});

await step("full text", async () => {
  await finds(trees().textSearch("name", "maple & red"), 4);
  await finds(trees().textSearch("name", "elm | aspen"), 2, 3);
  await finds(trees().textSearch("name", "american elm", { type: "plain" }), 3);
  await finds(trees().textSearch("name", "quaking aspen", { type: "phrase" }), 2);
  await finds(trees().textSearch("name", "aspen quaking", { type: "phrase" }));
  await finds(trees().textSearch("name", "maple or elm -american", { type: "websearch" }), 4);
  await finds(trees().textSearch("name", "maples", { type: "plain", config: "english" }), 4);
  await finds(trees().not("name", "fts", "maple"), 1, 2, 3);
});

await step("order, limit and range", async () => {
  const ids = (query) => query.then((answer) => (assert.equal(answer.error, null), answer.data.map((row) => row.id)));
  const unordered = () => anyone.from("trees").select("id");
  assert.deepEqual(await ids(unordered().order("name")), [3, 1, 2, 4]);
  assert.deepEqual(await ids(unordered().order("name", { ascending: false })), [4, 2, 1, 3]);
  assert.deepEqual(await ids(unordered().order("species", { nullsFirst: true }).order("id")), [4, 1, 2, 3]);
  assert.deepEqual(await ids(trees().limit(2)), [1, 2]);
  assert.deepEqual(await ids(trees().range(1, 2)), [2, 3]);
  assert.deepEqual(await ids(trees().range(10, 12)), []);
  assert.deepEqual(await ids(trees().limit(0)), []);
});

await step("counts", async () => {
  for (const count of ["exact", "estimated"]) {
    const answer = await anyone.from("trees").select("id", { count }).order("id").limit(1);
    assert.deepEqual([answer.status, answer.count, answer.data], [206, 4, [{ id: 1 }]], count);
  }
  const planned = await anyone.from("trees").select("id", { count: "planned" });
  assert.equal(typeof planned.count, "number");
  const whole = await anyone.from("trees").select("id", { count: "exact" }).gt("id", 1);
  assert.deepEqual([whole.status, whole.count], [200, 3]);
  const head = await anyone.from("trees").select("*", { count: "exact", head: true });
  assert.deepEqual([head.status, head.count, head.data, head.error], [200, 4, null, null]);
  const none = await anyone.from("trees").select("*", { count: "exact" }).eq("id", 0);
  assert.deepEqual([none.status, none.count, none.data], [200, 0, []]);
  await refused(anyone.from("trees").select("*", { count: "exact" }).range(10, 12), 416, "PGRST103");
});

await step("one row", async () => {
  await gives(anyone.from("trees").select().eq("id", 1).single(), banyan);
  const none = await refused(anyone.from("trees").select().eq("id", 0).single(), 406, "PGRST116");
  assert.equal(none.details, "The result contains 0 rows");
  const all = await refused(anyone.from("trees").select().single(), 406, "PGRST116");
  assert.equal(all.details, "The result contains 4 rows");
  await gives(anyone.from("trees").select().eq("id", 1).maybeSingle(), banyan);
  await gives(anyone.from("trees").select().eq("id", 0).maybeSingle(), null);
  await refused(anyone.from("trees").select().maybeSingle(), 406, "PGRST116");
});

await step("CSV", async () => {
  const csv = await data(anyone.from("trees").select("id,name").lte("id", 2).order("id").csv());
  assert.equal(csv.trimEnd(), "id,name\n1,Banyan\n2,Quaking Aspen");
});

await step("what is not served is refused", async () => {
  await refused(anyone.from("trees").select().explain(), 406, "PGRST107");
  await refused(anyone.from("trees").select().explain({ format: "json", analyze: true }), 406, "PGRST107");
  await refused(anyone.from("trees").select().geojson(), 406, "PGRST107");
  await refused(anyone.schema("private").from("trees").select(), 406, "PGRST106");
  await refused(anyone.from("trees").select().contains("name", ["a"]), 404, "42883");
  await refused(anyone.from("trees").select().containedBy("name", ["a"]), 404, "42883");
  await refused(anyone.from("trees").select().overlaps("name", ["a"]), 404, "42883");
  await refused(anyone.from("trees").select().rangeGt("id", "[1,2)"), 404, "42883");
  await refused(anyone.from("trees").select().rangeAdjacent("id", "[1,2)"), 404, "42883");
});

await step("mistakes are told", async () => {
  assert.match((await refused(anyone.from("tree").select(), 404, "PGRST205")).hint, /trees/);
  await refused(anyone.from("trees").select("nam"), 400, "42703");
  await refused(anyone.from("trees").select().eq("nam", 1), 400, "42703");
  await refused(anyone.from("trees").select().order("nam"), 400, "42703");
  await refused(anyone.from("trees").select().eq("id", "one"), 400, "22P02");
  await refused(anyone.from("trees").select().filter("id", "like it", "x"), 400, "PGRST100");
  await refused(anyone.from("trees").select("id::nothing"), 400, "42704");
  await refused(anyone.from("trees").select("id, user(email)"), 400, "PGRST200");
  await refused(anyone.from("expenses").select(), 401, "PGRST302");
  await refused(client("not a token").from("trees").select(), 401, "PGRST301");
  await assert.rejects(async () => anyone.from("tree").select().throwOnError(), { code: "PGRST205" });
});

// Writes

const lunch = { title: "Lunch", description: "with Bob", amount: 45.58, category: "food", spent_on: "2026-01-10" };
const tram = { title: "Tram", amount: 2.8, category: "travel", spent_on: "2026-01-11" };
const cinema = { title: 'Cinema, "late"', amount: 12, category: "fun", spent_on: "2026-02-01" };
const bread = { title: "Bread", amount: 3.2, category: "food", spent_on: "2026-02-02" };
const expenses = () => user.from("expenses").select("title").order("spent_on");

await step("insert", async () => {
  const silent = await user.from("expenses").insert(lunch);
  assert.deepEqual([silent.status, silent.error], [201, null]);
  await gives(user.from("expenses").insert(tram).select("title, amount"), [{ title: "Tram", amount: 2.8 }], 201);
  await gives(user.from("expenses").insert(bread).select("title").single(), { title: "Bread" }, 201);
  await gives(expenses(), [{ title: "Lunch" }, { title: "Tram" }, { title: "Bread" }]);
});

await step("insert of several", async () => {
  const more = [cinema, { ...bread, title: "Butter", description: "salted", spent_on: "2026-02-03" }];
  const told = await user.from("expenses").insert(more, { count: "exact" }).select("title,description,currency");
  assert.deepEqual([told.status, told.error, told.count], [201, null, 2]);
  assert.deepEqual(told.data, [
    { title: 'Cinema, "late"', description: null, currency: "USD" },
    { title: "Butter", description: "salted", currency: "USD" },
  ]);
  const silent = await user.from("expenses").insert([{ ...bread, title: "Jam", spent_on: "2026-02-04" }]);
  assert.deepEqual([silent.status, silent.data, silent.error], [201, null, null]);
  const defaults = [{ title: "Salt", amount: 1, currency: "EUR" }, { title: "Oil", amount: 2 }];
  const filled = user.from("expenses").insert(defaults, { defaultToNull: false }).select("title,currency");
  await gives(filled, [{ title: "Salt", currency: "EUR" }, { title: "Oil", currency: "USD" }], 201);
  await gives(user.from("expenses").insert([]).select("title"), [], 201);
  const first = user.from("expenses").insert(more).select("title").order("title").limit(1).rollback().single();
  await gives(first, { title: "Butter" }, 201);
});

await step("an insert that fails changes nothing", async () => {
  const before = await data(expenses());
  await refused(user.from("expenses").insert([tram, { title: "", amount: 1 }]).select(), 422, "23514");
  await refused(user.from("expenses").insert({ ...tram, nothing: 1 }), 422, "PGRST204");
  await refused(user.from("expenses").insert({ ...tram, amount: 1.005 }), 422, "23514");
  await refused(user.from("expenses").insert([{ ...tram, nothing: 1 }]), 400, "PGRST204");
  await refused(anyone.from("expenses").insert(tram), 401, "PGRST302");
  await refused(user.from("trees").insert({ name: "Oak", species: "Quercus" }), 403, "42501");
  await refused(user.from("expenses").insert([tram, bread]).select().single(), 406, "PGRST116");
  await gives(expenses(), before);
});

await step("upsert", async () => {
  const told = await editor.from("trees").upsert([{ id: 4, name: "Scarlet Maple", species: "Acer rubrum" }]).select();
  assert.deepEqual([told.status, told.data], [200, [{ ...maple, name: "Scarlet Maple" }]]);
  const kept = await editor.from("trees").upsert([maple], { ignoreDuplicates: true }).select();
  assert.deepEqual([kept.error, kept.data], [null, []]);
  await gives(editor.from("trees").upsert(maple).select().single(), maple);
  const budget = { category: "food", month: "2026-01-01", limit_amount: 100 };
  const target = { onConflict: "user_id,category,month,currency" };
  const made = user.from("budgets").upsert(budget, target).select("limit_amount,spent");
  await gives(made, [{ limit_amount: 100, spent: 45.58 }], 201);
  const changed = user.from("budgets").upsert({ ...budget, limit_amount: 50 }, target).select("limit_amount,remaining");
  await gives(changed, [{ limit_amount: 50, remaining: 4.42 }]);
  await refused(user.from("budgets").insert(budget), 409, "23505");
});

await step("update", async () => {
  const silent = await user.from("expenses").update({ description: "slow" }).eq("title", "Tram");
  assert.deepEqual([silent.status, silent.data, silent.error], [204, null, null]);
  const told = user.from("expenses").update({ category: "groceries" }).in("title", ["Butter", "Jam"]);
  await gives(told.select("title,category").order("title"), [
    { title: "Butter", category: "groceries" },
    { title: "Jam", category: "groceries" },
  ]);
  const counted = await user.from("expenses").update({ category: "food" }, { count: "exact" }).eq("category", "groceries");
  assert.deepEqual([counted.status, counted.count], [204, 2]);
  await gives(user.from("expenses").update({ title: "x" }).eq("title", "nothing").select(), []);
  await gives(user.from("expenses").update({ amount: 2.9 }).eq("title", "Tram").select("amount").single(), { amount: 2.9 });
  await refused(user.from("expenses").update({ title: "x" }).select().single(), 400, "21000");
  await refused(user.from("expenses").update({ title: "x" }).gt("amount", 1).select().single(), 406, "PGRST116");
  await refused(user.from("expenses").update({ nothing: 1 }).eq("title", "Tram"), 422, "PGRST204");
});

await step("a write is bounded, and needs a filter", async () => {
  const before = await data(expenses());
  await refused(user.from("expenses").update({ title: "x" }), 400, "21000");
  await refused(user.from("expenses").delete(), 400, "21000");
  await refused(user.from("expenses").update({ title: "x" }).eq("category", "food").maxAffected(1), 400, "PGRST124");
  await refused(user.from("expenses").delete().eq("category", "food").maxAffected(1), 400, "PGRST124");
  await gives(expenses(), before);
  const all = user.from("expenses").update({ currency: "USD" }).gt("amount", 0).maxAffected(20).select("title");
  assert.equal((await data(all)).length, before.length);
});

await step("a write that is undone", async () => {
  const before = await data(expenses());
  await gives(user.from("expenses").insert(tram).select("title").rollback(), [{ title: "Tram" }], 201);
  await gives(user.from("expenses").update({ title: "x" }).eq("title", "Tram").select("title").rollback(), [{ title: "x" }]);
  assert.equal((await data(user.from("expenses").delete().gt("amount", 0).select("title").rollback())).length, before.length);
  await gives(expenses(), before);
});

await step("delete", async () => {
  const silent = await user.from("expenses").delete().eq("title", "Salt");
  assert.deepEqual([silent.status, silent.data, silent.error], [204, null, null]);
  await gives(user.from("expenses").delete().eq("title", "Oil").select("title"), [{ title: "Oil" }]);
  const counted = await user.from("expenses").delete({ count: "exact" }).in("title", ["Butter", "Jam"]);
  assert.deepEqual([counted.status, counted.count], [204, 2]);
  await gives(user.from("expenses").delete().eq("title", "Oil").select(), []);
  await gives(expenses(), ["Lunch", "Tram", 'Cinema, "late"', "Bread"].map((title) => ({ title })));
});

// What is related

const me = (await user.from("users").select("id,email,name").single()).data;

await step("embed the one", async () => {
  const one = (select) => user.from("expenses").select(select).eq("title", "Lunch").single();
  await gives(one("title, user(email)"), { title: "Lunch", user: { email: me.email } });
  await gives(one("title, owner:user(who:name)"), { title: "Lunch", owner: { who: me.name } });
  await gives(one("title, users(email)"), { title: "Lunch", users: { email: me.email } });
  await gives(one("title, users!user_id(email)"), { title: "Lunch", users: { email: me.email } });
  await gives(one("title, users!expenses_user_id_fkey(email)"), { title: "Lunch", users: { email: me.email } });
  await gives(one("title, ...user(email)"), { title: "Lunch", email: me.email });
  await gives(one("title, ...user(owner:email, name)"), { title: "Lunch", owner: me.email, name: me.name });
});

await step("embed the many", async () => {
  const select = "name, expenses(title, amount)";
  await gives(
    user.from("users").select(select).order("amount", { referencedTable: "expenses" }).limit(2, { referencedTable: "expenses" }),
    [{ name: me.name, expenses: [{ title: "Tram", amount: 2.9 }, { title: "Bread", amount: 3.2 }] }],
  );
  await gives(
    user.from("users").select("name, expenses(title)").eq("expenses.category", "travel"),
    [{ name: me.name, expenses: [{ title: "Tram" }] }],
  );
  await gives(
    user.from("users").select("name, expenses(title)").or("title.eq.Tram,title.eq.Bread", { referencedTable: "expenses" })
      .order("title", { referencedTable: "expenses", ascending: false }),
    [{ name: me.name, expenses: [{ title: "Tram" }, { title: "Bread" }] }],
  );
  await gives(
    user.from("users").select("name, paid:expenses(title)").order("amount", { referencedTable: "paid", ascending: false })
      .range(1, 1, { referencedTable: "paid" }),
    [{ name: me.name, paid: [{ title: 'Cinema, "late"' }] }],
  );
  await gives(
    user.from("users").select("name, ...expenses(title)").order("title", { referencedTable: "expenses" }),
    [{ name: me.name, title: ["Bread", 'Cinema, "late"', "Lunch", "Tram"] }],
  );
  await gives(
    user.from("expenses").select("title, user(budgets(category))").eq("title", "Lunch"),
    [{ title: "Lunch", user: { budgets: [{ category: "food" }] } }],
  );
});

await step("filter and order by what is related", async () => {
  await gives(user.from("users").select("name, expenses!inner(title)").eq("expenses.title", "nothing"), []);
  await gives(
    user.from("users").select("name, expenses!inner(title)").eq("expenses.title", "Tram"),
    [{ name: me.name, expenses: [{ title: "Tram" }] }],
  );
  await gives(user.from("users").select("name, expenses()").not("expenses", "is", null), [{ name: me.name }]);
  await gives(user.from("users").select("name, expenses()").is("expenses", null), []);
  await gives(user.from("expenses").select("title, user!inner(email)").eq("user.email", "nobody@example.com"), []);
  await gives(
    user.from("expenses").select("title, user(name)").order("user(name)").order("title").limit(1),
    [{ title: "Bread", user: { name: me.name } }],
  );
  await refused(user.from("users").select("name").eq("expenses.title", "Tram"), 400, "PGRST108");
});

await step("a write tells what is related", async () => {
  const changed = user.from("expenses").update({ description: "fast" }).eq("title", "Tram");
  await gives(changed.select("title, user(email)"), [{ title: "Tram", user: { email: me.email } }]);
});

await step("aggregates", async () => {
  await gives(user.from("expenses").select("count()").single(), { count: 4 });
  await gives(
    user.from("expenses").select("amount.sum(), least:amount.min(), most:amount.max(), count()"),
    [{ sum: 63.68, least: 2.9, most: 45.58, count: 4 }],
  );
  await gives(user.from("expenses").select("category, amount.sum()").order("category"), [
    { category: "food", sum: 48.78 },
    { category: "fun", sum: 12 },
    { category: "travel", sum: 2.9 },
  ]);
  await gives(user.from("expenses").select("total:amount.sum()::text"), [{ total: "63.68" }]);
  await gives(
    user.from("users").select("name, expenses(amount.sum())"),
    [{ name: me.name, expenses: [{ sum: 63.68 }] }],
  );
  await gives(user.from("expenses").select("amount.sum(), ...user(email)"), [{ sum: 63.68, email: me.email }]);
});

await step("paths into JSON", async () => {
  const oak = { name: "Oak", traits: { leaf: { shape: "lobed" }, sizes: [3, 7] }, protected: true };
  const ash = { name: "Ash", traits: { leaf: { shape: "pinnate" }, sizes: [1] }, protected: true };
  await data(user.from("species").insert([oak, ash]), 201);
  const own = () => user.from("species");
  await gives(own().select("name, traits->leaf->>shape").eq("name", "Oak"), [{ name: "Oak", shape: "lobed" }]);
  await gives(own().select("leaf:traits->leaf, traits->sizes->0").eq("name", "Oak"), [{ leaf: { shape: "lobed" }, sizes: 3 }]);
  await gives(own().select("name").eq("traits->leaf->>shape", "pinnate"), [{ name: "Ash" }]);
  await gives(own().select("name").order("traits->leaf->>shape", { ascending: false }), [{ name: "Ash" }, { name: "Oak" }]);
  await gives(own().select("name, notes").stripNulls().eq("name", "Oak"), [{ name: "Oak" }]);
  await gives(own().select("name, notes").eq("name", "Oak").single().stripNulls(), { name: "Oak" });
  const { id } = await data(own().select("id").eq("name", "Oak").single());
  const sapling = own().insert({ name: "Sapling", traits: {}, parent_id: id });
  await gives(sapling.select("name, parent(name)"), [{ name: "Sapling", parent: { name: "Oak" } }], 201);
  // A table that refers to itself is by its own name what refers to the row.
  await gives(own().select("name, species(name)").eq("name", "Oak"), [{ name: "Oak", species: [{ name: "Sapling" }] }]);
});

finish();
