//! What the log is told of a database that is away: when it went, that it still is, and when it came back.
//!
//! In: how each attempt to connect went. Out: lines of the log, however many requests are refused meanwhile.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How often it is told that nothing has changed.
const AGAIN: Duration = Duration::from_secs(30);

/// Whether the database is there, as far as is known.
#[derive(Debug)]
pub(super) struct Outage {
    /// The variable that names it.
    variable: &'static str,
    away: Mutex<Option<Away>>,
    busy: Throttle,
    cut: Throttle,
}

#[derive(Debug)]
struct Away {
    since: Instant,
    told: Instant,
}

impl Outage {
    /// Nothing is known yet of the database that `variable` names.
    pub(super) fn new(variable: &'static str) -> Self {
        Self { variable, away: Mutex::default(), busy: Throttle::default(), cut: Throttle::default() }
    }

    /// No connection could be made. `refused` if it was the database that did not let us in: only an operator can help.
    pub(super) fn away(&self, cause: &str, refused: bool) {
        let variable = self.variable;
        let now = Instant::now();
        let mut away = lock(&self.away);
        let seconds = match &mut *away {
            None => {
                *away = Some(Away { since: now, told: now });
                0
            }
            Some(away) if now - away.told >= AGAIN => {
                away.told = now;
                (now - away.since).as_secs()
            }
            Some(_) => return,
        };
        match (refused, seconds) {
            (true, _) => {
                tracing::error!(
                    error.cause = cause,
                    variable,
                    "the database refuses the user, password or name of its URL"
                );
            }
            (false, 0) => tracing::warn!(error.cause = cause, variable, "the database is away"),
            (false, away_seconds) => {
                tracing::warn!(error.cause = cause, variable, away_seconds, "the database is still away")
            }
        }
    }

    /// A connection was made.
    pub(super) fn here(&self) {
        if let Some(away) = lock(&self.away).take() {
            let away_seconds = away.since.elapsed().as_secs_f64();
            tracing::info!(variable = self.variable, away_seconds, "the database is back");
        }
    }

    /// All connections are in use, and none came free in time.
    pub(super) fn busy(&self, waiting: usize) {
        if self.busy.admits() {
            tracing::warn!(
                variable = self.variable,
                waiting,
                "all database connections are in use: see DATABASE_MAX_CONNECTIONS"
            );
        }
    }

    /// A connection ended that nobody here has closed.
    pub(super) fn cut(&self, cause: &str) {
        if self.cut.admits() {
            tracing::warn!(error.cause = cause, variable = self.variable, "a database connection ended");
        }
    }
}

/// Lets something be told now and then.
#[derive(Debug, Default)]
struct Throttle(Mutex<Option<Instant>>);

impl Throttle {
    fn admits(&self) -> bool {
        let mut told = lock(&self.0);
        let admits = told.is_none_or(|told| told.elapsed() >= AGAIN);
        if admits {
            *told = Some(Instant::now());
        }
        admits
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A time is whole, whatever became of the thread that wrote it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
