//! The program itself, as a shell or a service manager runs it: the real binary, in a folder and with an environment of
//! its own.
//!
//! In: arguments, variables, standard input. Out: what it printed and how it ended, or a server that is up.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::pgbouncer;

/// How long a server may take to start or to stop; a debug build on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the program is run.
pub(crate) struct Place {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// An empty folder, and no variable but the ones that a shell needs.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), variables: Vec::new() }
    }

    /// The same with a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if name == "DATABASE_URL" && pgbouncer::is_pooled(value) {
            self.variables.push(("DATABASE_PREPARED_STATEMENTS".to_owned(), "off".to_owned()));
        }
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rootstock"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    /// Runs a command that reads `input` to its end.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A program that reads nothing may have closed the pipe already.
        let _ = child.stdin.take().expect("a piped standard input").write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().expect("the program ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// Runs a command that must succeed, and gives its standard output.
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> String {
        self.succeeds_with(arguments, "")
    }

    /// The same with standard input.
    pub(crate) fn succeeds_with(&self, arguments: &[&str], input: &str) -> String {
        let ended = self.run_with(arguments, input);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.out
    }

    /// Starts `rootstock serve` on any free port and waits until it listens.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with more arguments, an empty list of which leaves out the command's name as well.
    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Server {
        Self::launch(self.command(arguments))
    }

    /// The same by a shell, which `prepares` what the program inherits.
    pub(crate) fn serve_by(&self, prepares: &str) -> Server {
        let program = self.command(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{prepares}; exec \"$0\"")]).arg(program.get_program());
        shell.current_dir(self.path()).env_clear();
        shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::launch(shell)
    }

    /// Starts `rootstock serve` and does not wait until it listens.
    pub(crate) fn start(&self) -> Server {
        Self::begin(self.command(&[])).0
    }

    fn launch(command: Command) -> Server {
        let (mut server, address) = Self::begin(command);
        let address = address.recv_timeout(PATIENCE);
        assert!(address.is_ok(), "the server does not say where it listens:\n{}", server.log());
        server.base = address.map(|at| format!("http://{at}")).unwrap_or_default();
        server
    }

    /// A server, and where to hear the address that it listens on.
    fn begin(mut command: Command) -> (Server, mpsc::Receiver<String>) {
        let mut child = command
            .env("BIND_ADDR", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (listening, address) = mpsc::channel();
        let (stderr, kept) = (child.stderr.take().expect("a piped standard error"), Arc::clone(&log));
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(address) = listens(&line) {
                    let _ = listening.send(address);
                }
                let mut kept = kept.lock().expect("nobody panics with the log in hand");
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        (Server { child, log, reader: Some(reader), base: String::new() }, address)
    }
}

/// The address in the log line that tells it, in either form.
fn listens(line: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(line) {
        Ok(line) => (line["message"] == "listening").then(|| line["address"].as_str().map(str::to_owned))?,
        Err(_) => line.split_once(": listening address=").map(|(_, address)| address.to_owned()),
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<thread::JoinHandle<()>>,
    /// `http://` and where it listens; empty for one that was only started.
    pub(crate) base: String,
}

impl Server {
    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("nobody panics with the log in hand").clone()
    }

    /// `http://` and where metrics and health are served.
    pub(crate) fn admin(&self) -> String {
        let log = self.log();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let line = lines.find(|line| line["message"] == "metrics and health are served").expect("an admin address");
        format!("http://{}", line["address"].as_str().expect("an address"))
    }

    /// Waits until it has logged `words`.
    pub(crate) fn says(&self, words: &str) {
        let since = Instant::now();
        while !self.log().contains(words) {
            assert!(since.elapsed() < PATIENCE, "the server does not say {words}:\n{}", self.log());
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Ends it as no program can help: `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("its end");
    }

    /// Sends the signal that service managers send, and waits for the end: its code, standard output and log.
    pub(crate) fn terminate(self) -> Ended {
        self.signal("TERM");
        self.end()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh").success());
    }

    /// Whether it runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("the program's state").is_none()
    }

    /// Waits for the end: its code, standard output and log.
    pub(crate) fn end(mut self) -> Ended {
        let since = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("the program's state") {
                Some(status) => break status,
                None if since.elapsed() > PATIENCE => panic!("it does not end:\n{}", self.log()),
                None => thread::park_timeout(Duration::from_millis(20)),
            }
        };
        let mut out = String::new();
        self.child.stdout.take().expect("a piped standard output").read_to_string(&mut out).expect("UTF-8");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the log is read to its end");
        }
        Ended { code: status.code(), out, err: self.log() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
