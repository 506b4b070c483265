//! How the program ends: what it was asked before is answered, nothing new is begun, and it does not outlast its grace.

use crate::{
    cases::connections::{ALIVE, Wire, frame, preface},
    command::{KEY, PASSWORD, soon},
    program::{Place, Server},
    support::{faults, postgres},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_postgres::NoTls;

const PATIENCE: Duration = Duration::from_secs(30);
const OVER: &str = "SHUTDOWN_GRACE_SECONDS are over";

fn address(server: &Server) -> &str {
    server.base.trim_start_matches("http://")
}

async fn wire(server: &Server) -> Wire {
    Wire::at(address(server)).await
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

fn post(path: &str, token: &str, body: &Value) -> String {
    let (body, credentials) =
        (body.to_string(), if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") });
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\n{credentials}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A place with an editor, and the editor's token.
fn edited(place: &Place) -> String {
    place.succeeds(&["migrate", "up"]);
    let create = ["user", "create", "--email", "eve@example.com", "--role", "editor", "--password-stdin"];
    place.succeeds_with(&create, PASSWORD);
    place.succeeds(&["token", "--user", "eve@example.com"]).trim().to_owned()
}

/// Waits until the signal has been heard.
async fn stops(server: &Server) {
    soon(async || server.log().contains("stopping: requests in flight")).await;
}

/// The status of an answer that was the last of its connection, and said so.
fn last(answer: &str) -> u16 {
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// A request whose body has not come whole is in flight: the rest of it may come.
#[tokio::test]
async fn what_is_in_flight_is_answered_and_who_comes_later_is_sent_elsewhere() {
    for signal in ["TERM", "INT", "HUP"] {
        let place = Place::empty();
        let token = edited(&place);
        let server = place.serve();
        let tree = post("/trees", &token, &json!({ "name": "Late Oak", "species": "Quercus" }));
        let (first, rest) = tree.split_at(tree.len() - 5);
        let mut busy = wire(&server).await;
        busy.send(first).await;
        sleep(Duration::from_millis(200)).await;

        server.signal(signal);
        stops(&server).await;
        // Longer than any connection without a request is kept.
        sleep(Duration::from_secs(1)).await;
        for (path, status) in [("/trees", 503), ("/readyz", 503), ("/livez", 200)] {
            let mut late = wire(&server).await;
            late.send(get(path)).await;
            assert_eq!(last(&late.rest().await), status, "{path}");
        }
        let mut late = wire(&server).await;
        late.send(post("/graphql", "", &json!({ "query": "{ __typename }" }))).await;
        let answer = late.rest().await;
        assert!(last(&answer) == 503 && answer.contains("\"UNAVAILABLE\""), "{answer}");

        busy.send(rest).await;
        assert_eq!(last(&busy.rest().await), 201);
        let ended = server.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.err.contains("WARN"), "{ended:?}");
        assert!(!place.path().join("rootstock.db-wal").exists(), "the database is one file again");

        let again = place.serve();
        let mut wire = wire(&again).await;
        wire.send(get("/trees?name=eq.Late%20Oak&select=species")).await;
        wire.until(r#"[{"species":"Quercus"}]"#).await;
    }
}

/// The program is stopped while requests come, so that it finds all of them, and the signal behind them, at once.
#[tokio::test]
async fn what_was_sent_before_the_signal_is_answered() {
    for _ in 0..3 {
        let place = Place::empty();
        let server = place.serve();
        let mut kept = Vec::new();
        for _ in 0..30 {
            let mut wire = wire(&server).await;
            wire.send(ALIVE).await;
            wire.until("alive\n").await;
            kept.push(wire);
        }
        server.signal("STOP");
        for wire in &mut kept {
            wire.send(get("/trees?select=id")).await;
        }
        for _ in 0..30 {
            // The system takes them, and keeps them for the program.
            let mut wire = wire(&server).await;
            wire.send(get("/trees?select=id")).await;
            kept.push(wire);
        }
        server.signal("TERM");
        server.signal("CONT");
        for wire in &mut kept {
            let answer = wire.rest().await;
            let whole = answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(r#"{"id":4}]"#);
            assert!(whole, "{answer}\n{}", server.log());
        }
        assert_eq!(server.end().code, Some(0));
    }
}

/// What one client of many met.
#[derive(Debug, Default)]
struct Met {
    written: usize,
    turned_away: usize,
    failures: Vec<String>,
}

/// A client that sends one request after the other, on one connection for as long as the server lets it.
async fn work(address: &str, token: &str, name: &str, stop: &AtomicBool) -> Met {
    let mut met = Met::default();
    while !stop.load(Ordering::Relaxed) {
        // Nobody listens any more: nothing was accepted.
        let Ok(stream) = TcpStream::connect(address).await else { return met };
        let mut wire = Wire(stream);
        let mut fresh = true;
        loop {
            wire.send(post("/trees", token, &json!({ "name": name, "species": "Quercus" }))).await;
            match timeout(PATIENCE, answer(&mut wire)).await.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                Ok((201, goes_on)) => {
                    met.written += 1;
                    if !goes_on {
                        break;
                    }
                }
                // On a connection that was made too late, and says so.
                Ok((503, false)) if fresh => {
                    met.turned_away += 1;
                    sleep(Duration::from_millis(20)).await;
                    break;
                }
                // Of a connection of the system's queue, when it is over.
                Err(why) if fresh && why.contains("reset") => return met,
                other => {
                    met.failures.push(format!("{other:?}, fresh: {fresh}"));
                    break;
                }
            }
            fresh = false;
        }
    }
    met
}

/// One answer: its status, and whether the connection goes on.
async fn answer(wire: &mut Wire) -> Result<(u16, bool), String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(wire.0.read_u8().await.map_err(|error| format!("{error} after {} bytes", head.len()))?);
    }
    let head = String::from_utf8(head).map_err(|error| error.to_string())?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    wire.0.read_exact(&mut body).await.map_err(|error| format!("{error} in the body"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
    let goes_on = !head.contains("\r\nconnection: close\r\n");
    if !goes_on {
        // A proper end, and no reset.
        let end = wire.0.read_to_end(&mut body).await;
        end.map_err(|error| format!("{error} instead of the end"))?;
    }
    Ok((status, goes_on))
}

/// On several threads, because the program's end is waited for on one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_no_request_is_lost() {
    let database = postgres::database().await;
    let on_postgres = Place::empty().with("DATABASE_URL", &database.url()).with("JWT_SECRET_KEY", KEY);
    for place in [Place::empty(), on_postgres] {
        let token = edited(&place);
        let server = place.serve();
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..50)
            .map(|number| {
                let (at, token, stop) = (address(&server).to_owned(), token.clone(), Arc::clone(&stop));
                tokio::spawn(async move { work(&at, &token, &format!("Loaded {number}"), &stop).await })
            })
            .collect();
        sleep(Duration::from_secs(2)).await;
        let ended = server.terminate();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(ended.code, Some(0), "{:.2000}", ended.err);
        let (mut written, mut turned_away) = (0, 0);
        for client in clients {
            let met = timeout(PATIENCE, client).await.expect("a client ends").expect("without a panic");
            assert!(met.failures.is_empty(), "{met:?}");
            (written, turned_away) = (written + met.written, turned_away + met.turned_away);
        }
        assert!(written > 100 && turned_away > 0, "{written} written, {turned_away} turned away");
        let again = place.serve();
        let count = reqwest::get(format!("{}/trees?name=like.Loaded*&select=count()", again.base)).await;
        let count = count.expect("an answer").text().await.expect("a text");
        assert_eq!(count, format!(r#"[{{"count":{written}}}]"#), "each that was answered is there, and no other");
    }
}

/// By HTTP/2 GOAWAY tells the client to go, and which of its requests are answered.
#[tokio::test]
async fn http_2_is_told_to_go_away_when_its_requests_are_answered() {
    let place = Place::empty();
    let server = place.serve();
    let mut wire = wire(&server).await;
    // `POST /auth/login` with a type, by the static table of HPACK; its body is still to come.
    let mut head = vec![0x83, 0x86, 0x04, 11];
    head.extend(b"/auth/login");
    head.extend([0x41, 1, b'x', 0x0f, 0x10, 16]);
    head.extend(b"application/json");
    wire.send([preface(), frame(1, 4, 1, &head)].concat()).await;
    sleep(Duration::from_millis(200)).await;
    server.signal("TERM");
    stops(&server).await;
    sleep(Duration::from_secs(1)).await;
    let body = json!({ "email": "ann@example.com", "password": "wrong" }).to_string();
    wire.send(frame(0, 1, 1, body.as_bytes())).await;

    let (mut goes_away, mut answered) = (false, false);
    // To the end, which is no reset.
    while let Some((kind, flags, stream, payload)) = next_frame(&mut wire).await {
        match kind {
            // A PING of the server's wants its answer: by it the server knows that GOAWAY was heard.
            6 if flags & 1 == 0 => wire.send(frame(6, 1, 0, &payload)).await,
            7 => goes_away = true,
            0 if stream == 1 && flags & 1 == 1 => answered = String::from_utf8_lossy(&payload).contains("message"),
            _ => {}
        }
    }
    assert!(goes_away && answered, "goes away: {goes_away}, answered: {answered}");
    assert_eq!(server.end().code, Some(0));
}

async fn next_frame(wire: &mut Wire) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    let read = timeout(PATIENCE, wire.0.read_exact(&mut head)).await.expect("a frame in time");
    if let Err(error) = read {
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
        return None;
    }
    let mut payload = vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
    wire.0.read_exact(&mut payload).await.expect("a whole frame");
    Some((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}

/// Whatever a client does, or does not: the program ends within its grace, or at once if it is told twice.
#[tokio::test]
async fn nobody_holds_it_up_beyond_its_grace() {
    for (grace, again) in [("2", None), ("60", Some("TERM")), ("60", Some("INT"))] {
        let place = Place::empty().with("SHUTDOWN_GRACE_SECONDS", grace).with("REQUEST_TIMEOUT_SECONDS", "60");
        let server = place.serve();
        let (mut silent, mut half, mut slow) = (wire(&server).await, wire(&server).await, wire(&server).await);
        half.send("GET /livez HT").await;
        slow.send(
            "POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
        )
        .await;
        sleep(Duration::from_millis(200)).await;
        let since = Instant::now();
        server.signal("TERM");
        stops(&server).await;
        assert_eq!(silent.rest().await, "", "who asks for nothing is let go");
        if let Some(again) = again {
            server.signal(again);
        }
        let ended = server.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(again.is_some() || since.elapsed() <= Duration::from_secs(2), "{:?} is beyond", since.elapsed());
        let says = if again.is_some() { "told to stop twice" } else { OVER };
        assert!(ended.err.contains(says), "{ended:?}");
        assert_eq!((half.rest().await, slow.rest().await), (String::new(), String::new()));
    }
}

/// What is not answered by the end of the grace does not happen, neither then nor later.
#[tokio::test]
async fn what_the_grace_cuts_off_is_undone() {
    let database = postgres::database().await;
    let place = Place::empty()
        .with("DATABASE_URL", &database.url())
        .with("JWT_SECRET_KEY", KEY)
        .with("SHUTDOWN_GRACE_SECONDS", "2");
    let token = edited(&place);
    let server = place.serve();
    let (mut other, connection) = tokio_postgres::connect(&database.url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let lock = other.transaction().await.expect("a transaction");
    lock.batch_execute("lock table trees in share row exclusive mode").await.expect("a lock");

    // A write of one statement, and one of several.
    let tree = |name: &str| json!({ "name": name, "species": "Quercus" });
    let document = r#"mutation { a: createTree(input: {name: "Cut", species: "x"}) { id } b: createTree(input: {name: "Cut", species: "x"}) { id } }"#;
    let mut cut = Vec::new();
    for request in [
        post("/trees", &token, &tree("Cut")),
        post("/trees", &token, &json!([tree("Cut"), tree("Cut")])),
        post("/graphql", &token, &json!({ "query": document })),
    ] {
        let mut wire = wire(&server).await;
        wire.send(request).await;
        cut.push(wire);
    }
    // Within a transaction the statistics stand still.
    let (watcher, connection) = tokio_postgres::connect(&database.url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let own = "datname = current_database() and application_name = 'rootstock'";
    let waiting = format!("select count(*) from pg_stat_activity where {own} and wait_event_type = 'Lock'");
    soon(async || watcher.query_one(&waiting, &[]).await.expect("a row").get::<_, i64>(0) == 3).await;
    let ended = server.terminate();
    assert!(ended.code == Some(0) && ended.err.contains(OVER), "{ended:?}");
    for wire in &mut cut {
        assert_eq!(wire.rest().await, "");
    }
    let left = format!("select count(*) from pg_stat_activity where {own}");
    soon(async || watcher.query_one(&left, &[]).await.expect("a row").get::<_, i64>(0) == 0).await;
    lock.commit().await.expect("the lock is free");
    let trees = other.query_one("select count(*) from trees where name = 'Cut'", &[]).await.expect("a row");
    assert_eq!(trees.get::<_, i64>(0), 0);
}

/// The connections to the database are ended in order, also those that are idle.
#[tokio::test]
async fn no_connection_to_the_database_is_left() {
    let database = postgres::database().await;
    let place = Place::empty().with("DATABASE_URL", &database.url()).with("JWT_SECRET_KEY", KEY);
    let server = place.serve();
    let asked = (0..20).map(|_| reqwest::get(format!("{}/trees", server.base)));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.expect("an answer").status(), 200);
    }
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let left = "select count(*) from pg_stat_activity
                where datname = current_database() and application_name = 'rootstock'";
    let left = async || client.query_one(left, &[]).await.expect("a row").get::<_, i64>(0);
    assert!(left().await > 0);
    let ended = server.terminate();
    assert!(ended.code == Some(0) && !ended.err.contains("WARN"), "{ended:?}");
    soon(async || left().await == 0).await;
}

/// A long answer, to a client that takes its time, is whole.
#[tokio::test]
async fn a_long_answer_is_told_to_its_end() {
    if !faults::long() {
        return;
    }
    let database = postgres::database().await;
    let on_postgres = Place::empty().with("DATABASE_URL", &database.url()).with("JWT_SECRET_KEY", KEY);
    for place in [Place::empty(), on_postgres] {
        let place = place.with("REST_MAX_ROWS", "1000000");
        place.succeeds(&["migrate", "up"]);
        place.succeeds(&["seed"]);
        place.succeeds(&["seed", "--trees", "30000"]);
        let server = place.serve();
        let mut wire = wire(&server).await;
        wire.send(get(
            "/trees?order=id&select=a:name,b:name,c:name,d:name,e:name,f:name,g:name,h:name,i:species,j:species",
        ))
        .await;
        let begun = wire.until("[").await;
        assert!(begun.starts_with("HTTP/1.1 200 "), "{begun}");
        server.signal("TERM");
        stops(&server).await;
        sleep(Duration::from_secs(2)).await;
        let rest = wire.rest().await;
        assert_eq!(rest.matches("\"a\":").count(), 30_004);
        assert!(rest.ends_with("]\r\n0\r\n\r\n"), "…{}", &rest[rest.len() - 40..]);
        assert_eq!(server.end().code, Some(0));
    }
}

/// Who was started so as to outlive its terminal does.
#[tokio::test]
async fn a_hangup_that_is_ignored_stops_nothing() {
    let place = Place::empty();
    let mut server = place.serve_by("trap '' HUP");
    server.signal("HUP");
    sleep(Duration::from_millis(300)).await;
    assert!(server.runs());
    let mut wire = wire(&server).await;
    wire.send(ALIVE).await;
    wire.until("alive\n").await;
    assert_eq!(server.terminate().code, Some(0));
}
