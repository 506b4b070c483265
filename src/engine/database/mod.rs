//! Connections to the two databases, behind one interface: a statement's text, typed values, rows into a [`Sink`].
//!
//! In: SQL that only `engine::compile` and SeaORM make. Out: rows, cell by cell, borrowed from the driver's buffer.
//! PostgreSQL is spoken to by tokio-postgres and SQLite by rusqlite, because a driver that pings, copies or hands rows
//! through a channel costs more than the query; SeaORM runs over the same connections (`orm`).

mod errors;
mod orm;
mod outage;
mod postgres;
mod replica;
mod seen;
mod sqlite;
mod tls;
mod told;
mod work;

pub(crate) use errors::{NO_REFERENCE, taken};
pub use errors::{error_of, is_refusal};
pub use orm::Migrate;
pub(crate) use orm::{bound, orm_value};
pub use seen::Pool;
#[cfg(fuzzing)]
pub use sqlite::fuzzing;
pub use work::End;

use crate::{
    catalog::scalar::{Cell, Value},
    config::DatabaseConfig,
    error::{Error, Kind, Result},
};
use bytes::Bytes;
use secrecy::ExposeSecret as _;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};

/// Which SQL a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A row of an answer.
pub trait Row {
    /// The cell at `index`, counted from zero.
    ///
    /// # Errors
    /// Fails when there is none, which is a defect of the statement.
    fn cell(&self, index: usize) -> Result<Cell<'_>>;

    /// The name and the declared type of each column, where the driver tells them.
    fn columns(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// What becomes of the rows of a statement.
pub trait Sink: Send + 'static {
    /// What they become.
    type Output: Send + 'static;

    /// Takes the next row.
    ///
    /// # Errors
    /// Fails when the row holds what the catalogue says it cannot.
    fn row<R: Row>(&mut self, row: &R) -> Result<()>;

    /// There are no more rows; `affected` is how many a write changed.
    ///
    /// # Errors
    /// Fails when the rows are not what the statement should give.
    fn finish(self, affected: u64) -> Result<Self::Output>;
}

/// A sink that gives away what the rows have become before the last one has come.
pub trait Flow: Sink<Output = Bytes> {
    /// What there is, if it is enough to be worth its way.
    fn ready(&mut self) -> Option<Bytes>;
}

/// Counts what a write changed and forgets its rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Affected;

impl Sink for Affected {
    type Output = u64;

    fn row<R: Row>(&mut self, _: &R) -> Result<()> {
        Ok(())
    }

