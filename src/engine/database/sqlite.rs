//! SQLite: readers beside one writer, in WAL mode.
//!
//! Most reads take microseconds, less than a change of threads: they run where they are asked for, within a budget of
//! steps. A read that exceeds it is interrupted and begun again on the blocking pool, where it may take its time
//! without holding up other requests. Writes wait for the disk, so they are always there.

pub(super) mod aggregates;
mod casts;
mod functions;
#[cfg(fuzzing)]
pub mod fuzzing;

use super::{Flow, Ready, Row, Sink, errors::from_sqlite, exhausted, seen, told, unavailable, unheard};
use crate::{
    catalog::scalar::{Cell, Value},
    config::DatabaseConfig,
    error::{Error, Result},
};
use bytes::Bytes;
use deadpool::managed::{self, Metrics, Object, Pool, PoolError, RecycleResult, TimeoutType};
use rusqlite::{Connection, ErrorCode, OpenFlags, types::ValueRef};
use secrecy::ExposeSecret as _;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{OwnedMutexGuard, mpsc},
    time::timeout,
};

/// What the error of a function of ours begins with, if a SQLSTATE says what is wrong.
pub(super) const SQLSTATE: &str = "SQLSTATE ";
/// How many virtual-machine steps pass between two looks at the budget.
const STEPS: i32 = 1_000;
/// What a look takes of the budget: about as many microseconds as the steps before it.
const LOOK: i64 = 25;
/// How many microseconds a read may take where it was asked for, by its steps and by what functions of ours take.
const INLINE_BUDGET: i64 = 1_000;
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 500;

#[derive(Debug)]
pub(super) struct Sqlite {
    writer: Arc<tokio::sync::Mutex<Shared>>,
    /// How many wait for it.
    waiting: AtomicUsize,
    /// None for a database in memory, which only its one connection can see.
    readers: Option<Pool<Manager>>,
    wait: Duration,
}

/// A connection that can be sent to the thread where it blocks nobody.
type Shared = Arc<Guarded>;

#[derive(Debug)]
pub(super) struct Guarded {
    connection: Mutex<Connection>,
    budget: Arc<Budget>,
}

/// How much longer the running statement may go on.
#[derive(Debug, Default)]
struct Budget {
    left: AtomicI64,
    cancelled: AtomicBool,
}

impl Budget {
    /// Takes so many microseconds; whether the statement must end.
    fn take(&self, microseconds: i64) -> bool {
        let left = self.left.fetch_sub(microseconds, Ordering::Relaxed);
        left <= 0 || self.cancelled.load(Ordering::Relaxed)
    }
}

/// Where the database is, out of a URL like `sqlite://rootstock.db?mode=rwc`.
#[derive(Debug, Clone)]
struct Location {
    path: Option<PathBuf>,
    read_only: bool,
    create: bool,
}

impl Location {
    fn parse(url: &str) -> Result<Self> {
        let rest = url.trim_start_matches("sqlite:");
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut read_only, mut create, mut memory) = (false, false, path == ":memory:" || path.is_empty());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("mode", "ro") => read_only = true,
                ("mode", "rw") => {}
                ("mode", "rwc") => create = true,
                ("mode", "memory") => memory = true,
                _ => {
                    return Err(Error::bad_request(format!("DATABASE_URL: {name}={value} is not known"))
                        .hint("SQLite takes mode=ro, rw, rwc or memory"));
                }
            }
        }
        let path = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| Error::bad_request("DATABASE_URL: the path is not UTF-8"))?;
        Ok(Self { path: (!memory).then(|| PathBuf::from(&*path)), read_only, create })
    }

    fn open(&self, writer: bool) -> Result<Guarded, rusqlite::Error> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= if self.read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
        if self.create && writer {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let connection = match &self.path {
            Some(path) => Connection::open_with_flags(path, flags)?,
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        if writer && !self.read_only {
            // FULL: an acknowledged write survives a loss of power.
            connection.execute_batch("pragma journal_mode = wal; pragma synchronous = full")?;
        }
        connection.execute_batch(if writer {
            "pragma foreign_keys = on"
        } else {
            "pragma foreign_keys = on; pragma query_only = on; pragma mmap_size = 268435456"
        })?;
        aggregates::register(&connection)?;
        let budget = Arc::new(Budget::default());
        functions::register(&connection, &budget)?;
        let watched = Arc::clone(&budget);
        connection.progress_handler(STEPS, Some(move || watched.take(LOOK)))?;
        // What nobody waits for any more does not happen, however short it is and however long it waited for its turn.
        let watched = Arc::clone(&budget);
        connection.commit_hook(Some(move || watched.cancelled.load(Ordering::Relaxed)))?;
        Ok(Guarded { connection: Mutex::new(connection), budget })
    }
}

