//! Budgets: one a category, month and currency, and nobody's but the owner's, whatever the role of whoever asks.

use crate::support::{Caller::*, Server, on_both};
use serde_json::{Value, json};

/// The columns, in their order.
const COLUMNS: [&str; 10] = [
    "id",
    "user_id",
    "category",
    "month",
    "limit_amount",
    "currency",
    "created_at",
    "updated_at",
    "spent",
    "remaining",
];

const CREATE: &str = "mutation ($input: CreateBudgetInput!) { createBudget(input: $input) { id month limitAmount } }";

fn food() -> Value {
    json!({ "category": "Food", "month": "2026-03-01", "limit_amount": 250 })
}

/// The same as GraphQL has it.
fn input() -> Value {
    json!({ "category": "Food", "month": "2026-03-01", "limitAmount": "250" })
}

/// A body with another value of a member.
fn with(mut body: Value, member: &str, value: &Value) -> Value {
    body[member] = value.clone();
    body
}

async fn budget(server: &Server, caller: crate::support::Caller, body: Value) -> Value {
    server.rest(caller, "POST", "/budgets", body).await.expect(201).json()
}

#[tokio::test]
async fn other_peoples_budgets_do_not_exist_for_an_admin_either() {
    on_both(async |server| {
        server.get(Anonymous, "/budgets").await.expect(401);
        server.rest(Anonymous, "POST", "/budgets", food()).await.expect(401);
        server.graphql(Anonymous, "{ budgets { totalCount } }", Value::Null).await.refused("UNAUTHENTICATED");
        server.graphql(Anonymous, CREATE, json!({ "input": input() })).await.refused("UNAUTHENTICATED");

        let row = budget(server, User, food()).await;
        let (id, path) = (row["id"].as_str().unwrap(), format!("/budgets/{}", row["id"].as_str().unwrap()));
        for caller in [Other, Editor, Admin] {
            for (method, body) in [
                ("GET", Value::Null),
                ("PUT", food()),
                ("PATCH", json!({ "limit_amount": 1 })),
                ("DELETE", Value::Null),
            ] {
                server.rest(caller, method, &path, body).await.expect(404).refused("PGRST116");
            }
            assert_eq!(server.get(caller, "/budgets").await.expect(200).text, "[]");
            assert_eq!(server.get(caller, "/budgets?limit_amount=gt.0").await.text, "[]");
            let lists = format!(r#"{{ budget(id: "{id}") {{ id }} budgets {{ totalCount nodes {{ id }} }} }}"#);
            let nothing = json!({ "budget": null, "budgets": { "totalCount": 0, "nodes": [] } });
            assert_eq!(server.data(caller, &lists).await, nothing);
            let nested = server.data(caller, "{ users { nodes { budgets { totalCount nodes { id } } } } }").await;
            for user in nested["users"]["nodes"].as_array().unwrap() {
                assert_eq!(user["budgets"], json!({ "totalCount": 0, "nodes": [] }), "{caller:?}");
            }
            for change in [
                format!(r#"updateBudget(id: "{id}", set: {{ limitAmount: 1 }})"#),
                format!(r#"deleteBudget(id: "{id}")"#),
            ] {
                let document = format!("mutation {{ {change} {{ id }} }}");
                server.graphql(caller, &document, Value::Null).await.refused("NOT_FOUND");
            }
        }
        assert_eq!(server.get(User, &path).await.expect(200).json(), row);
    })
    .await;
}

/// A second one is refused, though nobody else's stands in the way.
#[tokio::test]
async fn a_category_has_one_budget_a_month_and_currency() {
    on_both(async |server| {
        budget(server, User, food()).await;
        let again = server.rest(User, "POST", "/budgets", food()).await.expect(409).refused("23505");
        for column in ["category", "month", "currency"] {
            assert!(again.text.contains(column), "{}", again.text);
        }
        assert!(!again.text.contains(&server.person(User).id) && !again.text.contains("Food"), "{}", again.text);
        server.graphql(User, CREATE, json!({ "input": input() })).await.refused("CONFLICT");
        // One that is changed must not become another.
        let april = budget(server, User, with(food(), "month", &json!("2026-04-01"))).await;
        let path = format!("/budgets/{}", april["id"].as_str().unwrap());
        server.rest(User, "PATCH", &path, json!({ "month": "2026-03-01" })).await.expect(409).refused("23505");
        server.rest(User, "PUT", &path, food()).await.expect(409).refused("23505");
        let update =
            format!(r#"mutation {{ updateBudget(id: {}, set: {{ month: "2026-03-01" }}) {{ id }} }}"#, april["id"]);
        server.graphql(User, &update, Value::Null).await.refused("CONFLICT");
        assert_eq!(server.get(User, &path).await.json(), april);

        for (member, value) in [("category", "food"), ("month", "2027-03-01"), ("currency", "EUR")] {
            budget(server, User, with(food(), member, &json!(value))).await;
        }
        budget(server, Other, food()).await;
        assert_eq!(server.data(User, "{ budgets { totalCount } }").await["budgets"]["totalCount"], 5);
    })
    .await;
}

#[tokio::test]
async fn a_breach_is_named_with_its_field_in_both_protocols() {
    on_both(async |server| {
        let row = budget(server, User, food()).await;
        let path = format!("/budgets/{}", row["id"].as_str().unwrap());
        let update =
            format!("mutation ($set: UpdateBudgetInput!) {{ updateBudget(id: {}, set: $set) {{ id }} }}", row["id"]);
        for (column, field, value, says) in [
            ("month", "month", json!("2026-03-02"), "must be the first day of a month, like 2026-03-01"),
            ("month", "month", json!("2024-02-29"), "must be the first day of a month, like 2024-02-01"),
            ("month", "month", json!("2026-03"), "must be a date like 2026-01-31"),
            ("month", "month", Value::Null, "must not be null"),
            (
                "limit_amount",
                "limitAmount",
                json!(1.005),
                "must be a decimal number with at most 12 digits before the point and 2 behind it",
            ),
            (
                "limit_amount",
                "limitAmount",
                json!("1000000000000"),
                "must be a decimal number with at most 12 digits before the point and 2 behind it",
            ),
            ("limit_amount", "limitAmount", Value::Null, "must not be null"),
            ("currency", "currency", json!("usd"), "must be an ISO 4217 code like USD"),
            ("currency", "currency", json!("dollar"), "must be an ISO 4217 code like USD"),
            ("category", "category", json!(" "), "must not be empty"),
            ("category", "category", json!("x".repeat(201)), "must be 1 to 200 characters long"),
            ("category", "category", Value::Null, "must not be null"),
        ] {
            let other = json!("Rent");
            let body = with(with(food(), "category", &other), column, &value);
            for (method, path, body) in
                [("POST", "/budgets", body.clone()), ("PUT", &path, body), ("PATCH", &path, json!({ column: value }))]
            {
                let body = server.rest(User, method, path, body).await.expect(422).json();
                assert_eq!(
                    (&body["code"], &body["details"]),
                    (&json!("23514"), &json!(format!("{column} {says}"))),
                    "{method}"
                );
            }
            let input = with(with(input(), "category", &other), field, &value);
            for (document, variables) in
                [(CREATE, json!({ "input": input })), (&*update, json!({ "set": { field: value } }))]
            {
                let answer = server.graphql(User, document, variables).await.refused("BAD_USER_INPUT");
                let error = &answer.errors()[0];
                assert_eq!(error["extensions"]["field"], field, "{}", answer.text);
                assert!(error["message"].as_str().unwrap().ends_with(says), "{}", answer.text);
            }
        }
        // What only the table checks.
        let negative = with(with(food(), "category", &json!("Rent")), "limit_amount", &json!(-1));
        let answer = server.rest(User, "POST", "/budgets", negative).await.expect(400).refused("23514");
        assert_eq!(answer.json()["details"], "limit_amount is not allowed");
        let negative = json!({ "set": { "limitAmount": "-1" } });
        let answer = server.graphql(User, &update, negative).await.refused("BAD_USER_INPUT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "limitAmount");
        // A taken set is told without the column that the policy sets.
        let answer = server.rest(User, "POST", "/budgets", food()).await.expect(409).refused("23505");
        assert_eq!(answer.json()["details"], "category is taken; month is taken; currency is taken");
        let answer = server.graphql(User, CREATE, json!({ "input": input() })).await.refused("CONFLICT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "category");
        // What is the server's, and what is missing.
        for member in ["user_id", "created_at", "spent"] {
            let body = with(food(), member, &row["user_id"]);
            server.rest(User, "POST", "/budgets", body).await.expect(422).saying(member);
        }
        let missing = server.rest(User, "POST", "/budgets", json!({})).await.expect(422);
        for column in ["category", "month", "limit_amount"] {
            assert!(missing.text.contains(column), "{}", missing.text);
        }
        assert_eq!(server.get(User, "/budgets").await.json(), json!([row]));
    })
    .await;
}

#[tokio::test]
async fn a_budget_is_made_changed_listed_and_deleted() {
    on_both(async |server| {
        let answer = server.rest(User, "POST", "/budgets", food()).await.expect(201);
        assert!(
            answer.text.contains(r#""month":"2026-03-01","limit_amount":250.00,"currency":"USD","#),
            "{}",
            answer.text
        );
        let row = answer.json();
        assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), COLUMNS);
        assert_eq!(row["user_id"], server.person(User).id);
        let id = row["id"].as_str().unwrap();
        assert_eq!(answer.header("location"), format!("/budgets/{id}"));

        let most = with(with(input(), "month", &json!("2026-04-01")), "limitAmount", &json!("999999999999.99"));
        let made = server.graphql(User, CREATE, json!({ "input": most })).await.data()["createBudget"].clone();
        assert_eq!((&made["month"], &made["limitAmount"]), (&json!("2026-04-01"), &json!("999999999999.99")));
        // The newest month first, by itself and below its owner.
        let data = server
            .data(User, "{ budgets { nodes { month user { id } } } me { budgets { totalCount nodes { month } } } }")
            .await;
        let user = json!({ "id": server.person(User).id });
        let months = ["2026-04-01", "2026-03-01"];
        assert_eq!(data["budgets"]["nodes"], json!(months.map(|month| json!({ "month": month, "user": user }))));
        assert_eq!(
            data["me"]["budgets"],
            json!({ "totalCount": 2, "nodes": months.map(|month| json!({ "month": month })) })
        );
        let march =
            server.get(User, "/budgets?select=month,limit_amount&month=lte.2026-03-31&limit_amount=eq.250").await;
        assert_eq!(march.expect(200).text, r#"[{"month":"2026-03-01","limit_amount":250.00}]"#);

        let path = format!("/budgets/{id}");
        let patched = server
            .rest(User, "PATCH", &path, json!({ "limit_amount": "0", "currency": "EUR" }))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&patched["limit_amount"], &patched["currency"], &patched["month"]),
            (&json!(0.0), &json!("EUR"), &row["month"])
        );
        assert!(patched["updated_at"].as_str() > row["updated_at"].as_str());
        // What a replacement does not name is as in a new row.
        let replaced =
            server.rest(User, "PUT", &path, with(food(), "category", &json!("Rent"))).await.expect(200).json();
        assert_eq!((&replaced["category"], &replaced["currency"]), (&json!("Rent"), &json!("USD")));

        server.rest(User, "DELETE", &path, Value::Null).await.expect(204);
        let delete = format!("mutation {{ deleteBudget(id: {}) {{ id }} }}", made["id"]);
        assert_eq!(server.data(User, &delete).await["deleteBudget"]["id"], made["id"]);
        assert_eq!(server.get(User, "/budgets").await.text, "[]");
    })
    .await;
}

#[tokio::test]
async fn a_users_rows_go_with_the_user() {
    on_both(async |server| {
        budget(server, Other, food()).await;
        server.expense(Other, json!({ "title": "x", "amount": 1 })).await;
        server.sql("delete from users where email = 'bob@example.com'").await;
        assert_eq!(server.get(Admin, "/users?email=eq.bob@example.com").await.text, "[]");
    })
    .await;
}

/// What is spent and what remains, told, compared, ordered by and summed up like any other column.
#[tokio::test]
async fn spent_and_remaining_follow_the_expenses() {
    on_both(async |server| {
        for (category, month, limit, currency) in [
            ("Food", "2026-02-01", "100.00", "USD"),
            ("Food", "2026-03-01", "50.00", "USD"),
            ("Food", "2026-02-01", "10.00", "EUR"),
            ("Rent", "2026-02-01", "900.00", "USD"),
        ] {
            let budget = json!({ "category": category, "month": month, "limit_amount": limit, "currency": currency });
            server.rest(User, "POST", "/budgets", budget).await.expect(201);
        }
        for (caller, category, day, amount, currency) in [
            (User, json!("Food"), "2026-02-01", "30.10", "USD"),
            (User, json!("Food"), "2026-02-28", "80.00", "USD"),
            (User, json!("Food"), "2026-03-01", "0.01", "USD"),
            (User, json!("Food"), "2026-01-31", "7.00", "USD"),
            (User, json!("Food"), "2026-02-10", "2.50", "EUR"),
            (User, json!("food"), "2026-02-10", "5.00", "USD"),
            (User, Value::Null, "2026-02-10", "5.00", "USD"),
            // Bob's money is not Ann's.
            (Other, json!("Food"), "2026-02-10", "999.00", "USD"),
        ] {
            let row = json!({ "title": "x", "category": category, "spent_on": day, "amount": amount, "currency": currency });
            server.expense(caller, row).await;
        }
        let list = server.get(User, "/budgets?select=spent,remaining&order=remaining,currency").await.expect(200);
        assert_eq!(
            list.text,
            r#"[{"spent":110.10,"remaining":-10.10},{"spent":2.50,"remaining":7.50},{"spent":0.01,"remaining":49.99},{"spent":0.00,"remaining":900.00}]"#
        );
        for (filter, count) in [
            ("{ remaining: { lt: \"0\" } }", 1),
            ("{ spent: { eq: \"0.00\" } }", 1),
            ("{ spent: { in: [\"2.5\", \"0.01\"] } }", 2),
            ("{ not: { spent: { gt: 1 } } }", 2),
        ] {
            let query = format!("{{ budgets(filter: {filter}) {{ totalCount nodes {{ spent }} }} }}");
            assert_eq!(server.data(User, &query).await["budgets"]["totalCount"], count, "{filter}");
        }
        let query = "{ budgets { aggregate { sum { spent remaining limitAmount } max { spent } } groups(by: [CATEGORY]) { key { category } sum { spent } } }
                       me { budgets(first: 2, orderBy: { spent: DESC }) { nodes { spent user { budgets(first: 1) { nodes { remaining } } } } } } }";
        let data = server.data(User, query).await;
        assert_eq!(
            data["budgets"],
            json!({
                "aggregate": { "sum": { "spent": "112.61", "remaining": "947.39", "limitAmount": "1060.00" }, "max": { "spent": "110.10" } },
                "groups": [{ "key": { "category": "Food" }, "sum": { "spent": "112.61" } }, { "key": { "category": "Rent" }, "sum": { "spent": "0.00" } }],
            })
        );
        assert_eq!(data["me"]["budgets"]["nodes"][0]["spent"], "110.10");
        // Nobody writes what is computed.
        let body = json!({ "category": "x", "month": "2026-02-01", "limit_amount": 1, "spent": 1 });
        server.rest(User, "POST", "/budgets", body).await.expect(422).saying("is computed");
        let mutation = r#"mutation { createBudget(input: { category: "x", month: "2026-02-01", limitAmount: 1, spent: 1 }) { id } }"#;
        server.graphql(User, mutation, Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
    })
    .await;
}
