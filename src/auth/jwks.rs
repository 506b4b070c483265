//! The keys that an outside identity provider publishes (RFC 7517), fetched when they are needed and not more often than
//! they should be.
//!
//! In: the address of a JSON Web Key Set. Out: its keys. Those that are known go on working while the provider is away,
//! and while they are fetched anew in the background; one that a fetch does not list any more has stopped working. A token
//! with a key that is not known makes one fetch, for all who wait for it, and at a bounded rate: anybody can send one.

mod document;

use std::{
    error::Error as _,
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, StatusCode, header};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::{Client, redirect::Policy};
use tokio::sync::Mutex;
use url::{Host, Url};

use super::outside::Key;
use crate::{
    config::PublicAlgorithm,
    error::{Error, Kind, Result},
};

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest document that is read.
const LARGEST: usize = 256 * 1024;

/// How long keys are fresh whose provider does not say how long.
const FRESH: Duration = Duration::from_secs(600);

/// For how long they are at least, and at most, whatever the provider says.
const FRESH_WITHIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(24 * 60 * 60));

/// How long until another attempt, after one that failed, and between those for keys that are not known.
const PAUSE: Duration = Duration::from_secs(10);

/// How many of these there may be at once. That it is not zero is found out by the compiler.
const BURST: NonZeroU32 = NonZeroU32::new(3).unwrap();

/// Published keys.
pub(super) struct Jwks {
    shared: Arc<Shared>,
}

struct Shared {
    url: Url,
    /// The one algorithm whose keys are taken; none for all.
    algorithm: Option<PublicAlgorithm>,
    client: Client,
    state: RwLock<State>,
    /// Held by who fetches.
    fetching: Arc<Mutex<()>>,
    /// Of fetches that tokens make.
    limiter: DefaultDirectRateLimiter,
}

/// What is known.
#[derive(Clone)]
struct State {
    /// None as long as no fetch has succeeded.
    keys: Option<Arc<KeySet>>,
    /// From when on they are to be fetched anew.
    stale_from: Instant,
    /// How many fetches have ended, well or not.
    fetches: u64,
}

/// The keys of one document.
#[derive(Debug)]
pub(super) struct KeySet {
    /// How many sets came before.
    pub(super) generation: u64,
    keys: Vec<Key>,
}

impl KeySet {
    /// The keys for a token by `algorithm`: those of the name that it gives, or all where it gives none.
    pub(super) fn fitting(&self, algorithm: PublicAlgorithm, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.algorithm() == algorithm && (kid.is_none() || key.kid.as_deref() == kid))
    }
}

