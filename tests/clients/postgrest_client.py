"""The Python client of PostgREST, unchanged, against a running server.

In: python postgrest_client.py BASE_URL USER_TOKEN EDITOR_TOKEN, with the four trees, an account that owns nothing yet and
one that may write trees. The client always names the schema `public`.
Out: one line a step, then `N passed, N failed`; exit code 1 when a step failed.
"""

import datetime
import sys
import traceback

from postgrest import APIError, CountMethod, ReturnMethod, SyncPostgrestClient

if len(sys.argv) != 4:
    sys.exit("usage: postgrest_client.py BASE_URL USER_TOKEN EDITOR_TOKEN")
BASE, USER, EDITOR = sys.argv[1:]

STEPS = []


def step(name):
    """A step of the test, under a name."""

    def keep(check):
        STEPS.append((name, check))
        return check

    return keep


def client(token=None, schema="public"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return SyncPostgrestClient(BASE, schema=schema, headers=headers)


anyone, user, editor = client(), client(USER), client(EDITOR)


def is_equal(given, expected):
    if given != expected:
        raise AssertionError(f"{given!r}\nshould be\n{expected!r}")


def gives(request, expected):
    is_equal(request.execute().data, expected)


def refused(request, code, status=None):
    try:
        answer = request.execute()
    except APIError as error:
        is_equal(error.code, code)
        return error
    raise AssertionError(f"not refused with {code}: {answer!r}")


def trees():
    return anyone.from_("trees").select("id").order("id")


def finds(request, *ids):
    gives(request, [{"id": number} for number in ids])


BANYAN = {"id": 1, "name": "Banyan", "species": "Ficus benghalensis"}
MAPLE = {"id": 4, "name": "Red Maple", "species": "Acer rubrum"}


@step("select, with other names and types")
def _():
    gives(anyone.from_("trees").select("*").eq("id", 1), [BANYAN])
    gives(anyone.from_("trees").select("id", "name").eq("id", 1), [{"id": 1, "name": "Banyan"}])
    gives(anyone.from_("trees").select("tree:name, key:id::text").eq("id", 1), [{"tree": "Banyan", "key": "1"}])


@step("filters")
def _():
    finds(trees().eq("name", "Banyan"), 1)
    finds(trees().neq("name", "Banyan"), 2, 3, 4)
    finds(trees().gt("id", 1).lte("id", 3), 2, 3)
    finds(trees().gte("id", 4), 4)
    finds(trees().lt("id", 2), 1)
    finds(trees().is_("name", None))
    finds(trees().not_.is_("name", None), 1, 2, 3, 4)
    finds(trees().in_("name", ["Banyan", "Red Maple", "a,b(c)"]), 1, 4)
    finds(trees().not_.in_("id", [1, 2]), 3, 4)
    finds(trees().like("species", "%a"), 2, 3)
    finds(trees().ilike("name", "b%"), 1)
    finds(trees().like_all_of("name", "%e%,%M%"), 4)
    finds(trees().like_any_of("name", "B%,A%"), 1, 3)
    finds(trees().ilike_all_of("name", "%E%,%M%"), 3, 4)
    finds(trees().ilike_any_of("name", "b%,q%"), 1, 2)
    finds(trees().or_("id.eq.1,and(id.gt.2,name.like.Red*)"), 1, 4)
    finds(trees().match({"id": 1, "name": "Banyan"}), 1)
    finds(trees().filter("name", "imatch", "^[a-b]"), 1, 3)


@step("full text")
def _():
    finds(trees().fts("name", "maple & red"), 4)
    finds(trees().plfts("name", "american elm"), 3)
    finds(trees().phfts("name", "quaking aspen"), 2)
    finds(trees().wfts("name", "maple or aspen -quaking"), 4)
    found = anyone.from_("trees").select("id").text_search("name", "maples", {"type": "plain", "config": "english"})
    gives(found, [{"id": 4}])


@step("order, limit, range and counts")
def _():
    def ids(request):
        return [row["id"] for row in request.execute().data]

    unordered = lambda: anyone.from_("trees").select("id")  # noqa: E731
    is_equal(ids(unordered().order("name", desc=True)), [4, 2, 1, 3])
    is_equal(ids(unordered().order("species", nullsfirst=True).order("id")), [4, 1, 2, 3])
    is_equal(ids(trees().limit(2).offset(1)), [2, 3])
    is_equal(ids(trees().range(2, 5)), [3, 4])
    for method in CountMethod:
        answer = anyone.from_("trees").select("id", count=method).execute()
        if method != CountMethod.planned:
            is_equal(answer.count, 4)
    head = anyone.from_("trees").select("*", count=CountMethod.exact, head=True).execute()
    is_equal(head.count, 4)
    refused(anyone.from_("trees").select("*", count=CountMethod.exact).range(10, 12), "PGRST103")
    refused(anyone.from_("tree").select("*", head=True), "PGRST205")


@step("one row, and CSV")
def _():
    gives(anyone.from_("trees").select("*").eq("id", 1).single(), BANYAN)
    is_equal(anyone.from_("trees").select("*").eq("id", 0).maybe_single().execute(), None)
    error = refused(anyone.from_("trees").select("*").single(), "PGRST116")
    is_equal(error.details, "The result contains 4 rows")
    csv = anyone.from_("trees").select("id", "name").eq("id", 1).csv().execute().data
    is_equal(csv.rstrip(), "id,name\n1,Banyan")


@step("what is wrong, or not served, is told")
def _():
    refused(anyone.from_("tree").select("*"), "PGRST205")
    refused(anyone.from_("trees").select("nam"), "42703")
    refused(trees().eq("id", "one"), "22P02")
    refused(trees().cs("name", ["a"]), "42883")
    refused(trees().sl("id", (1, 2)), "42883")
    refused(anyone.from_("expenses").select("*"), "PGRST302")
    refused(client("not a token").from_("trees").select("*"), "PGRST301")
    refused(client(schema="private").from_("trees").select("*"), "PGRST106")


DAY = datetime.date(2026, 1, 10)
LUNCH = {"title": "Lunch", "amount": 45.58, "category": "food", "spent_on": DAY}
TRAM = {"title": "Tram", "amount": 2.8, "category": "travel", "spent_on": DAY}


def titles():
    return user.from_("expenses").select("title").order("title")


@step("insert")
def _():
    is_equal(user.from_("expenses").insert(LUNCH, returning=ReturnMethod.minimal).execute().data, [])
    told = user.from_("expenses").insert(TRAM).select("title,amount,spent_on")
    gives(told, [{"title": "Tram", "amount": 2.8, "spent_on": "2026-01-10"}])
    several = user.from_("expenses").insert([{"title": "A", "amount": 1}, {"title": "B", "amount": 2, "category": "b"}], count=CountMethod.exact)
    answer = several.select("title,category").execute()
    is_equal((answer.count, answer.data), (2, [{"title": "A", "category": None}, {"title": "B", "category": "b"}]))
    refused(user.from_("expenses").insert({"title": "", "amount": 1}), "23514")
    refused(anyone.from_("expenses").insert(LUNCH), "PGRST302")
    refused(user.from_("trees").insert({"name": "Oak", "species": "Quercus"}), "42501")


@step("upsert")
def _():
    gives(editor.from_("trees").upsert({**MAPLE, "name": "Scarlet Maple"}), [{**MAPLE, "name": "Scarlet Maple"}])
    gives(editor.from_("trees").upsert(MAPLE, ignore_duplicates=True), [])
    gives(editor.from_("trees").upsert([MAPLE]), [MAPLE])
    budget = {"category": "food", "month": datetime.date(2026, 1, 1), "limit_amount": 100}
    target = "user_id,category,month,currency"
    gives(user.from_("budgets").upsert(budget, on_conflict=target).select("spent"), [{"spent": 45.58}])
    changed = user.from_("budgets").upsert({**budget, "limit_amount": 50}, on_conflict=target)
    gives(changed.select("remaining"), [{"remaining": 4.42}])
    refused(user.from_("budgets").insert(budget), "23505")


@step("update and delete")
def _():
    gives(user.from_("expenses").update({"amount": 2.9}).eq("title", "Tram").select("amount"), [{"amount": 2.9}])
    counted = user.from_("expenses").update({"category": "a"}, count=CountMethod.exact).in_("title", ["A", "B"]).execute()
    is_equal(counted.count, 2)
    refused(user.from_("expenses").update({"title": "x"}), "21000")
    refused(user.from_("expenses").delete(), "21000")
    refused(user.from_("expenses").delete().eq("category", "a").max_affected(1), "PGRST124")
    gives(user.from_("expenses").delete().eq("title", "A").max_affected(1).select("title"), [{"title": "A"}])
    is_equal(user.from_("expenses").delete(returning=ReturnMethod.minimal).eq("title", "B").execute().data, [])
    gives(titles(), [{"title": "Lunch"}, {"title": "Tram"}])


@step("what is related, and what it comes to")
def _():
    me = user.from_("users").select("email", "name").single().execute().data
    gives(user.from_("expenses").select("title, user(email)").eq("title", "Tram"), [{"title": "Tram", "user": {"email": me["email"]}}])
    gives(user.from_("expenses").select("title, ...user(email)").eq("title", "Tram"), [{"title": "Tram", "email": me["email"]}])
    many = user.from_("users").select("name, expenses(title)").order("amount", foreign_table="expenses").limit(1, foreign_table="expenses")
    gives(many, [{"name": me["name"], "expenses": [{"title": "Tram"}]}])
    gives(user.from_("users").select("name, expenses!inner(title)").eq("expenses.title", "nothing"), [])
    either = user.from_("users").select("expenses(title)").or_("title.eq.Tram,title.eq.x", reference_table="expenses")
    gives(either, [{"expenses": [{"title": "Tram"}]}])
    summed = user.from_("expenses").select("category, amount.sum(), count()").order("category")
    gives(summed, [{"category": "food", "sum": 45.58, "count": 1}, {"category": "travel", "sum": 2.9, "count": 1}])


def main():
    failed = 0
    for name, check in STEPS:
        try:
            check()
            print(f"ok      {name}")
        except Exception:  # noqa: BLE001: whatever a step fails with is told, and the others are run
            failed += 1
            print(f"FAILED  {name}")
            print("        " + traceback.format_exc(limit=-3).replace("\n", "\n        "))
    print(f"{len(STEPS) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
