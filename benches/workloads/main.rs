//! What a request costs the server, in CPU time, beside a handler written by hand for that request alone; and what the
//! program takes of memory.
//!
//! In: the workloads of [`workload`], each answered by a [`handwritten`] server and by the application through REST and
//! through GraphQL, on SQLite and on PostgreSQL. Out: tables in Markdown on standard output.
//!
//! CPU time and not latency: it is what a server pays for, and what two processes on one machine do not take from each
//! other. Every server is a process of its own (this program again, with other arguments) on one thread, so that its
//! CPU time is its own; PostgreSQL's is not counted, but where sizes are compared. The variants take turns, in rounds,
//! so that a slow minute of the machine meets all of them; what is printed is the median of the rounds.
//!
//! `cargo bench` measures everything but `sizes`; `cargo bench -- W2 W6 memory` these alone.

mod client;
#[expect(dead_code, reason = "nothing is broken here")]
#[path = "../../tests/suite/support/cluster.rs"]
mod cluster;
mod handwritten;
mod memory;
#[expect(dead_code, reason = "nobody stands between here")]
#[path = "../../tests/suite/support/pgbouncer.rs"]
mod pgbouncer;
mod place;
mod plans;
#[path = "../../tests/suite/support/postgres.rs"]
mod postgres;
mod server;
mod variant;
mod workload;

use clap::Parser;
use place::Place;
use rootstock::config::{Config, Options};
use std::{error::Error, path::Path, process::ExitCode, time::Instant};
use variant::{Variant, verdict};
use workload::{Data, Door, WORKLOADS, Workload};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The bench's own key: its tokens are good in all of its servers.
const KEY: &str = "the bench signs with this, and nobody else does";
/// How the application is set; a page of 1,000 rows is more than GraphQL allows by default.
const SETTINGS: [(&str, &str); 3] =
    [("access-token-expire-minutes", "60"), ("graphql-max-page-size", "1000"), ("graphql-max-cost", "10000")];
/// What can be measured beside the workloads.
const OTHERS: [&str; 3] = ["memory", "plans", "sizes"];
/// The numbers of rows that are compared, and how much dearer the more may be.
const SIZES: [u64; 2] = [1_000, 1_000_000];
const GROWTH: f64 = 1.1;

/// What requests cost, beside handlers written by hand.
#[derive(Parser)]
struct Asked {
    /// What is measured: workloads by name (W1 …), `memory`, `plans` (finding one in the cache), `sizes` (W3 among
    /// 1,000 rows and among 1,000,000); without any, all but `sizes`
    what: Vec<String>,
    /// How many expenses the larger database has, and how many trees, of which 100,000 at most
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// How many times every variant gets its turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// What cargo says of its own accord
    #[arg(long, hide = true)]
    bench: bool,
}

impl Asked {
    fn names(&self, what: &str) -> bool {
        self.what.iter().any(|one| one == what)
    }

    /// Whether something is to be measured that is not left out by itself.
    fn wants(&self, what: &str) -> bool {
        self.what.is_empty() || self.names(what)
    }

