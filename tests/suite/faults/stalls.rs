//! A database that stalls: a request ends at its time limit, and what it asked for does not happen later.

use super::{made, mutation, pair, ready, tree};
use crate::support::{Answer, Caller::*, Server, Setup, cluster::Cluster, faults};
use rootstock::config::Config;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    time::{Instant, sleep},
};

/// As many as [`write`] has writes.
const CONNECTIONS: usize = 6;

/// Requests that may take two seconds.
fn hurried() -> Setup {
    fn configure(config: &mut Config) {
        config.http.request_timeout = Duration::from_secs(2);
        config.database.statement_timeout = Duration::from_millis(1_800);
        config.database.acquire_timeout = Duration::from_secs(1);
        config.database.max_connections = CONNECTIONS;
    }
    Setup { configure, ..Setup::default() }
}

/// Uses every connection for the writes to come, so that their statements are known on each: what is sent to a server that
/// stalls is then the write itself, and no question about it.
async fn warm(cluster: &Cluster, server: &Server) {
    let one = mutation("warm");
    for _ in 0..6 {
        let asked = (0..CONNECTIONS).map(async |_| {
            server.rest(Editor, "POST", "/trees", tree("warm")).await.expect(201);
            server.graphql(Editor, &one, Value::Null).await.data();
        });
        futures_util::future::join_all(asked).await;
    }
    cluster.execute("delete from trees where species = 'Taxus'").await;
}

/// Writes of every kind, all at once: none may succeed, and each must end about when it must.
async fn write(server: &Server) {
    let began = Instant::now();
    let two = r#"mutation { a: createTree(input: { name: "e", species: "Taxus" }) { id }
                            b: updateTree(id: 2, set: { name: "f" }) { id } }"#;
    let one = mutation("d");
    let (a, b, c, d, e, f) = tokio::join!(
        server.rest(Editor, "POST", "/trees", tree("a")),
        server.rest(Editor, "POST", "/trees", json!([tree("b"), tree("c")])),
        server.rest(Editor, "PATCH", "/trees/1", json!({ "name": "changed" })),
        server.graphql(Editor, &one, Value::Null),
        server.graphql(Editor, two, Value::Null),
        server.rest(Editor, "DELETE", "/trees/3", Value::Null),
    );
    for answer in [a, b, c, d, e, f] {
        ended(&answer);
    }
    // The limit is two seconds; the machine may be busy, but nobody waited for the stall to end.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

/// That a request ended by its time, or because there was no connection.
fn ended(answer: &Answer) {
    match answer.status {
        504 => {}
        503 => assert_eq!(answer.header("retry-after"), "1"),
        200 if answer.request.contains("/graphql") => {
            assert!(matches!(&*answer.failure().code, "TIMEOUT" | "UNAVAILABLE"), "{}", answer.text);
        }
        _ => panic!("{}\n{} {}", answer.request, answer.status, answer.text),
    }
}

