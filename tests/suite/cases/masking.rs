//! Failures of the server itself, by GraphQL: in its own form, with the request's id and nothing from inside.

use crate::support::{Answer, Caller::*, Dialect, Server, Setup, on_both_with, start_with};
use serde_json::{Value, json};
use std::time::Duration;

const CREATE: &str = r#"mutation { createTree(input: { name: "x", species: "oak" }) { id } }"#;

/// Sends a document under a request id of the caller's own.
async fn ask(server: &Server, query: &str) -> Answer {
    let headers = [("x-request-id", "abc-123")];
    server.rest_with(Editor, "POST", "/graphql", json!({ "query": query }), &headers).await
}

#[tokio::test]
async fn what_the_database_did_not_expect_is_told_by_the_requests_id_alone() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = start_with(dialect, Setup::default()).await;
        // The table is gone behind the server's back.
        server.sql("alter table trees rename to secret_trees").await;
        for query in ["{ tree(id: 1) { id } }", "{ trees { nodes { id } } }", CREATE] {
            let answer = ask(&server, query).await.expect(200).refused("INTERNAL_SERVER_ERROR");
            assert_eq!(answer.header("x-request-id"), "abc-123");
            assert_eq!(answer.header("cache-control"), "no-store");
            let error = &answer.errors()[0];
            assert_eq!(error["extensions"], json!({ "code": "INTERNAL_SERVER_ERROR", "requestId": "abc-123" }));
            assert_eq!(error["message"], "The server could not answer this request");
            assert!(!answer.text.contains("secret") && !answer.text.contains("relation"), "{}", answer.text);
        }
        // The request's other fields are answered.
        let answer = ask(&server, "{ tree(id: 1) { id } me { name } }").await.expect(200);
        assert_eq!(answer.json()["data"], json!({ "tree": null, "me": { "name": "Eve" } }));
    }
}

/// One connection that writes, and not much time.
fn hurried() -> Setup {
    Setup {
        configure: |config| {
            config.database.max_connections = 1;
            config.database.acquire_timeout = Duration::from_secs(60);
            config.http.request_timeout = Duration::from_millis(500);
            config.http.max_body_bytes = 10_000;
        },
        ..Setup::default()
    }
}

#[tokio::test]
async fn what_fails_around_an_operation_has_its_form_too() {
    on_both_with(hurried, async |server| {
        for media in ["application/json", "application/graphql-response+json"] {
            let headers = [("accept", media), ("x-request-id", "abc-123")];
            let send = async |method: &str, body: Value| {
                let answer = server.rest_with(Editor, method, "/graphql", body, &headers).await;
                assert_eq!(answer.header("content-type"), format!("{media}; charset=utf-8"), "{}", answer.text);
                assert_eq!(answer.header("x-request-id"), "abc-123");
                assert_eq!(answer.header("cache-control"), "no-store");
                assert_eq!(answer.header("proxy-status"), "");
                assert_eq!(
                    answer.json().as_object().map(|body| body.keys().cloned().collect()),
                    Some(vec!["errors".to_owned()])
                );
                answer
            };
            // Somebody else holds the only connection that writes.
            let held = server.app.database.begin().await.expect("a transaction");
            send("POST", json!({ "query": CREATE })).await.expect(504).refused("TIMEOUT");
            drop(held);
            let long = json!({ "query": format!("{{ me {{ id }} }} #{}", "x".repeat(20_000)) });
            send("POST", long).await.expect(413).refused("BAD_USER_INPUT");
            let put = send("PUT", json!({ "query": "{ me { id } }" })).await.expect(405).refused("BAD_USER_INPUT");
            assert!(put.header("allow").contains("POST"), "{}", put.header("allow"));
        }
        // Elsewhere a failure looks as it did.
        server.rest(Editor, "PUT", "/readyz", Value::Null).await.expect(405).refused("PGRST117");
    })
    .await;
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_ask_again() {
    let setup = || Setup {
        configure: |config| config.auth.rate_limit_per_minute = 2.try_into().expect("not zero"),
        ..Setup::default()
    };
    on_both_with(setup, async |server| {
        let login = |key: usize| {
            format!("l{key}: login(input: {{ email: \"nobody@example.com\", password: \"x\" }}) {{ tokenType }} ")
        };
        let login = format!("mutation {{ {} }}", login(0));
        let mut answer = ask(server, &login).await;
        for _ in 0..3 {
            answer = ask(server, &login).await;
        }
        let answer = answer.expect(200).refused("RATE_LIMITED");
        let seconds: u64 = answer.header("retry-after").parse().expect("a number of seconds");
        assert!((1..=60).contains(&seconds));
        assert_eq!(answer.errors()[0]["extensions"]["retryAfter"], seconds);
    })
    .await;
}