    fn workloads(&self) -> Vec<&'static Workload> {
        WORKLOADS.iter().filter(|workload| self.wants(workload.name)).collect()
    }

    fn check(&self) -> Outcome {
        let known = |what: &String| OTHERS.contains(&what.as_str()) || WORKLOADS.iter().any(|one| one.name == what);
        match self.what.iter().find(|what| !known(what)) {
            Some(what) => Err(format!("there is no \"{what}\" to measure: see --help").into()),
            None if self.rounds == 0 => Err("--rounds must be 1 or more".into()),
            None => Ok(()),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", kind, url] => on_one_thread(server::serve(kind, url)),
        _ => {
            let asked = Asked::parse();
            asked.check().and_then(|()| on_one_thread(measure(&asked)))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn on_one_thread(work: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// The application's configuration.
fn config(url: &str) -> Outcome<Config> {
    let settings = SETTINGS.into_iter().chain([("database-url", url), ("jwt-secret-key", KEY)]);
    Ok(Config::new(&Options::from_flags(settings)?)?)
}

async fn measure(asked: &Asked) -> Outcome {
    let (began, directory) = (Instant::now(), tempfile::tempdir()?);
    let workloads = asked.workloads();
    // Of themselves, memory and plans are measured with all workloads.
    let all = if workloads.is_empty() { Asked { what: Vec::new(), ..*asked }.workloads() } else { workloads.clone() };
    let needs = |data| workloads.iter().any(|workload| workload.data == data);
    let few = if needs(Data::Four) { Place::both(directory.path(), None).await?.into() } else { Vec::new() };
    let many = if needs(Data::Many) || asked.wants("memory") {
        Place::both(directory.path(), Some(asked.rows)).await?.into()
    } else {
        Vec::new()
    };
    if !workloads.is_empty() {
        costs(&workloads, &few, &many, asked.rounds).await?;
    }
    if asked.names("sizes") {
        sizes(directory.path(), asked.rounds).await?;
    }
    if asked.wants("memory") {
        memory::measure(&many, &all).await?;
    }
    if asked.wants("plans") {
        plans::measure(directory.path(), &all, asked.rounds).await?;
    }
    println!("\n{}, median of {} rounds", machine(), asked.rounds);
    eprintln!("took {} s", began.elapsed().as_secs());
    Ok(())
}

/// Every workload by every door.
async fn costs(workloads: &[&Workload], few: &[Place], many: &[Place], rounds: usize) -> Outcome {
    let mut variants = Vec::new();
    for workload in workloads {
        for place in if workload.data == Data::Four { few } else { many } {
            variants.push(Variant::new(workload, place).await?);
        }
    }
    take_turns(&mut variants, rounds).await?;
    let rows = many.iter().find_map(|place| place.rows).unwrap_or_default();
    println!("CPU time of the server process per request (requests per second of it), of {rows} trees and expenses\n");
    println!("| workload | database | hand-written | REST | × | GraphQL | × | goal |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for variant in &variants {
        let Workload { name, what, .. } = variant.workload;
        println!("| {name} {what} | {} | {} | {} |", variant.place.database, variant.cells(), variant.goal());
    }
    Ok(())
}

/// W3 where there are few rows, and where there are many: an index that serves it makes no difference of them.
async fn sizes(directory: &Path, rounds: usize) -> Outcome {
    let workload = WORKLOADS.iter().find(|workload| workload.name == "W3").ok_or("W3 is gone")?;
    let [few, many] = SIZES;
    let (few, many) = (Place::both(directory, Some(few)).await?, Place::both(directory, Some(many)).await?);
    let mut variants = Vec::new();
    for place in few.iter().zip(&many).flat_map(|(few, many)| [few, many]) {
        variants.push(Variant::new(workload, place).await?.with_database().await?);
    }
    take_turns(&mut variants, rounds).await?;
    println!("\nCPU time of the server and of its database per request: {}\n", workload.what);
    println!("| rows | database | hand-written | REST | × | GraphQL | × |");
    println!("|---:|---|---:|---:|---:|---:|---:|");
    for variant in &variants {
        println!("| {} | {} | {} |", variant.place.rows.unwrap_or_default(), variant.place.database, variant.cells());
    }
    println!("\n| database | hand-written | REST | GraphQL | goal |");
    println!("|---|---:|---:|---:|---:|");
    for pair in variants.chunks(2) {
        let [few, many] = pair else { continue };
        let [by_hand, rest, graphql] = Door::ALL.map(|door| many.ratio(door, few, door).unwrap_or(f64::NAN));
        let holds = verdict(rest <= GROWTH && graphql <= GROWTH);
        println!("| {} | {by_hand:.2} | {rest:.2} | {graphql:.2} | ≤ {GROWTH} {holds} |", few.place.database);
    }
    Ok(())
}

async fn take_turns(variants: &mut [Variant<'_>], rounds: usize) -> Outcome {
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for variant in &mut *variants {
            variant.turn().await?;
        }
    }
    Ok(())
}

/// What was measured on: figures mean little without it.
fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let day = chrono::Utc::now().date_naive();
    format!("{day}, {cores} × {}", model.map_or("unknown", |(_, name)| name))
}
