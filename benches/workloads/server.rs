//! A server as a process of its own: this program, run again. It ends when whoever started it does.

use crate::{Outcome, config, handwritten};
use rootstock::{app, entities, http};
use std::{
    collections::HashMap,
    fs,
    io::{self, BufRead as _, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};
use tokio::net::TcpListener;

/// A running server.
pub(crate) struct Server {
    pub(crate) port: u16,
    process: Child,
    /// The server ends when this is closed.
    _input: Option<ChildStdin>,
}

impl Server {
    pub(crate) fn start(kind: &str, url: &str) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", kind, url]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("a server without an output")?;
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().map_err(|_| format!("the server \"{kind}\" over {url} did not start"))?;
        Ok(Self { port, _input: process.stdin.take(), process })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self._input = None;
        // It has nothing to save, and nobody would hear that it failed to end.
        drop(self.process.wait());
    }
}

/// How much CPU time processes have spent, as user and as system: of each of their threads, in nanoseconds, where `stat`
/// counts in hundredths of seconds.
pub(crate) fn cpu_time(processes: &[u32]) -> Outcome<CpuTime> {
    let mut threads = HashMap::new();
    for process in processes {
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let path = thread?.path().join("schedstat");
            // The file of a thread that has just ended is gone.
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let spent = text.split(' ').next().and_then(|text| text.parse().ok()).ok_or("no time in schedstat")?;
            threads.insert(path, Duration::from_nanos(spent));
        }
    }
    if threads.is_empty() { Err("this needs Linux with /proc/*/task/*/schedstat".into()) } else { Ok(CpuTime(threads)) }
}

/// The CPU time of each thread.
pub(crate) struct CpuTime(HashMap<std::path::PathBuf, Duration>);

impl CpuTime {
    /// What was spent since `before`; threads that have ended since then were idle.
    pub(crate) fn since(&self, before: &Self) -> Duration {
        let earlier = |thread| before.0.get(thread).copied().unwrap_or_default();
        self.0.iter().map(|(thread, spent)| spent.saturating_sub(earlier(thread))).sum()
    }
}

/// Serves until standard input ends; the first line of the output is the port.
pub(crate) async fn serve(kind: &str, url: &str) -> Outcome {
    let config = config(url)?;
    let router = match kind {
        "app" => app::build(&config, entities::resources().build()?).await?.router(),
        "handwritten" => handwritten::router(&config, url).await?,
        other => return Err(format!("\"{other}\" is no kind of server").into()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    std::thread::spawn(|| {
        // An error is an end as well.
        drop(io::copy(&mut io::stdin(), &mut io::sink()));
        std::process::exit(0);
    });
    http::serve(listener, router, &config.http, std::future::pending()).await;
    Ok(())
}
