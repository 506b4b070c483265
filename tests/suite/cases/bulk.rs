//! Many new rows at once: all of them or none, told in their order; what is wrong is told with row and field.

use super::quotas::with_quotas;
use crate::{
    graft,
    support::{Caller::*, Dialect, Server, on_all},
};
use rootstock::{
    catalog::scalar::Style,
    engine::{authorize::Who, plan::Bounds},
    graphql::Operation,
};
use serde_json::{Value, json};

const TAKEN: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const CREATE: &str =
    "mutation ($rows: [CreateExpenseInput!]!) { createExpenses(input: $rows) { id title category amount } }";
const ARRAY: [(&str, &str); 1] = [("prefer", "return=representation")];

async fn count(server: &Server) -> Value {
    server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"].take()
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_row_and_nothing_is_written() {
    on_all(async |server| {
        let rows = json!([
            { "title": "good", "amount": 1 },
            { "title": "", "amount": "1.005" },
            { "title": "x", "amount": 1, "currency": "usd" },
        ]);
        let answer = server.graphql(User, CREATE, json!({ "rows": rows })).await.refused("BAD_USER_INPUT");
        let fields = answer.errors()[0]["extensions"]["fields"].clone();
        let fields: Vec<_> = fields.as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["input.1.title", "input.1.amount", "input.2.currency"]);

        for (row, field) in [(json!({ "title": "x" }), "amount"), (json!({ "title": null, "amount": 1 }), "title"), (json!({ "titel": 1 }), "titel")] {
            let rows = json!([{ "title": "good", "amount": 1 }, row]);
            let answer = server.graphql(User, CREATE, json!({ "rows": rows })).await.refused("BAD_USER_INPUT");
            assert_eq!(answer.errors()[0]["extensions"]["field"], format!("input.1.{field}"), "{}", answer.text);
        }

        // Members that are unknown, missing or not to be written, and values that are wrong: all at once.
        let body = json!([{ "titel": "x", "amount": 1, "user_id": TAKEN }, { "titel": "x", "amount": "1.005", "user_id": TAKEN }]);
        let answer = server.rest(User, "POST", "/expenses", body).await.expect(422).refused("PGRST204");
        for said in ["0.titel is no column", "0.user_id is set by the server", "1.title is required", "1.amount must"] {
            assert!(answer.json()["details"].as_str().unwrap().contains(said), "{said}: {}", answer.text);
        }
        let single = json!({ "titel": "x", "title": "", "amount": "1.005" });
        let answer = server.rest(User, "POST", "/expenses", single).await.expect(422);
        for said in ["titel is no column", "title must not be empty", "amount must"] {
            assert!(answer.json()["details"].as_str().unwrap().contains(said), "{said}: {}", answer.text);
        }

        // A key that is taken, in the third row.
        let rows = json!([
            { "title": "a", "amount": 1 },
            { "id": TAKEN, "title": "b", "amount": 1 },
            { "id": TAKEN, "title": "c", "amount": 1 },
        ]);
        let answer = server.graphql(User, CREATE, json!({ "rows": rows })).await.refused("CONFLICT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "input.2.id");
        let body = json!([{ "id": TAKEN, "title": "b", "amount": 1 }, { "id": TAKEN, "title": "c", "amount": 1 }]);
        let answer = server.rest(User, "POST", "/expenses", body).await.expect(409).refused("23505");
        assert_eq!(answer.json()["details"], "1.id is taken");

        for (body, says) in [
            ("[1]", "no JSON object"),
            ("[null]", "no JSON object"),
            ("[[]]", "no JSON object"),
            (r#"[{"title":"a"},"#, "no array"),
            (r#"[{"title":"a","amount":1},{"title":"a"}]"#, "All object keys must match"),
        ] {
            let answer = server.text(User, "POST", "/expenses", "application/json", body).await.expect(400);
            answer.refused("PGRST102").saying(says);
        }
        server.rest(Anonymous, "POST", "/expenses", json!([{ "title": "x", "amount": 1 }])).await.expect(401);
        server.rest(User, "POST", "/trees", json!([{ "name": "x", "species": "y" }])).await.expect(403);
        server.graphql(Anonymous, CREATE, json!({ "rows": [] })).await.refused("UNAUTHENTICATED");
        assert_eq!(count(server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn rows_are_told_in_the_order_of_the_input() {
    on_all(async |server| {
        let rows: Vec<_> = (0..60)
            .map(|number| match number % 3 {
                0 => json!({ "title": format!("t{number}"), "amount": number }),
                1 => json!({ "title": format!("t{number}"), "amount": number, "category": "c" }),
                _ => json!({ "title": format!("t{number}"), "amount": number, "category": null, "currency": "EUR" }),
            })
            .collect();
        let plans = server.app.engine.cached_plans();
        let made = server.graphql(User, CREATE, json!({ "rows": rows })).await.data();
        let made = made["createExpenses"].as_array().unwrap();
        assert_eq!(made.len(), 60);
        for (number, row) in made.iter().enumerate() {
            assert_eq!(row["title"], format!("t{number}"));
            assert_eq!(row["category"], if number % 3 == 1 { json!("c") } else { Value::Null });
        }
        // What has a slot for each of very many values is not kept.
        let many: Vec<_> = (0..200).map(|number| json!({ "title": format!("u{number}"), "amount": 1 })).collect();
        let kept = server.app.engine.cached_plans();
        assert_eq!(kept, plans + 1);
        server.graphql(User, CREATE, json!({ "rows": many })).await.data();
        assert_eq!(server.app.engine.cached_plans(), kept);
        assert_eq!(server.graphql(User, CREATE, json!({ "rows": [] })).await.data(), json!({ "createExpenses": [] }));
        assert_eq!(count(server).await, 260);

        let body = json!([{ "amount": 1, "title": "one" }, { "title": "two", "amount": 2.50 }]);
        let answer = server.rest(User, "POST", "/expenses", body.clone()).await.expect(201);
        assert_eq!((answer.text.as_str(), answer.header("location")), ("", ""));
        let answer = server.rest_with(User, "POST", "/expenses?select=title,amount", body, &ARRAY).await.expect(201);
        assert_eq!(answer.text, r#"[{"title":"one","amount":1.00},{"title":"two","amount":2.50}]"#);
        assert_eq!(answer.header("preference-applied"), "return=representation");
        let answer = server.rest_with(User, "POST", "/expenses", json!([]), &ARRAY).await.expect(201);
        assert_eq!(answer.text, "[]");
    })
    .await;
}

/// What it costs is known before: rows times what is told of each.
#[tokio::test]
async fn rows_count_toward_the_cost() {
    on_all(async |server| {
        let rows: Vec<_> = (0..1700).map(|_| json!({ "title": "t", "amount": 1 })).collect();
        let wide = CREATE.replace("id title category amount", "id title");
        server.graphql(User, &wide, json!({ "rows": rows })).await.refused("COST_LIMIT_EXCEEDED");
        assert_eq!(count(server).await, 0);
    })
    .await;
}

/// A policy's bound is on the rows of one write.
#[tokio::test]
async fn no_more_rows_than_the_policy_lets_one_write_have() {
    with_quotas(async |server| {
        let rows =
            |count: usize| -> Vec<_> { (0..count).map(|number| json!({ "name": format!("n{number}") })).collect() };
        let create = "mutation ($rows: [CreateQuotaInput!]!) { createQuotas(input: $rows) { name amount shared } }";
        server.graphql(User, create, json!({ "rows": rows(6) })).await.refused("FORBIDDEN").saying("No more than 5");
        server.rest(User, "POST", "/quotas", json!(rows(6))).await.expect(403);
        let made = server.graphql(User, create, json!({ "rows": rows(5) })).await.data();
        assert_eq!(made["createQuotas"][4], json!({ "name": "n4", "amount": 1, "shared": false }));
        // The columns of a unique set, but for the one that the policy sets.
        let answer = server.graphql(User, create, json!({ "rows": [{ "name": "new" }, { "name": "n1" }] })).await;
        let answer = answer.refused("CONFLICT");
        assert_eq!(answer.errors()[0]["extensions"]["details"], "input.1.name is taken");
        let answer = server.rest(User, "POST", "/quotas", json!({ "name": "n1" })).await.expect(409);
        assert_eq!(answer.json()["details"], "name is taken");
        let answer = server.rest(User, "POST", "/quotas", json!({ "name": "x", "amount": 1000 })).await.expect(400);
        assert_eq!(
            (&answer.json()["code"], &answer.json()["details"]),
            (&json!("23514"), &json!("amount is not allowed"))
        );
        // Of a check the name tells the column.
        let answer = server.graphql(User, create, json!({ "rows": [{ "name": "x", "amount": 1000 }] })).await;
        assert_eq!(answer.refused("BAD_USER_INPUT").errors()[0]["extensions"]["field"], "input.0.amount");
    })
    .await;
}

/// The column that refers to nothing is told by both databases, also where only one of them says it.
#[tokio::test]
async fn a_reference_to_nothing_is_named() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = graft::server(dialect).await;
        let body = json!({ "name": "Oak", "traits": 1, "parent_id": TAKEN });
        let answer = server.rest(User, "POST", "/species", body.clone()).await.expect(409).refused("23503");
        assert_eq!(answer.json()["details"], "parent_id refers to a row that is not there");
        let answer = server.rest(User, "POST", "/species", json!([body])).await.expect(409).refused("23503");
        assert_eq!(answer.json()["details"], "0.parent_id refers to a row that is not there");
        let oak = server.rest(User, "POST", "/species", json!({ "name": "Oak", "traits": 1 })).await.expect(201).json();
        let update =
            format!(r#"mutation {{ updateSpecies(id: {}, set: {{ parentId: "{TAKEN}" }}) {{ id }} }}"#, oak["id"]);
        let answer = server.graphql(User, &update, Value::Null).await.refused("CONFLICT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "parentId");
    }
}

/// A single new row is one statement where its answer is in itself and nothing else is to be asked; and no more is.
#[tokio::test]
async fn a_row_that_tells_of_itself_is_one_statement() {
    with_quotas(async |server| {
        let bounds = Bounds { default_page: 20, max_page: 100 };
        let direct = |caller: &Who, document: &str| {
            let operation = Operation { query: document, ..Operation::default() };
            let asked = server.app.graphql.questions(&operation).expect("a question");
            let plan = server.app.engine.prepare(&asked[0].0, Style::GraphQl, bounds, caller).expect("a plan");
            plan.direct().is_some()
        };
        let who = |role: &str| Who { role: role.to_owned(), authenticated: true };
        let expense = |select: &str| {
            format!(r#"mutation {{ createExpense(input: {{ title: "x", amount: 1 }}) {{ {select} }} }}"#)
        };
        let tree = r#"mutation { createTree(input: { name: "x", species: "y" }) { nodeId id name } }"#;
        for role in ["user", "admin"] {
            assert!(direct(&who(role), &expense("nodeId id amount createdAt __typename")));
            assert!(!direct(&who(role), &expense("id user { name }")));
        }
        assert!(direct(&who("editor"), tree));
        assert!(!direct(&who("editor"), &tree.replace("})", "}, onConflict: {})")));
        assert!(!direct(&who("editor"), &tree.replace("createTree(", "createTrees(")));
    })
    .await;
}
