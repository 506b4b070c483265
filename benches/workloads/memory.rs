//! How much memory the program takes: the real one, with its own runtime, after its start and under load.
//!
//! SQLite's file is mapped into memory, so there the resident pages hold some of it, which the system may take back at
//! any time: the share that is the program's alone is told too.

use crate::{
    KEY, Outcome, SETTINGS,
    client::{Request, Target},
    place::Place,
    variant::verdict,
    workload::{Data, Door, Workload},
};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

const CONNECTIONS: usize = 50;
const LOAD: Duration = Duration::from_secs(5);

/// The goals, in megabytes.
const IDLE: f64 = 20.0;
const LOADED: f64 = 64.0;

/// Prints a table with a line for each place.
pub(crate) async fn measure(places: &[Place], workloads: &[&Workload]) -> Outcome {
    println!(
        "\nResident memory of the program, in MB; the load is {CONNECTIONS} connections with the workloads in turn\n"
    );
    println!("| database | rows | idle | goal | under load | of it its own | most | goal |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for place in places {
        let program = Program::start(&place.url)?;
        Target::connect(program.port, vec![Request::get("/readyz".to_owned()).into_bytes("")], 1).await?.ask().await?;
        let idle = program.megabytes("VmRSS")?;
        let mut requests = Vec::new();
        for workload in workloads.iter().filter(|workload| workload.data == Data::Many) {
            let token = place.token(workload.caller)?;
            requests.extend([Door::Rest, Door::GraphQl].into_iter().flat_map(|door| workload.requests(door, token)));
        }
        let mut target = Target::connect(program.port, requests, CONNECTIONS).await?;
        target.load(LOAD).await?;
        let [loaded, own, most] =
            [program.megabytes("VmRSS")?, program.megabytes("RssAnon")?, program.megabytes("VmHWM")?];
        println!(
            "| {} | {} | {idle:.1} | < {IDLE} {} | {loaded:.1} | {own:.1} | {most:.1} | < {LOADED} {} |",
            place.database,
            place.rows.unwrap_or_default(),
            verdict(idle < IDLE),
            verdict(most < LOADED),
        );
    }
    Ok(())
}

/// `rootstock serve`; killed when dropped, for it has nothing to save.
struct Program {
    process: Child,
    port: u16,
}

impl Program {
    fn start(url: &str) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rootstock"));
        command.arg("serve").env_clear().env("DATABASE_URL", url).env("JWT_SECRET_KEY", KEY);
        command.env("BIND_ADDR", "127.0.0.1:0").current_dir(std::env::temp_dir());
        for (name, value) in SETTINGS {
            command.arg(format!("--{name}={value}"));
        }
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = process.stdout.take().ok_or("a program without an output")?;
        let mut program = Self { process, port: 0 };
        let address = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| {
            line.split_once("http://127.0.0.1:").and_then(|(_, rest)| rest.split_once('/')?.0.parse().ok())
        });
        program.port = address.ok_or("the program did not say where it listens")?;
        Ok(program)
    }

    /// A line of its status, which counts in units of 1,024 bytes.
    fn megabytes(&self, name: &str) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        Ok(number.ok_or_else(|| format!("this needs Linux with {name} in /proc/*/status"))? * 1024.0 / 1e6)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What failed to be killed has ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
