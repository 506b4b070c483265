//! Whether the process is up, and whether it can serve.
//!
//! In: the database. Out: `/livez`, which never asks it, and `/readyz`, which does.

use crate::{
    engine::database::Database,
    error::{Error, Kind, Result},
};
use axum::{Router, extract::State, routing::get};
use migration::Migrator;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// How long the answer of `/readyz` may take, if a request may take longer.
const LIMIT: Duration = Duration::from_secs(4);

/// Whether this instance takes work. Clones share it.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    limit: Duration,
    /// Once seen, a migrated schema stays one.
    migrated: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// The readiness of an instance over `database`, whose requests may take so long.
    pub fn new(database: Database, request_time: Duration) -> Self {
        let (migrated, draining) = (AtomicBool::new(false), AtomicBool::new(false));
        let limit = LIMIT.min(request_time * 3 / 4);
        Self(Arc::new(Inner { database, limit, migrated, draining }))
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
        if self.0.migrated.load(Ordering::Relaxed) {
            self.0.database.ping().await?;
            return Ok("ready\n");
        }
        let status = self.0.database.migration_status::<Migrator>().await?;
        if let Some((name, _)) = status.iter().find(|(_, applied)| !applied) {
            return Err(not_ready("The schema is not migrated").details(format!("{name} is pending")));
        }
        self.0.migrated.store(true, Ordering::Relaxed);
        Ok("ready\n")
    }
}

/// The two paths of health.
pub(super) fn routes(readiness: Readiness) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(async |State(readiness): State<Readiness>| readiness.check().await))
        .with_state(readiness)
}
