//! What the cases about sessions ask, by both ways: to sign in, to go on, to leave, and what a token is worth.
//!
//! In: a server and what somebody holds. Out: other tokens, or the status of a failure in REST's terms.

use crate::support::{Answer, Caller::*, PASSWORD, Server};
use serde_json::{Value, json};

/// The two ways to ask for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Rest,
    GraphQl,
}

impl Way {
    pub(super) const BOTH: [Self; 2] = [Self::Rest, Self::GraphQl];
}

/// What a session is worth to who holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) role: String,
}

/// The session in an answer, or the status of its failure, in REST's terms.
pub(super) fn session(answer: &Answer) -> Result<Tokens, u16> {
    let body = answer.json();
    let (session, [access, refresh]) = match body["data"].as_object().and_then(|data| data.values().next()) {
        Some(session) => (session, ["accessToken", "refreshToken"]),
        None => (&body, ["access_token", "refresh_token"]),
    };
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    if session[access].is_string() {
        return Ok(Tokens {
            access: text(&session[access]),
            refresh: text(&session[refresh]),
            role: text(&session["user"]["role"]),
        });
    }
    Err(match body["errors"][0]["extensions"]["code"].as_str() {
        None => answer.status,
        Some("UNAUTHENTICATED") => 401,
        Some("BAD_USER_INPUT") => 422,
        Some("RATE_LIMITED") => 429,
        Some(other) => panic!("{other}: {}", answer.text),
    })
}

/// What is asked of a session by a mutation.
pub(super) const SESSION: &str = "{ accessToken tokenType expiresIn refreshToken user { role } }";

/// A session by the password of somebody.
pub(super) async fn log_in(server: &Server, email: &str, password: &str) -> Result<Tokens, u16> {
    let body = json!({ "email": email, "password": password });
    session(&server.rest(Anonymous, "POST", "/auth/login", body).await)
}

/// Another of Ann's.
pub(super) async fn anns(server: &Server) -> Tokens {
    log_in(server, "ann@example.com", PASSWORD).await.expect("Ann signs in")
}

/// The answer to a refresh token.
pub(super) async fn ask_refresh(server: &Server, way: Way, token: &str, headers: &[(&str, &str)]) -> Answer {
    let document = format!("mutation ($token: String!) {{ refresh(refreshToken: $token) {SESSION} }}");
    let (path, body) = match way {
        Way::Rest => ("/auth/refresh", json!({ "refresh_token": token })),
        Way::GraphQl => ("/graphql", json!({ "query": document, "variables": { "token": token } })),
    };
    server.rest_with(Anonymous, "POST", path, body, headers).await
}

/// The next tokens.
pub(super) async fn refresh(server: &Server, way: Way, token: &str) -> Result<Tokens, u16> {
    session(&ask_refresh(server, way, token, &[]).await)
}

/// Logs out, which always succeeds and tells nothing.
pub(super) async fn log_out(server: &Server, way: Way, token: &str) {
    match way {
        Way::Rest => {
            let body = json!({ "refresh_token": token });
            let answer = server.rest(Anonymous, "POST", "/auth/logout", body).await.expect(204);
            assert_eq!((answer.text.as_str(), answer.header("cache-control")), ("", "no-store"));
        }
        Way::GraphQl => {
            let document = "mutation ($token: String!) { logout(refreshToken: $token) }";
            let answer = server.graphql(Anonymous, document, json!({ "token": token })).await;
            assert_eq!(answer.data(), json!({ "logout": true }));
        }
    }
}

/// What a request with an access token is answered with.
pub(super) async fn worth(server: &Server, access: &str) -> u16 {
    server.send(server.request(Anonymous, "GET", "/auth/me").bearer_auth(access)).await.status
}

/// An access token that is good on no instance any more: on this one at once, on another when that next asks.
pub(super) async fn assert_ended(server: &Server, tokens: &[&Tokens]) {
    let another = server.another().await;
    for tokens in tokens {
        assert_eq!(worth(server, &tokens.access).await, 401, "the access token");
        assert_eq!(worth(&another, &tokens.access).await, 401, "the access token at another instance");
        for way in Way::BOTH {
            assert_eq!(refresh(server, way, &tokens.refresh).await, Err(401), "the refresh token, by {way:?}");
        }
    }
}
