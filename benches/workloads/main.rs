//! What a request costs the server, in CPU time, beside a handler written by hand for that request alone.
//!
//! In: the workloads of [`workload`], each answered by a [`handwritten`] server and by the application through REST and
//! through GraphQL, on SQLite and on PostgreSQL. Out: a table on standard output.
//!
//! CPU time and not latency: it is what a server pays for, and what two processes on one machine do not take from each
//! other. Every server is a process of its own (this program again, with other arguments) on one thread, so that its
//! CPU time is its own; PostgreSQL's is not counted. The variants take turns, in rounds, so that a slow minute of the
//! machine meets all of them; what is printed is the median of the rounds.
//!
//! `cargo bench` runs everything; `cargo bench -- W2 W6` those workloads alone.

mod client;
mod handwritten;
#[path = "../../tests/suite/support/postgres.rs"]
mod postgres;
mod server;
mod workload;

use client::Target;
use migration::Migrator;
use rootstock::{
    auth::{email::Email, jwt::Tokens, users},
    config::{Config, Options},
    engine::database::{Database, Dialect, Migrate},
    seed,
};
use sea_orm::ConnectionTrait as _;
use server::Server;
use std::{
    collections::HashMap,
    error::Error,
    process::ExitCode,
    time::{Duration, Instant},
};
use workload::{Caller, Data, Door, WORKLOADS, Workload};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// How many times every variant gets its turn.
const ROUNDS: usize = 7;
/// How long a turn is.
const TURN: Duration = Duration::from_millis(350);
/// How many requests go before the first turn: caches are warm then, and statements prepared.
const WARM_UP: usize = 200;
/// How many rows of each kind the larger database has.
const ROWS: u64 = 100_000;
/// The bench's own key: its tokens are good in all of its servers.
const KEY: &str = "the bench signs with this, and nobody else does";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", kind, url] => on_one_thread(server::serve(kind, url)),
        _ => {
            let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
            let chosen = |workload: &&Workload| named.is_empty() || named.iter().any(|name| *name == workload.name);
            on_one_thread(measure(&WORKLOADS.iter().filter(chosen).collect::<Vec<_>>()))
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

/// The application's configuration; a page of 1,000 rows is more than GraphQL allows by default.
fn config(url: &str) -> Outcome<Config> {
    Ok(Config::new(&Options::from_flags([
        ("database-url", url),
        ("jwt-secret-key", KEY),
        ("access-token-expire-minutes", "60"),
        ("graphql-max-page-size", "1000"),
        ("graphql-max-cost", "10000"),
    ])?)?)
}

/// A database, and who asks in it.
struct Place {
    database: &'static str,
    data: Data,
    /// The tokens of [`Caller::Reader`] and [`Caller::Writer`], where there are expenses.
    tokens: HashMap<Caller, String>,
    app: Server,
    handwritten: Server,
}

async fn measure(workloads: &[&Workload]) -> Outcome {
    let began = Instant::now();
    let directory = tempfile::tempdir()?;
    let (mut places, mut databases) = (Vec::new(), Vec::new());
    for data in [Data::Four, Data::Many] {
        if !workloads.iter().any(|workload| workload.data == data) {
            continue;
        }
        let sqlite = format!("sqlite://{}/{data:?}.db?mode=rwc", directory.path().display());
        places.push(place("SQLite", data, &sqlite).await?);
        let postgres = postgres::migrated(async |url| {
            migrate(url).await.unwrap_or_else(|error| panic!("{url} could not be migrated: {error}"));
        })
        .await;
        places.push(place("PostgreSQL", data, &postgres.url()).await?);
        databases.push(postgres);
    }
    let mut variants = Vec::new();
    for workload in workloads {
        for place in places.iter().filter(|place| place.data == workload.data) {
            variants.push(Variant::new(workload, place).await?);
        }
    }
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        for variant in &mut variants {
            variant.turn().await?;
        }
    }
    println!("CPU time of the server process per request, and requests per second of it\n");
    println!("| workload | database | hand-written | REST | × | GraphQL | × |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    for variant in &variants {
        println!("{}", variant.line());
    }
    println!("\n{}", machine());
    eprintln!("took {} s", began.elapsed().as_secs());
    Ok(())
}