impl Sqlite {
    pub(super) async fn open(config: &DatabaseConfig) -> Result<Self> {
        let location = Location::parse(config.url.expose_secret())?;
        let place = location.path.as_ref().map_or_else(|| "memory".to_owned(), |path| path.display().to_string());
        let writer = location.open(true).map_err(|error| {
            Error::bad_request(format!("DATABASE_URL: the SQLite database {place} cannot be opened: {error}"))
        })?;
        let readers = if location.path.is_some() {
            let pool = Pool::builder(Manager(location))
                .max_size(config.max_connections)
                .wait_timeout(Some(config.acquire_timeout))
                .runtime(deadpool::Runtime::Tokio1)
                .build();
            Some(pool.map_err(Error::internal)?)
        } else {
            None
        };
        let writer = Arc::new(tokio::sync::Mutex::new(Arc::new(writer)));
        Ok(Self { writer, waiting: AtomicUsize::new(0), readers, wait: config.acquire_timeout })
    }

    pub(super) fn close(&self) {
        // The writer's connection is closed by its last holder, and takes the log into the file.
        if let Some(readers) = &self.readers {
            readers.close();
        }
    }

    pub(super) fn pools(&self) -> Vec<seen::Pool> {
        let held = usize::from(self.writer.try_lock().is_err());
        let writer = seen::Pool {
            name: "writer",
            used: held,
            idle: 1 - held,
            max: 1,
            waiting: self.waiting.load(Ordering::Relaxed),
        };
        let readers = self.readers.as_ref().map(|pool| seen::Pool::of("readers", &pool.status()));
        readers.into_iter().chain([writer]).collect()
    }

    pub(super) async fn reader(&self) -> Result<Held> {
        match &self.readers {
            Some(pool) => Ok(Held::new(Lease::Reader(pool.get().await.map_err(without)?))),
            None => self.writer().await,
        }
    }

    pub(super) async fn writer(&self) -> Result<Held> {
        let _queued = Queued::behind(&self.waiting);
        let guard = timeout(self.wait, Arc::clone(&self.writer).lock_owned()).await.map_err(|_| exhausted())?;
        Ok(Held::new(Lease::Writer(guard)))
    }
}

/// Somebody who waits for the one who may write.
struct Queued<'q>(&'q AtomicUsize);

impl<'q> Queued<'q> {
    fn behind(waiting: &'q AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why there is no connection.
fn without(error: PoolError<rusqlite::Error>) -> Error {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => exhausted(),
        error => unavailable(error),
    }
}

#[derive(Debug)]
pub(super) struct Manager(Location);

impl managed::Manager for Manager {
    type Type = Shared;
    type Error = rusqlite::Error;

    async fn create(&self) -> Result<Shared, rusqlite::Error> {
        self.0.open(false).map(Arc::new)
    }

