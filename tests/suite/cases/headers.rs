//! Headers that every answer carries, whoever asks for whatever, and those that none does unless it is configured.

use super::bad_input::state;
use crate::support::{Answer, Caller::*, Server, Setup, on_both, on_both_with};
use reqwest::header::HeaderValue;
use rootstock::config::{AllowedOrigins, Config};
use serde_json::{Value, json};
use std::num::NonZeroU32;

/// One request for each kind of answer: a path, a body, and the status that it has.
const ASKED: [(&str, &str, &str, u16); 26] = [
    ("GET", "/", "", 200),
    ("GET", "/graphiql", "", 200),
    ("GET", "/docs", "", 200),
    ("GET", "/assets/nothing.js", "", 404),
    ("GET", "/openapi.json", "", 200),
    ("GET", "/livez", "", 200),
    ("GET", "/readyz", "", 200),
    ("GET", "/trees", "", 200),
    ("HEAD", "/trees", "", 200),
    ("GET", "/trees/", "", 200),
    ("OPTIONS", "/trees", "", 200),
    ("GET", "/trees?nothing=eq.1", "", 400),
    ("GET", "/trees/7", "", 404),
    ("GET", "/leaves", "", 404),
    ("GET", "/expenses", "", 401),
    ("POST", "/trees", "{}", 401),
    ("PATCH", "/livez", "", 405),
    ("POST", "/graphql", r#"{"query":"{ tree(id: 1) { id } }"}"#, 200),
    ("POST", "/graphql", "{", 400),
    ("GET", "/auth/me", "", 401),
    ("GET", "/auth/login", "", 405),
    ("GET", "/auth/nothing", "", 404),
    ("POST", "/auth/login", "{}", 422),
    ("POST", "/auth/login/", "{", 400),
    ("POST", "/auth/login", r#"{"email":"ann@example.com","password":"wrong"}"#, 401),
    ("POST", "/auth/register", "[]", 400),
];

async fn ask(server: &Server, (method, path, body): (&str, &str, &str), headers: &[(&str, &str)]) -> Answer {
    let mut request = server.request(Anonymous, method, path);
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(body.to_owned());
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request).await
}

#[tokio::test]
async fn every_answer_says_who_asked_and_that_it_is_what_it_says() {
    on_both(async |server| {
        for (method, path, body, status) in ASKED {
            let answer = ask(server, (method, path, body), &[("accept", "*/*")]).await.expect(status);
            assert!(!answer.header("x-request-id").is_empty(), "{method} {path}");
            assert_eq!(answer.headers.get_all("x-content-type-options").iter().count(), 1, "{method} {path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{method} {path}");
            if path.starts_with("/auth/") {
                assert_eq!(answer.header("cache-control"), "no-store", "{method} {path}");
            }
            let page = answer.header("content-type").starts_with("text/html");
            for (name, value) in [
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
            ] {
                assert!(!page || answer.header(name) == value, "{method} {path} {name}");
            }
            let policy = answer.header("content-security-policy");
            assert!(!page || (policy.starts_with("default-src 'self'") && !policy.contains("script-src")), "{policy}");
            assert_eq!(answer.header("server"), "", "{method} {path}");
        }
    })
    .await;
}

fn strict() -> Setup {
    let configure: fn(&mut Config) = |config| {
        config.auth.rate_limit_per_minute = NonZeroU32::MIN;
        config.http.max_body_bytes = 100;
    };
    Setup { configure, ..Setup::default() }
}

/// Also what no route of /auth answers.
#[tokio::test]
async fn no_answer_of_auth_is_kept() {
    on_both_with(strict, async |server| {
        let long = format!(r#"{{"email":"{}"}}"#, "x".repeat(100));
        let wrong = r#"{"email":"ann@example.com","password":"wrong"}"#;
        for (body, status) in [(long.as_str(), 413), (wrong, 401), (wrong, 429)] {
            let answer = ask(server, ("POST", "/auth/login", body), &[]).await.expect(status);
            assert_eq!(answer.header("cache-control"), "no-store", "{status}");
        }
        let answer = server.text(Anonymous, "POST", "/auth/login", "text/html", "x").await.expect(415);
        assert_eq!(answer.header("cache-control"), "no-store");
        let bad = [("authorization", "Bearer x")];
        assert_eq!(ask(server, ("GET", "/auth/me", ""), &bad).await.expect(401).header("cache-control"), "no-store");
    })
    .await;
}

/// Names of headers by which a server lets other origins in.
fn permissions(answer: &Answer) -> Vec<String> {
    let names = answer.headers.keys().map(|name| name.as_str().to_owned());
    names.filter(|name| name.starts_with("access-control-")).collect()
}

#[tokio::test]
async fn without_configuration_no_origin_is_let_in() {
    on_both(async |server| {
        for (method, path, body, _) in ASKED {
            for origin in ["https://evil.example", "null", "http://127.0.0.1", ""] {
                let answer = ask(server, (method, path, body), &[("origin", origin)]).await;
                assert_eq!(permissions(&answer), [""; 0], "{method} {path} {origin}");
            }
            let preflight = [
                ("origin", "https://evil.example"),
                ("access-control-request-method", method),
                ("access-control-request-headers", "authorization,content-type"),
            ];
            let answer = ask(server, ("OPTIONS", path, ""), &preflight).await;
            assert_eq!(permissions(&answer), [""; 0], "{method} {path}");
        }
    })
    .await;
}

const FRIEND: &str = "https://app.example";

fn friendly() -> Setup {
    let configure: fn(&mut Config) = |config| {
        config.http.cors_allowed_origins = AllowedOrigins::These(vec![HeaderValue::from_static(FRIEND)]);
    };
    Setup { configure, ..Setup::default() }
}

#[tokio::test]
async fn a_configured_origin_is_let_in_and_no_other_one_without_credentials() {
    on_both_with(friendly, async |server| {
        let before = state(server).await;
        for path in ["/trees", "/graphql", "/auth/login", "/expenses/x", "/nothing"] {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
                let preflight = |origin| [("origin", origin), ("access-control-request-method", method)];
                let answer = ask(server, ("OPTIONS", path, ""), &preflight(FRIEND)).await.expect(200);
                assert_eq!(answer.header("access-control-allow-origin"), FRIEND);
                assert!(answer.header("access-control-allow-methods").split(',').any(|may| may == method), "{method}");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
                for stranger in
                    ["null", "https://evil.example", "https://app.example.evil.example", "http://app.example"]
                {
                    let answer = ask(server, ("OPTIONS", path, ""), &preflight(stranger)).await;
                    assert_eq!(answer.header("access-control-allow-origin"), "", "{stranger}");
                }
            }
        }
        for (origin, allowed) in [(FRIEND, FRIEND), ("null", ""), ("https://evil.example", "")] {
            for path in ["/trees", "/nothing", "/auth/me"] {
                let answer = ask(server, ("GET", path, ""), &[("origin", origin)]).await;
                assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin} {path}");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                assert!(
                    answer
                        .headers
                        .get_all("vary")
                        .iter()
                        .any(|vary| vary.to_str().is_ok_and(|vary| vary.contains("origin")))
                );
            }
        }
        assert_eq!(state(server).await, before);
    })
    .await;
}

fn open() -> Setup {
    let configure: fn(&mut Config) = |config| config.http.cors_allowed_origins = AllowedOrigins::Any;
    Setup { configure, ..Setup::default() }
}

#[tokio::test]
async fn an_open_server_lets_everybody_in_and_names_nobody() {
    on_both_with(open, async |server| {
        for origin in ["null", "https://evil.example"] {
            let body = json!({ "query": "{ tree(id: 1) { id } }" });
            let answer = server.rest_with(Anonymous, "POST", "/graphql", body, &[("origin", origin)]).await.expect(200);
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
        server.rest(Anonymous, "GET", "/expenses", Value::Null).await.expect(401);
    })
    .await;
}
