//! Mutations: one document is one transaction, in the order of its fields; what fails undoes all of it.

use crate::support::{Caller::*, Server, on_all};
use serde_json::{Value, json};

async fn titles(server: &Server) -> String {
    let list = server.data(User, "{ expenses(orderBy: { title: ASC }) { nodes { title } } }").await;
    super::ledger::titles(&list["expenses"]["nodes"])
}

#[tokio::test]
async fn the_fields_run_one_after_the_other_and_see_each_other() {
    on_all(async |server| {
        let id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        let document = format!(
            r#"mutation {{
                a: createExpense(input: {{ id: "{id}", title: "a", amount: 1 }}) {{ title }}
                b: updateExpense(id: "{id}", set: {{ title: "b" }}) {{ title user {{ expenses {{ totalCount }} }} }}
                c: createExpense(input: {{ title: "c", amount: 1 }}) {{ title user {{ expenses {{ totalCount }} }} }}
                d: deleteExpense(id: "{id}") {{ title }}
                e: createExpense(input: {{ id: "{id}", title: "e", amount: 1 }}) {{ user {{ expenses {{ totalCount }} }} }}
            }}"#
        );
        let count = |count: u64| json!({ "expenses": { "totalCount": count } });
        assert_eq!(
            server.data(User, &document).await,
            json!({
                "a": { "title": "a" },
                "b": { "title": "b", "user": count(1) },
                "c": { "title": "c", "user": count(2) },
                "d": { "title": "b" },
                "e": { "user": count(2) },
            })
        );
        assert_eq!(titles(server).await, "ce");
    })
    .await;
}

/// Whatever the second field fails at, the first is undone, and what comes behind is not run.
#[tokio::test]
async fn a_failure_undoes_what_came_before() {
    on_all(async |server| {
        let kept = server.expense(User, json!({ "title": "k", "amount": 1 })).await;
        let (kept, foreign) = (kept["id"].as_str().unwrap(), "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        for (second, code) in [
            (format!(r#"createExpense(input: {{ id: "{kept}", title: "x", amount: 1 }}) {{ id }}"#), "CONFLICT"),
            (format!(r#"updateExpense(id: "{foreign}", set: {{ title: "x" }}) {{ id }}"#), "NOT_FOUND"),
            (format!(r#"deleteExpense(id: "{foreign}") {{ id }}"#), "NOT_FOUND"),
            (r#"createExpense(input: { title: "", amount: 1 }) { id }"#.to_owned(), "BAD_USER_INPUT"),
            (r#"createExpense(input: { title: "x", amount: "1.005" }) { id }"#.to_owned(), "BAD_USER_INPUT"),
            (r#"deleteExpense(id: "no key") { id }"#.to_owned(), "BAD_USER_INPUT"),
            ("deleteTree(id: 1) { id }".to_owned(), "FORBIDDEN"),
            (
                format!(r#"updateUser(id: "{}", set: {{ role: "admin" }}) {{ id }}"#, server.person(User).id),
                "FORBIDDEN",
            ),
        ] {
            let document = format!(
                r#"mutation {{ first: createExpense(input: {{ title: "f", amount: 1 }}) {{ id }}
                    change: updateExpense(id: "{kept}", set: {{ title: "changed" }}) {{ id }}
                    second: {second}
                    third: createExpense(input: {{ title: "t", amount: 1 }}) {{ id }} }}"#
            );
            let answer = server.graphql(User, &document, Value::Null).await.refused(code);
            assert!(answer.json()["data"].is_null(), "{}", answer.text);
            assert_eq!(answer.errors()[0]["path"], json!(["second"]), "{}", answer.text);
            assert_eq!(titles(server).await, "k", "{second}");
        }
    })
    .await;
}

/// What the document leaves out stays, what it says is null becomes NULL; a variable that is not given is left out.
#[tokio::test]
async fn absent_and_null_are_two_things() {
    on_all(async |server| {
        let row = server.expense(User, json!({ "title": "x", "amount": 1, "category": "Food", "description": "d" })).await;
        let document = format!(
            "mutation ($c: String, $d: String, $t: String) {{
                updateExpense(id: {}, set: {{ title: $t, category: $c, description: $d }}) {{ title category description }} }}",
            row["id"]
        );
        for (variables, shown) in [
            (json!({}), json!({ "title": "x", "category": "Food", "description": "d" })),
            (json!({ "c": "Rent" }), json!({ "title": "x", "category": "Rent", "description": "d" })),
            (json!({ "d": null }), json!({ "title": "x", "category": "Rent", "description": null })),
            (json!({ "t": "y", "c": null, "d": "e" }), json!({ "title": "y", "category": null, "description": "e" })),
        ] {
            let data = server.graphql(User, &document, variables.clone()).await.data();
            assert_eq!(data["updateExpense"], shown, "{variables}");
        }
        let data = server.graphql(User, &document, json!({ "t": null })).await;
        data.refused("BAD_USER_INPUT").saying("must not be null");
        // In a new row, what is left out gets its default.
        let document = "mutation ($c: String, $on: Date) { createExpense(input: { title: \"x\", amount: 1, currency: $c, spentOn: $on }) { currency } }";
        assert_eq!(server.graphql(User, document, json!({})).await.data()["createExpense"]["currency"], "USD");
        server.graphql(User, document, json!({ "c": null })).await.refused("BAD_USER_INPUT");
    })
    .await;
}

#[tokio::test]
async fn a_key_is_an_integer_or_its_text() {
    on_all(async |server| {
        for (id, name) in [("1", "A"), ("\"1\"", "B")] {
            let document = format!(r#"mutation {{ updateTree(id: {id}, set: {{ name: "{name}" }}) {{ id name }} }}"#);
            assert_eq!(server.data(Editor, &document).await["updateTree"], json!({ "id": "1", "name": name }));
        }
        for id in ["9", "\"9\"", "-1", "0"] {
            server
                .graphql(Editor, &format!("mutation {{ deleteTree(id: {id}) {{ id }} }}"), Value::Null)
                .await
                .refused("NOT_FOUND");
        }
        for id in ["\"one\"", "\"\"", "\"1 \"", "\"1.0\"", "99999999999"] {
            server
                .graphql(Editor, &format!("mutation {{ deleteTree(id: {id}) {{ id }} }}"), Value::Null)
                .await
                .refused("BAD_USER_INPUT");
        }
        assert_eq!(server.data(Anonymous, "{ trees { totalCount } }").await["trees"]["totalCount"], 4);
    })
    .await;
}

/// A query's fields fail one by one, where null is an answer of theirs.
#[tokio::test]
async fn a_failed_field_of_a_query_leaves_the_others() {
    on_all(async |server| {
        let answer = server
            .graphql(Anonymous, r#"{ good: tree(id: 1) { name } bad: tree(id: "x") { name } }"#, Value::Null)
            .await;
        let body = answer.json();
        assert_eq!(body["data"], json!({ "good": { "name": "Banyan" }, "bad": null }));
        assert_eq!(body["errors"].as_array().unwrap().len(), 1);
        assert_eq!(body["errors"][0]["path"], json!(["bad"]));
        // A list is never null: then there is no data at all.
        let answer = server.graphql(Anonymous, "{ tree(id: 1) { name } expenses { totalCount } }", Value::Null).await;
        let body = answer.refused("UNAUTHENTICATED").json();
        assert_eq!(body["data"], Value::Null);
        assert_eq!(body["errors"][0]["path"], json!(["expenses"]));
    })
    .await;
}
