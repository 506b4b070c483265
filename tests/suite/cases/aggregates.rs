//! What the rows of a list come to together, and in groups: exact, the same on both databases, whatever the page.

use super::ledger;
use crate::{
    graft,
    support::{Caller::*, Dialect, on_all},
};
use serde_json::{Value, json};

/// What Ann's expenses answer to fields of their connection.
async fn check(cases: &[(&str, Value)]) {
    on_all(async |server| {
        ledger::fill(server).await;
        for (fields, expected) in cases {
            let list = server.data(User, &format!("{{ {fields} }}")).await["expenses"].clone();
            assert_eq!(list, *expected, "{fields}");
        }
    })
    .await;
}

#[tokio::test]
async fn impossible_groups_are_refused() {
    on_all(async |server| {
        for (fields, field) in [
            ("groups(by: []) { count }", "by"),
            ("groups(by: [CATEGORY, CATEGORY]) { count }", "by"),
            ("groups(by: [CATEGORY]) { key { currency } }", "currency"),
            ("groups(by: [CATEGORY], orderBy: { currency: ASC }) { count }", "currency"),
            ("groups(by: [CATEGORY], first: 101) { count }", "first"),
            ("groups(by: [CATEGORY], first: -1) { count }", "first"),
            ("groups(by: [CATEGORY], fill: { from: \"2026-01-01\", to: \"2026-02-01\" }) { count }", "fill"),
            (
                "groups(by: [SPENT_ON_MONTH, SPENT_ON_YEAR], fill: { from: \"2026-01-01\", to: \"2026-02-01\" }) { count }",
                "fill",
            ),
            ("groups(by: [SPENT_ON_DAY], fill: { from: \"2026-02-02\", to: \"2026-02-01\" }) { count }", "fill"),
            ("groups(by: [SPENT_ON_DAY], fill: { from: \"0001-01-01\", to: \"9999-12-31\" }) { count }", "fill"),
            ("groups(by: [CATEGORY], having: { count: { gt: null } }) { count }", "count"),
        ] {
            let answer = server.graphql(User, &format!("{{ expenses {{ {fields} }} }}"), Value::Null).await;
            let error = &answer.errors()[0];
            assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{fields}: {}", answer.text);
            assert_eq!(error["extensions"]["field"], field, "{fields}: {}", answer.text);
        }
        for fields in [
            "groups { count }",
            "groups(by: [ID]) { count }",
            "groups(by: [CATEGORY_MONTH]) { count }",
            "groups(by: [CATEGORY]) { sum { title } }",
            "aggregate { sum { spentOn } }",
            "aggregate { max { id } }",
        ] {
            let answer = server.graphql(User, &format!("{{ expenses {{ {fields} }} }}"), Value::Null).await;
            answer.expect(200).refused("GRAPHQL_VALIDATION_FAILED");
        }
        for (path, code) in [
            ("/expenses?select=title.sum()", "42883"),
            ("/expenses?select=amount.total()", "PGRST100"),
            ("/expenses?select=sum()", "PGRST200"),
            ("/expenses?select=colour,count()", "42703"),
            ("/expenses?select=colour.max()", "42703"),
            ("/expenses?select=category,count()&order=title", "PGRST100"),
        ] {
            server.get(User, path).await.misunderstood(code);
        }
    })
    .await;
}

