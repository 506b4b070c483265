//! Tests of published keys: which documents are taken, how long they are fresh, and what is known meanwhile. The
//! provider is a little server of the test's; the clock is in the test's hand.

use std::sync::{
    Mutex as Slot,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::State as Extract, http::HeaderValue, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// A public key of the tests.
fn jwk(name: &str) -> Value {
    let file = format!("{}/tests/keys/{name}.jwk.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// `jwk` with other members; null takes one away.
fn with(mut jwk: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => _ = jwk.as_object_mut().unwrap().remove(name),
            value => jwk[name] = value.clone(),
        }
    }
    jwk
}

fn read(keys: &Value, algorithm: Option<PublicAlgorithm>) -> Result<Vec<Option<String>>, String> {
    let keys = document::keys(json!({ "keys": keys }).to_string().as_bytes(), algorithm)?;
    Ok(keys.into_iter().map(|key| key.kid).collect())
}

#[test]
fn keys_that_verify_are_taken_and_others_passed_over() {
    let (rsa, p256, ed25519) = (jwk("rsa"), jwk("p256"), jwk("ed25519"));
    for good in [
        rsa.clone(),
        p256.clone(),
        ed25519.clone(),
        with(rsa.clone(), json!({"kid": null})),
        with(rsa.clone(), json!({"use": "sig", "alg": "RS256", "key_ops": ["verify"], "x5t": "x", "extra": [1]})),
        with(p256.clone(), json!({"alg": "ES256"})),
        with(ed25519.clone(), json!({"alg": "EdDSA"})),
    ] {
        assert_eq!(read(&json!([good]), None).unwrap().len(), 1, "{good}");
    }
    for bad in [
        json!({}),
        json!({"kty": "oct", "kid": "x", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}),
        json!({"kty": "oct", "kid": "x", "alg": "RS256", "k": "c2VjcmV0"}),
        json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": p256["x"], "y": p256["y"]}),
        json!({"kty": "OKP", "crv": "X25519", "x": ed25519["x"]}),
        with(rsa.clone(), json!({"use": "enc"})),
        with(rsa.clone(), json!({"use": 7})),
        with(rsa.clone(), json!({"key_ops": ["sign"]})),
        with(rsa.clone(), json!({"key_ops": "verify"})),
        with(rsa.clone(), json!({"alg": "HS256"})),
        with(rsa.clone(), json!({"alg": "PS256"})),
        with(rsa.clone(), json!({"alg": "RS512"})),
        with(rsa.clone(), json!({"alg": "ES256"})),
        with(rsa.clone(), json!({"kid": 7})),
        with(rsa.clone(), json!({"kid": "k".repeat(257)})),
        with(rsa.clone(), json!({"d": "AQAB"})),
        with(rsa.clone(), json!({"n": "AQAB"})),
        with(rsa.clone(), json!({"e": "AQ"})),
        with(rsa.clone(), json!({"n": "not base64!"})),
        with(rsa.clone(), json!({"n": null})),
        with(p256.clone(), json!({"y": p256["x"]})),
        with(p256, json!({"x": "AA"})),
        with(ed25519.clone(), json!({"x": "AA"})),
        with(ed25519, json!({"x": URL_SAFE_NO_PAD.encode([0; 32])})),
    ] {
        // It stands before a good one, which it does not keep from being read.
        let keys = read(&json!([bad, with(rsa.clone(), json!({"kid": "good"}))]), None).unwrap();
        assert_eq!(keys, [Some("good".to_owned())], "{bad}");
    }
}

#[test]
fn a_pinned_algorithm_takes_its_own_keys_alone() {
    let all = json!([jwk("rsa"), jwk("p256"), jwk("ed25519")]);
    assert_eq!(read(&all, None).unwrap().len(), 3);
    assert_eq!(read(&all, Some(PublicAlgorithm::Es256)).unwrap(), [Some("p256".to_owned())]);
}

#[test]
fn what_is_no_key_set_is_refused_whole() {
    let many = json!({"keys": vec![json!({}); 101]}).to_string();
    for bad in ["", "null", "[]", "{}", r#"{"keys":null}"#, r#"{"keys":{}}"#, r#"{"keys":[1]}"#, "<html>", &many] {
        assert!(document::keys(bad.as_bytes(), None).is_err(), "{bad:.100}");
    }
    assert!(document::keys(br#"{"keys":[]}"#, None).unwrap().is_empty(), "no key is good any more");
}

#[test]
fn keys_are_fresh_for_as_long_as_the_provider_says_within_bounds() {
    for (values, seconds) in [
        (&[][..], 600),
        (&["max-age=3600"], 3600),
        (&["public, MAX-AGE=3600, must-revalidate"], 3600),
        (&["public", "max-age=\"3600\""], 3600),
        (&["max-age=0"], 60),
        (&["max-age=1"], 60),
        (&["max-age=999999999999"], 86_400),
        (&["max-age=99999999999999999999999"], 600),
        (&["max-age=-1"], 600),
        (&["max-age"], 600),
        (&["nonsense"], 600),
        (&["no-store"], 60),
        (&["no-cache, max-age=3600"], 60),
    ] {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CACHE_CONTROL, HeaderValue::from_static(value));
        }
        assert_eq!(freshness(&headers), Duration::from_secs(seconds), "{values:?}");
    }
}

/// A provider that answers with what it is told to.
struct Provider {
    keys: Slot<Option<Value>>,
    fetches: AtomicUsize,
}

async fn provider(keys: Value) -> (Arc<Provider>, Jwks) {
    let provider = Arc::new(Provider { keys: Slot::new(Some(keys)), fetches: AtomicUsize::new(0) });
    let answer = async |Extract(provider): Extract<Arc<Provider>>| {
        provider.fetches.fetch_add(1, Ordering::SeqCst);
        match &*provider.keys.lock().unwrap() {
            Some(keys) => {
                Ok((HeaderMap::from_iter([(header::CACHE_CONTROL, "max-age=60".parse().unwrap())]), keys.to_string()))
            }
            None => Err(StatusCode::SERVICE_UNAVAILABLE),
        }
    };
    let router = Router::new().route("/keys", get(answer)).with_state(Arc::clone(&provider));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (provider, Jwks::new(url, None))
}

impl Provider {
    fn publish(&self, keys: Option<Value>) {
        *self.keys.lock().unwrap() = keys;
    }

    /// Waits until it was asked `times` times and `jwks` knows what it said.
    async fn asked(&self, jwks: &Jwks, times: usize) {
        let done = async {
            while jwks.shared.state().fetches < times as u64 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), done).await.expect("the provider is asked");
        assert_eq!(self.fetches.load(Ordering::SeqCst), times);
    }
}

