//! What of the connections can be seen from outside: how many are used, how long one is waited for, how long statements take.
//!
//! In: statements and waits as they happen. Out: measures and spans of them; and [`Pool`]s, for who looks.

use super::{Backend, Database, Dialect};
use crate::{
    error::Result,
    telemetry::{
        metrics::{self, Timer},
        record::{self, Measured, Stage},
        traces::Span,
    },
};

/// How the connections to a database are used at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Whose they are: `primary`, `replica`, or SQLite's `readers` and `writer`.
    pub name: &'static str,
    /// How many are in use.
    pub used: usize,
    /// How many are open, and in nobody's hands.
    pub idle: usize,
    /// How many there may be.
    pub max: usize,
    /// How many wait for one.
    pub waiting: usize,
}

impl Pool {
    /// As a pool of deadpool tells of itself.
    pub(super) const fn of(name: &'static str, status: &deadpool::Status) -> Self {
        // Who waits for one is counted as if it were there.
        let idle = status.available;
        let used = status.size.saturating_sub(idle);
        Self { name, used, idle, max: status.max_size, waiting: status.waiting }
    }
}

impl Database {
    /// How its connections are used at the moment.
    pub fn pools(&self) -> Vec<Pool> {
        let mut pools = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.pools(),
            Backend::Postgres(postgres) => vec![postgres.pool()],
        };
        pools.extend(self.replica.as_ref().map(|replica| replica.pool()));
        pools
    }
}

/// The wait for a connection.
pub(super) struct Waiting {
    _stage: Measured,
    _timer: Timer,
}

impl Waiting {
    pub(super) fn begin() -> Self {
        Self { _stage: record::stage(Stage::Acquire), _timer: Timer::wait() }
    }

    /// It is over. Who went away while waiting has not been refused.
    pub(super) fn ended<T>(self, waited: Result<T>) -> Result<T> {
        waited.inspect_err(|_| metrics::no_connection())
    }
}

/// A statement, or several that are on their way together, of which the first one tells; it lasts until this is dropped.
pub(super) fn statement(dialect: Dialect, sql: &str) -> (Timer, Option<Span>) {
    let system = match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgresql",
    };
    (Timer::statement(), record::statement(system, sql))
}