impl Jwks {
    /// The keys at `url`, none of which are fetched yet: the provider may be away when this server starts.
    pub(super) fn new(url: Url, algorithm: Option<PublicAlgorithm>) -> Self {
        if url.scheme() == "http" && !is_loopback(&url) {
            tracing::warn!("JWT_JWKS_URL is not https: whoever is on the way to it can replace the keys");
        }
        // This fails where roots of trust or a resolver of the system cannot be loaded, and neither is used.
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .build()
            .expect("a client whose parts are compiled in");
        let shared = Shared {
            url,
            algorithm,
            client,
            state: RwLock::new(State { keys: None, stale_from: Instant::now(), fetches: 0 }),
            fetching: Arc::default(),
            limiter: RateLimiter::direct(
                Quota::with_period(PAUSE).map_or_else(|| Quota::per_minute(BURST), |quota| quota.allow_burst(BURST)),
            ),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Which set is known. Keys that are stale begin to be fetched.
    pub(super) fn generation(&self) -> u64 {
        self.state_at(Instant::now()).keys.map_or(0, |keys| keys.generation)
    }

    /// The keys to verify a token with: known ones if one of them fits, else those that the provider has now.
    ///
    /// # Errors
    /// `Unavailable` when none were ever fetched and the provider is away.
    pub(super) async fn keys_for(&self, algorithm: PublicAlgorithm, kid: Option<&str>) -> Result<Arc<KeySet>> {
        self.keys_at(algorithm, kid, Instant::now()).await
    }

    async fn keys_at(&self, algorithm: PublicAlgorithm, kid: Option<&str>, now: Instant) -> Result<Arc<KeySet>> {
        let State { keys, fetches, .. } = self.state_at(now);
        if let Some(keys) = keys.filter(|keys| keys.fitting(algorithm, kid).next().is_some()) {
            return Ok(keys);
        }
        // A task of its own: one who waits for it may go away, and the others still wait.
        let fetched = tokio::spawn(Arc::clone(&self.shared).fetch_for_token(fetches));
        fetched.await.map_err(Error::internal)?.ok_or_else(|| {
            let mut error = Error::new(Kind::Unavailable, "The keys of the identity provider cannot be had")
                .hint("Try again in a moment");
            error.retry_after = u32::try_from(PAUSE.as_secs()).ok().and_then(NonZeroU32::new);
            error
        })
    }

    /// What is known at `now`. Who finds it stale goes on with it, and it is fetched meanwhile.
    fn state_at(&self, now: Instant) -> State {
        let state = self.shared.state();
        if state.keys.is_some()
            && now >= state.stale_from
            && let Ok(turn) = Arc::clone(&self.shared.fetching).try_lock_owned()
        {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move {
                // Another may have done it between the look and the turn.
                if shared.state().fetches == state.fetches {
                    shared.fetch().await;
                }
                drop(turn);
            });
        }
        state
    }
}

impl Shared {
    fn state(&self) -> State {
        // Whoever panicked with it in hand had not begun to write.
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the keys for a token that needs others than there were after `seen` fetches, unless somebody has done so
    /// meanwhile, or it has been done too often. What is known then.
    async fn fetch_for_token(self: Arc<Self>, seen: u64) -> Option<Arc<KeySet>> {
        let turn = self.fetching.lock().await;
        if self.state().fetches == seen && self.limiter.check().is_ok() {
            self.fetch().await;
        }
        drop(turn);
        self.state().keys
    }

    /// Fetches the keys; a failure leaves those that are known. By who holds the turn.
    async fn fetch(&self) {
        let fetched = match self.download().await {
            Ok((bytes, fresh)) => document::keys(&bytes, self.algorithm).map(|keys| (keys, fresh)),
            Err(error) => Err(error),
        };
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.fetches += 1;
        match fetched {
            Ok((keys, fresh)) => {
                state.stale_from = Instant::now() + fresh;
                let generation = state.keys.as_ref().map_or(0, |known| known.generation);
                if state.keys.as_ref().is_none_or(|known| known.keys != keys) {
                    tracing::info!(keys = keys.len(), "the identity provider has published other keys");
                    state.keys = Some(Arc::new(KeySet { generation: generation + 1, keys }));
                }
            }
            Err(error) => {
                state.stale_from = Instant::now() + PAUSE;
                let known = state.keys.as_ref().map_or(0, |known| known.keys.len());
                tracing::warn!(error, known, "the identity provider's keys cannot be fetched");
            }
        }
    }

    /// The document, and for how long it is fresh; or what is wrong, for the log.
    async fn download(&self) -> Result<(Vec<u8>, Duration), String> {
        let request =
            self.client.get(self.url.clone()).header(header::ACCEPT, "application/jwk-set+json, application/json");
        let mut response = request.send().await.map_err(told)?;
        if response.status() != StatusCode::OK {
            return Err(format!("it answers {}", response.status()));
        }
        let fresh = freshness(response.headers());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LARGEST {
                return Err(format!("the document is longer than {LARGEST} bytes"));
            }
        }
        Ok((bytes, fresh))
    }
}

/// An error of the client with what led to it, and without the URL, which may hold a key of the operator's.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}

/// For how long an answer with these headers is fresh (RFC 9111, section 5.2.2), within bounds.
fn freshness(headers: &HeaderMap) -> Duration {
    let (least, most) = FRESH_WITHIN;
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut age = None;
    for directive in values.flat_map(|value| value.split(',')) {
        let directive = directive.trim().to_ascii_lowercase();
        match directive.split_once('=') {
            None if ["no-cache", "no-store"].contains(&directive.as_str()) => return least,
            Some(("max-age", seconds)) => {
                age = seconds.trim_matches('"').parse().ok().map(Duration::from_secs).or(age);
            }
            _ => {}
        }
    }
    age.unwrap_or(FRESH).clamp(least, most)
}

/// Whether `url` leads to this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