    async fn recycle(&self, _: &mut Shared, _: &Metrics) -> RecycleResult<rusqlite::Error> {
        Ok(())
    }
}

/// A connection taken from the readers, or the writer. A statement on the blocking pool holds it as well, so that
/// nobody else is given the connection before the statement has ended, also if the request was dropped meanwhile.
#[derive(Debug)]
pub(super) struct Held(Arc<Lease>);

#[derive(Debug)]
enum Lease {
    Reader(Object<Manager>),
    Writer(OwnedMutexGuard<Shared>),
}

impl Lease {
    fn shared(&self) -> &Shared {
        match self {
            Self::Reader(object) => object,
            Self::Writer(guard) => guard,
        }
    }
}

impl Held {
    fn new(lease: Lease) -> Self {
        lease.shared().budget.cancelled.store(false, Ordering::Relaxed);
        Self(Arc::new(lease))
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        let sql = sql.to_owned();
        self.blocking(move |connection| connection.execute_batch(&sql).map_err(from_sqlite)).await
    }

    pub(super) async fn run<S: Sink>(
        &self,
        sql: &Arc<str>,
        values: &Arc<[Value]>,
        sink: impl Fn() -> S + Send + Sync + 'static,
    ) -> Result<S::Output> {
        // Where another statement of the request has the connection, this one waits for it on the blocking pool.
        if let Lease::Reader(shared) = &*self.0
            && let Some(connection) = shared.try_lock()
        {
            shared.budget.left.store(INLINE_BUDGET, Ordering::Relaxed);
            match execute(&connection, sql, values, sink()) {
                Err(Failure::Interrupted) => {}
                Err(Failure::Other(error)) => return Err(error),
                Ok(output) => return Ok(output),
            }
        }
        let (sql, values) = (Arc::clone(sql), Arc::clone(values));
        self.blocking(move |connection| match execute(connection, &sql, &values, sink()) {
            Ok(output) => Ok(output),
            Err(failure) => Err(failure.into()),
        })
        .await
    }

    pub(super) async fn flow<S: Flow>(
        &self,
        sql: &Arc<str>,
        values: &Arc<[Value]>,
        sink: S,
        out: mpsc::Sender<Bytes>,
    ) -> Result<()> {
        let (sql, values) = (Arc::clone(sql), Arc::clone(values));
        self.blocking(move |connection| {
            let flowing = Flowing { sink, out };
            execute(connection, &sql, &values, flowing).map_err(Error::from)
        })
        .await
    }

    pub(super) async fn run_each<S: Sink>(&self, statements: Vec<Ready<S>>) -> Result<Vec<S::Output>, (usize, Error)> {
        let job = move |connection: &Connection| {
            let each = statements.into_iter().enumerate();
            Ok(each
                .map(|(number, (sql, values, sink))| {
                    execute(connection, &sql, &values, sink).map_err(|failure| (number, failure.into()))
                })
                .collect())
        };
        self.blocking(job).await.unwrap_or_else(|error| Err((0, error)))
    }

    /// Runs `job` on the blocking pool. If the request is dropped meanwhile, the statement is interrupted.
    async fn blocking<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let lease = Arc::clone(&self.0);
        let dropped = Arc::new(AtomicBool::new(false));
        let mut cancel =
            CancelOnDrop { budget: Arc::clone(&lease.shared().budget), dropped: Arc::clone(&dropped), done: false };
        let run = move || {
            let shared = lease.shared();
            let connection = shared.lock();
            // Else it could follow the end of the transaction that it was part of.
            if dropped.load(Ordering::Relaxed) {
                return Err(unheard());
            }
            // The budget is that of whoever holds the connection.
            shared.budget.left.store(i64::MAX, Ordering::Relaxed);
            job(&connection)
        };
        let result = tokio::task::spawn_blocking(run).await.map_err(Error::internal)?;
        cancel.done = true;
        result
    }

    /// Undoes the open transaction as soon as the connection is idle, on a thread where waiting for it blocks nobody.
    pub(super) fn rollback_when_idle(&self) {
        let lease = Arc::clone(&self.0);
        let rollback = move || {
            let shared = lease.shared();
            let connection = shared.lock();
            shared.budget.cancelled.store(false, Ordering::Relaxed);
            shared.budget.left.store(i64::MAX, Ordering::Relaxed);
            if !connection.is_autocommit()
                && let Err(error) = connection.execute_batch("rollback")
            {
                tracing::error!(error.cause = told::by_sqlite(&error), "a transaction could not be rolled back");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(rollback)),
            Err(_) => rollback(),
        }
    }
}

