//! Tokens: a bad one is 401 wherever it is shown, and never nobody's.

use crate::support::{Caller::*, Server, on_both};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

/// The parts of Ann's own token: header, claims, signature.
fn parts(server: &Server) -> [String; 3] {
    let token = &server.person(User).token;
    token.split('.').map(str::to_owned).collect::<Vec<_>>().try_into().expect("three parts")
}

fn encoded(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

#[tokio::test]
async fn a_bad_token_is_401_everywhere() {
    on_both(async |server| {
        let [header, claims, signature] = parts(server);
        let plain: Value = serde_json::from_slice(&BASE64.decode(&claims).unwrap()).unwrap();
        let raised = {
            let mut raised = plain.clone();
            raised["role"] = json!("admin");
            encoded(&raised)
        };
        let none = encoded(&json!({ "alg": "none", "typ": "JWT" }));
        let rs256 = encoded(&json!({ "alg": "RS256", "typ": "JWT" }));
        let hs512 = encoded(&json!({ "alg": "HS512", "typ": "JWT" }));
        for value in [
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            "Bearer nonsense".to_owned(),
            "Bearer a.b.c".to_owned(),
            "Bearer ..".to_owned(),
            "Basic YTpi".to_owned(),
            format!("Token {header}.{claims}.{signature}"),
            format!("Bearer {header}.{claims}."),
            format!("Bearer {header}.{claims}"),
            format!("Bearer {header}.{raised}.{signature}"),
            format!("Bearer {none}.{claims}."),
            format!("Bearer {none}.{raised}."),
            format!("Bearer {rs256}.{claims}.{signature}"),
            format!("Bearer {hs512}.{claims}.{signature}"),
            format!("Bearer {header}.{claims}.{}", signature.chars().rev().collect::<String>()),
            format!("Bearer {header}.{claims}.{signature} again"),
        ] {
            let headers = [("authorization", value.as_str())];
            for (method, path) in [
                ("GET", "/trees"),
                ("GET", "/trees/1"),
                ("GET", "/auth/me"),
                ("POST", "/expenses"),
                ("GET", "/nothing"),
            ] {
                let answer = server.rest_with(Anonymous, method, path, Value::Null, &headers).await;
                let answer = answer.expect(401);
                assert!(answer.header("www-authenticate").starts_with("Bearer"), "{value}");
            }
            let query = json!({ "query": "{ trees { totalCount } }" });
            let answer = server.rest_with(Anonymous, "POST", "/graphql", query, &headers).await.expect(401);
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{value}");
            assert_eq!(answer.refused("UNAUTHENTICATED").json().get("data"), None);
        }
    })
    .await;
}

#[tokio::test]
async fn two_authorization_headers_are_none_too_few() {
    on_both(async |server| {
        let (ann, ada) = (&server.person(User).token, &server.person(Admin).token);
        for path in ["/trees", "/auth/me", "/graphql?query=%7Bme%7Bid%7D%7D"] {
            let request = server.request(Anonymous, "GET", path).bearer_auth(ann).bearer_auth(ada);
            server.send(request).await.expect(401);
        }
    })
    .await;
}

#[tokio::test]
async fn the_scheme_is_written_in_any_case() {
    on_both(async |server| {
        let ann = server.person(User);
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let value = format!("{scheme} {}", ann.token);
            let answer =
                server.rest_with(Anonymous, "GET", "/auth/me", Value::Null, &[("authorization", &value)]).await;
            assert_eq!(answer.expect(200).json()["id"], ann.id);
        }
    })
    .await;
}

/// Every private path asks who is there, in both protocols.
#[tokio::test]
async fn without_a_token_what_is_private_is_401_and_says_how() {
    on_both(async |server| {
        let key = "0190a5c8-0000-7000-8000-000000000000";
        for (method, path) in [
            ("GET", "/expenses".to_owned()),
            ("GET", format!("/expenses/{key}")),
            ("POST", "/expenses".to_owned()),
            ("PUT", format!("/expenses/{key}")),
            ("PATCH", format!("/expenses/{key}")),
            ("DELETE", format!("/expenses/{key}")),
            ("PATCH", format!("/expenses?id=eq.{key}")),
            ("GET", "/users".to_owned()),
            ("GET", format!("/users/{key}")),
            ("PATCH", format!("/users/{key}")),
            ("POST", "/trees".to_owned()),
            ("DELETE", "/trees/1".to_owned()),
            ("GET", "/auth/me".to_owned()),
        ] {
            let body = if matches!(method, "GET" | "DELETE") { Value::Null } else { json!({}) };
            let answer = server.rest(Anonymous, method, &path, body).await.expect(401);
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{method} {path}");
        }
        for document in [
            "{ expenses { nodes { id } } }".to_owned(),
            "{ users { totalCount } }".to_owned(),
            format!(r#"mutation {{ deleteExpense(id: "{key}") {{ id }} }}"#),
            "mutation { deleteTree(id: 1) { id } }".to_owned(),
            format!(r#"mutation {{ updateUser(id: "{key}", set: {{ name: "x" }}) {{ id }} }}"#),
        ] {
            server.graphql(Anonymous, &document, Value::Null).await.refused("UNAUTHENTICATED");
        }
    })
    .await;
}

/// The database decides, not the token: within five seconds on every instance, at once where nothing is remembered.
#[tokio::test]
async fn a_disabled_account_and_a_lost_role_end_with_the_memory() {
    on_both(async |server| {
        let id = |caller| uuid::Uuid::parse_str(&server.person(caller).id).unwrap();
        let database = &server.app.database;
        rootstock::auth::users::set_disabled(database, id(Other), true).await.unwrap();
        rootstock::auth::users::set_role(database, id(Editor), "user").await.unwrap();
        let answer = server.get(Other, "/trees").await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        server.rest(Editor, "DELETE", "/trees/1", Value::Null).await.expect(403);
        server.get(User, "/trees").await.expect(200);
    })
    .await;
}
