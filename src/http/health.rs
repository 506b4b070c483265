//! Whether the process is up, and whether it can serve.
//!
//! In: the database, and what the start and the end of the program say of themselves. Out: `/livez`, which never asks the
//! database, and `/readyz`, which does.

use crate::{
    engine::database::Database,
    error::{Error, Kind, Result},
};
use axum::{Router, extract::State, routing::get};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// How long the answer of `/readyz` may take, if a request may take longer.
const LIMIT: Duration = Duration::from_secs(4);

/// The paths of health, which are asked for at any time.
pub(super) const HEALTH: [&str; 2] = ["/livez", "/readyz"];

/// Whether this instance takes work. Clones share it.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    limit: Duration,
    start: watch::Sender<Start>,
    draining: AtomicBool,
}

/// How far the start has come.
#[derive(Debug, Clone)]
enum Start {
    /// It goes on; what is being done.
    Under(String),
    /// It is held up; by what.
    Held(String),
    /// All that is needed is there.
    Done,
}

impl Readiness {
    /// The readiness of an instance over `database`, whose requests may take so long. The database is as it should be,
    /// unless [`Readiness::begin`] says that it will have to be made so.
    pub fn new(database: Database, request_time: Duration) -> Self {
        let limit = LIMIT.min(request_time * 3 / 4);
        let (start, draining) = (watch::Sender::new(Start::Done), AtomicBool::new(false));
        Self(Arc::new(Inner { database, limit, start, draining }))
    }

    /// The start is at this: until [`Readiness::done`], `/readyz` says so.
    pub fn begin(&self, what: &str) {
        self.0.start.send_replace(Start::Under(what.to_owned()));
    }

    /// The start is held up by this: until [`Readiness::done`], `/readyz` says so.
    pub fn hold(&self, why: &str) {
        self.0.start.send_replace(Start::Held(why.to_owned()));
    }

    /// The start has come to its end.
    pub fn done(&self) {
        self.0.start.send_replace(Start::Done);
    }

    /// Waits until the start is held up, or done.
    pub async fn settled(&self) {
        // The other end is here.
        let _ = self.0.start.subscribe().wait_for(|start| !matches!(start, Start::Under(_))).await;
    }

    /// From now on the instance takes no new work: `/readyz` says so, that balancers look elsewhere.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// In less time than balancers wait for an answer, whatever the database does.
    async fn check(&self) -> Result<&'static str> {
        let late = |_| Error::new(Kind::Unavailable, "The database does not answer");
        timeout(self.0.limit, self.look()).await.map_err(late)?
    }

    async fn look(&self) -> Result<&'static str> {
        let not_ready = |message: &str| Error::new(Kind::Unavailable, message);
        if self.0.draining.load(Ordering::Relaxed) {
            return Err(not_ready("The server is stopping"));
        }
        let start = self.0.start.borrow().clone();
        if let Start::Under(what) | Start::Held(what) = start {
            return Err(not_ready("The server is starting").details(what));
        }
        self.0.database.ping().await?;
        Ok("ready\n")
    }
}

/// The two paths of health.
pub(super) fn routes(readiness: Readiness) -> Router {
    let [live, ready] = HEALTH;
    Router::new()
        .route(live, get(async || "alive\n"))
        .route(ready, get(async |State(readiness): State<Readiness>| readiness.check().await))
        .with_state(readiness)
}