/// That nothing has changed, and that all works again.
async fn untouched(cluster: &Cluster, server: &Server) {
    ready(server).await;
    // Whatever is still on its way gets there.
    let busy = "select count(*) from pg_stat_activity where backend_type = 'client backend' and state <> 'idle'
                and pid <> pg_backend_pid()";
    for _ in 0..100 {
        if cluster.query(busy).await == [["0"]] {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_millis(300)).await;
    assert_eq!(made(cluster).await, Vec::<String>::new());
    let rows = cluster.query("select id, name from trees order by id").await;
    let names: Vec<_> = rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(names, ["Banyan", "Quaking Aspen", "American Elm", "Red Maple"]);
    server.rest(Editor, "POST", "/trees", tree("after")).await.expect(201);
    cluster.execute("delete from trees where species = 'Taxus'").await;
}

#[tokio::test]
async fn what_a_stalled_server_was_sent_does_not_happen_later() {
    let (cluster, server) = pair(hurried()).await;
    for _ in 0..if faults::long() { 5 } else { 1 } {
        warm(&cluster, &server).await;
        cluster.pause().await;
        write(&server).await;
        server.get(Anonymous, "/readyz").await.expect(503);
        server.get(Anonymous, "/livez").await.expect(200);
        server.get(Anonymous, "/nothing").await.expect(404);
        cluster.resume().await;
        untouched(&cluster, &server).await;
    }
}

/// The server stalls under writes that are at any point of their way, at their commit too.
#[tokio::test]
async fn no_write_that_was_given_up_happens_later_wherever_it_was() {
    let cluster = Cluster::start(&[("fsync", "off"), ("track_commit_timestamp", "on")]).await;
    let server = Server::over(&cluster.url("postgres"), hurried()).await;
    warm(&cluster, &server).await;
    for round in 0..if faults::long() { 5 } else { 1 } {
        let stalled = AtomicBool::new(false);
        let stalled = &stalled;
        let server = &server;
        let writers = (0..20).map(async |writer| {
            let (mut given_up, mut made) = (Vec::new(), Vec::new());
            for number in 0.. {
                let name = format!("{round}-{writer}-{number}");
                let done = match writer % 2 {
                    0 => server.rest(Editor, "POST", "/trees", tree(&name)).await.status == 201,
                    _ => !server.graphql(Editor, &mutation(&name), Value::Null).await.text.contains("errors"),
                };
                if done {
                    made.push(name)
                } else {
                    given_up.push(name)
                }
                if stalled.load(Ordering::Relaxed) {
                    break;
                }
            }
            (given_up, made)
        });
        let stall = async {
            sleep(Duration::from_millis(300)).await;
            let before = cluster.query("select clock_timestamp()").await[0][0].clone();
            cluster.pause().await;
            stalled.store(true, Ordering::Relaxed);
            sleep(Duration::from_secs(4)).await;
            cluster.resume().await;
            before
        };
        let (written, before) = tokio::join!(futures_util::future::join_all(writers), stall);
        ready(server).await;
        sleep(Duration::from_secs(1)).await;
        let there = self::made(&cluster).await;
        let given_up: Vec<_> = written.iter().flat_map(|(given_up, _)| given_up).collect();
        // One that was made just before the stall may not have been told of.
        let later = format!(
            "select name from trees
             where species = 'Taxus' and pg_xact_commit_timestamp(xmin) > '{before}'::timestamptz + interval '2 s'"
        );
        let later: Vec<_> = cluster.query(&later).await.into_iter().flatten().collect();
        let late: Vec<_> = given_up.iter().filter(|name| later.contains(name)).collect();
        assert!(!given_up.is_empty() && late.is_empty(), "{late:?} of {}", given_up.len());
        let lost: Vec<_> = written.iter().flat_map(|(_, made)| made).filter(|name| !there.contains(name)).collect();
        assert!(lost.is_empty(), "{lost:?}");
        cluster.execute("delete from trees where species = 'Taxus'").await;
    }
}

#[tokio::test]
async fn what_waited_for_a_lock_too_long_does_not_happen_later() {
    let (cluster, server) = pair(hurried()).await;
    warm(&cluster, &server).await;
    let url = cluster.url("postgres");
    let (other, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("a connection");
    tokio::spawn(connection);
    other.batch_execute("begin; lock table trees in exclusive mode").await.expect("a lock");
    write(&server).await;
    // Reads go on, and so does the server.
    server.get(Anonymous, "/trees?limit=1").await.expect(200);
    server.get(Anonymous, "/readyz").await.expect(200);
    other.batch_execute("rollback").await.expect("the lock is given up");
    untouched(&cluster, &server).await;
}

/// The way to the database, on which everything may be lost.
struct Way {
    port: u16,
    swallows: Arc<AtomicBool>,
}

impl Way {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("its address").port();
        let swallows = Arc::new(AtomicBool::new(false));
        let lost = Arc::clone(&swallows);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(("127.0.0.1", port)).await.expect("the database");
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near_in, far_out, Arc::clone(&lost)));
                tokio::spawn(carry(far_in, near_out, Arc::clone(&lost)));
            }
        });
        Self { port: own, swallows }
    }
}

/// Carries what comes in from the one to the other, or loses it. What has lost something carries nothing any more, not
/// even its end.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, swallows: Arc<AtomicBool>) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        if swallows.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_survived() {
    let cluster = Cluster::start(&[("fsync", "off")]).await;
    let way = Way::to(cluster.port()).await;
    let server = Server::over(&format!("postgres://postgres@127.0.0.1:{}/postgres", way.port), hurried()).await;
    warm(&cluster, &server).await;
    way.swallows.store(true, Ordering::Relaxed);
    write(&server).await;
    // No connection at all is to be had by now.
    ended(&server.get(Anonymous, "/trees").await);
    server.get(Anonymous, "/readyz").await.expect(503);
    way.swallows.store(false, Ordering::Relaxed);
    untouched(&cluster, &server).await;
}