    fn finish(self, affected: u64) -> Result<u64> {
        Ok(affected)
    }
}

/// A statement's text, its values, and what becomes of its rows.
pub type Ready<S> = (Arc<str>, Arc<[Value]>, S);

/// How long somebody who asks after the database's health waits for a connection of the pool, and for another one. Both
/// together are less than what balancers wait.
const PATIENCE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// A database, with its connections. Clones share them.
#[derive(Debug, Clone)]
pub struct Database {
    backend: Arc<Backend>,
    /// Where reads go that may see what was there a moment ago.
    replica: Option<Arc<replica::Replica>>,
    /// How many snapshots there may be beside one another: a client that takes its rows slowly holds a connection for as
    /// long, and all of them together must not hold all.
    snapshots: Arc<Semaphore>,
    wait: Duration,
    /// How long after the beginning of a request something may still happen for it.
    time: Duration,
    /// Whether it is as its users need it; see [`Database::shut`].
    ready: Arc<AtomicBool>,
    /// Held by who makes it so, and is not kept out.
    preparing: bool,
}

#[derive(Debug)]
enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Database {
    /// Opens the database that `config` names. PostgreSQL is connected to when the first connection is asked for, so
    /// the program starts while it is away; SQLite's file is opened at once.
    ///
    /// # Errors
    /// A URL that is not understood, or a file that cannot be opened.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self> {
        let url = config.url.expose_secret();
        let backend = if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Backend::Postgres(postgres::Postgres::primary(config)?)
        } else if url.starts_with("sqlite:") {
            Backend::Sqlite(sqlite::Sqlite::open(config).await?)
        } else {
            return Err(Error::bad_request("DATABASE_URL must begin with sqlite: or postgres:"));
        };
        let replica = config.read_url.as_ref().map(|url| postgres::Postgres::replica(config, url)).transpose()?;
        let replica = replica.map(replica::Replica::new);
        let snapshots = Arc::new(Semaphore::new((config.max_connections / 2).max(1)));
        let ready = Arc::new(AtomicBool::new(true));
        let (backend, wait) = (Arc::new(backend), config.acquire_timeout);
        Ok(Self { backend, replica, snapshots, wait, time: config.statement_timeout, ready, preparing: false })
    }

    /// Keeps everybody out until [`Database::open`], because the schema is not yet as the program needs it: whoever asks
    /// for a connection is told at once that there is none. Only what this returns is let in.
    #[must_use]
    pub fn shut(&self) -> Self {
        self.ready.store(false, Ordering::Relaxed);
        Self { preparing: true, ..self.clone() }
    }

    /// Lets everybody in.
    pub fn open(&self) {
        self.ready.store(true, Ordering::Relaxed);
    }

    fn admit(&self) -> Result<()> {
        if self.preparing || self.ready.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Error::new(Kind::Unavailable, "The database is not ready yet").hint("Try again in a moment"))
    }

    /// Gives nobody a connection any more, and ends those that are idle in the way that the database expects; waits until
    /// all are ended, those in use when they are given back.
    pub async fn close(&self) {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close(),
            Backend::Postgres(postgres) => postgres.close().await,
        }
        if let Some(replica) = &self.replica {
            replica.close().await;
        }
    }

    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        match *self.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A connection for reads that see what was written last: of the program's own, where [`Database::reading`] does not
    /// do.
    ///
    /// # Errors
    /// `Unavailable` when none comes free in time or the database is away.
    pub async fn read(&self) -> Result<Connection> {
        self.admit()?;
        let waiting = seen::Waiting::begin();
        let held = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.reader().await.map(Held::Sqlite),
            Backend::Postgres(postgres) => postgres.connection().await.map(Held::Postgres),
        };
        waiting.ended(held).map(Connection)
    }

    /// A connection for writes.
    async fn writer(&self) -> Result<Connection> {
        self.admit()?;
        let waiting = seen::Waiting::begin();
        let held = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.writer().await.map(Held::Sqlite),
            Backend::Postgres(postgres) => postgres.connection().await.map(Held::Postgres),
        };
        waiting.ended(held).map(Connection)
    }

    /// A transaction for writes. Dropped, it is rolled back.
    ///
    /// # Errors
    /// `Unavailable` when no connection comes free in time or the database is away.
    pub async fn begin(&self) -> Result<Transaction> {
        let transaction = Transaction { connection: self.writer().await?, open: true, _permit: None };
        match &transaction.connection.0 {
            // A deferred transaction that turns to writing fails at once when another writes; an immediate one waits.
            Held::Sqlite(held) => held.batch("begin immediate").await?,
            Held::Postgres(held) => held.begin(),
        }
        Ok(transaction)
    }

    /// A transaction for reads, all of which see the database as the first one does. At most half of the connections are
    /// for these.
    ///
    /// # Errors
    /// `Unavailable` when no connection comes free in time or the database is away.
    pub async fn snapshot(&self) -> Result<Transaction> {
        let permit = self.permit().await?;
        Transaction::snapshot(self.read().await?, permit).await
    }

    /// The permit of a snapshot.
    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let permit = timeout(self.wait, Arc::clone(&self.snapshots).acquire_owned()).await;
        permit.map_err(|_| exhausted())?.map_err(Error::internal)
    }

    /// Asks the database for an answer. That all connections are in use is no reason for it to be away: balancers would
    /// take every instance out that has much to do. PostgreSQL is asked past the pool then; SQLite's file is open.
    ///
    /// # Errors
    /// `Unavailable` when it gives none.
    pub async fn ping(&self) -> Result<()> {
        let [first, then] = PATIENCE;
        let sql = Arc::from("select 1");
        let asked = self.reading(async |connection| connection.run(&sql, &Arc::default(), || Affected).await);
        match timeout(first, asked).await {
            Ok(Err(error)) if error.code == EXHAUSTED => {}
            Ok(done) => return done.map(drop),
            Err(_) => {}
        }
        match &*self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(postgres) => timeout(then, postgres.probe()).await.map_err(unavailable)?,
        }
    }
}

/// How long the end of a transaction is waited for that is undone.
const ROLLBACK: Duration = Duration::from_secs(1);

/// A connection, given back when dropped.
#[derive(Debug)]
pub struct Connection(Held);

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is held a request, and it is not moved about")]
enum Held {
    Sqlite(sqlite::Held),
    Postgres(postgres::Held),
}

impl Connection {
    /// Runs a statement and hands its rows to a sink. `sink` makes a new one each time the statement is run: a read
    /// on SQLite that turns out to be long is begun again on a thread where it blocks nobody.
    ///
    /// # Errors
    /// What the database says of the statement, as the caller may know it.
    pub async fn run<S: Sink>(
        &self,
        sql: &Arc<str>,
        values: &Arc<[Value]>,
        sink: impl Fn() -> S + Send + Sync + 'static,
    ) -> Result<S::Output> {
        let _seen = seen::statement(self.dialect(), sql);
        match &self.0 {
            Held::Sqlite(held) => held.run(sql, values, sink).await,
            Held::Postgres(held) => held.run(sql, values, sink()).await,
        }
    }

