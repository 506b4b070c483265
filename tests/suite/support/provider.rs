//! An outside identity provider: signs tokens with the keys of the tests, and publishes keys by HTTP.
//!
//! In: what a token shall say, what shall be published. Out: tokens, and how often somebody asked for the keys.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, EncodingKey};
use rootstock::config::{AuthConfig, Options, OutsideConfig};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// A file of the keys of the tests.
fn text(name: &str) -> String {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "keys", name].iter().collect();
    std::fs::read_to_string(file).expect("a file of the tests")
}

/// A key of the tests in PEM: `p256`, `p256.pub`.
pub(crate) fn pem(name: &str) -> String {
    text(&format!("{name}.pem"))
}

/// The public key `name` in PEM.
pub(crate) fn public_pem(name: &str) -> String {
    pem(&format!("{name}.pub"))
}

/// The public key `name` as a JSON Web Key, whose `kid` is its name.
pub(crate) fn jwk(name: &str) -> Value {
    serde_json::from_str(&text(&format!("{name}.jwk.json"))).expect("JSON")
}

/// A token of exactly these texts, signed by `key` in the way of `algorithm`.
pub(crate) fn signed_text(algorithm: Algorithm, key: &EncodingKey, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).expect("a signature");
    format!("{message}.{signature}")
}

/// The algorithm of the private key `name`, and the key.
pub(crate) fn private(name: &str) -> (Algorithm, EncodingKey) {
    let pem = pem(name).into_bytes();
    match name.split('-').next().expect("a name") {
        "rsa" => (Algorithm::RS256, EncodingKey::from_rsa_pem(&pem).expect("an RSA key")),
        "p256" => (Algorithm::ES256, EncodingKey::from_ec_pem(&pem).expect("a P-256 key")),
        _ => (Algorithm::EdDSA, EncodingKey::from_ed_pem(&pem).expect("an Ed25519 key")),
    }
}

/// A token by the private key `name`, of a good header that names it.
pub(crate) fn token(name: &str, claims: &Value) -> String {
    let (algorithm, key) = private(name);
    let header = json!({ "alg": format!("{algorithm:?}"), "typ": "JWT", "kid": name });
    signed_text(algorithm, &key, &header.to_string(), &claims.to_string())
}

/// Good claims of an outside token for an hour, with `changes` over them; null takes one away.
pub(crate) fn claims(subject: &str, changes: Value) -> Value {
    let now = chrono::Utc::now().timestamp();
    let mut claims = json!({ "iss": "rootstock", "aud": "rootstock", "sub": subject, "iat": now, "exp": now + 3600 });
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => _ = claims.as_object_mut().expect("an object").remove(name),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// The configuration of a provider with these flags.
pub(crate) fn configured<'a>(flags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<OutsideConfig> {
    let options = Options::from_flags(flags).expect("good flags");
    AuthConfig::new(&options, &options.database().expect("a database")).expect("a good configuration").outside
}

/// The configuration of a provider of one key, known to the server from the start.
pub(crate) fn pinned(name: &str) -> Option<OutsideConfig> {
    configured([("jwt-public-key", public_pem(name).as_str())])
}

/// What a provider answers.
type Answer = Box<dyn Fn() -> Response + Send + Sync>;

struct Shared {
    answer: Mutex<Answer>,
    asked: AtomicUsize,
}

/// A provider that can be asked for its keys.
pub(crate) struct Provider {
    /// Where it publishes its keys.
    pub(crate) url: String,
    shared: Arc<Shared>,
    running: JoinHandle<()>,
}

impl Provider {
    /// A provider that publishes these public keys.
    pub(crate) async fn with_keys(names: &[&str]) -> Self {
        let answer: Answer = Box::new(|| StatusCode::NOT_FOUND.into_response());
        let shared = Arc::new(Shared { answer: Mutex::new(answer), asked: AtomicUsize::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/keys", listener.local_addr().expect("its address"));
        let provider = Self { url, running: serve(listener, Arc::clone(&shared)), shared };
        provider.publish(names);
        provider
    }

    /// Publishes these public keys from now on.
    pub(crate) fn publish(&self, names: &[&str]) {
        let keys = json!({ "keys": names.iter().map(|name| jwk(name)).collect::<Vec<_>>() }).to_string();
        self.answer(move || keys.clone().into_response());
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, answer: impl Fn() -> Response + Send + Sync + 'static) {
        *self.shared.answer.lock().expect("nobody panics with it in hand") = Box::new(answer);
    }

    /// Goes away: connections are refused.
    pub(crate) async fn leave(&mut self) {
        self.running.abort();
        // The port is free when the listener is gone.
        let _ = (&mut self.running).await;
    }

    /// Comes back where it was.
    pub(crate) async fn come_back(&mut self) {
        let address = self.url.trim_start_matches("http://").trim_end_matches("/keys");
        let listener = TcpListener::bind(address).await.expect("the same port");
        self.running = serve(listener, Arc::clone(&self.shared));
    }

    /// How often it was asked for anything.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// The configuration of a server that trusts it.
    pub(crate) fn trusted(&self) -> Option<OutsideConfig> {
        configured([("jwt-jwks-url", self.url.as_str())])
    }
}

fn serve(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    let answer = async |State(shared): State<Arc<Shared>>| {
        shared.asked.fetch_add(1, Ordering::SeqCst);
        let mut response = (shared.answer.lock().expect("nobody panics with it in hand"))();
        // A connection that is kept would be answered although the provider has gone.
        response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        response
    };
    let router = Router::new().fallback(answer).with_state(shared);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap_or_default() })
}
