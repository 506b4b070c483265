//! The keys that an outside identity provider publishes: fetched when they are needed, and not more often; a token is
//! not taken for bad because the provider is away, nor for good because it says odd things.

use crate::support::{
    Caller::*,
    Dialect, Server, Setup, on_both_with,
    provider::{Provider, claims, configured, jwk, private, signed_text, token},
    start_with,
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn on_both_trusting(provider: &Provider, case: impl AsyncFn(&Server)) {
    on_both_with(|| Setup { outside: provider.trusted(), ..Setup::default() }, case).await;
}

/// A server that trusts a provider. What is asked of the provider is the same on both databases.
async fn trusting(provider: &Provider) -> Server {
    start_with(Dialect::Sqlite, Setup { outside: provider.trusted(), ..Setup::default() }).await
}

/// A token of Zoe by the private key `name`.
fn of(name: &str) -> String {
    token(name, &claims("zoe", json!({})))
}

/// The same without the name of the key.
fn nameless(name: &str) -> String {
    let (algorithm, key) = private(name);
    let header = json!({ "alg": format!("{algorithm:?}") }).to_string();
    signed_text(algorithm, &key, &header, &claims("zoe", json!({})).to_string())
}

async fn status(server: &Server, token: &str) -> u16 {
    server.get_by(token, "/trees").await.status
}

#[tokio::test]
async fn keys_of_three_kinds_are_fetched_once_and_verify_their_tokens() {
    let provider = Provider::with_keys(&["rsa", "p256", "ed25519"]).await;
    let before = provider.asked();
    on_both_trusting(&provider, async |server| {
        for name in ["rsa", "p256", "ed25519", "rsa"] {
            let me = server.get_by(&of(name), "/auth/me").await.expect(200).json();
            assert_eq!((&me["role"], &me["email"]), (&json!("user"), &Value::Null));
            let me = server.graphql_by(&of(name), "{ me { id role } }").await.data();
            assert_eq!(me["me"]["role"], "user");
        }
    })
    .await;
    assert_eq!(provider.asked() - before, 2, "once a server");
}

#[tokio::test]
async fn a_new_key_is_found_by_its_first_token_and_one_that_is_gone_ends_with_the_fetch() {
    let provider = Provider::with_keys(&["rsa"]).await;
    on_both_trusting(&provider, async |server| {
        provider.publish(&["rsa"]);
        let old = of("rsa");
        for _ in 0..2 {
            assert_eq!(status(server, &old).await, 200);
        }
        assert_eq!(status(server, &of("rsa-other")).await, 401, "not published yet");
        provider.publish(&["rsa-other", "p256"]);
        assert_eq!(status(server, &of("p256")).await, 200, "published now");
        assert_eq!(status(server, &of("rsa-other")).await, 200);
        // Also the token that has been remembered as a good one.
        assert_eq!(status(server, &old).await, 401);
        assert_eq!(status(server, &of("rsa")).await, 401);
    })
    .await;
}

#[tokio::test]
async fn without_a_name_of_a_key_those_of_its_algorithm_are_tried() {
    let provider = Provider::with_keys(&["rsa-other", "p256", "rsa"]).await;
    let server = trusting(&provider).await;
    for name in ["rsa", "rsa-other", "p256"] {
        assert_eq!(status(&server, &nameless(name)).await, 200, "{name}");
    }
    assert_eq!(provider.asked(), 1);
    // Of very many, the first: each costs what a signature costs.
    let others = (0..10).map(|number| {
        let mut other = jwk("rsa-other");
        other["kid"] = json!(format!("other {number}"));
        other
    });
    let set = json!({ "keys": others.chain([jwk("rsa")]).collect::<Vec<_>>() }).to_string();
    provider.answer(move || set.clone().into_response());
    let server = trusting(&provider).await;
    assert_eq!(status(&server, &nameless("rsa")).await, 401);
    assert_eq!(status(&server, &of("rsa")).await, 200);
}

#[tokio::test]
async fn a_pinned_algorithm_is_the_only_one() {
    let provider = Provider::with_keys(&["rsa", "p256", "ed25519"]).await;
    let outside = configured([("jwt-jwks-url", provider.url.as_str()), ("jwt-algorithm", "ES256")]);
    let server = start_with(Dialect::Sqlite, Setup { outside, ..Setup::default() }).await;
    for (name, expected) in [("rsa", 401), ("ed25519", 401), ("p256", 200), ("rsa", 401)] {
        assert_eq!(status(&server, &of(name)).await, expected, "{name}");
    }
    server.get(User, "/auth/me").await.expect(200);
}

/// The keys are needed for outside tokens alone: nobody else waits for them, or learns that they cannot be had.
#[tokio::test]
async fn a_provider_that_was_never_there_is_503_for_its_own_tokens_alone() {
    let mut provider = Provider::with_keys(&["rsa"]).await;
    provider.leave().await;
    on_both_trusting(&provider, async |server| {
        let answer = server.get_by(&of("rsa"), "/trees").await.expect(503).refused("PGRST001");
        assert_eq!(answer.header("retry-after"), "10");
        assert!(!answer.text.contains("127.0.0.1") && answer.header("www-authenticate").is_empty(), "{}", answer.text);
        server.graphql_by(&of("rsa"), "{ me { id } }").await.refused("UNAVAILABLE");
        server.get(Anonymous, "/trees").await.expect(200);
        server.get(User, "/auth/me").await.expect(200);
        // What is no token of its is a bad token still.
        assert_eq!(status(server, "a.b.c").await, 401);
    })
    .await;
}

#[tokio::test]
async fn a_provider_may_come_later_and_go_again() {
    let mut provider = Provider::with_keys(&["rsa"]).await;
    provider.leave().await;
    let server = trusting(&provider).await;
    assert_eq!(status(&server, &of("rsa")).await, 503);
    provider.come_back().await;
    assert_eq!(status(&server, &of("rsa")).await, 200);
    provider.leave().await;
    // Known keys go on working, for new tokens as well; with an unknown one, nobody can say that it will be good later.
    assert_eq!(status(&server, &token("rsa", &claims("yan", json!({})))).await, 200);
    assert_eq!(status(&server, &of("p256")).await, 401);
}

/// Anybody can make up names of keys: that must cost the provider nothing.
#[tokio::test]
async fn two_hundred_unknown_keys_make_few_fetches() {
    let provider = Provider::with_keys(&["rsa"]).await;
    let server = trusting(&provider).await;
    let since = Instant::now();
    let (algorithm, key) = private("p256-other");
    let tokens = (0..200).map(|number| {
        let header = json!({ "alg": "ES256", "kid": format!("key-{number}") }).to_string();
        signed_text(algorithm, &key, &header, &claims("zoe", json!({})).to_string())
    });
    let statuses = futures_util::future::join_all(tokens.map(async |token| status(&server, &token).await)).await;
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    // Three at once, and then one in ten seconds.
    let allowed = 3 + usize::try_from(since.elapsed().as_secs() / 10).expect("a number");
    assert!((1..=allowed).contains(&provider.asked()), "{} fetches", provider.asked());
    assert_eq!(status(&server, &of("rsa")).await, 200);
}

/// What is no set of keys is none, whatever it is: nothing is learnt from it, and nothing breaks.
#[tokio::test]
async fn a_hostile_document_teaches_nothing() {
    let good = Provider::with_keys(&["rsa"]).await;
    let set = json!({ "keys": [jwk("rsa")] }).to_string();
    let huge = format!("{{\"keys\":[{}],\"x\":\"{}\"}}", jwk("rsa"), "x".repeat(300 * 1024));
    let many = json!({ "keys": vec![json!({}); 5000] }).to_string();
    let target = good.url.clone();
    let partial = set.clone();
    type Answer = Box<dyn Fn() -> axum::response::Response + Send + Sync>;
    let answers: Vec<(&str, Answer)> = vec![
        ("huge", Box::new(move || huge.clone().into_response())),
        ("many", Box::new(move || many.clone().into_response())),
        ("elsewhere", Box::new(move || Redirect::temporary(&target).into_response())),
        ("not JSON", Box::new(|| "<!doctype html>".into_response())),
        ("nothing", Box::new(|| StatusCode::NO_CONTENT.into_response())),
        ("an error", Box::new(move || (StatusCode::INTERNAL_SERVER_ERROR, partial.clone()).into_response())),
        ("half of it", Box::new(move || set[..set.len() / 2].to_owned().into_response())),
        ("compressed", Box::new(|| ([(header::CONTENT_ENCODING, "gzip")], vec![0x1f, 0x8b, 0x08]).into_response())),
        ("endless", Box::new(|| axum::body::Body::from_stream(endless()).into_response())),
    ];
    for (what, answer) in answers {
        let provider = Provider::with_keys(&[]).await;
        provider.answer(answer);
        let server = trusting(&provider).await;
        assert_eq!(status(&server, &of("rsa")).await, 503, "{what}");
        // The second attempt is for who asks again, and finds what is right then.
        provider.publish(&["rsa"]);
        assert_eq!(status(&server, &of("rsa")).await, 200, "{what}");
    }
    assert_eq!(good.asked(), 0, "a redirect is not followed");
}

/// A body that never ends, and comes slowly.
fn endless() -> impl futures_util::Stream<Item = Result<&'static str, std::io::Error>> {
    futures_util::stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Some((Ok(" "), ()))
    })
}

/// Secrets that a provider publishes are no secrets: nothing is signed with them here.
#[tokio::test]
async fn a_symmetric_key_in_the_document_verifies_nothing() {
    let provider = Provider::with_keys(&["rsa"]).await;
    let secret = "a secret that everybody can read, of thirty-two bytes and more";
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, secret);
    let oct = json!({ "kty": "oct", "kid": "oct", "k": encoded });
    let set = json!({ "keys": [oct, jwk("rsa")] }).to_string();
    provider.answer(move || set.clone().into_response());
    let server = trusting(&provider).await;
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    let claims = claims("zoe", json!({ "role": "admin" })).to_string();
    for algorithm in [jsonwebtoken::Algorithm::HS256, jsonwebtoken::Algorithm::HS512] {
        let header = json!({ "alg": format!("{algorithm:?}"), "kid": "oct" }).to_string();
        let token = signed_text(algorithm, &key, &header, &claims);
        assert_eq!(status(&server, &token).await, 401);
    }
    assert_eq!(status(&server, &of("rsa")).await, 200);
}
