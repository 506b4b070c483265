//! The state of a row, and what depends on it: `ETag`, `If-None-Match`, `If-Match`.

use super::quotas::with_quotas;
use crate::support::{Caller::*, Server, on_both};
use futures_util::future::join_all;
use serde_json::{Value, json};

async fn expense(server: &Server) -> (String, String) {
    let made = server.rest(User, "POST", "/expenses", json!({ "title": "a", "amount": 1 })).await.expect(201);
    (made.header("location").to_owned(), made.header("etag").to_owned())
}

async fn with(server: &Server, method: &str, path: &str, name: &str, value: &str) -> crate::support::Answer {
    let body = if method == "DELETE" || method == "GET" { Value::Null } else { json!({ "title": "b", "amount": 2 }) };
    server.rest_with(User, method, path, body, &[(name, value)]).await
}

#[tokio::test]
async fn a_row_in_another_state_is_not_written() {
    on_both(async |server| {
        let (path, first) = expense(server).await;
        let row = server.get(User, &path).await.text;
        for method in ["PUT", "PATCH", "DELETE"] {
            for (name, value) in [
                ("if-match", "\"other\""),
                ("if-match", &format!("W/{first}")),
                ("if-none-match", "*"),
                ("if-none-match", &first),
                ("if-none-match", &format!("\"x\", W/{first}")),
            ] {
                let answer = with(server, method, &path, name, value).await.expect(412).refused("55000");
                assert_eq!(answer.header("etag"), "", "{method} {name}: {value}");
            }
            for value in ["", "a", "\"a", "*, \"a\""] {
                with(server, method, &path, "if-match", value).await.expect(400);
            }
            // What is not there, or not to be written, is told before its state is looked at.
            let absent = "/expenses/6ba7b810-9dad-11d1-80b4-00c04fd430c8";
            with(server, method, absent, "if-match", &first).await.expect(404);
            let body = if method == "DELETE" { Value::Null } else { json!({ "title": "b", "amount": 2 }) };
            for (caller, status) in [(Anonymous, 401), (Other, 404), (Admin, 403)] {
                for value in [&first, "\"other\""] {
                    let answer = server.rest_with(caller, method, &path, body.clone(), &[("if-match", value)]).await;
                    answer.expect(status);
                }
            }
            let named = format!("/expenses?id=eq.{}", path.trim_start_matches("/expenses/"));
            if method != "PUT" {
                with(server, method, &named, "if-match", &first).await.expect(412);
            }
        }
        assert_eq!(server.get(User, &path).await.text, row);
    })
    .await;
}

#[tokio::test]
async fn each_state_has_a_tag_whoever_tells_it() {
    on_both(async |server| {
        let (path, first) = expense(server).await;
        assert!(first.starts_with('"') && first.ends_with('"') && first.len() == 24, "{first}");
        assert_eq!(server.get(User, &path).await.header("etag"), first);
        assert_eq!(server.get(Admin, &path).await.header("etag"), first);
        let changed = with(server, "PATCH", &path, "if-match", &format!("\"x\", {first}")).await.expect(200);
        let second = changed.header("etag").to_owned();
        assert_ne!(second, first);
        with(server, "PATCH", &path, "if-match", &first).await.expect(412);
        let replaced = with(server, "PUT", &path, "if-match", &second).await.expect(200);
        let third = replaced.header("etag").to_owned();
        assert_eq!(server.get(User, &path).await.header("etag"), third);
        // Told in another way, it is the same state, and another answer.
        let short = server.get(User, &format!("{path}?select=title")).await.expect(200);
        assert!(short.header("etag").starts_with(third.trim_end_matches('"')), "{}", short.header("etag"));
        assert_ne!(short.header("etag"), third);
        let minimal = server.rest_with(User, "PATCH", &path, json!({}), &[("prefer", "return=minimal")]).await;
        let fourth = minimal.expect(204).header("etag").to_owned();
        assert_eq!(server.get(User, &path).await.header("etag"), fourth);
        let short = server.get(User, &format!("{path}?select=title")).await.header("etag").to_owned();
        with(server, "DELETE", &path, "if-match", &third).await.expect(412);
        with(server, "DELETE", &path, "if-match", &short).await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    on_both(async |server| {
        let (path, etag) = expense(server).await;
        for value in [etag.clone(), format!("W/{etag}"), format!("\"x\" , {etag}"), "*".to_owned()] {
            for method in ["GET", "HEAD"] {
                let answer = with(server, method, &path, "if-none-match", &value).await.expect(304);
                assert_eq!((answer.text.as_str(), answer.header("etag")), ("", etag.as_str()));
            }
        }
        with(server, "GET", &path, "if-none-match", "\"x\"").await.expect(200);
        with(server, "GET", &path, "if-none-match", "x").await.expect(400);
        with(server, "GET", &format!("{path}?select=title"), "if-none-match", &etag).await.expect(200);
        server.rest_with(Other, "GET", &path, Value::Null, &[("if-none-match", "*")]).await.expect(404);
        with(server, "PATCH", &path, "accept", "*/*").await.expect(200);
        with(server, "GET", &path, "if-none-match", &etag).await.expect(200);
    })
    .await;
}

/// What is computed of other rows is a part of the state, as the caller sees it.
#[tokio::test]
async fn a_computed_column_is_a_part_of_the_state() {
    on_both(async |server| {
        let body = json!({ "category": "Food", "month": "2026-03-01", "limit_amount": 100 });
        let made = server.rest(User, "POST", "/budgets", body).await.expect(201);
        let (path, first) = (made.header("location"), made.header("etag"));
        assert_eq!(server.get(User, path).await.header("etag"), first);
        server.expense(User, json!({ "title": "x", "amount": 5, "category": "Food", "spent_on": "2026-03-05" })).await;
        let second = server.get(User, path).await.header("etag").to_owned();
        assert_ne!(second, first);
        let change = json!({ "limit_amount": 90 });
        server.rest_with(User, "PATCH", path, change.clone(), &[("if-match", first)]).await.expect(412);
        server.rest_with(User, "PATCH", path, change, &[("if-match", &second)]).await.expect(200);
    })
    .await;
}

/// Of many who write what they have seen, one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_writes_the_state_that_all_have_seen() {
    with_quotas(async |server| {
        let made = server.rest(User, "POST", "/quotas", json!({ "name": "a", "amount": 0 })).await.expect(201);
        let path = made.header("location").to_owned();
        let mut etag = made.header("etag").to_owned();
        for round in 1..4 {
            let writes = (0..8).map(async |number| {
                let body = json!({ "amount": round * 10 + number });
                let method = if number % 2 == 0 { "PATCH" } else { "PUT" };
                let body = if method == "PUT" { json!({ "name": "a", "amount": body["amount"] }) } else { body };
                server.rest_with(User, method, &path, body, &[("if-match", &etag)]).await
            });
            let answers = join_all(writes).await;
            let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
            assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 412)), "{answers:?}");
            assert_eq!(won.len(), 1, "{answers:?}");
            let now = server.get(User, &path).await;
            assert_eq!((now.text.as_str(), now.header("etag")), (won[0].text.as_str(), won[0].header("etag")));
            etag = now.header("etag").to_owned();
        }
    })
    .await;
}
