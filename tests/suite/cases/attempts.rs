//! How often one may try to sign in: by address and by account, whatever else the request says.

use crate::support::{Answer, Caller::*, Dialect, PASSWORD, Server, Setup, on_both, on_both_with, start_with};
use rootstock::config::Config;
use serde_json::{Value, json};
use std::num::NonZeroU32;

/// Three a minute, which is enough for a test to use up and too few for one to come due meanwhile.
fn three(config: &mut Config) {
    config.auth.rate_limit_per_minute = NonZeroU32::new(3).expect("three");
}

/// The same, where every request tells by `X-Forwarded-For` where it comes from.
fn three_behind_a_proxy(config: &mut Config) {
    three(config);
    config.http.trusted_proxies = ["0.0.0.0/0".parse().expect("a network")].into_iter().collect();
}

fn setup(configure: fn(&mut Config)) -> Setup {
    Setup { configure, ..Setup::default() }
}

async fn post(server: &Server, path: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
    server.rest_with(Anonymous, "POST", path, body, headers).await
}

/// An answer that says when to try again, and nothing about accounts.
fn limited(answer: Answer) {
    let answer = answer.expect(429).refused("53400");
    let wait: u32 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn every_way_in_counts_for_the_address() {
    for (path, body, status) in [
        ("/auth/login", json!({ "email": "ann@example.com", "password": "wrong" }), 401),
        ("/auth/register", json!({ "email": "new@example.com", "password": "weak" }), 422),
        ("/auth/refresh", json!({ "refresh_token": "a" }), 401),
        ("/auth/logout", json!({ "refresh_token": "a" }), 204),
    ] {
        let server = start_with(Dialect::Sqlite, setup(three)).await;
        for _ in 0..3 {
            post(&server, path, body.clone(), &[]).await.expect(status);
        }
        limited(post(&server, path, body, &[]).await);
        // All of them together, and by either protocol; what is good is refused as well.
        let good = json!({ "email": "eve@example.com", "password": PASSWORD });
        limited(post(&server, "/auth/login", good, &[]).await);
        for field in ["logout(refreshToken: \"a\")", "refresh(refreshToken: \"a\") { tokenType }"] {
            let answer = server.graphql(Anonymous, &format!("mutation {{ {field} }}"), Value::Null).await;
            let answer = answer.expect(200).refused("RATE_LIMITED");
            assert!(answer.errors()[0]["extensions"]["retryAfter"].as_u64().is_some_and(|wait| wait <= 20));
        }
        // Who has a session goes on as before.
        for _ in 0..5 {
            server.get(User, "/auth/me").await.expect(200);
            server.rest(User, "PATCH", "/auth/me", json!({ "name": "Ann" })).await.expect(200);
        }
    }
}

#[tokio::test]
async fn each_field_of_a_document_is_an_attempt() {
    on_both_with(
        || setup(three),
        async |server| {
            let login =
                format!("login(input: {{ email: \"ann@example.com\", password: \"{PASSWORD}\" }}) {{ tokenType }}");
            let document = format!("mutation {{ a: {login} b: {login} c: {login} d: {login} }}");
            let answer = server.graphql(Anonymous, &document, Value::Null).await.refused("RATE_LIMITED");
            assert_eq!(answer.errors()[0]["path"], json!(["d"]));
            assert_eq!(answer.json()["data"], Value::Null);
        },
    )
    .await;
}

/// What a client writes into a request gets it no more attempts.
#[tokio::test]
async fn no_header_and_no_member_is_another_address() {
    let server = start_with(Dialect::Sqlite, setup(three)).await;
    for number in 0..5 {
        let address = format!("198.51.100.{number}");
        let headers = [
            ("x-forwarded-for", address.as_str()),
            ("forwarded", &format!("for={address}")),
            ("x-real-ip", &address),
            ("x-request-id", &address),
            ("user-agent", &address),
        ];
        let body = json!({ "email": format!("nobody-{number}@example.com"), "password": number.to_string() });
        let answer = post(&server, "/auth/login", body, &headers).await;
        if number < 3 {
            answer.expect(401);
        } else {
            limited(answer);
        }
    }
}

/// From wherever one tries, and however the address for e-mail is spelt.
#[tokio::test]
async fn an_account_has_a_quota_of_its_own() {
    on_both_with(
        || setup(three_behind_a_proxy),
        async |server| {
            let spelt =
                ["ann@example.com", "ANN@example.com", " Ann@Example.Com\t", "ann@EXAMPLE.com", "ann@example.com"];
            for (number, email) in spelt.iter().enumerate() {
                let from = format!("198.51.100.{number}");
                let headers = [("x-forwarded-for", from.as_str())];
                let form = format!(
                    "username={}&password=wrong",
                    url::form_urlencoded::byte_serialize(email.as_bytes()).collect::<String>()
                );
                let answer = if number % 2 == 0 {
                    post(server, "/auth/login", json!({ "email": email, "password": "wrong" }), &headers).await
                } else {
                    let media = "application/x-www-form-urlencoded";
                    let request = server.request(Anonymous, "POST", "/auth/login").header("content-type", media);
                    server.send(request.header("x-forwarded-for", &from).body(form)).await
                };
                if number < 3 {
                    answer.expect(401);
                } else {
                    limited(answer);
                }
            }
            // Others are not kept out by that.
            let body = json!({ "email": "bob@example.com", "password": PASSWORD });
            post(server, "/auth/login", body, &[("x-forwarded-for", "198.51.100.77")]).await.expect(200);

            // Who has a token guesses the password no faster.
            for number in 0..4 {
                let from = format!("203.0.113.{number}");
                let headers = [("x-forwarded-for", from.as_str())];
                let body =
                    json!({ "current_password": format!("guess {number}"), "new_password": "orchid tunnel gravel 61" });
                let answer = server.rest_with(User, "POST", "/auth/password", body, &headers).await;
                if number < 3 {
                    answer.expect(401);
                } else {
                    limited(answer);
                }
            }
        },
    )
    .await;
}

/// Whatever is answered about somebody is kept by nobody in between.
#[tokio::test]
async fn no_answer_about_identity_is_kept() {
    on_both(async |server| {
        let large = "x".repeat(2 << 20);
        for (method, path, media, body, status) in [
            (
                "POST",
                "/auth/register",
                "application/json",
                r#"{"email":"n@example.com","password":"orchid tunnel gravel 61"}"#,
                201,
            ),
            (
                "POST",
                "/auth/register",
                "application/json",
                r#"{"email":"n@example.com","password":"orchid tunnel gravel 61"}"#,
                409,
            ),
            (
                "POST",
                "/auth/login",
                "application/json",
                r#"{"email":"n@example.com","password":"orchid tunnel gravel 61"}"#,
                200,
            ),
            ("POST", "/auth/login", "application/json", r#"{"email":"n@example.com","password":"wrong"}"#, 401),
            ("POST", "/auth/refresh", "application/json", r#"{"refresh_token":"a"}"#, 401),
            ("POST", "/auth/logout", "application/json", r#"{"refresh_token":"a"}"#, 204),
            ("POST", "/auth/password", "application/json", "{}", 401),
            ("GET", "/auth/me", "application/json", "", 401),
            ("POST", "/auth/register", "application/json", "{}", 422),
            ("POST", "/auth/login", "application/json", "{", 400),
            ("POST", "/auth/login", "text/plain", "{}", 415),
            ("POST", "/auth/login", "application/json", &large, 413),
            ("GET", "/auth/login", "application/json", "", 405),
            ("DELETE", "/auth/refresh", "application/json", "", 405),
            ("PUT", "/auth/logout", "application/json", "", 405),
            ("GET", "/auth/password", "application/json", "", 405),
        ] {
            let answer = server.text(Anonymous, method, path, media, body).await.expect(status);
            assert_eq!(answer.header("cache-control"), "no-store", "{method} {path} {status}");
        }
        let headers = [("authorization", "Bearer nonsense")];
        for path in ["/auth/me", "/auth/register", "/auth/logout", "/auth/password"] {
            let method = if path == "/auth/me" { "GET" } else { "POST" };
            let answer = server.rest_with(Anonymous, method, path, Value::Null, &headers).await.expect(401);
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    })
    .await;
}

/// A session is somebody's, wherever its tokens come from.
#[tokio::test]
async fn a_session_counts_for_its_account() {
    on_both_with(
        || setup(three_behind_a_proxy),
        async |server| {
            let body = json!({ "email": "ann@example.com", "password": PASSWORD });
            let session = post(server, "/auth/login", body, &[("x-forwarded-for", "198.51.100.1")]).await.expect(200);
            let mut token = session.json()["refresh_token"].clone();
            for last in 2..5 {
                let from = format!("198.51.100.{last}");
                let body = json!({ "refresh_token": token });
                let next = post(server, "/auth/refresh", body, &[("x-forwarded-for", &from)]).await.expect(200);
                token = next.json()["refresh_token"].clone();
            }
            for path in ["/auth/refresh", "/auth/logout"] {
                let body = json!({ "refresh_token": token });
                limited(post(server, path, body, &[("x-forwarded-for", "198.51.100.9")]).await);
            }
        },
    )
    .await;
}
