//! Owns the PostgreSQL server of the tests: one throw-away [`Cluster`] a test process, started by the first test that asks.
//! In: nothing, or how to migrate an empty database. Out: a database of the test's own, dropped when the test ends.
//!
//! With `ROOTSTOCK_THROUGH=pgbouncer`, every test reaches its database by way of a pooler in transaction mode.

use super::cluster::Cluster;
use super::pgbouncer::PgBouncer;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::{env, thread};

use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio_postgres::{Error, NoTls};

/// A fresh, empty database.
pub(crate) async fn database() -> TestDatabase {
    TestDatabase::create("template0").await
}

/// A database that `migrate`, given a URL, has been run on. It runs once, for the first caller; every database is then
/// a copy of what it left, so all callers must mean the same migration.
pub(crate) async fn migrated(migrate: impl AsyncFnOnce(&str)) -> TestDatabase {
    static TEMPLATE: OnceCell<TestDatabase> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            let template = database().await;
            migrate(&template.url()).await;
            template.seal().await;
            template
        })
        .await;
    TestDatabase::create(&template.name).await
}

/// A database of one test; dropped with this value, whoever is still connected.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// `postgres://…`, on loopback, with a superuser who needs no password.
    pub(crate) fn url(&self) -> String {
        match env::var("ROOTSTOCK_THROUGH").as_deref() {
            Err(_) | Ok("") => SHARED.cluster.url(&self.name),
            Ok("pgbouncer") => self.pooled_url(),
            Ok(other) => panic!("ROOTSTOCK_THROUGH={other}: only pgbouncer is known"),
        }
    }

    /// The same by way of a pooler in transaction mode.
    pub(crate) fn pooled_url(&self) -> String {
        POOLER.get_or_init(|| PgBouncer::start(SHARED.cluster.port())).url(&self.name)
    }

    async fn create(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        SHARED.admin(format!("create database {name} template {template}")).await;
        Self { name }
    }

    /// Only a database that nobody is connected to can be copied, and a pool of the migration may close late.
    async fn seal(&self) {
        let name = &self.name;
        SHARED.admin(format!("alter database {name} allow_connections false")).await;
        SHARED.admin(format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")).await;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Nobody waits for the answer: what is left behind goes with the cluster.
        drop(SHARED.send(format!("drop database {} with (force)", self.name)));
    }
}

static POOLER: OnceLock<PgBouncer> = OnceLock::new();

static SHARED: LazyLock<Shared> = LazyLock::new(Shared::start);

/// Durability is off: nothing here survives the tests.
const SETTINGS: &str = "fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
";

struct Shared {
    cluster: Cluster,
    admin: mpsc::UnboundedSender<Statement>,
}

/// A statement of the administrator, and who waits for its end.
struct Statement {
    sql: String,
    done: oneshot::Sender<Result<(), Error>>,
}

impl Shared {
    fn start() -> Self {
        let cluster = Cluster::launch(SETTINGS, None);
        let (admin, statements) = mpsc::unbounded_channel();
        let url = cluster.url("postgres");
        thread::spawn(move || administrate(&url, statements));
        Self { cluster, admin }
    }

    async fn admin(&self, sql: String) {
        let done = self.send(sql.clone()).await.expect("the administrator's thread answers before it ends");
        done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    fn send(&self, sql: String) -> oneshot::Receiver<Result<(), Error>> {
        let (done, end) = oneshot::channel();
        // If the thread is gone, so is the other end of `done`: whoever waits for `end` learns of it there.
        drop(self.admin.send(Statement { sql, done }));
        end
    }
}

/// Runs the administrator's statements, one after the other: two copies of one template at a time would disturb each
/// other. On a thread with a runtime of its own, because every test's runtime, and the connections in it, ends with
/// that test.
fn administrate(url: &str, mut statements: mpsc::UnboundedReceiver<Statement>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection to the cluster");
        tokio::spawn(connection);
        while let Some(Statement { sql, done }) = statements.recv().await {
            let result = client.batch_execute(&sql).await;
            // Nobody may be waiting any more.
            drop(done.send(result));
        }
    });
}
