//! A database that goes away and comes back: requests are refused meanwhile, with the word to try again; what was
//! acknowledged is there, and the server serves again by itself.

use super::{SOON, made, mutation, pair, ready, tree};
use crate::program::Place;
use crate::support::{
    Answer,
    Caller::*,
    KEY, PASSWORD, Server, Setup,
    cluster::{Cluster, Mode},
    faults,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// What a crowd of clients is told until it is sent home.
#[derive(Default)]
struct Crowd {
    home: AtomicBool,
    number: AtomicU32,
    answers: Mutex<Vec<Answer>>,
    acknowledged: Mutex<BTreeSet<String>>,
}

impl Crowd {
    /// Reads and writes by both protocols, without a pause between two requests.
    async fn ask(&self, server: &Server) {
        let one = async || {
            while !self.home.load(Ordering::Relaxed) {
                let number = self.number.fetch_add(1, Ordering::Relaxed);
                let name = format!("tree {number}");
                let (answer, made) = match number % 4 {
                    0 => (server.get(Anonymous, "/trees?limit=3").await, false),
                    1 => {
                        (server.graphql(Anonymous, "{ trees(first: 3) { nodes { name } } }", Value::Null).await, false)
                    }
                    2 => (server.rest(Editor, "POST", "/trees", tree(&name)).await, true),
                    _ => (server.graphql(Editor, &mutation(&name), Value::Null).await, true),
                };
                let failed = answer.status >= 400 || answer.text.contains("\"errors\"");
                if made && !failed {
                    self.acknowledged.lock().expect("a list").insert(name);
                }
                if failed {
                    self.answers.lock().expect("a list").push(answer);
                    sleep(Duration::from_millis(20)).await;
                }
            }
        };
        futures_util::future::join_all((0..16).map(|_| one())).await;
    }

    fn failures(&self) -> Vec<Answer> {
        self.answers.lock().expect("a list").drain(..).collect()
    }
}

/// That somebody is told to try again, in the words of either protocol.
fn unavailable(answer: &Answer) {
    assert_eq!(answer.header("retry-after"), "1", "{}\n{}", answer.request, answer.text);
    if answer.request.contains("/graphql") {
        assert!(matches!(answer.status, 200 | 503), "{}\n{}", answer.request, answer.text);
        assert_eq!(answer.failure().code, "UNAVAILABLE", "{}\n{}", answer.request, answer.text);
    } else {
        assert_eq!(answer.status, 503, "{}\n{}", answer.request, answer.text);
    }
}

#[tokio::test]
async fn a_database_that_stops_under_load_is_told_and_comes_back() {
    let modes: &[Mode] = if faults::long() { &[Mode::Fast, Mode::Immediate, Mode::Fast] } else { &[Mode::Immediate] };
    // Durable: what was acknowledged must be there after the crash.
    let cluster = Cluster::start(&[]).await;
    let server = Server::over(&cluster.url("postgres"), Setup::default()).await;
    let crowd = Crowd::default();
    let breaking = async {
        for mode in modes {
            sleep(Duration::from_millis(500)).await;
            crowd.failures().iter().for_each(unavailable);
            cluster.stop(*mode).await;
            sleep(Duration::from_millis(500)).await;
            server.get(Anonymous, "/readyz").await.expect(503);
            server.get(Anonymous, "/livez").await.expect(200);
            let failures = crowd.failures();
            assert!(!failures.is_empty(), "a database that is away goes unnoticed");
            failures.iter().for_each(unavailable);
            cluster.start_again().await;
            ready(&server).await;
        }
        // Ready means ready.
        crowd.failures().iter().for_each(unavailable);
        sleep(Duration::from_millis(500)).await;
        assert!(crowd.failures().is_empty(), "the server fails after it was ready");
        crowd.home.store(true, Ordering::Relaxed);
    };
    tokio::join!(crowd.ask(&server), breaking);
    let made: BTreeSet<_> = made(&cluster).await.into_iter().collect();
    let acknowledged = crowd.acknowledged.lock().expect("a list").clone();
    assert!(acknowledged.len() > 10);
    assert!(acknowledged.is_subset(&made), "{:?}", acknowledged.difference(&made));
}

#[tokio::test]
async fn when_all_connections_are_cut_off_the_next_requests_succeed() {
    let (cluster, server) = pair(Setup::default()).await;
    let asked = json!({ "email": "ann@example.com", "password": PASSWORD });
    for round in 0..4 {
        // As many connections as there may be.
        let warm = (0..40).map(|_| server.get(Anonymous, "/trees?limit=1"));
        futures_util::future::join_all(warm).await.into_iter().for_each(|answer| drop(answer.expect(200)));
        let session = server.rest(Anonymous, "POST", "/auth/login", asked.clone()).await.expect(200).json();
        assert!(cluster.terminate_backends().await > 1);
        let name = |what: &str| format!("{what} {round}");
        let refresh = json!({ "refresh_token": session["refresh_token"] });
        let alone = mutation(&name("d"));
        let both = format!(
            r#"mutation {{ a: createTree(input: {{ name: "{}", species: "Taxus" }}) {{ id }}
                           b: createTree(input: {{ name: "{}", species: "Taxus" }}) {{ id }} }}"#,
            name("e"),
            name("f"),
        );
        let (read, long, queried, posted, bulk, one, several, refreshed, me) = tokio::join!(
            server.get(Anonymous, "/trees?limit=2"),
            server.get(User, "/expenses"),
            server.graphql(Anonymous, "{ a: tree(id: 1) { name } b: trees { totalCount } }", Value::Null),
            server.rest(Editor, "POST", "/trees", tree(&name("a"))),
            server.rest(Editor, "POST", "/trees", json!([tree(&name("b")), tree(&name("c"))])),
            server.graphql(Editor, &alone, Value::Null),
            server.graphql(Editor, &both, Value::Null),
            server.rest(Anonymous, "POST", "/auth/refresh", refresh),
            server.get(User, "/auth/me"),
        );
        for answer in [read, long, refreshed, me] {
            answer.expect(200);
        }
        for answer in [posted, bulk] {
            answer.expect(201);
        }
        for answer in [queried, one, several] {
            answer.data();
        }
        server.get(Anonymous, "/readyz").await.expect(200);
    }
    assert_eq!(made(&cluster).await.len(), 4 * 6, "each write happened once");
}

