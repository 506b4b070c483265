//! PostgreSQL: a pool of held connections, each with its prepared statements.
//!
//! A connection is not pinged before or after use: one that died is seen to be closed when it is next asked for, or
//! loses the statement that it is given. Then all that are as old are given up, since what has ended one has most likely
//! ended the others. A request that is dropped half way cancels its statement and gives up its connection.

mod cancel;
mod pool;
mod settings;

pub(super) use pool::Postgres;

use super::{
    Flow, Ready, Row, Sink,
    errors::{CONNECTION_FAILURE, READ_ONLY, UNKNOWN, from_postgres},
    replica::OF_A_STANDBY,
    told, unavailable, unheard,
};
use crate::{
    catalog::scalar::{Cell, Value},
    error::{Error, Kind, Result},
    telemetry::record,
};
use bytes::Bytes;
use deadpool::managed::Object;
use futures_util::{
    StreamExt as _,
    future::{join, join_all, join3},
    pin_mut,
};
use pool::{Manager, Shared};
use quick_cache::unsync::Cache;
use settings::Settings;
use std::{
    error::Error as StdError,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc::{self, error::SendError},
    time::timeout,
};
use tokio_postgres::{
    Client, RowStream, Statement,
    error::{Severity, SqlState},
    types::{FromSql, ToSql, Type},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 500;

/// How many statements are on their way at once: no more than `join_all` begins in their order.
const PIPELINE: usize = 25;

/// How long the cancellation of a statement may take, the wait for its turn included. Then the statement's own time
/// limit ends it, or its connection, over which nothing is committed any more.
const CANCELLATION: Duration = Duration::from_secs(5);

/// How old a connection must be to be given up for being to a server that takes no writes: there may be another one by
/// now, under the same name. One that is younger was made to what there is.
const OUTDATED: Duration = Duration::from_secs(5);

/// A connection and its prepared statements.
pub(super) struct Session {
    client: Client,
    tls: MakeRustlsConnect,
    /// None behind a pooler that hands each transaction another connection.
    statements: Option<Mutex<Cache<Arc<str>, Statement>>>,
    settings: Settings,
    /// There must be no next statement: one was left half way, whose cancellation could hit it.
    spent: AtomicBool,
    /// The connection died under a statement.
    lost: AtomicBool,
    generation: u64,
    made: Instant,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A connection taken from the pool.
#[derive(Debug)]
pub(super) struct Held {
    /// None once it was discarded.
    object: Option<Object<Manager>>,
    /// A transaction begins with the next statement, on the same way.
    begins: AtomicBool,
    /// What runs is part of a transaction, to the end of which the connection is held.
    open: AtomicBool,
    /// How long its request had lasted when the transaction was known to have begun; none outside of a request.
    begun_at: OnceLock<Duration>,
}

impl Held {
    fn new(object: Object<Manager>) -> Self {
        let (begins, open) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { object: Some(object), begins, open, begun_at: OnceLock::new() }
    }

    fn session(&self) -> Result<&Session> {
        self.object.as_deref().ok_or_else(|| Error::internal("a discarded connection was used"))
    }

    /// Closes the connection instead of giving it back.
    pub(super) fn discard(&mut self) {
        self.object.take().map(Object::take);
    }

    /// Whether the connection died under a statement.
    pub(super) fn is_lost(&self) -> bool {
        self.object.as_deref().is_some_and(|session| session.lost.load(Ordering::Relaxed))
    }

    /// Begins a transaction with the next statement: a message more, and no round trip.
    pub(super) fn begin(&self) {
        self.open.store(true, Ordering::Relaxed);
        self.begins.store(true, Ordering::Relaxed);
    }

    /// Begins a transaction by a statement of its own.
    pub(super) async fn begin_by(&self, begin: &str) -> Result<()> {
        self.open.store(true, Ordering::Relaxed);
        self.batch(&self.session()?.settings.begin(begin)).await
    }

    /// Whether the transaction that was to begin has.
    pub(super) fn has_begun(&self) -> bool {
        !self.begins.load(Ordering::Relaxed)
    }

    /// Makes the transaction happen, if one has begun, and if the request has not had `time` when the server comes to it.
    /// That is asked of the server's own clock, which was at `now()` no later than this end heard that it began.
    pub(super) async fn commit(&self, time: Option<Duration>) -> Result<()> {
        let session = self.session()?;
        if self.begins.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let left = time.zip(self.begun_at.get()).map(|(time, begun)| time.saturating_sub(*begun).as_millis());
        let commit = match left {
            Some(left) => &format!("select 1 / (clock_timestamp() - now() < interval '{left} ms')::int; commit"),
            None => "commit",
        };
        let Err(error) = session.client.batch_execute(commit).await else { return Ok(()) };
        if error.code() == Some(&SqlState::DIVISION_BY_ZERO) {
            return Err(Error::new(Kind::Timeout, "The request took longer than it may").code("57014"));
        }
        let error = session.failed(error);
        if !self.is_lost() {
            return Err(error);
        }
        let cause = error.cause().unwrap_or_default();
        Err(Error::new(Kind::Unavailable, "The database went away before it said whether the change was made")
            .code(UNKNOWN)
            .hint("Look whether it was; a POST with an Idempotency-Key can be sent again as it is")
            .source(cause))
    }

    /// Undoes the transaction, if one has begun.
    pub(super) async fn rollback(&self) -> Result<()> {
        if self.begins.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        self.batch("rollback").await
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        let session = self.session()?;
        let begins = self.begins.swap(false, Ordering::Relaxed);
        let batch = if begins { &format!("{}; {sql}", session.settings.begin("begin")) } else { sql };
        let mut guard = CancelOnDrop { session, done: false };
        let result = session.client.batch_execute(batch).await.map_err(|error| session.failed(error));
        guard.done = true;
        result
    }

    /// Runs `work`, behind the beginning of a transaction if one is to begin. Where settings last as long as a
    /// transaction, work that is part of none has one to itself. All of it is on its way together.
    async fn begun<T>(&self, session: &Session, work: impl Future<Output = T>) -> (Result<()>, T) {
        // What is joined is sent in its order.
        let send = async |sql: &str| session.client.batch_execute(sql).await.map_err(|error| session.failed(error));
        if self.begins.swap(false, Ordering::Relaxed) {
            let begin = session.settings.begin("begin");
            let (begun, done) = join(send(&begin), work).await;
            if let Some(age) = record::age() {
                // Of a transaction that is begun once.
                let _ = self.begun_at.set(age);
            }
            return (begun, done);
        }
        if session.settings.last() || self.open.load(Ordering::Relaxed) {
            return (Ok(()), work.await);
        }
        let begin = session.settings.begin("begin");
        let (begun, done, ended) = join3(send(&begin), work, send("commit")).await;
        (begun.and(ended), done)
    }

    pub(super) async fn run<S: Sink>(&self, sql: &Arc<str>, values: &Arc<[Value]>, sink: S) -> Result<S::Output> {
        let session = self.session()?;
        let mut guard = CancelOnDrop { session, done: false };
        let (begun, result) = self.begun(session, session.run(sql, values, sink)).await;
        // Whatever the answer, there was one: nothing is left running.
        guard.done = true;
        begun.and(result)
    }

    pub(super) async fn flow<S: Flow>(
        &self,
        sql: &Arc<str>,
        values: &Arc<[Value]>,
        sink: S,
        out: mpsc::Sender<Bytes>,
    ) -> Result<()> {
        let session = self.session()?;
        let mut guard = CancelOnDrop { session, done: false };
        // A statement whose rows nobody takes any more is still running: it is cancelled like one that is dropped.
        let (begun, sent) = self.begun(session, session.flow(sql, values, sink, out)).await;
        let sent = begun.and(sent)?;
        guard.done = true;
        sent.map_err(|_| unheard())
    }

    pub(super) async fn run_each<S: Sink>(&self, statements: Vec<Ready<S>>) -> Result<Vec<S::Output>, (usize, Error)> {
        let session = self.session().map_err(|error| (0, error))?;
        let mut guard = CancelOnDrop { session, done: false };
        let (begun, result) = self.begun(session, session.run_each(statements)).await;
        guard.done = true;
        begun.map_err(|error| (0, error)).and(result)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Out of the pool at once, so that another one can be made, and not when it is next asked for.
        if self.object.as_deref().is_some_and(|session| !session.is_fit()) {
            self.discard();
        }
    }
}

impl Session {
    /// Whether it may be used for what comes next.
    fn is_fit(&self) -> bool {
        !self.client.is_closed()
            && !self.spent.load(Ordering::Relaxed)
            && self.generation == self.shared.generation.load(Ordering::Relaxed)
    }

    /// The error of a statement, and what it says of the connection.
    fn failed(&self, error: tokio_postgres::Error) -> Error {
        let fatal = match error.as_db_error() {
            Some(db) => matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
            None => self.client.is_closed() || error.is_closed(),
        };
        if fatal {
            self.spent.store(true, Ordering::Relaxed);
            self.lost.store(true, Ordering::Relaxed);
            // The first of a generation to find out ends it.
            let generation = self.generation;
            let _ = self.shared.generation.compare_exchange(
                generation,
                generation + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        if error.code().is_some_and(|code| code.code() == READ_ONLY) && self.made.elapsed() > OUTDATED {
            self.spent.store(true, Ordering::Relaxed);
        }
        if let Some(code) = self.shared.standby.then(|| of_a_standby(&error)).flatten() {
            return unavailable(told::by_postgres(&error)).code(code);
        }
        let shown = from_postgres(error);
        // Whatever word the server had for its end.
        if fatal && shown.kind != Kind::Unavailable {
            return unavailable(shown.cause().unwrap_or_default()).code(CONNECTION_FAILURE);
        }
        shown
    }

    /// Runs statements in their order. One that fails aborts the transaction, so that none behind it does anything.
    async fn run_each<S: Sink>(&self, statements: Vec<Ready<S>>) -> Result<Vec<S::Output>, (usize, Error)> {
        let mut outputs = Vec::with_capacity(statements.len());
        let mut statements = statements.into_iter();
        loop {
            let batch: Vec<_> = statements.by_ref().take(PIPELINE).collect();
            if batch.is_empty() {
                return Ok(outputs);
            }
            if let Some(known) = &self.statements {
                // One that were prepared on its way would be overtaken by those behind it.
                for (sql, ..) in &batch {
                    self.prepared(known, sql).await.map_err(|error| (outputs.len(), error))?;
                }
            }
            let running = batch.into_iter().map(async |(sql, values, sink)| self.run(&sql, &values, sink).await);
            for outcome in join_all(running).await {
                outputs.push(outcome.map_err(|error| (outputs.len(), error))?);
            }
        }
    }

    async fn prepared(&self, statements: &Mutex<Cache<Arc<str>, Statement>>, sql: &Arc<str>) -> Result<Statement> {
        let cached = lock(statements).get(sql).cloned();
        if let Some(statement) = cached {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await.map_err(|error| self.failed(error))?;
        lock(statements).insert(Arc::clone(sql), statement.clone());
        Ok(statement)
    }

    async fn run<S: Sink>(&self, sql: &Arc<str>, values: &Arc<[Value]>, mut sink: S) -> Result<S::Output> {
        let rows = self.query(sql, values).await?;
        pin_mut!(rows);
        while let Some(row) = rows.next().await {
            sink.row(&row.map_err(|error| self.failed(error))?)?;
        }
        sink.finish(rows.rows_affected().unwrap_or_default())
    }

    /// Runs a statement and sends what its rows become. Not all was sent where the inner result says so.
    async fn flow<S: Flow>(
        &self,
        sql: &Arc<str>,
        values: &Arc<[Value]>,
        mut sink: S,
        out: mpsc::Sender<Bytes>,
    ) -> Result<Result<(), SendError<Bytes>>> {
        let rows = self.query(sql, values).await?;
        pin_mut!(rows);
        while let Some(row) = rows.next().await {
            sink.row(&row.map_err(|error| self.failed(error))?)?;
            if let Some(bytes) = sink.ready()
                && let Err(unsent) = out.send(bytes).await
            {
                return Ok(Err(unsent));
            }
        }
        Ok(out.send(sink.finish(0)?).await)
    }

    async fn query(&self, sql: &Arc<str>, values: &Arc<[Value]>) -> Result<RowStream> {
        let parameters = values.iter().map(|value| value as &(dyn ToSql + Sync));
        let rows = match &self.statements {
            Some(statements) => {
                let statement = self.prepared(statements, sql).await?;
                self.client.query_raw(&statement, parameters).await
            }
            // Without a named statement the server infers the types from the casts all the same.
            None => {
                let typed = parameters.map(|parameter| (parameter, Type::UNKNOWN));
                self.client.query_typed_raw(sql, typed).await
            }
        };
        rows.map_err(|error| self.failed(error))
    }
}

/// What a standby fails at, and its primary may not: the code of that.
fn of_a_standby(error: &tokio_postgres::Error) -> Option<&'static str> {
    OF_A_STANDBY.into_iter().find(|code| error.code().is_some_and(|said| said.code() == *code))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A cache is whole between its calls, whatever became of the thread that held it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cancels the statement in the database when the request that waits for it is dropped.
struct CancelOnDrop<'s> {
    session: &'s Session,
    done: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.done || self.session.client.is_closed() {
            return;
        }
        self.session.spent.store(true, Ordering::Relaxed);
        let (token, tls) = (self.session.client.cancel_token(), self.session.tls.clone());
        let shared = Arc::clone(&self.session.shared);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(timeout(CANCELLATION, async move {
            // Never closed.
            let _turn = shared.cancellations.acquire().await;
            if let Err(error) = cancel::cancel(token, tls, shared.pooler.as_ref()).await {
                tracing::debug!(error.cause = %error, "a statement could not be cancelled");
            }
        }));
    }
}

/// A cell's bytes as the server sent them.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Row for tokio_postgres::Row {
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        let raw: Option<Raw<'_>> = self.try_get(index).map_err(Error::internal)?;
        Ok(raw.map_or(Cell::Null, |raw| Cell::Postgres(raw.0)))
    }

    fn columns(&self) -> Vec<(String, String)> {
        self.columns().iter().map(|column| (column.name().to_owned(), column.type_().name().to_owned())).collect()
    }
}
