//! Concurrency: one plan serves all callers of a role, and each gets its own rows; writes at the same time keep count.

use super::ledger;
use crate::support::{Caller::*, on_both};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Whatever comes and goes around them, rows that stay are met once each by who walks the pages, in either direction.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rows_that_stay_are_met_once_while_others_come_and_go() {
    on_both(async |server| {
        let create = "mutation ($rows: [CreateExpenseInput!]!) { createExpenses(input: $rows) { id } }";
        // Ties among them, and with those that come and go.
        let row = |title: String, amount: usize| json!({ "title": title, "amount": amount.to_string() });
        let stay: Vec<_> = (0..60).map(|number| row(format!("stay {number}"), number / 3)).collect();
        server.graphql(User, create, json!({ "rows": stay })).await.data();
        let done = AtomicBool::new(false);
        let churn = async |first: usize| {
            let mut number = first;
            while !done.load(Ordering::Relaxed) {
                let rows: Vec<_> = (0..3).map(|one| row("goes".to_owned(), (number * 7 + one * 5) % 20)).collect();
                let made = server.graphql(User, create, json!({ "rows": rows })).await.data();
                let id = |index: usize| made["createExpenses"][index]["id"].clone();
                let (moved, gone, last) = (id(0), id(1), id(2));
                let write = format!(
                    "mutation {{ updateExpense(id: {moved}, set: {{ amount: \"{}\" }}) {{ id }}
                     a: deleteExpense(id: {gone}) {{ id }} }}",
                    (number * 11) % 20
                );
                server.data(User, &write).await;
                let write = format!("mutation {{ a: deleteExpense(id: {last}) {{ id }} b: deleteExpense(id: {moved}) {{ id }} }}");
                server.data(User, &write).await;
                number += 2;
            }
        };
        let walk = async |order: &str, page: &str, position: &str, cursor: &str| {
            let (mut met, mut from) = (Vec::new(), Value::Null);
            loop {
                let document = format!(
                    "query ($from: String) {{ expenses(orderBy: [{{ amount: {order} }}], {page}: 7, {position}: $from) {{
                     nodes {{ title }} pageInfo {{ {cursor} }} }} }}"
                );
                let list = server.graphql(User, &document, json!({ "from": from })).await.data()["expenses"].take();
                let nodes = list["nodes"].as_array().unwrap();
                let titles = nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned());
                met.extend(titles.filter(|title| title != "goes"));
                from = list["pageInfo"][cursor].clone();
                if nodes.len() < 7 {
                    break;
                }
            }
            met.sort_unstable();
            let mut expected: Vec<_> = (0..60).map(|number| format!("stay {number}")).collect();
            expected.sort_unstable();
            assert_eq!(met, expected, "{order} {page}");
        };
        let walks = async || {
            for _ in 0..3 {
                walk("ASC", "first", "after", "endCursor").await;
                walk("DESC", "first", "after", "endCursor").await;
                walk("ASC", "last", "before", "startCursor").await;
            }
            done.store(true, Ordering::Relaxed);
        };
        futures_util::join!(churn(0), churn(1), walks());
    })
    .await;
}

/// A write of all rows that match writes no more than it may, whoever adds to them or writes them meanwhile, and tells
/// how many it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_by_filter_never_writes_more_than_it_may() {
    on_both(async |server| {
        const MOST: u64 = 3;
        let update = "mutation ($set: UpdateExpenseInput!, $most: Int!) {
            updateExpenses(filter: { category: { eq: \"open\" } }, set: $set, atMost: $most) { affected nodes { id } } }";
        let feed = async || {
            for _ in 0..40 {
                server.expense(User, json!({ "title": "x", "amount": 1, "category": "open" })).await;
            }
        };
        let claim = async |who: &str| {
            let mut claimed = Vec::new();
            for number in 0..40 {
                let mark = format!("{who} {number}");
                // Now and then there are too many to go on.
                let most = if number % 8 == 7 { 100 } else { MOST };
                let variables = json!({ "set": { "category": mark }, "most": most });
                let answer = server.graphql(User, update, variables).await;
                if answer.errors().is_empty() {
                    let done = answer.data()["updateExpenses"].take();
                    let affected = done["affected"].as_u64().unwrap();
                    assert!(affected <= most && done["nodes"].as_array().unwrap().len() as u64 == affected, "{done}");
                    claimed.push((mark, affected));
                } else {
                    let code = answer.failure().code;
                    assert!(matches!(&*code, "CONFLICT" | "UNAVAILABLE"), "{}", answer.text);
                    claimed.push((mark, 0));
                }
            }
            claimed
        };
        let (a, b, ()) = futures_util::join!(claim("a"), claim("b"), feed());
        let query = "{ expenses { totalCount groups(by: [CATEGORY]) { key { category } count } } }";
        let list = server.data(User, query).await["expenses"].take();
        let mut found: Vec<_> = list["groups"].as_array().unwrap().iter().map(|group| {
            (group["key"]["category"].as_str().unwrap().to_owned(), group["count"].as_u64().unwrap())
        }).collect();
        found.retain(|(mark, _)| mark != "open");
        let mut claimed: Vec<_> = a.into_iter().chain(b).filter(|(_, affected)| *affected > 0).collect();
        claimed.sort();
        assert_eq!(found, claimed, "each row is one writer's");
        assert_eq!(list["totalCount"], 40);
    })
    .await;
}

/// Rows that are there, written in opposite orders: every request is answered, and each is there as a whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn merges_in_opposite_orders_are_whole_or_told_to_try_again() {
    on_both(async |server| {
        let merge =
            "mutation ($rows: [CreateExpenseInput!]!) { createExpenses(input: $rows, onConflict: {}) { title } }";
        let key = |number: usize| format!("00000000-0000-4000-8000-{number:012}");
        let rows = |title: usize, back: bool| {
            let mut rows: Vec<_> =
                (0..20).map(|number| json!({ "id": key(number), "title": title.to_string(), "amount": "1" })).collect();
            if back {
                rows.reverse();
            }
            json!({ "rows": rows })
        };
        server.graphql(User, merge, rows(0, false)).await.data();
        let merges = (1..9).map(async |number| {
            let answer = server.graphql(User, merge, rows(number, number % 2 == 0)).await;
            if let Some(error) = answer.errors().first() {
                // Of a machine that is busy: PostgreSQL takes a second to see each deadlock.
                let code = error["extensions"]["code"].as_str();
                assert!(matches!(code, Some("UNAVAILABLE" | "TIMEOUT")), "{}", answer.text);
            }
        });
        join_all(merges).await;
        let titles = server.data(User, "{ expenses { totalCount groups(by: [TITLE]) { count } } }").await;
        assert_eq!(titles["expenses"], json!({ "totalCount": 20, "groups": [{ "count": 20 }] }));
    })
    .await;
}
