//! The pool of connections to PostgreSQL: how they are made, and why there is none.
//!
//! In: the configuration. Out: a [`Held`] connection, or what is wrong, told to the log once for all who wait.

use super::{
    super::{
        errors::{Refusal, from_postgres},
        exhausted,
        outage::Outage,
        seen, tls, told, unavailable,
    },
    Held, STATEMENTS, Session, Settings, cancel,
};
use crate::{
    config::DatabaseConfig,
    error::{Error, Result},
};
use deadpool::managed::{self, Metrics, Pool, PoolError, RecycleError, RecycleResult, TimeoutType};
use quick_cache::unsync::Cache;
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, watch};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How many statements are cancelled at once: each takes a connection to a server that may be in trouble.
const CANCELLATIONS: usize = 8;

/// After how long without a sign of life from the other end a connection is dead: below the time of a request.
const SILENCE: Duration = Duration::from_secs(10);

/// What tokio-postgres takes for the time before the first question after the other end, where a URL says nothing.
const UNSET_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(Debug)]
pub(in super::super) struct Postgres {
    pool: Pool<Manager>,
    /// One at a time looks whether the database is there, past the pool.
    probe: AsyncMutex<()>,
    wait: Duration,
    /// Each connection holds the other end until it has ended.
    alive: Arc<watch::Sender<()>>,
}

impl Postgres {
    /// The database that `config` names.
    pub(in super::super) fn primary(config: &DatabaseConfig) -> Result<Self> {
        Self::new(config, &config.url, false)
    }

    /// A replica of it.
    pub(in super::super) fn replica(config: &DatabaseConfig, url: &SecretString) -> Result<Self> {
        Self::new(config, url, true)
    }

    fn new(config: &DatabaseConfig, url: &SecretString, standby: bool) -> Result<Self> {
        let variable = if standby { "DATABASE_READ_URL" } else { "DATABASE_URL" };
        // What a replica does not give in half of the time, the primary is asked for.
        let connect = if standby { config.acquire_timeout / 2 } else { config.acquire_timeout };
        let (mut postgres, tls) = tls::configure(variable, url.expose_secret())?;
        let settings = Settings::new(config);
        if let Some(options) = settings.options() {
            postgres.options(options);
        }
        postgres.application_name("rootstock");
        postgres.connect_timeout(connect);
        if postgres.get_tcp_user_timeout().is_none() {
            postgres.tcp_user_timeout(SILENCE);
        }
        if postgres.get_keepalives_idle() == UNSET_KEEPALIVE {
            postgres.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 5).keepalives_retries(3);
        }
        let shared = Arc::new(Shared {
            outage: Outage::new(variable),
            standby,
            pooler: if settings.last() { None } else { cancel::address(&postgres) },
            generation: AtomicU64::new(0),
            cancellations: Semaphore::new(CANCELLATIONS),
        });
        let alive = Arc::new(watch::Sender::new(()));
        let prepare = config.prepared_statements;
        let manager = Manager { postgres, tls, prepare, settings, shared, alive: Arc::clone(&alive) };
        let pool = Pool::builder(manager)
            .max_size(config.max_connections)
            .wait_timeout(Some(config.acquire_timeout))
            .create_timeout(Some(connect))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { pool, probe: AsyncMutex::new(()), wait: connect, alive })
    }

    pub(in super::super) async fn close(&self) {
        self.pool.close();
        self.alive.closed().await;
    }

    pub(in super::super) async fn connection(&self) -> Result<Held> {
        match self.pool.get().await {
            Ok(object) => Ok(Held::new(object)),
            Err(error) => Err(self.without(error)),
        }
    }

    /// Why there is no connection, which is told to the log once for all who wait.
    fn without(&self, error: PoolError<tokio_postgres::Error>) -> Error {
        let outage = &self.pool.manager().shared.outage;
        match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                outage.busy(self.pool.status().waiting);
                exhausted()
            }
            PoolError::Backend(error) => {
                let told = told::by_postgres(&error);
                // Of the class of a user that is not let in, or a database that is not there.
                let refused =
                    error.code().is_some_and(|code| ["28", "3D", "42501"].iter().any(|of| code.code().starts_with(of)));
                outage.away(&told, refused);
                if refused { unavailable(Refusal(told)) } else { unavailable(told) }
            }
            PoolError::Timeout(_) => {
                let told = format!("no connection was made within {:?}", self.wait);
                outage.away(&told, false);
                unavailable(told)
            }
            error => unavailable(error),
        }
    }

    /// Whether the database answers somebody who needs no connection of the pool.
    pub(in super::super) async fn probe(&self) -> Result<()> {
        let _one = self.probe.lock().await;
        let manager = self.pool.manager();
        let made = managed::Manager::create(manager).await;
        let session = made.map_err(|error| self.without(PoolError::Backend(error)))?;
        session.client.batch_execute("select 1").await.map_err(from_postgres)
    }

    pub(in super::super) fn pool(&self) -> seen::Pool {
        let name = if self.pool.manager().shared.standby { "replica" } else { "primary" };
        seen::Pool::of(name, &self.pool.status())
    }

    /// Uses none of the connections again that there are.
    pub(in super::super) fn forget(&self) {
        self.pool.manager().shared.generation.fetch_add(1, Ordering::Relaxed);
        self.pool.retain(|session, _| session.is_fit());
    }
}

pub(super) struct Manager {
    postgres: Config,
    tls: MakeRustlsConnect,
    prepare: bool,
    settings: Settings,
    shared: Arc<Shared>,
    alive: Arc<watch::Sender<()>>,
}

/// What all connections know of one another.
#[derive(Debug)]
pub(super) struct Shared {
    outage: Outage,
    /// They are a replica's.
    pub(super) standby: bool,
    /// Where the pooler is, if there is one.
    pub(super) pooler: Option<(String, u16)>,
    /// Counts the times when a connection turned out to be dead: those made before are not used any more.
    pub(super) generation: AtomicU64,
    pub(super) cancellations: Semaphore,
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").finish_non_exhaustive()
    }
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Session, tokio_postgres::Error> {
        // Before the connection: should another one die meanwhile, this one may be as old.
        let generation = self.shared.generation.load(Ordering::Relaxed);
        // Boxed: the handshake's state would make every future that may need a connection ten kilobytes larger.
        let (client, connection) = Box::pin(self.postgres.connect(self.tls.clone())).await?;
        self.shared.outage.here();
        let (shared, alive) = (Arc::clone(&self.shared), self.alive.subscribe());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                shared.outage.cut(&told::by_postgres(&error));
            }
            drop(alive);
        });
        Ok(Session {
            client,
            tls: self.tls.clone(),
            statements: self.prepare.then(|| Mutex::new(Cache::new(STATEMENTS))),
            settings: self.settings.clone(),
            spent: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            generation,
            made: Instant::now(),
            shared: Arc::clone(&self.shared),
        })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<tokio_postgres::Error> {
        if session.is_fit() { Ok(()) } else { Err(RecycleError::message("the connection is not to be used again")) }
    }
}