async fn knows(jwks: &Jwks, kid: &str, now: Instant) -> bool {
    let keys = jwks.keys_at(PublicAlgorithm::Rs256, Some(kid), now).await.unwrap();
    keys.fitting(PublicAlgorithm::Rs256, Some(kid)).next().is_some()
}

#[tokio::test]
async fn stale_keys_are_fetched_anew_in_the_background_and_go_on_working_meanwhile() {
    let (provider, jwks) = provider(json!({"keys": [jwk("rsa")]})).await;
    let start = Instant::now();
    assert!(knows(&jwks, "rsa", start).await);
    assert!(knows(&jwks, "rsa", start).await);
    provider.asked(&jwks, 1).await;
    let generation = jwks.generation();

    // The same keys again are no others.
    assert!(knows(&jwks, "rsa", start + HOUR).await);
    provider.asked(&jwks, 2).await;
    assert_eq!(jwks.generation(), generation);

    // A key that is gone works for the request that finds that out, and for none after it.
    provider.publish(Some(json!({"keys": [jwk("rsa-other")]})));
    assert!(knows(&jwks, "rsa", start + HOUR).await);
    provider.asked(&jwks, 3).await;
    assert!(jwks.generation() > generation);
    assert!(knows(&jwks, "rsa-other", start).await && !knows(&jwks, "rsa", start).await);
}

#[tokio::test]
async fn known_keys_work_while_the_provider_is_away_or_talks_nonsense() {
    let (provider, jwks) = provider(json!({"keys": [jwk("rsa")]})).await;
    let start = Instant::now();
    assert!(knows(&jwks, "rsa", start).await);
    let generation = jwks.generation();
    for (round, answer) in
        [None, Some(json!("nonsense")), Some(json!({"keys": vec![json!({}); 200]}))].into_iter().enumerate()
    {
        provider.publish(answer);
        assert!(knows(&jwks, "rsa", start + HOUR).await);
        provider.asked(&jwks, round + 2).await;
        assert!(knows(&jwks, "rsa", start).await);
        assert_eq!(jwks.generation(), generation);
    }
    // A set of no keys is one: none is good any more.
    provider.publish(Some(json!({"keys": []})));
    assert!(knows(&jwks, "rsa", start + HOUR).await);
    provider.asked(&jwks, 5).await;
    assert!(!knows(&jwks, "rsa", start).await);
}

/// All who come while nothing is known wait for one fetch.
#[tokio::test]
async fn many_who_need_the_keys_at_once_make_one_fetch() {
    let (provider, jwks) = provider(json!({"keys": [jwk("rsa")]})).await;
    let now = Instant::now();
    let all = futures_util::future::join_all((0..50).map(|_| knows(&jwks, "rsa", now))).await;
    assert!(all.into_iter().all(|known| known));
    provider.asked(&jwks, 1).await;
    let all = futures_util::future::join_all((0..50).map(|_| knows(&jwks, "unknown", now))).await;
    assert!(all.into_iter().all(|known| !known));
    provider.asked(&jwks, 2).await;
}

#[tokio::test]
async fn a_provider_that_was_never_there_is_told_apart_from_a_bad_token() {
    let (provider, jwks) = provider(Value::Null).await;
    provider.publish(None);
    let error = jwks.keys_for(PublicAlgorithm::Rs256, None).await.unwrap_err();
    assert_eq!((error.kind, error.retry_after.map(NonZeroU32::get)), (Kind::Unavailable, Some(10)));
    provider.publish(Some(json!({"keys": [jwk("rsa")]})));
    assert!(knows(&jwks, "rsa", Instant::now()).await);
}