#[tokio::test]
async fn cuts_under_load_fail_nothing_but_commits_that_were_on_their_way() {
    let (cluster, server) = pair(Setup::default()).await;
    let crowd = Crowd::default();
    let breaking = async {
        for _ in 0..if faults::long() { 20 } else { 4 } {
            sleep(Duration::from_millis(300)).await;
            cluster.terminate_backends().await;
        }
        sleep(Duration::from_millis(300)).await;
        crowd.home.store(true, Ordering::Relaxed);
    };
    tokio::join!(crowd.ask(&server), breaking);
    for answer in crowd.failures() {
        unavailable(&answer);
        assert!(answer.text.contains("before it said whether"), "{}\n{}", answer.request, answer.text);
    }
    let made = made(&cluster).await;
    let distinct: BTreeSet<_> = made.iter().cloned().collect();
    assert_eq!(made.len(), distinct.len(), "nothing happened twice");
    assert!(crowd.acknowledged.lock().expect("a list").is_subset(&distinct));
}

/// By the program itself, whose log tells it: a few lines, however many requests there are.
#[tokio::test]
async fn the_log_says_when_the_database_went_and_when_it_came_back() {
    let cluster = Cluster::start(&[("fsync", "off")]).await;
    // Which password it is does not matter until one is asked for.
    let url = cluster.url("postgres").replace("postgres@", "postgres:wrong@");
    let place = Place::empty().with("DATABASE_URL", &url).with("JWT_SECRET_KEY", KEY);
    let program = tokio::task::spawn_blocking(move || place.serve()).await.expect("it serves");
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", program.base)).await.expect("an answer");
        answer.status().as_u16()
    };
    assert_eq!(get("/trees").await, 200);
    let back = async || {
        let back = async {
            while get("/readyz").await != 200 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(SOON, back).await.expect("it is ready soon");
        assert_eq!(get("/trees").await, 200);
    };

    cluster.stop(Mode::Fast).await;
    for _ in 0..50 {
        assert_eq!(get("/trees").await, 503);
    }
    cluster.start_again().await;
    back().await;

    // Who is let in is the operator's business, and no caller's.
    let rules = cluster.directory().join("pg_hba.conf");
    let trusting = fs::read_to_string(&rules).expect("the rules");
    fs::write(&rules, "local all all trust\nhost all all all scram-sha-256\n").expect("other rules");
    cluster.stop(Mode::Fast).await;
    // It takes connections, none of which is let in.
    cluster.start_again().await;
    for _ in 0..50 {
        assert_eq!(get("/trees").await, 503);
    }
    fs::write(&rules, trusting).expect("the rules as they were");
    cluster.stop(Mode::Fast).await;
    cluster.start_again().await;
    back().await;

    let log = program.log();
    let told = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert_eq!(told("the database is away"), 1, "{log}");
    assert_eq!(told("refuses the user, password or name"), 1, "{log}");
    assert_eq!(told("the database is back"), 2, "{log}");
    assert!(told("a database connection ended") <= 1, "{log}");
    let warnings = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).count();
    assert!(warnings < 20, "{warnings} warnings\n{log}");
}
