//! Owns a PgBouncer in transaction mode, between a test and a PostgreSQL cluster: each transaction has whichever of a few
//! connections is free.
//! In: the cluster's port. Out: URLs by way of it, and its faults.
//!
//! Debian's, 1.18, is one of those that know no named prepared statements and take no options of a session's start. A
//! shell holds it, as it does a cluster.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, fs, thread};

use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::cluster::nobody;

/// How many sessions of the server the clients of one database share.
pub(crate) const SESSIONS: usize = 4;

/// Whether `url` leads to a database by way of one, which a server must know.
pub(crate) fn is_pooled(url: &str) -> bool {
    url::Url::parse(url).ok().and_then(|url| url.port()).is_some_and(|port| ports().contains(&port))
}

/// Where they listen.
fn ports() -> MutexGuard<'static, BTreeSet<u16>> {
    static PORTS: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running PgBouncer. Dropped, it is stopped and removed.
#[derive(Debug)]
pub(crate) struct PgBouncer {
    port: u16,
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Removed by the shell where this process is killed.
    _home: TempDir,
}

impl PgBouncer {
    /// One before the cluster on `server`, for every database of it.
    pub(crate) fn start(server: u16) -> Self {
        let program =
            program().expect("pgbouncer: on the PATH or in /usr/sbin (scripts/install-test-tools.sh installs it)");
        // Between finding a free port and using it, somebody else may take it.
        (0..3).find_map(|_| Self::attempt(&program, server)).expect("PgBouncer did not start; its own words are above")
    }

    fn attempt(program: &PathBuf, server: u16) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let home = tempfile::Builder::new().prefix("rootstock-pgbouncer-").tempdir().expect("a directory");
        fs::write(home.path().join("users.txt"), "\"postgres\" \"\"\n").expect("its users");
        fs::write(home.path().join("pgbouncer.ini"), configuration(port, server)).expect("its configuration");
        let mut command = Command::new("sh");
        // It refuses to run as root.
        if fs::metadata(home.path()).expect("the new directory").uid() == 0 {
            let (uid, gid) = nobody().expect("a user called nobody");
            chown(home.path(), Some(uid), Some(gid)).expect("root gives its directory away");
            command.uid(uid).gid(gid);
        }
        let mut shell = command
            .args(["-c", SCRIPT, "pgbouncer"])
            .arg(program)
            .current_dir(home.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let orders = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("a piped standard output"));
        let mut bouncer = Self { port, shell, orders, answers, _home: home };
        if !bouncer.listens() {
            return None;
        }
        ports().insert(port);
        Some(bouncer)
    }

    /// `postgres://…`, by way of it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends it at once and starts another in its place: whoever was connected is cut off.
    pub(crate) fn restart(&mut self) {
        let orders = self.orders.as_mut().expect("orders are taken until the end");
        writeln!(orders, "again").expect("the shell is there");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line of UTF-8");
        assert!(line == "done\n" && self.listens(), "PgBouncer did not start again");
    }

    /// Runs a command of its console, `PAUSE` or `RECONNECT`.
    pub(crate) async fn command(&self, command: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url("pgbouncer"), NoTls).await.expect("the console");
        tokio::spawn(connection);
        client.batch_execute(command).await.unwrap_or_else(|error| panic!("{command}: {error:?}"));
    }

    /// Waits until it takes connections; false if it has ended.
    fn listens(&mut self) -> bool {
        for _ in 0..500 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            if self.shell.try_wait().expect("the state of the shell").is_some() {
                return false;
            }
            thread::park_timeout(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        ports().remove(&self.port);
        drop(self.orders.take());
        let _ = self.shell.wait();
    }
}

/// Few sessions of the server, so that many clients share each.
fn configuration(port: u16, server: u16) -> String {
    format!(
        "[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = users.txt
admin_users = postgres
pool_mode = transaction
default_pool_size = {SESSIONS}
max_client_conn = 900
query_wait_timeout = 60
server_login_retry = 1
server_idle_timeout = 5
"
    )
}

/// Argument: the program. Started in a directory with its configuration, which it removes. Reads orders, and answers each
/// by a line.
const SCRIPT: &str = r#"
program=$1 home=$PWD
start() { "$program" -q pgbouncer.ini >>log 2>&1 & pid=$!; }
end() { kill -KILL "$pid"; wait "$pid"; }
again() { end >/dev/null 2>&1; start; }
trap '' HUP PIPE
trap 'end >/dev/null 2>&1; cd /; rm -rf "$home"' EXIT
start
while read -r order; do
    "$order" </dev/null
    echo done
done
"#;

fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Debian keeps it where only root looks.
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}
