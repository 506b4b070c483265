//! Concurrency: one plan serves all callers of a role, and each gets its own rows; writes at the same time keep count.

use super::ledger;
use crate::support::{Caller::*, on_both};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_question_by_two_users_at_once_gets_each_its_own_rows() {
    on_both(async |server| {
        ledger::fill(server).await;
        let document =
            "query ($f: ExpenseFilter) { me { email } expenses(filter: $f, orderBy: { title: ASC }, first: 100) {
            totalCount nodes { title userId user { email } } } }";
        let variables = json!({ "f": { "title": { "gte": "a" } } });
        let path = "/expenses?select=title,user_id&order=title";
        let expected = async |caller| {
            let data = server.graphql(caller, document, variables.clone()).await.data();
            let person = server.person(caller);
            assert_eq!(data["me"]["email"], person.email);
            for row in data["expenses"]["nodes"].as_array().unwrap() {
                assert_eq!((&row["userId"], &row["user"]["email"]), (&json!(person.id), &json!(person.email)));
            }
            (data, server.get(caller, path).await.text)
        };
        let (ann, bob) = (expected(User).await, expected(Other).await);
        assert_eq!((&ann.0["expenses"]["totalCount"], &bob.0["expenses"]["totalCount"]), (&json!(12), &json!(3)));
        let plans = server.app.engine.cached_plans();
        for _ in 0..3 {
            let asked = (0..200).map(async |number| {
                let (caller, expected) = if number % 2 == 0 { (User, &ann) } else { (Other, &bob) };
                if number % 4 < 2 {
                    assert_eq!(server.graphql(caller, document, variables.clone()).await.data(), expected.0);
                } else {
                    assert_eq!(server.get(caller, path).await.text, expected.1);
                }
            });
            join_all(asked).await;
        }
        assert_eq!(server.app.engine.cached_plans(), plans, "what was asked before makes no new plan");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_at_the_same_time_are_all_kept() {
    on_both(async |server| {
        let writes = (0..60).map(async |number| {
            let caller = if number % 2 == 0 { User } else { Other };
            if number % 3 == 0 {
                let document = "mutation ($t: String!) { createExpense(input: { title: $t, amount: 1 }) { id } }";
                server.graphql(caller, document, json!({ "t": number.to_string() })).await.data();
            } else {
                server.expense(caller, json!({ "title": number.to_string(), "amount": 1 })).await;
            }
        });
        join_all(writes).await;
        let count =
            async |caller| server.data(caller, "{ expenses { totalCount } }").await["expenses"]["totalCount"].clone();
        assert_eq!((count(User).await, count(Other).await, count(Admin).await), (json!(30), json!(30), json!(60)));
    })
    .await;
}

/// Of many who want the same key, one gets it; the others are told.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_gets_a_key() {
    on_both(async |server| {
        let row = json!({ "id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "title": "x", "amount": 1 });
        let wishes = (0..20).map(|_| server.rest(User, "POST", "/expenses", row.clone()));
        let mut statuses: Vec<_> = join_all(wishes).await.into_iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![201], vec![409; 19]].concat());
        let wishes = (0..8).map(|_| {
            let body = json!({ "email": "race@example.com", "password": crate::support::PASSWORD });
            server.rest(Anonymous, "POST", "/auth/register", body)
        });
        let mut statuses: Vec<_> = join_all(wishes).await.into_iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![201], vec![409; 7]].concat());
        let deletes =
            (0..10).map(|_| server.rest(User, "DELETE", "/expenses/6ba7b810-9dad-11d1-80b4-00c04fd430c8", Value::Null));
        let mut statuses: Vec<_> = join_all(deletes).await.into_iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![204], vec![404; 9]].concat());
    })
    .await;
}

/// A reader in the middle of a mutation of many fields sees all of it or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_is_seen_whole_or_not_at_all() {
    on_both(async |server| {
        let fields: String =
            (0..10).map(|n| format!(r#"c{n}: createExpense(input: {{ title: "x", amount: 1 }}) {{ id }} "#)).collect();
        let write = async || {
            for _ in 0..5 {
                server.data(User, &format!("mutation {{ {fields} }}")).await;
            }
        };
        let read = async || {
            for _ in 0..40 {
                let count =
                    server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"].as_u64().unwrap();
                assert_eq!(count % 10, 0, "{count}");
            }
        };
        futures_util::join!(write(), read(), read());
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 50);
    })
    .await;
}
