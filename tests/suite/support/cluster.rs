//! Owns a PostgreSQL cluster that may be stopped, stalled and cut off, because nobody else uses it.
//! In: settings. Out: URLs of it, and faults.
//!
//! A cluster must not outlive the tests however they end, `kill -9` included, and no code of ours runs then. So a shell
//! holds it: a pipe runs from this process to the shell, the kernel closes it when this process is gone, and the shell
//! then stops the server and removes its directory. The same shell does what is asked of the cluster, so that it alone
//! need be the user as whom PostgreSQL runs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, fs};

use tokio::task::spawn_blocking;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A cluster with a superuser who needs no password. Dropped, it is stopped and removed.
#[derive(Debug)]
pub(crate) struct Cluster {
    port: u16,
    directory: PathBuf,
    shell: Arc<Mutex<Shell>>,
}

/// How a cluster is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In order: whoever is connected is cut off, and what they have committed is on the disk.
    Fast,
    /// At once, as a power cut would: the next start recovers.
    Immediate,
}

impl Cluster {
    /// A new cluster, which `settings` are for beside a few that all tests need. Unless they say otherwise it is as
    /// durable as PostgreSQL is by default.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let settings = lines(settings);
        spawn_blocking(move || Self::launch(&settings, None)).await.expect("the cluster starts")
    }

    /// A hot standby of this cluster, which follows it by streaming replication.
    pub(crate) async fn standby(&self, settings: &[(&str, &str)]) -> Self {
        let (settings, primary) = (lines(settings), self.port);
        spawn_blocking(move || Self::launch(&settings, Some(primary))).await.expect("the standby starts")
    }

    /// The same for a caller who may be held up, with the settings as lines of `postgresql.conf`; a standby if there is
    /// the port of a primary.
    pub(super) fn launch(settings: &str, primary: Option<u16>) -> Self {
        let bin = binaries().expect(
            "PostgreSQL's server programs: in $PG_BIN, on the PATH or in /usr/lib/postgresql/*/bin \
             (scripts/install-test-tools.sh installs them)",
        );
        // Between finding a free port and using it, somebody else may take it.
        (0..3)
            .find_map(|_| Self::attempt(&bin, settings, primary))
            .expect("PostgreSQL did not start; its own words are above")
    }

    fn attempt(bin: &Path, settings: &str, primary: Option<u16>) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let home = tempfile::Builder::new().prefix("rootstock-postgres-").tempdir().expect("a directory").keep();
        let directory = home.join("data");
        let mut shell = Shell::open(bin, &home, &format!("{settings}port = {port}\n"), primary);
        let started = shell.hears("ready") && shell.does("start");
        started.then(|| Self { port, directory, shell: Arc::new(Mutex::new(shell)) })
    }

    /// `postgres://…`, on loopback.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on loopback, which stays the same.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its data, where its configuration is as well.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Stops it.
    pub(crate) async fn stop(&self, mode: Mode) {
        self.order(match mode {
            Mode::Fast => "stop fast",
            Mode::Immediate => "stop immediate",
        })
        .await;
    }

    /// Starts it after a stop, and waits until it takes connections.
    pub(crate) async fn start_again(&self) {
        self.order("start").await;
    }

    /// Stalls every process of it: connections stay, and get no answer.
    pub(crate) async fn pause(&self) {
        self.order("pause").await;
    }

    /// Lets them go on where they were.
    pub(crate) async fn resume(&self) {
        self.order("resume").await;
    }

    /// Ends all connections, as a failover does; how many there were.
    pub(crate) async fn terminate_backends(&self) -> usize {
        let others = "select pg_terminate_backend(pid) from pg_stat_activity
                      where backend_type = 'client backend' and pid <> pg_backend_pid()";
        self.query(others).await.len()
    }

    /// Runs statements in the database `postgres`, on a connection of their own.
    pub(crate) async fn execute(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The rows of a statement in the database `postgres`, as texts; NULL is an empty one.
    pub(crate) async fn query(&self, sql: &str) -> Vec<Vec<String>> {
        let messages = self.client().await.simple_query(sql).await;
        let messages = messages.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|index| row.get(index).unwrap_or_default().to_owned()).collect()).collect()
    }

    async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls).await.expect("a connection");
        // Ends with the client.
        tokio::spawn(connection);
        client
    }

    /// Has the shell do something, which takes a while: on a thread where waiting holds nobody up.
    async fn order(&self, order: &'static str) {
        let shell = Arc::clone(&self.shell);
        let does = move || shell.lock().unwrap_or_else(PoisonError::into_inner).does(order);
        assert!(spawn_blocking(does).await.expect("an answer"), "the cluster did not {order}; its log is above");
    }
}