impl Guarded {
    fn lock(&self) -> MutexGuard<'_, Connection> {
        // SQLite's connection is whole whatever became of the thread that used it.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, if no other statement has it.
    fn try_lock(&self) -> Option<MutexGuard<'_, Connection>> {
        match self.connection.try_lock() {
            Ok(connection) => Some(connection),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

struct CancelOnDrop {
    budget: Arc<Budget>,
    /// Of this statement alone: the budget is every statement's of the connection.
    dropped: Arc<AtomicBool>,
    done: bool,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.done {
            self.dropped.store(true, Ordering::Relaxed);
            self.budget.cancelled.store(true, Ordering::Relaxed);
        }
    }
}

enum Failure {
    /// The budget was spent, or the request dropped.
    Interrupted,
    Other(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Self::Interrupted,
            _ => Self::Other(from_sqlite(error)),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Interrupted => Self::new(crate::error::Kind::Timeout, "The statement took longer than it may"),
            Failure::Other(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

fn execute<S: Sink>(connection: &Connection, sql: &str, values: &[Value], mut sink: S) -> Result<S::Output, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let changes = connection.total_changes();
    {
        let mut rows = statement.query(rusqlite::params_from_iter(values.iter().map(Value::to_sqlite)))?;
        while let Some(row) = rows.next()? {
            sink.row(row)?;
        }
    }
    // What triggers change is no change of the statement's own.
    let changed = if connection.total_changes() == changes { 0 } else { connection.changes() };
    Ok(sink.finish(changed)?)
}

/// Sends what a sink gives away, and waits while nobody takes it: it is used where waiting blocks nobody.
struct Flowing<S> {
    sink: S,
    out: mpsc::Sender<Bytes>,
}

impl<S: Flow> Flowing<S> {
    fn send(&self, bytes: Bytes) -> Result<()> {
        self.out.blocking_send(bytes).map_err(|_| unheard())
    }
}

impl<S: Flow> Sink for Flowing<S> {
    type Output = ();

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        self.sink.row(row)?;
        self.sink.ready().map_or(Ok(()), |bytes| self.send(bytes))
    }

    fn finish(self, affected: u64) -> Result<()> {
        let Self { sink, out } = self;
        out.blocking_send(sink.finish(affected)?).map_err(|_| unheard())
    }
}

impl Row for rusqlite::Row<'_> {
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        Ok(match self.get_ref(index).map_err(Error::internal)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(value) => Cell::Integer(value),
            ValueRef::Real(value) => Cell::Real(value),
            ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).map_err(Error::internal)?),
            ValueRef::Blob(bytes) => Cell::Blob(bytes),
        })
    }

    fn columns(&self) -> Vec<(String, String)> {
        let columns = self.as_ref().columns();
        columns
            .iter()
            .map(|column| (column.name().to_owned(), column.decl_type().unwrap_or("").to_lowercase()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What has been acknowledged survives a loss of power: the log is on the disk before a commit returns.
    #[test]
    fn a_commit_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("x.db").display());
        let writer = Location::parse(&url).unwrap().open(true).unwrap();
        let connection = writer.lock();
        let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!((synchronous, journal.as_str()), (2, "wal"), "2 is FULL");
    }

    #[test]
    fn a_url_says_where_the_file_is() {
        let location = Location::parse("sqlite://data/my%20file.db?mode=rwc").unwrap();
        assert_eq!(location.path, Some(PathBuf::from("data/my file.db")));
        assert!(location.create && !location.read_only);
        assert!(Location::parse("sqlite::memory:").unwrap().path.is_none());
        assert!(Location::parse("sqlite://x.db?mode=rwx").is_err());
    }
}