async fn migrate(url: &str) -> Outcome {
    Ok(Database::connect(&config(url)?.database).await?.migrate::<Migrator>(Migrate::Up).await?)
}

/// A database with rows in it, and the two servers over it.
async fn place(name: &'static str, data: Data, url: &str) -> Outcome<Place> {
    let config = config(url)?;
    let database = Database::connect(&config.database).await?;
    database.migrate::<Migrator>(Migrate::Up).await?;
    seed::first_trees(&database).await?;
    let mut tokens = HashMap::new();
    if data == Data::Many {
        seed::many_trees(&database, ROWS).await?;
        seed::many_expenses(&database, ROWS).await?;
        for (caller, email) in [(Caller::Reader, "seed-1@example.com"), (Caller::Writer, "seed-2@example.com")] {
            let user = users::by_email(&database, &Email::parse(email)?).await?.ok_or("a user was not seeded")?;
            let token = Tokens::new(&config.auth).issue(user.id, &user.role, config.auth.access_token_lifetime)?;
            tokens.insert(caller, token);
        }
    }
    if database.dialect() == Dialect::Postgres {
        // What autovacuum does in time: the planner chooses by the numbers of the rows.
        let transaction = database.begin().await?;
        transaction.execute_unprepared("analyze").await?;
        transaction.commit().await?;
    }
    let (app, handwritten) = (Server::start("app", url)?, Server::start("handwritten", url)?);
    Ok(Place { database: name, data, tokens, app, handwritten })
}

/// A workload on one database, through its three doors.
struct Variant<'b> {
    workload: &'b Workload,
    database: &'static str,
    doors: Vec<(&'b Server, Target)>,
    /// CPU time a request, by door and round.
    costs: HashMap<Door, Vec<Duration>>,
}

impl<'b> Variant<'b> {
    /// Asks every door and compares the answers, so that what is measured is the same work.
    async fn new(workload: &'b Workload, place: &'b Place) -> Outcome<Self> {
        let (mut doors, mut expected) = (Vec::new(), None);
        let token = place.tokens.get(&workload.caller).map_or("", String::as_str);
        for door in Door::ALL {
            let server = if door == Door::HandWritten { &place.handwritten } else { &place.app };
            let mut target = Target::connect(server.port, workload.requests(door, token)).await?;
            let told = workload::rows(&target.ask().await?)?;
            let expected = expected.get_or_insert_with(|| told.clone());
            if *expected != told {
                let different = told.iter().zip(expected.iter()).find(|(told, expected)| told != expected);
                let (name, database) = (workload.name, place.database);
                return Err(format!("{name} on {database}, {door:?}: told and expected are {different:?}").into());
            }
            for _ in 0..WARM_UP {
                target.ask().await?;
            }
            doors.push((server, target));
        }
        Ok(Self { workload, database: place.database, doors, costs: HashMap::new() })
    }

    async fn turn(&mut self) -> Outcome {
        for (door, (server, target)) in Door::ALL.into_iter().zip(&mut self.doors) {
            let before = server.cpu_time()?;
            let requests = target.load(TURN).await?;
            let spent = server.cpu_time()?.since(&before);
            self.costs.entry(door).or_default().push(spent / requests.max(1));
        }
        Ok(())
    }

    fn line(&self) -> String {
        let cost = |door| {
            let micros = median(self.costs[&door].iter().map(|cost| cost.as_secs_f64() * 1e6));
            format!("{micros:.1} µs ({:.0}/s)", 1e6 / micros)
        };
        // Of the same round: both met the machine in the same state.
        let ratio = |door| {
            let pairs = self.costs[&door].iter().zip(&self.costs[&Door::HandWritten]);
            format!("{:.2}", median(pairs.map(|(cost, limit)| cost.as_secs_f64() / limit.as_secs_f64())))
        };
        let Workload { name, what, .. } = self.workload;
        format!(
            "| {name} {what} | {} | {} | {} | {} | {} | {} |",
            self.database,
            cost(Door::HandWritten),
            cost(Door::Rest),
            ratio(Door::Rest),
            cost(Door::GraphQl),
            ratio(Door::GraphQl),
        )
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// What was measured on: figures mean little without it.
fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let day = chrono::Utc::now().date_naive();
    format!("{day}, {cores} × {}, median of {ROUNDS} rounds", model.map_or("unknown", |(_, name)| name))
}
