//! Owns the PostgreSQL server of the tests: one throw-away cluster a test process, started by the first test that asks.
//! In: nothing, or how to migrate an empty database. Out: a database of the test's own, dropped when the test ends.
//!
//! The cluster must not outlive the tests however they end, `kill -9` included, and no code of ours runs then. So a
//! shell holds it: a pipe runs from this process to the shell, the kernel closes it when this process is gone, and the
//! shell then stops the server and removes its directory.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, thread};

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
        CLUSTER.url(&self.name)
    }

    async fn create(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        CLUSTER.admin(format!("create database {name} template {template}")).await;
        Self { name }
    }

    /// Only a database that nobody is connected to can be copied, and a pool of the migration may close late.
    async fn seal(&self) {
        let name = &self.name;
        CLUSTER.admin(format!("alter database {name} allow_connections false")).await;
        CLUSTER.admin(format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")).await;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Nobody waits for the answer: what is left behind goes with the cluster.
        drop(CLUSTER.send(format!("drop database {} with (force)", self.name)));
    }
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);

struct Cluster {
    port: u16,
    admin: mpsc::UnboundedSender<Statement>,
    /// Holds the writing end of the pipe.
    _watchdog: Child,
}

/// A statement of the administrator, and who waits for its end.
struct Statement {
    sql: String,
    done: oneshot::Sender<Result<(), Error>>,
}

impl Cluster {
    fn start() -> Self {
        let bin = binaries().expect(
            "PostgreSQL's server programs: in $PG_BIN, on the PATH or in /usr/lib/postgresql/*/bin \
             (scripts/install-test-tools.sh installs them)",
        );
        // Between finding a free port and using it, somebody else may take it.
        let (port, watchdog) =
            (0..3).find_map(|_| launch(&bin)).expect("PostgreSQL did not start; its own words are above");
        let (admin, statements) = mpsc::unbounded_channel();
        let cluster = Self { port, admin, _watchdog: watchdog };
        let url = cluster.url("postgres");
        thread::spawn(move || administrate(&url, statements));
        cluster
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
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

/// Starts a cluster: its port and the shell that holds it.
fn launch(bin: &Path) -> Option<(u16, Child)> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let directory = tempfile::Builder::new().prefix("rootstock-postgres-").tempdir().expect("a directory").keep();
    let mut shell = Command::new("sh");
    // PostgreSQL refuses to run as root. The directory is ours, so its owner is who we are.
    if fs::metadata(&directory).expect("the new directory").uid() == 0 {
        let (uid, gid) = nobody().expect("a user called nobody");
        chown(&directory, Some(uid), Some(gid)).expect("root gives its directory away");
        shell.uid(uid).gid(gid);
    }
    let mut watchdog = shell
        .args(["-c", WATCHDOG, "watchdog"])
        .arg(bin)
        .arg(port.to_string())
        .current_dir(&directory)
        // Variables such as PGDATA and PGOPTIONS are not for this server.
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
        .env("LC_ALL", "C")
        // A Ctrl-C at the terminal goes to the foreground group, and would end the shell before its work.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh");
    let mut line = String::new();
    let stdout = watchdog.stdout.take().expect("a piped standard output");
    BufReader::new(stdout).read_line(&mut line).expect("a line of UTF-8");
    if line.trim_end() == "ready" {
        return Some((port, watchdog));
    }
    watchdog.wait().expect("the shell to end");
    None
}

/// Arguments: the folder of PostgreSQL's programs, the port. Started in an empty directory, which it removes.
///
/// Durability is off: nothing here survives the tests. `C` as the locale is on every machine. The time zone is an odd
/// one, so that a test which passes by leaning on the server's zone fails here.
const WATCHDOG: &str = r#"
bin=$1 port=$2 home=$PWD
trap '' HUP INT TERM PIPE
trap '"$bin/pg_ctl" -D "$home/data" -m immediate stop >/dev/null 2>&1; cd /; rm -rf "$home"' EXIT
"$bin/initdb" -D data -U postgres --auth=trust --encoding=UTF8 --no-locale --no-sync >log 2>&1 &&
cat >>data/postgresql.conf <<END &&
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
timezone = 'Asia/Kathmandu'
END
"$bin/pg_ctl" -D data -l log -w start >/dev/null 2>&1 || { cat log >&2; exit 1; }
echo ready && cat >/dev/null
"#;

/// The folder of PostgreSQL's server programs.
fn binaries() -> Option<PathBuf> {
    if let Some(named) = env::var_os("PG_BIN") {
        return Some(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    // A link on the PATH may stand alone: its programs lie side by side where it leads.
    let on_path = env::split_paths(&path)
        .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
        .filter_map(|initdb| initdb.parent().map(Path::to_owned));
    // Debian keeps them off the PATH, a folder a major version.
    let mut packaged: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    packaged.sort();
    let newest_first = packaged.into_iter().rev().map(|(_, bin)| bin);
    on_path
        .chain(newest_first)
        .find(|bin| ["initdb", "pg_ctl", "postgres"].iter().all(|program| bin.join(program).is_file()))
}

/// The user and group that own nothing, as the system numbers them.
fn nobody() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = users.lines().find(|line| line.starts_with("nobody:"))?.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