    /// Runs a statement whose rows go on their way as they come, no faster than `out` takes them, and ends it when
    /// nobody takes them any more.
    ///
    /// # Errors
    /// What the database says of the statement.
    pub async fn flow<S: Flow>(
        &self,
        sql: &Arc<str>,
        values: &Arc<[Value]>,
        sink: S,
        out: mpsc::Sender<Bytes>,
    ) -> Result<()> {
        let _seen = seen::statement(self.dialect(), sql);
        match &self.0 {
            Held::Sqlite(held) => held.flow(sql, values, sink, out).await,
            Held::Postgres(held) => held.flow(sql, values, sink, out).await,
        }
    }

    /// Runs statements one after the other, each with a sink of its own. They are on their way together where a round
    /// trip costs something.
    ///
    /// # Errors
    /// Which of them failed first, and what the database says of it.
    pub async fn run_each<S: Sink>(&self, statements: Vec<Ready<S>>) -> Result<Vec<S::Output>, (usize, Error)> {
        let _seen = statements.first().map(|(sql, ..)| seen::statement(self.dialect(), sql));
        match &self.0 {
            Held::Sqlite(held) => held.run_each(statements).await,
            Held::Postgres(held) => held.run_each(statements).await,
        }
    }

    /// Runs statements that take no values and whose rows nobody wants.
    pub(crate) async fn batch(&self, sql: &str) -> Result<()> {
        let _seen = seen::statement(self.dialect(), sql);
        match &self.0 {
            Held::Sqlite(held) => held.batch(sql).await,
            Held::Postgres(held) => held.batch(sql).await,
        }
    }

    /// Which SQL it speaks.
    pub const fn dialect(&self) -> Dialect {
        match self.0 {
            Held::Sqlite(_) => Dialect::Sqlite,
            Held::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Whether the connection died under a statement.
    fn is_lost(&self) -> bool {
        match &self.0 {
            Held::Sqlite(_) => false,
            Held::Postgres(held) => held.is_lost(),
        }
    }

    /// Closes the connection instead of giving it back.
    fn discard(&mut self) {
        if let Held::Postgres(held) = &mut self.0 {
            held.discard();
        }
    }
}

/// A transaction: all of it happens, or nothing. It is a [`Connection`] until it ends.
#[derive(Debug)]
pub struct Transaction {
    connection: Connection,
    open: bool,
    /// Given back with the connection.
    _permit: Option<OwnedSemaphorePermit>,
}

impl std::ops::Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Transaction {
    /// Begins one whose reads see the database as the first one does.
    async fn snapshot(connection: Connection, permit: OwnedSemaphorePermit) -> Result<Self> {
        let transaction = Self { connection, open: true, _permit: Some(permit) };
        match &transaction.connection.0 {
            Held::Sqlite(held) => held.batch("begin").await?,
            Held::Postgres(held) => held.begin_by("begin isolation level repeatable read, read only").await?,
        }
        Ok(transaction)
    }

    /// Makes it happen.
    ///
    /// # Errors
    /// A constraint that is checked last: nothing has happened then. A database that went away before it answered: nobody
    /// knows then, as when this is dropped half way.
    pub async fn commit(mut self) -> Result<()> {
        match &self.connection.0 {
            Held::Sqlite(held) => held.batch("commit").await?,
            Held::Postgres(held) => held.commit(None).await?,
        }
        self.open = false;
        Ok(())
    }

    /// Makes it happen, unless the request has had `time` before the database comes to it: a commit that a server which
    /// stalls finds in its socket later comes to nothing. SQLite asks whether anybody still waits.
    ///
    /// # Errors
    /// Those of [`Transaction::commit`], and `Timeout`: nothing has happened then.
    async fn commit_within(mut self, time: Duration) -> Result<()> {
        match &self.connection.0 {
            Held::Sqlite(held) => held.batch("commit").await?,
            Held::Postgres(held) => held.commit(Some(time)).await?,
        }
        self.open = false;
        Ok(())
    }

    /// Undoes it, and waits until that is done, so that the connection can be used again; not for long, since giving the
    /// connection up undoes it as well.
    pub async fn rollback(mut self) {
        let done = timeout(ROLLBACK, async {
            match &self.connection.0 {
                Held::Sqlite(held) => held.batch("rollback").await,
                Held::Postgres(held) => held.rollback().await,
            }
        });
        if matches!(done.await, Ok(Ok(()))) {
            self.open = false;
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        match &mut self.connection.0 {
            Held::Sqlite(held) => held.rollback_when_idle(),
            // With the connection, what it has done is undone.
            Held::Postgres(held) if held.has_begun() => self.connection.discard(),
            Held::Postgres(_) => {}
        }
    }
}

/// Nobody takes the rows of a statement any more.
fn unheard() -> Error {
    Error::new(Kind::Timeout, "Nobody takes the answer")
}

/// PostgREST's code for a pool without a free connection.
const EXHAUSTED: &str = "PGRST003";

/// No connection came free in time.
fn exhausted() -> Error {
    Error::new(Kind::Unavailable, "All connections to the database are in use")
        .code(EXHAUSTED)
        .hint("Try again in a moment")
}

/// No connection could be made, or it was lost.
fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Unavailable, "The database cannot be reached").hint("Try again in a moment").source(source)
}
