//! `Idempotency-Key`: a POST that comes twice happens once, on whichever instance, and is told twice.

use super::quotas::with_quotas;
use crate::support::{Answer, Caller, Caller::*, Server, on_all};
use futures_util::future::join_all;
use serde_json::{Value, json};

async fn post(server: &Server, caller: Caller, path: &str, key: &str, body: Value) -> Answer {
    server.rest_with(caller, "POST", path, body, &[("idempotency-key", key)]).await
}

async fn count(server: &Server, caller: Caller) -> usize {
    server.get(caller, "/expenses").await.expect(200).json().as_array().expect("rows").len()
}

fn tea() -> Value {
    json!({ "title": "Tea", "amount": 4.50 })
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_and_so_is_another_body() {
    on_all(async |server| {
        for key in ["", "a b", &"x".repeat(256)] {
            post(server, User, "/expenses", key, tea()).await.expect(400).refused("22023");
        }
        let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
        server.rest_with(User, "POST", "/expenses", tea(), &twice).await.expect(400);
        assert_eq!(count(server, User).await, 0);
        let longest = "x".repeat(255);
        post(server, User, "/expenses", &longest, tea()).await.expect(201);
        for body in [json!({ "title": "Tea", "amount": 5 }), json!([tea()]), json!({})] {
            post(server, User, "/expenses", &longest, body).await.expect(422);
        }
        assert_eq!(count(server, User).await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_request_is_told_again() {
    on_all(async |server| {
        let first = post(server, User, "/expenses", "k", tea()).await.expect(201);
        assert_eq!(first.header("idempotency-replayed"), "");
        let again = async || {
            let again = post(server, User, "/expenses", "k", tea()).await.expect(201);
            assert_eq!((&again.text, again.header("idempotency-replayed")), (&first.text, "true"));
            for name in ["location", "etag", "content-type", "content-range"] {
                assert_eq!(again.header(name), first.header(name), "{name}");
            }
        };
        again().await;
        // What has become of the row is another matter.
        server.rest(User, "DELETE", first.header("location"), Value::Null).await.expect(204);
        again().await;
        assert_eq!(count(server, User).await, 0);
        // The key is the caller's own, and is for one place.
        post(server, Other, "/expenses", "k", tea()).await.expect(201);
        let budget = json!({ "category": "Food", "month": "2026-03-01", "limit_amount": 1 });
        let made = post(server, User, "/budgets", "k", budget).await.expect(201);
        assert_eq!(made.header("idempotency-replayed"), "");
        // Several rows, and what is told of them.
        let headers = [("idempotency-key", "m"), ("prefer", "return=representation, count=exact")];
        let rows = json!([tea(), tea()]);
        let first = server.rest_with(User, "POST", "/expenses", rows.clone(), &headers).await.expect(201);
        let again = server.rest_with(User, "POST", "/expenses", rows, &headers).await.expect(201);
        assert_eq!(again.text, first.text);
        for name in ["preference-applied", "content-range"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        assert_eq!(again.header("content-range"), "*/2");
        assert_eq!(count(server, User).await, 2);
    })
    .await;
}

#[tokio::test]
async fn what_failed_or_was_undone_is_not_kept() {
    with_quotas(async |server| {
        post(server, User, "/quotas", "k", json!({ "name": "" })).await.expect(422);
        post(server, User, "/quotas", "k", json!({ "name": "a", "amount": 5000 })).await.expect(400);
        let headers = [("idempotency-key", "k"), ("prefer", "tx=rollback")];
        server.rest_with(User, "POST", "/quotas", json!({ "name": "a" }), &headers).await.expect(201);
        let made = post(server, User, "/quotas", "k", json!({ "name": "a" })).await.expect(201);
        assert_eq!(made.header("idempotency-replayed"), "");
        let taken = post(server, User, "/quotas", "l", json!({ "name": "a" })).await.expect(409).text;
        assert_eq!(post(server, User, "/quotas", "l", json!({ "name": "a" })).await.expect(409).text, taken);
        assert_eq!(server.get(User, "/quotas?select=name").await.text, r#"[{"name":"a"}]"#);
    })
    .await;
}

/// Who may not do it any more, is not told what it came to when it could.
#[tokio::test]
async fn a_replay_is_authorised_like_a_first_request() {
    on_all(async |server| {
        let yew = json!({ "name": "Yew", "species": "Taxus" });
        post(server, Editor, "/trees", "k", yew.clone()).await.expect(201);
        let demote = json!({ "role": "user" });
        let path = format!("/users/{}", server.person(Editor).id);
        server.rest(Admin, "PATCH", &path, demote).await.expect(200);
        // Another instance has not heard of the role that was.
        let other = server.another().await;
        post(&other, Editor, "/trees", "k", yew).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_kept_for_a_day() {
    on_all(async |server| {
        let first = post(server, User, "/expenses", "k", tea()).await.expect(201);
        post(server, User, "/expenses", "old", tea()).await.expect(201);
        let aged = |then: &str| {
            let ago = match server.dialect {
                crate::support::Dialect::Sqlite => format!("strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-{then}')"),
                crate::support::Dialect::Postgres => format!("now() - interval '{then}'"),
            };
            format!("update idempotency_keys set created_at = {ago}")
        };
        server.sql(&aged("23 hours")).await;
        assert_eq!(post(server, User, "/expenses", "k", tea()).await.text, first.text);
        server.sql(&aged("25 hours")).await;
        let second = post(server, User, "/expenses", "k", json!({ "title": "Other", "amount": 1 })).await.expect(201);
        assert_eq!(second.header("idempotency-replayed"), "");
        // What is old is deleted as new ones come.
        server.sql("create table left_over as select count(*) as keys from idempotency_keys").await;
        server.sql("insert into trees (name, species) select 'keys', 'x' || keys from left_over").await;
        let kept = server.get(Anonymous, "/trees?name=eq.keys&select=species").await;
        assert_eq!(kept.text, r#"[{"species":"x1"}]"#);
    })
    .await;
}

/// Twins at the same time, on two instances, and again after a restart: one row, and one answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twins_on_two_instances_are_one() {
    on_all(async |server| {
        let (one, two) = (server.another().await, server.another().await);
        for round in 0..3 {
            let key = format!("k{round}");
            let posts = (0..12).map(|number| {
                let at = if number % 2 == 0 { &one } else { &two };
                post(at, User, "/expenses", &key, tea())
            });
            let answers = join_all(posts).await;
            assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
            let first: Vec<_> =
                answers.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).collect();
            assert_eq!(first.len(), 1);
            assert!(answers.iter().all(|answer| answer.text == first[0].text));
            drop(answers);
        }
        drop((one, two));
        let restarted = server.another().await;
        let answer = post(&restarted, User, "/expenses", "k0", tea()).await.expect(201);
        assert_eq!(answer.header("idempotency-replayed"), "true");
        assert_eq!(count(server, User).await, 3);
    })
    .await;
}