/// Settings as lines of `postgresql.conf`.
fn lines(settings: &[(&str, &str)]) -> String {
    settings.iter().map(|(name, value)| format!("{name} = '{value}'\n")).collect()
}

/// The shell that holds a cluster.
#[derive(Debug)]
struct Shell {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Shell {
    fn open(bin: &Path, home: &Path, settings: &str, primary: Option<u16>) -> Self {
        let mut shell = Command::new("sh");
        // PostgreSQL refuses to run as root. The directory is ours, so its owner is who we are.
        if fs::metadata(home).expect("the new directory").uid() == 0 {
            let (uid, gid) = nobody().expect("a user called nobody");
            chown(home, Some(uid), Some(gid)).expect("root gives its directory away");
            shell.uid(uid).gid(gid);
        }
        let mut process = shell
            .args(["-c", SCRIPT, "cluster"])
            .arg(bin)
            .arg(settings)
            .args(primary.map(|port| port.to_string()))
            .current_dir(home)
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
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("a piped standard output"));
        Self { process, orders, answers }
    }

    fn does(&mut self, order: &str) -> bool {
        let orders = self.orders.as_mut().expect("orders are taken until the end");
        // A shell that has ended answers nothing either.
        let _ = writeln!(orders, "{order}");
        self.hears("done")
    }

    fn hears(&mut self, answer: &str) -> bool {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line of UTF-8");
        line.trim_end() == answer
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.orders.take());
        // So that clusters do not pile up. What there is to say, the shell has said.
        let _ = self.process.wait();
    }
}

/// Arguments: the folder of PostgreSQL's programs, lines of settings, and, for a standby, the port of its primary. Started in an empty directory, which it removes.
/// Reads an order a line, and answers each by a line.
///
/// `C` as the locale is on every machine. The time zone is an odd one, so that a test which passes by leaning on the
/// server's zone fails here. The children of the server are sessions of their own: they must be stalled one by one, and
/// after the server, which would start others.
const SCRIPT: &str = r#"
bin=$1 settings=$2 primary=$3 home=$PWD
server() { head -n 1 data/postmaster.pid; }
children() { grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | tr -dc '0-9\n'; }
pause() { pid=$(server) && kill -STOP "$pid" && { kill -STOP $(children "$pid") || true; }; }
resume() { pid=$(server) && { kill -CONT $(children "$pid") || true; } && kill -CONT "$pid"; }
start() { "$bin/pg_ctl" -D data -l log -w start; }
stop() { "$bin/pg_ctl" -D data -w -m "$1" stop; }
end() { cd "$home"; resume; stop immediate; cd /; rm -rf "$home"; }
trap '' HUP INT TERM PIPE
trap 'end >/dev/null 2>&1' EXIT
create() {
    [ -z "$primary" ] || { "$bin/pg_basebackup" -D data -h 127.0.0.1 -p "$primary" -U postgres -R -c fast -N; return; }
    "$bin/initdb" -D data -U postgres --auth=trust --encoding=UTF8 --no-locale --no-sync
}
create >log 2>&1 &&
cat >>data/postgresql.conf <<END || { cat log >&2; exit 1; }
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
timezone = 'Asia/Kathmandu'
$settings
END
echo ready
while read -r order mode; do
    if "$order" $mode >>orders 2>&1 </dev/null; then echo done; else cat orders log >&2; echo failed; fi
done
"#;

/// The folder of PostgreSQL's server programs.
pub(crate) fn binaries() -> Option<PathBuf> {
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
        .find(|bin| ["initdb", "pg_basebackup", "pg_ctl", "postgres"].iter().all(|program| bin.join(program).is_file()))
}

/// The user and group that own nothing, as the system numbers them.
pub(crate) fn nobody() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = users.lines().find(|line| line.starts_with("nobody:"))?.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
