//! PostgreSQL: a pool of held connections, each with its prepared statements.
//!
//! A connection is not pinged before or after use: one that died is seen to be closed when it is next asked for. A
//! request that is dropped half way cancels its statement and gives up its connection.

use super::{Flow, Ready, Row, Sink, errors::from_postgres, seen, tls, told, unavailable, unheard};
use crate::{
    catalog::scalar::{Cell, Value},
    config::DatabaseConfig,
    error::{Error, Result},
};
use bytes::Bytes;
use deadpool::managed::{self, Metrics, Object, Pool, RecycleError, RecycleResult};
use futures_util::{
    StreamExt as _,
    future::{join, join_all},
    pin_mut,
};
use quick_cache::unsync::Cache;
use secrecy::ExposeSecret as _;
use std::{
    error::Error as StdError,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::mpsc::{self, error::SendError};
use tokio_postgres::{
    Client, Config, RowStream, Statement,
    types::{FromSql, ToSql, Type},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 500;

/// How many statements are on their way at once: no more than `join_all` begins in their order.
const PIPELINE: usize = 25;

#[derive(Debug)]
pub(super) struct Postgres {
    pool: Pool<Manager>,
}

impl Postgres {
    pub(super) fn new(config: &DatabaseConfig) -> Result<Self> {
        let (mut postgres, tls) = tls::configure(config.url.expose_secret())?;
        let timeout = config.statement_timeout.as_millis();
        // Set in the session's start-up packet, so it costs no round trip. UTC: a timestamp without a zone means UTC.
        postgres.options(format!("-c statement_timeout={timeout} -c timezone=UTC"));
        postgres.application_name("rootstock");
        postgres.connect_timeout(config.acquire_timeout);
        let manager = Manager { postgres, tls, prepare: config.prepared_statements };
        let pool = Pool::builder(manager)
            .max_size(config.max_connections)
            .wait_timeout(Some(config.acquire_timeout))
            .create_timeout(Some(config.acquire_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { pool })
    }

    pub(super) fn pool(&self) -> seen::Pool {
        seen::Pool::of("primary", &self.pool.status())
    }

    pub(super) async fn connection(&self) -> Result<Held> {
        let object = self.pool.get().await.map_err(unavailable)?;
        Ok(Held { object: Some(object), begins: AtomicBool::new(false) })
    }
}

pub(super) struct Manager {
    postgres: Config,
    tls: MakeRustlsConnect,
    prepare: bool,
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").finish_non_exhaustive()
    }
}

/// A connection and its prepared statements.
pub(super) struct Session {
    client: Client,
    tls: MakeRustlsConnect,
    /// None behind a pooler that hands each transaction another connection.
    statements: Option<Mutex<Cache<Arc<str>, Statement>>>,
    /// A statement was left half way: its cancellation could hit the next one, so there must be no next one.
    abandoned: AtomicBool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Session, tokio_postgres::Error> {
        // Boxed: the handshake's state would make every future that may need a connection ten kilobytes larger.
        let (client, connection) = Box::pin(self.postgres.connect(self.tls.clone())).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error.cause = told::by_postgres(&error), "a database connection ended");
            }
        });
        let statements = self.prepare.then(|| Mutex::new(Cache::new(STATEMENTS)));
        Ok(Session { client, tls: self.tls.clone(), statements, abandoned: AtomicBool::new(false) })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<tokio_postgres::Error> {
        if session.client.is_closed() || session.abandoned.load(Ordering::Relaxed) {
            return Err(RecycleError::message("the connection is closed or was abandoned"));
        }
        Ok(())
    }
}

/// A connection taken from the pool.
#[derive(Debug)]
pub(super) struct Held {
    /// None once it was discarded.
    object: Option<Object<Manager>>,
    /// A transaction begins with the next statement, on the same way.
    begins: AtomicBool,
}

impl Held {
    fn session(&self) -> Result<&Session> {
        self.object.as_deref().ok_or_else(|| Error::internal("a discarded connection was used"))
    }

    /// Closes the connection instead of giving it back.
    pub(super) fn discard(&mut self) {
        self.object.take().map(Object::take);
    }

    /// Begins a transaction with the next statement: a message more, and no round trip.
    pub(super) fn begin(&self) {
        self.begins.store(true, Ordering::Relaxed);
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        let client = &self.session()?.client;
        let batch = if self.begins.swap(false, Ordering::Relaxed) { &format!("begin; {sql}") } else { sql };
        client.batch_execute(batch).await.map_err(from_postgres)
    }

    /// Runs `work`, behind the beginning of a transaction if one is to begin.
    async fn begun<T>(&self, session: &Session, work: impl Future<Output = T>) -> (Result<()>, T) {
        if !self.begins.swap(false, Ordering::Relaxed) {
            return (Ok(()), work.await);
        }
        // Begun in their order, so that the statement is behind.
        let (begun, done) = join(session.client.batch_execute("begin"), work).await;
        (begun.map_err(from_postgres), done)
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
        let sent = session.flow(sql, values, sink, out).await?;
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

impl Session {
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
        let statement = self.client.prepare(sql).await.map_err(from_postgres)?;
        lock(statements).insert(Arc::clone(sql), statement.clone());
        Ok(statement)
    }

    async fn run<S: Sink>(&self, sql: &Arc<str>, values: &Arc<[Value]>, mut sink: S) -> Result<S::Output> {
        let rows = self.query(sql, values).await?;
        pin_mut!(rows);
        while let Some(row) = rows.next().await {
            sink.row(&row.map_err(from_postgres)?)?;
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
            sink.row(&row.map_err(from_postgres)?)?;
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
        rows.map_err(from_postgres)
    }
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
        self.session.abandoned.store(true, Ordering::Relaxed);
        let (token, tls) = (self.session.client.cancel_token(), self.session.tls.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = token.cancel_query(tls).await {
                    tracing::debug!(error.cause = told::by_postgres(&error), "a statement could not be cancelled");
                }
            });
        }
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
