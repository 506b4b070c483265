//! The replica: where reads go that may see what was there a moment ago.
//!
//! In: work that only reads. Out: what it gives on the replica; or none, and then the primary is to be asked: the replica
//! is away, or has failed at what the primary may not fail at. Which failures those are, [`Replica::defers`] alone says.
//! That it is away is remembered until it answers again, so that no request waits for it meanwhile.

use super::{Connection, Database, EXHAUSTED, Held, Transaction, postgres::Postgres, seen, unavailable};
use crate::{
    error::{Error, Kind, Result},
    telemetry::record::{self, Stage},
};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How long nobody looks for a replica that did not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a look may take.
const LOOK: Duration = Duration::from_secs(2);

/// What a standby that is there says of a statement that its primary may answer.
pub(super) const OF_A_STANDBY: [&str; 6] = [
    // What it replays takes away what the statement reads.
    "40001", "40P01", //
    // Its schema is the one before a migration that it has not replayed yet.
    "42P01", "42703", "42704", "42883",
];

/// A replica, with its connections.
#[derive(Debug)]
pub(super) struct Replica {
    postgres: Postgres,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    away: bool,
    /// Somebody looks whether it answers.
    watched: bool,
}

impl Replica {
    pub(super) fn new(postgres: Postgres) -> Arc<Self> {
        Arc::new(Self { postgres, state: Mutex::default() })
    }

    /// Runs `work` on a connection. None if the primary is to be asked.
    async fn lends<T>(self: &Arc<Self>, work: impl AsyncFnOnce(Connection) -> Result<T>) -> Option<Result<T>> {
        if self.state().away {
            return None;
        }
        let mut watch = Watch { replica: self, over: false };
        let done = match self.connection().await {
            Ok(connection) => {
                let _execute = record::stage(Stage::Execute);
                work(connection).await
            }
            Err(error) => Err(error),
        };
        watch.over = true;
        match done {
            Err(error) if self.defers(&error) => None,
            done => Some(done),
        }
    }

    async fn connection(&self) -> Result<Connection> {
        let waiting = seen::Waiting::begin();
        waiting.ended(self.postgres.connection().await).map(|held| Connection(Held::Postgres(held)))
    }

    pub(super) async fn close(&self) {
        self.postgres.close().await;
    }

    pub(super) fn pool(&self) -> seen::Pool {
        self.postgres.pool()
    }

    /// Whether the primary is to be asked what the replica failed at with `error`. A replica that is only busy is waited
    /// for: reads that went to the primary instead would take its connections from the writes.
    fn defers(self: &Arc<Self>, error: &Error) -> bool {
        if error.kind != Kind::Unavailable {
            return false;
        }
        if error.code == EXHAUSTED {
            // Or whoever has the connections waits for a host that is gone.
            self.watch();
            return false;
        }
        if OF_A_STANDBY.contains(&&*error.code) {
            tracing::debug!(error.cause = error.cause(), "the primary is asked instead of the replica");
        } else {
            self.leave(error);
        }
        true
    }

    /// From now on reads go to the primary, until the replica answers.
    fn leave(self: &Arc<Self>, error: &Error) {
        if !mem::replace(&mut self.state().away, true) {
            tracing::warn!(error.cause = error.cause(), "the replica does not answer: reads go to the primary");
            // They may all be as dead, and those to a host that is gone would not tell.
            self.postgres.forget();
        }
        self.watch();
    }

    /// Looks whether the replica answers, until it does.
    fn watch(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if mem::replace(&mut self.state().watched, true) {
            return;
        }
        // Nobody looks for the replica of a database that is not used any more.
        let watched = Arc::downgrade(self);
        runtime.spawn(async move {
            while let Some(replica) = watched.upgrade() {
                match timeout(LOOK, replica.postgres.probe()).await.map_err(unavailable).flatten() {
                    Ok(()) => {
                        let mut state = replica.state();
                        state.watched = false;
                        if mem::replace(&mut state.away, false) {
                            tracing::info!("the replica answers again: reads go there");
                        }
                        return;
                    }
                    Err(error) => replica.leave(&error),
                }
                drop(replica);
                sleep(PAUSE).await;
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Two flags, each of which says something without the other.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work on the replica that is dropped half way has taken too long for somebody: whether the replica answers at all, only
/// a look can tell.
struct Watch<'r> {
    replica: &'r Arc<Replica>,
    over: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.replica.watch();
        }
    }
}

impl Database {
    /// Runs `work`, which only reads, and may see what was there a moment ago: on the replica, where there is one that
    /// can, and else as [`Database::reading`] does.
    ///
    /// # Errors
    /// Those of [`Database::reading`].
    pub async fn reading_replica<T>(&self, work: impl Copy + AsyncFnOnce(&Connection) -> Result<T>) -> Result<T> {
        if let Some(replica) = &self.replica {
            self.admit()?;
            let done = replica.lends(async |connection: Connection| work(&connection).await).await;
            if let Some(done) = done {
                return done;
            }
        }
        self.reading(work).await
    }

    /// The replica's part of [`Database::viewing`]; none where the primary is to be asked.
    pub(super) async fn viewing_replica<T>(
        &self,
        work: impl Copy + AsyncFnOnce(&Transaction) -> Result<T>,
    ) -> Option<Result<(T, Transaction)>> {
        let replica = self.replica.as_ref()?;
        let permit = match self.admit().map(|()| self.permit()) {
            Ok(permit) => permit.await,
            Err(error) => Err(error),
        };
        let permit = match permit {
            Ok(permit) => permit,
            Err(error) => return Some(Err(error)),
        };
        let view = async |connection: Connection| {
            let snapshot = Transaction::snapshot(connection, permit).await?;
            match work(&snapshot).await {
                Ok(done) => Ok((done, snapshot)),
                Err(error) => {
                    snapshot.rollback().await;
                    Err(error)
                }
            }
        };
        replica.lends(view).await
    }
}
