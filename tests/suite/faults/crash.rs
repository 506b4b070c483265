//! What a crash leaves: whatever was acknowledged, and of everything else all or nothing.
//!
//! The program is killed at random moments while clients write in every way there is; then it is started again, and each
//! write is looked for.

use crate::{
    command::{KEY, PASSWORD, soon},
    program::{Place, Server},
    support::{
        cluster::{Cluster, Mode},
        faults,
    },
};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// How many rows a bulk has.
const BULK: usize = 1_000;

/// A way of writing rows that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    One,
    Bulk,
    Document,
    Keyed,
}

impl Way {
    const ALL: [Self; 4] = [Self::One, Self::Bulk, Self::Document, Self::Keyed];

    const fn rows(self) -> usize {
        match self {
            Self::One | Self::Keyed => 1,
            Self::Bulk => BULK,
            Self::Document => 5,
        }
    }

    /// The request whose rows are all called `name`.
    fn request(self, base: &str, token: &str, name: &str) -> RequestBuilder {
        let client = Client::new();
        let tree = json!({ "name": name, "species": "Quercus" });
        let trees = format!("{base}/trees");
        let request = match self {
            Self::One => client.post(trees).json(&tree),
            Self::Keyed => client.post(trees).header("idempotency-key", format!("\"{name}\"")).json(&tree),
            Self::Bulk => client.post(trees).header("prefer", "return=minimal").json(&vec![tree; BULK]),
            Self::Document => {
                let query = "mutation ($one: CreateTreeInput!, $four: [CreateTreeInput!]!) {
                                 a: createTree(input: $one) { id } b: createTrees(input: $four) { id } }";
                let variables = json!({ "one": tree, "four": vec![tree; 4] });
                client.post(format!("{base}/graphql")).json(&json!({ "query": query, "variables": variables }))
            }
        };
        request.bearer_auth(token)
    }
}

/// A write, and whether it was acknowledged.
#[derive(Debug)]
struct Write {
    way: Way,
    name: String,
    acknowledged: bool,
}

/// Whether a request was acknowledged.
async fn is_acknowledged(request: RequestBuilder) -> bool {
    let Ok(answer) = request.send().await else { return false };
    let status = answer.status();
    // An answer is one when it has come whole.
    let Ok(text) = answer.text().await else { return false };
    assert!(!status.is_client_error() || status == 409, "{status}: {text}");
    status == 201 || status == 200 && !text.contains("\"errors\"")
}

/// Writes until told to stop.
async fn write(base: String, token: String, round: usize, writer: usize, stop: Arc<AtomicBool>) -> Vec<Write> {
    let mut writes = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let way = Way::ALL[(writer + writes.len()) % Way::ALL.len()];
        let name = format!("{way:?}-{round}-{writer}-{}", writes.len());
        let acknowledged = is_acknowledged(way.request(&base, &token, &name)).await;
        writes.push(Write { way, name, acknowledged });
    }
    writes
}

/// How many rows have a name.
async fn count(server: &Server, name: &str) -> usize {
    let url = format!("{}/trees", server.base);
    let query = [("name", format!("eq.{name}")), ("select", "count()".to_owned())];
    let answer = Client::new().get(url).query(&query).send().await.expect("an answer");
    let rows: Value = answer.json().await.expect("JSON");
    rows[0]["count"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_else(|| panic!("{rows}"))
}

/// Looks for each write; the keyed ones are asked for once more, as clients do that heard nothing.
async fn look(server: &Server, token: &str, writes: &[Write]) -> usize {
    for Write { way, name, acknowledged } in writes {
        let there = count(server, name).await;
        let whole = there == way.rows();
        assert!(whole || there == 0, "{name} is there by half: {there} rows");
        assert!(whole || !acknowledged, "{name} was acknowledged and is lost");
        if *way == Way::Keyed {
            // A twin that died may still hold the key for a moment.
            soon(async || is_acknowledged(way.request(&server.base, token, name)).await).await;
            assert_eq!(count(server, name).await, 1, "{name} happens once");
        }
    }
    writes.iter().filter(|write| write.acknowledged).count()
}

/// Starts at `place`, lets clients write, and has `crash` end it at a moment that no two rounds share.
async fn rounds(place: &Place, crash: impl AsyncFn(Server) -> Server) {
    place.succeeds(&["migrate", "up"]);
    let create = ["user", "create", "--email", "eve@example.com", "--role", "editor", "--password-stdin"];
    place.succeeds_with(&create, PASSWORD);
    let token = place.succeeds(&["token", "--user", "eve@example.com", "--ttl", "86400"]).trim().to_owned();
    let mut acknowledged = 0;
    let mut server = place.serve();
    for round in 0..if faults::long() { 12 } else { 2 } {
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|writer| tokio::spawn(write(server.base.clone(), token.clone(), round, writer, Arc::clone(&stop))))
            .collect();
        sleep(Duration::from_millis(1_000 + rand::random::<u64>() % 1_000)).await;
        // Whoever hears no answer asks no more.
        stop.store(true, Ordering::Relaxed);
        server = crash(server).await;
        let mut writes = Vec::new();
        for writer in writers {
            writes.extend(writer.await.expect("a writer"));
        }
        acknowledged += look(&server, &token, &writes).await;
    }
    assert!(acknowledged > 0, "nothing was acknowledged, so nothing is shown");
}

/// Kills the program, which gets to do nothing more, and starts it again.
async fn killed(place: &Place, server: Server) -> Server {
    server.signal("KILL");
    assert_eq!(server.end().code, None, "by a signal");
    place.serve()
}

#[tokio::test]
async fn on_sqlite_a_killed_program_leaves_whole_writes() {
    let place = Place::empty();
    rounds(&place, async |server| {
        let server = killed(&place, server).await;
        let file = rusqlite::Connection::open(place.path().join("rootstock.db")).expect("the database");
        let check: String = file.query_row("pragma integrity_check", [], |row| row.get(0)).expect("a row");
        assert_eq!(check, "ok");
        server
    })
    .await;
}

#[tokio::test]
async fn on_postgresql_a_killed_program_leaves_whole_writes() {
    let cluster = Cluster::start(&[("fsync", "off")]).await;
    let place = Place::empty().with("DATABASE_URL", &cluster.url("postgres")).with("JWT_SECRET_KEY", KEY);
    rounds(&place, async |server| killed(&place, server).await).await;
}

/// A power cut of the database, which recovers: the program outlives it.
#[tokio::test]
async fn on_postgresql_a_crashed_cluster_leaves_whole_writes() {
    if !faults::long() {
        return;
    }
    let cluster = Cluster::start(&[]).await;
    let place = Place::empty().with("DATABASE_URL", &cluster.url("postgres")).with("JWT_SECRET_KEY", KEY);
    rounds(&place, async |server| {
        cluster.stop(Mode::Immediate).await;
        cluster.start_again().await;
        let ready = format!("{}/readyz", server.base);
        soon(async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200)).await;
        server
    })
    .await;
}