#[tokio::test]
async fn a_whole_list_is_summed_up() {
    check(&[
        (
            "expenses(filter: { currency: { eq: \"EUR\" } }, first: 1) { nodes { title } aggregate { n: count sum { amount } avg { amount } min { amount title spentOn } max { amount } countDistinct { category currency } __typename } totalCount }",
            json!({ "nodes": [{ "title": "c" }], "aggregate": {
                "n": 2, "sum": { "amount": "42.58" }, "avg": { "amount": "21.29" },
                "min": { "amount": "-3.00", "title": "c", "spentOn": "2024-02-29" }, "max": { "amount": "45.58" },
                "countDistinct": { "category": 2, "currency": 1 }, "__typename": "ExpenseAggregate" }, "totalCount": 2 }),
        ),
        // NULLs are no values, and of none there is nothing but their number.
        (
            "expenses(filter: { title: { eq: \"nothing\" } }) { aggregate { count sum { amount } avg { amount } min { title } countDistinct { title } } }",
            json!({ "aggregate": { "count": 0, "sum": { "amount": null }, "avg": { "amount": null }, "min": { "title": null }, "countDistinct": { "title": 0 } } }),
        ),
        (
            "expenses(filter: { category: { isNull: true } }) { aggregate { count max { category } countDistinct { category } avg { amount } } }",
            json!({ "aggregate": { "count": 3, "max": { "category": null }, "countDistinct": { "category": 0 }, "avg": { "amount": "415.226667" } } }),
        ),
        // Beyond a page, and beside one that has no rows.
        (
            "expenses(first: 0) { aggregate { count max { amount } } pageInfo { hasNextPage } }",
            json!({ "aggregate": { "count": 12, "max": { "amount": "999999999999.99" } }, "pageInfo": { "hasNextPage": true } }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn rows_are_grouped() {
    check(&[
        // By the key, NULL last, without another order.
        (
            "expenses { groups(by: [CURRENCY]) { key { currency } count sum { amount } } }",
            json!({ "groups": [
                { "key": { "currency": "CHF" }, "count": 1, "sum": { "amount": "9.99" } },
                { "key": { "currency": "EUR" }, "count": 2, "sum": { "amount": "42.58" } },
                { "key": { "currency": "JPY" }, "count": 1, "sum": { "amount": "999999999999.99" } },
                { "key": { "currency": "USD" }, "count": 8, "sum": { "amount": "2598.26" } },
            ] }),
        ),
        (
            "expenses(filter: { currency: { eq: \"USD\" } }) { groups(by: [CATEGORY], orderBy: [{ count: DESC }, { category: DESC }]) { key { category } count } }",
            json!({ "groups": [
                { "key": { "category": null }, "count": 3 }, { "key": { "category": "Food" }, "count": 2 },
                { "key": { "category": "Ärger" }, "count": 1 }, { "key": { "category": "Rent" }, "count": 1 },
                { "key": { "category": "Food & Drink" }, "count": 1 },
            ] }),
        ),
        (
            "expenses { groups(by: [CATEGORY], having: { or: [{ count: { gte: 3 } }, { not: { sum: { amount: { lt: \"1000000\" } } } }] }, orderBy: { max: { amount: DESC } }) { key { category } avg { amount } } }",
            json!({ "groups": [
                { "key": { "category": "a,b(c)" }, "avg": { "amount": "999999999999.99" } },
                { "key": { "category": null }, "avg": { "amount": "415.226667" } },
                { "key": { "category": "Food" }, "avg": { "amount": "30.386667" } },
            ] }),
        ),
        (
            "expenses { groups(by: [CATEGORY, CURRENCY], first: 2) { key { currency category __typename } __typename } }",
            json!({ "groups": [
                { "key": { "currency": "EUR", "category": "Food", "__typename": "ExpenseGroupKey" }, "__typename": "ExpenseGroup" },
                { "key": { "currency": "USD", "category": "Food", "__typename": "ExpenseGroupKey" }, "__typename": "ExpenseGroup" },
            ] }),
        ),
        ("expenses(filter: { title: { eq: \"nothing\" } }) { groups(by: [CATEGORY]) { count } }", json!({ "groups": [] })),
    ])
    .await;
}

#[tokio::test]
async fn days_fall_into_buckets() {
    check(&[
        (
            "expenses(filter: { spentOn: { lt: \"2026-02-01\" } }) { year: groups(by: [SPENT_ON_YEAR]) { key { spentOnYear } count } quarter: groups(by: [SPENT_ON_QUARTER]) { key { spentOnQuarter } count } month: groups(by: [SPENT_ON_MONTH]) { key { spentOnMonth } count } week: groups(by: [SPENT_ON_WEEK]) { key { spentOnWeek } count } day: groups(by: [SPENT_ON_DAY]) { key { spentOnDay } count } plain: groups(by: [SPENT_ON]) { key { spentOn } count } }",
            json!({
                "year": [{ "key": { "spentOnYear": "1999-01-01" }, "count": 1 }, { "key": { "spentOnYear": "2024-01-01" }, "count": 1 }, { "key": { "spentOnYear": "2026-01-01" }, "count": 4 }],
                "quarter": [{ "key": { "spentOnQuarter": "1999-10-01" }, "count": 1 }, { "key": { "spentOnQuarter": "2024-01-01" }, "count": 1 }, { "key": { "spentOnQuarter": "2026-01-01" }, "count": 4 }],
                "month": [{ "key": { "spentOnMonth": "1999-12-01" }, "count": 1 }, { "key": { "spentOnMonth": "2024-02-01" }, "count": 1 }, { "key": { "spentOnMonth": "2026-01-01" }, "count": 4 }],
                // ISO 8601: a week begins on its Monday.
                "week": [{ "key": { "spentOnWeek": "1999-12-27" }, "count": 1 }, { "key": { "spentOnWeek": "2024-02-26" }, "count": 1 }, { "key": { "spentOnWeek": "2026-01-26" }, "count": 4 }],
                "day": [{ "key": { "spentOnDay": "1999-12-31" }, "count": 1 }, { "key": { "spentOnDay": "2024-02-29" }, "count": 1 }, { "key": { "spentOnDay": "2026-01-31" }, "count": 4 }],
                "plain": [{ "key": { "spentOn": "1999-12-31" }, "count": 1 }, { "key": { "spentOn": "2024-02-29" }, "count": 1 }, { "key": { "spentOn": "2026-01-31" }, "count": 4 }],
            }),
        ),
        // Instants by their day in UTC.
        (
            "expenses { groups(by: [CREATED_AT_DAY]) { key { createdAtDay } count } }",
            json!({ "groups": [{ "key": { "createdAtDay": "2026-03-01" }, "count": 8 }, { "key": { "createdAtDay": "2026-03-02" }, "count": 4 }] }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn no_bucket_is_left_out_on_request() {
    let empty = |month: &str, category: Value| json!({ "key": { "spentOnMonth": month, "category": category }, "count": 0, "sum": { "amount": null } });
    check(&[
        (
            "expenses(filter: { spentOn: { gte: \"2026-05-01\" }, title: { neq: \"h\" } }) { groups(by: [SPENT_ON_MONTH], fill: { from: \"2026-04-30\", to: \"2026-08-01\" }) { key { spentOnMonth } count sum { amount } countDistinct { title } } }",
            json!({ "groups": [
                { "key": { "spentOnMonth": "2026-04-01" }, "count": 0, "sum": { "amount": null }, "countDistinct": { "title": 0 } },
                { "key": { "spentOnMonth": "2026-05-01" }, "count": 0, "sum": { "amount": null }, "countDistinct": { "title": 0 } },
                { "key": { "spentOnMonth": "2026-06-01" }, "count": 2, "sum": { "amount": "107.00" }, "countDistinct": { "title": 2 } },
                { "key": { "spentOnMonth": "2026-07-01" }, "count": 0, "sum": { "amount": null }, "countDistinct": { "title": 0 } },
                { "key": { "spentOnMonth": "2026-08-01" }, "count": 0, "sum": { "amount": null }, "countDistinct": { "title": 0 } },
            ] }),
        ),
        // For each combination of the other keys that there is, NULL among them.
        (
            "expenses(filter: { title: { in: [\"f\", \"e\"] } }) { groups(by: [SPENT_ON_MONTH, CATEGORY], fill: { from: \"2026-01-01\", to: \"2026-02-01\" }) { key { spentOnMonth category } count sum { amount } } }",
            json!({ "groups": [
                empty("2026-01-01", json!("Rent")), empty("2026-01-01", Value::Null),
                { "key": { "spentOnMonth": "2026-02-01", "category": "Rent" }, "count": 1, "sum": { "amount": "1200.00" } },
                { "key": { "spentOnMonth": "2026-02-01", "category": null }, "count": 1, "sum": { "amount": "1200.00" } },
            ] }),
        ),
        // What it was filled up with, a condition can leave out again, and an order can put last.
        (
            "expenses(filter: { title: { eq: \"k\" } }) { groups(by: [SPENT_ON_DAY], having: { count: { gt: 0 } }, fill: { from: \"2026-05-30\", to: \"2026-06-02\" }) { key { spentOnDay } } }",
            json!({ "groups": [{ "key": { "spentOnDay": "2026-06-01" } }] }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn related_rows_are_summed_up_and_grouped() {
    on_all(async |server| {
        ledger::fill(server).await;
        let query = "{ users(orderBy: { name: ASC }) { nodes { name expenses(filter: { currency: { eq: \"USD\" } }, first: 1, orderBy: { title: DESC }) {
            nodes { title } totalCount aggregate { sum { amount } } groups(by: [CATEGORY], first: 1) { key { category } count } } } } }";
        let list = |title: Value, count: u64, sum: Value, groups: Value| json!({ "nodes": title, "totalCount": count, "aggregate": { "sum": { "amount": sum } }, "groups": groups });
        let none = || list(json!([]), 0, Value::Null, json!([]));
        let expected = json!([
            { "name": "Ada", "expenses": none() },
            { "name": "Ann", "expenses": list(json!([{ "title": "l" }]), 8, json!("2598.26"), json!([{ "key": { "category": "Food" }, "count": 2 }])) },
            { "name": "Bob", "expenses": list(json!([{ "title": "z" }]), 3, json!("136.74"), json!([{ "key": { "category": "Food" }, "count": 3 }])) },
            { "name": "Eve", "expenses": none() },
        ]);
        assert_eq!(server.data(Admin, query).await["users"]["nodes"], expected);
    })
    .await;
}

#[tokio::test]
async fn rest_has_words_for_aggregates() {
    on_all(async |server| {
        ledger::fill(server).await;
        for (query, expected) in [
            ("select=count()", r#"[{"count":12}]"#),
            (
                "select=amount.sum(),n:count(),spent_on.max()&currency=eq.USD",
                r#"[{"sum":2598.26,"n":8,"max":"2026-06-02"}]"#,
            ),
            ("select=amount.sum(),amount.avg()&title=eq.nothing", r#"[{"sum":null,"avg":null}]"#),
            (
                "select=currency,amount.sum(),count()&order=currency.desc&limit=2",
                r#"[{"currency":"USD","sum":2598.26,"count":8},{"currency":"JPY","sum":999999999999.99,"count":1}]"#,
            ),
            (
                "select=currency,category.count()&offset=2",
                r#"[{"currency":"JPY","count":1},{"currency":"USD","count":5}]"#,
            ),
            (
                "select=spent_on.month(),n:count(),amount.sum()&currency=eq.USD&order=spent_on.desc",
                r#"[{"month":"2026-06-01","n":2,"sum":107.00},{"month":"2026-02-01","n":2,"sum":2400.00},{"month":"2026-01-01","n":4,"sum":91.26}]"#,
            ),
            (
                "select=spent_on.year()::text,spent_on.quarter()&currency=eq.USD",
                r#"[{"year":"2026-01-01","quarter":"2026-01-01"},{"year":"2026-01-01","quarter":"2026-04-01"}]"#,
            ),
        ] {
            assert_eq!(server.get(User, &format!("/expenses?{query}")).await.expect(200).text, expected, "{query}");
        }
        for (select, code, says) in [
            ("spent_on.moth()", "PGRST100", "Did you mean month()?"),
            ("title.month()", "22P02", "no time that falls into a month"),
            ("month()", "PGRST200", "month"),
        ] {
            server.get(User, &format!("/expenses?select={select}")).await.expect(400).refused(code).saying(says);
        }
        // Of nobody's rows but the caller's.
        assert_eq!(server.get(Other, "/expenses?select=count()").await.expect(200).text, r#"[{"count":3}]"#);
        server.get(Anonymous, "/expenses?select=count()").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_million_dimes_are_a_hundred_thousand() {
    on_all(async |server| {
        let id = &server.person(User).id;
        let (id, key, series) = match server.dialect {
            Dialect::Sqlite => (
                format!("x'{}'", id.replace('-', "")),
                "unhex(format('%032x', i))",
                "with recursive n(i) as (select FROM union all select i + 1 from n where i < TO)",
            ),
            Dialect::Postgres => (
                format!("'{id}'"),
                "lpad(to_hex(i), 32, '0')::uuid",
                "with n(i) as (select generate_series(FROM, TO))",
            ),
        };
        // A part at a time, since a statement has its time limit.
        for part in 0..10 {
            let bounds = (part * 100_000 + 1, (part + 1) * 100_000);
            let series = series.replace("FROM", &bounds.0.to_string()).replace("TO", &bounds.1.to_string());
            let time = "'2026-01-01T00:00:00.000000Z'";
            server
                .sql(&format!(
                    "insert into expenses (id, user_id, title, amount, currency, spent_on, created_at, updated_at)
                     {series} select {key}, {id}, 'dime', 10, 'USD', '2026-01-01', {time}, {time} from n"
                ))
                .await;
        }
        let query = "{ expenses { totalCount aggregate { sum { amount } avg { amount } } groups(by: [SPENT_ON_MONTH]) { sum { amount } } } }";
        let expected = json!({ "totalCount": 1_000_000, "aggregate": { "sum": { "amount": "100000.00" }, "avg": { "amount": "0.10" } },
            "groups": [{ "sum": { "amount": "100000.00" } }] });
        assert_eq!(server.data(User, query).await["expenses"], expected);
        assert_eq!(server.get(User, "/expenses?select=amount.sum()").await.expect(200).text, r#"[{"sum":100000.00}]"#);
    })
    .await;
}

/// A sum beyond 64 bits is told as such, and is no other number; one that comes back into them is exact.
#[tokio::test]
async fn a_sum_beyond_its_type_is_refused() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = graft::server(dialect).await;
        for (name, population) in [("a", i64::MAX), ("b", 5), ("c", -7)] {
            let row = json!({ "name": name, "population": population, "traits": 0 });
            server.rest(User, "POST", "/species", row).await.expect(201);
        }
        let sum = server.data(User, "{ speciesList { aggregate { sum { population } avg { population } } } }").await;
        let expected =
            json!({ "sum": { "population": "9223372036854775805" }, "avg": { "population": 3.0744573456182584e18 } });
        assert_eq!(sum["speciesList"]["aggregate"], expected);
        let query = "{ speciesList(filter: { population: { gt: 0 } }) { aggregate { sum { population } } } }";
        assert_eq!(server.graphql(User, query, Value::Null).await.failure().code, "BAD_USER_INPUT");
        server.get(User, "/species?select=population.sum()&population=gt.0").await.expect(400).refused("22003");
    }
}
