//! Work on the database, begun again where that is safe and helps: the one way to a connection for whoever asks.
//!
//! In: what is to be read or written, as a function that may run several times. Out: what the last run gave.
//!
//! A read is begun again when its connection turns out to be dead, since of its answer nothing has gone out. A
//! transaction is begun again when its connection dies or the database ends it for the sake of another one (SQLSTATE
//! 40001, 40P01), as long as its commit was not sent, or was answered by a refusal: then nothing of it has happened. A
//! commit that gets no answer is told as such (08007), and never sent again.

use super::{Backend, Connection, Database, Transaction, errors::error_of};
use crate::{
    error::{Error, Result},
    telemetry::record::{self, Stage},
};
use sea_orm::{ConnectionTrait as _, QueryResult, StatementBuilder};
use std::time::Duration;
use tokio::time::sleep;

/// How often work is begun again because its connection died: the second time should meet a new one.
const LOST: u32 = 2;

/// How often a transaction is begun again because of another one.
const CONFLICTS: u32 = 5;

/// How long is waited at most before the first of these; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(10);

/// What becomes of a transaction whose work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It stays.
    Commit,
    /// It is undone, and was for its answer alone.
    Rollback,
}

/// How often some work was begun again, and why.
#[derive(Debug)]
struct Attempts {
    /// How long after the beginning of a request something may still happen for it.
    time: Duration,
    lost: u32,
    conflicts: u32,
}

impl Attempts {
    const fn within(time: Duration) -> Self {
        Self { time, lost: 0, conflicts: 0 }
    }

    /// How long to wait before the work is begun again, if it is.
    fn again(&mut self, error: &Error, lost: bool) -> Option<Duration> {
        if lost {
            self.lost += 1;
            return (self.lost <= LOST).then_some(Duration::ZERO);
        }
        if !matches!(&*error.code, "40001" | "40P01") {
            return None;
        }
        // Who has waited for half of its time already is told to try again, before there is no time to say so.
        if record::age().is_some_and(|age| age > self.time / 2) {
            return None;
        }
        self.conflicts += 1;
        // Any time up to the bound, so that two who met do not meet again.
        (self.conflicts <= CONFLICTS).then(|| rand::random_range(Duration::ZERO..=PAUSE * (1 << (self.conflicts - 1))))
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

impl Database {
    /// Runs `work`, which only reads, and sees what was written last.
    ///
    /// # Errors
    /// What `work` says, and `Unavailable` when no connection comes free in time or the database is away.
    pub async fn reading<T>(&self, work: impl Copy + AsyncFnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut attempts = Attempts::within(self.time);
        loop {
            let connection = self.read().await?;
            let _execute = record::stage(Stage::Execute);
            let error = match work(&connection).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let again = attempts.again(&error, connection.is_lost());
            drop(connection);
            let Some(time) = again else { return Err(error) };
            pause(time).await;
        }
    }

    /// The first row of one of the program's own statements.
    ///
    /// # Errors
    /// Those of [`Database::reading`].
    pub async fn row(&self, statement: &impl StatementBuilder) -> Result<Option<QueryResult>> {
        self.reading(async |connection| connection.query_one(statement).await.map_err(error_of)).await
    }

    /// The rows of one of the program's own statements.
    ///
    /// # Errors
    /// Those of [`Database::reading`].
    pub async fn rows(&self, statement: &impl StatementBuilder) -> Result<Vec<QueryResult>> {
        self.reading(async |connection| connection.query_all(statement).await.map_err(error_of)).await
    }

    /// Runs `work` in a transaction, which stays if it succeeds.
    ///
    /// # Errors
    /// What `work` or the commit says: nothing has happened then, except that nobody knows of 08007; and `Unavailable`
    /// when no connection comes free in time or the database is away.
    pub async fn writing<T, E>(&self, work: impl Copy + AsyncFnOnce(&Transaction) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error> + AsRef<Error>,
    {
        self.ending(End::Commit, work).await
    }

    /// Runs `work` in a transaction that ends so if `work` succeeds.
    ///
    /// # Errors
    /// Those of [`Database::writing`].
    pub async fn ending<T, E>(
        &self,
        end: End,
        work: impl Copy + AsyncFnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Error> + AsRef<Error>,
    {
        let mut attempts = Attempts::within(self.time);
        loop {
            let transaction = self.begin().await?;
            let _execute = record::stage(Stage::Execute);
            let (again, error) = match work(&transaction).await {
                Ok(done) => {
                    let ended = match end {
                        End::Commit => transaction.commit_within(self.time).await,
                        End::Rollback => {
                            transaction.rollback().await;
                            Ok(())
                        }
                    };
                    match ended {
                        Ok(()) => return Ok(done),
                        // Refused, or without an answer, which is no code to begin again at.
                        Err(error) => (attempts.again(&error, false), E::from(error)),
                    }
                }
                Err(error) => {
                    let again = attempts.again(error.as_ref(), transaction.is_lost());
                    transaction.rollback().await;
                    (again, error)
                }
            };
            let Some(time) = again else { return Err(error) };
            pause(time).await;
        }
    }

    /// Runs `work`, which is one statement that writes. On PostgreSQL it is a transaction like any other: a statement that
    /// were one by itself would happen after nobody waits for it any more, because it lies on its way to a server that
    /// stalls. SQLite asks whether somebody still waits as it commits.
    ///
    /// # Errors
    /// Those of [`Database::writing`].
    pub async fn writing_once<T>(&self, work: impl Copy + AsyncFnOnce(&Connection) -> Result<T>) -> Result<T> {
        match &*self.backend {
            Backend::Sqlite(_) => {
                let writer = self.writer().await?;
                let _execute = record::stage(Stage::Execute);
                work(&writer).await
            }
            Backend::Postgres(_) => self.writing(async |transaction| work(transaction).await).await,
        }
    }

    /// Runs `work` in a transaction that sees one state of the database, and leaves it open; the state may be one that was
    /// a moment ago.
    ///
    /// # Errors
    /// Those of [`Database::reading`].
    pub async fn viewing<T>(
        &self,
        work: impl Copy + AsyncFnOnce(&Transaction) -> Result<T>,
    ) -> Result<(T, Transaction)> {
        if let Some(done) = self.viewing_replica(work).await {
            return done;
        }
        let mut attempts = Attempts::within(self.time);
        loop {
            let snapshot = self.snapshot().await?;
            let _execute = record::stage(Stage::Execute);
            let error = match work(&snapshot).await {
                Ok(done) => return Ok((done, snapshot)),
                Err(error) => error,
            };
            let again = attempts.again(&error, snapshot.is_lost());
            snapshot.rollback().await;
            let Some(time) = again else { return Err(error) };
            pause(time).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn work_is_begun_again_a_few_times_and_for_a_reason() {
        let new = || Attempts::within(Duration::from_secs(10));
        let mut attempts = new();
        let conflict = Error::new(Kind::Unavailable, "Others").code("40P01");
        for number in 0..CONFLICTS {
            assert!(attempts.again(&conflict, false).is_some_and(|time| time <= PAUSE * (1 << number)), "{number}");
        }
        assert_eq!(attempts.again(&conflict, false), None);
        let away = Error::new(Kind::Unavailable, "Away");
        assert_eq!([true, true, true].map(|lost| attempts.again(&away, lost).is_some()), [true, true, false]);
        let unknown = Error::new(Kind::Unavailable, "Nobody knows").code("08007");
        assert_eq!(new().again(&unknown, false), None);
    }
}
