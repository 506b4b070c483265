//! How the program starts when its database is not as it should be: what waiting helps is waited for, with an answer to
//! whoever asks meanwhile; what it does not help ends the start with a line.

use crate::{
    command::{KEY, soon},
    program::{Place, Server},
    support::{
        cluster::{Cluster, Mode},
        faults, postgres,
    },
};
use reqwest::{Client, RequestBuilder, Response};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{fs, net::TcpListener, process::Command};
use tokio_postgres::NoTls;

const WAITS: &str = "the start waits for the database";
const PREPARED: &str = "the database is as it should be";
const UP: &str = " is up:";

fn at(url: &str) -> Place {
    Place::empty().with("DATABASE_URL", url).with("JWT_SECRET_KEY", KEY)
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

async fn get(server: &Server, path: &str) -> (u16, String) {
    let answer = send(Client::new().get(format!("{}{path}", server.base))).await;
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

async fn graphql(server: &Server, query: &str) -> Value {
    let request = Client::new().post(format!("{}/graphql", server.base)).json(&json!({ "query": query }));
    send(request).await.json().await.expect("JSON")
}

async fn becomes_ready(server: &Server) {
    soon(async || get(server, "/readyz").await.0 == 200).await;
    assert_eq!(get(server, "/trees?select=name").await.1.matches("name").count(), 4);
}

/// What needs the database is 503, and what does not is answered as ever.
async fn answers_what_needs_no_database(server: &Server) {
    let client = Client::new();
    let url = |path: &str| format!("{}{path}", server.base);
    let unavailable = [
        client.get(url("/trees")),
        client.get(url("/trees/1")),
        client.post(url("/auth/login")).json(&json!({ "email": "a@example.com", "password": "seven green herons" })),
        client.get(url("/readyz")),
    ];
    for request in unavailable {
        let answer = send(request).await;
        assert_eq!(answer.status(), 503, "{}", answer.url());
        assert!(answer.headers().contains_key("retry-after"), "{}", answer.url());
    }
    let told = graphql(server, "{ trees { totalCount } }").await;
    assert_eq!(told["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{told}");
    for (request, status) in [
        (client.get(url("/livez")), 200),
        (client.get(url("/")).header("accept", "text/html"), 200),
        (client.get(url("/openapi.json")), 200),
        (client.request(reqwest::Method::OPTIONS, url("/trees")), 200),
        (client.get(url("/nowhere")), 404),
        (client.delete(url("/livez")), 405),
        (client.get(url("/expenses")), 401),
        (client.get(url("/trees")).bearer_auth("not.a.token"), 401),
        (client.get(url("/trees?nothing=eq.1")), 400),
    ] {
        let answer = send(request).await;
        assert_eq!(answer.status(), status, "{}", answer.url());
    }
    let told = graphql(server, "{ shrubs }").await;
    assert_eq!(told["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{told}");
    assert_eq!(graphql(server, "{ __typename }").await["data"]["__typename"], "Query");
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let cluster = Cluster::start(&[("fsync", "off")]).await;
    cluster.stop(Mode::Fast).await;
    for arguments in [["serve"].as_slice(), &["serve", "--no-migrate"]] {
        let place = at(&cluster.url("postgres"));
        let server = place.serve_with(arguments);
        assert_eq!(get(&server, "/livez").await.0, 200);
        assert!(get(&server, "/readyz").await.1.contains("The database cannot be reached"));
        answers_what_needs_no_database(&server).await;

        cluster.start_again().await;
        becomes_ready(&server).await;
        soon(async || server.log().contains(PREPARED)).await;
        let ended = server.terminate();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.out.matches(UP).count(), 1, "it says so once it is: {ended:?}");
        assert_eq!((ended.err.matches(WAITS).count(), ended.err.matches(PREPARED).count()), (1, 1), "{ended:?}");
        cluster.stop(Mode::Fast).await;
    }

    // Told to stop while it waits.
    let place = at(&cluster.url("postgres"));
    let server = place.serve();
    let ended = server.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.out.contains(UP), "{ended:?}");
}

/// As another instance that migrates holds it.
const LOCK: i64 = 0x524f_4f54_5354_4f43;

#[tokio::test]
async fn an_instance_that_waits_for_anothers_migrations_is_alive_and_stops_when_told() {
    let database = postgres::database().await;
    let (other, connection) = tokio_postgres::connect(&database.url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    other.execute("select pg_advisory_lock($1)", &[&LOCK]).await.expect("the lock");

    let place = at(&database.url());
    let server = place.serve();
    assert_eq!(get(&server, "/livez").await.0, 200);
    let (status, why) = get(&server, "/readyz").await;
    assert!(status == 503 && why.contains("The schema is being migrated"), "{status} {why}");
    answers_what_needs_no_database(&server).await;
    let ended = server.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let left = "select count(*) from pg_stat_activity
                where datname = current_database() and application_name = 'rootstock'";
    soon(async || other.query_one(left, &[]).await.expect("a row").get::<_, i64>(0) == 0).await;

    let place = at(&database.url());
    let server = place.serve();
    other.execute("select pg_advisory_unlock($1)", &[&LOCK]).await.expect("the lock is free");
    becomes_ready(&server).await;
}

#[tokio::test]
async fn a_file_that_is_locked_is_waited_for() {
    if !faults::long() {
        return;
    }
    let place = Place::empty();
    let other = Connection::open(place.path().join("rootstock.db")).expect("a database");
    other.execute_batch("pragma journal_mode = wal; begin immediate; create table x (y)").expect("a lock");
    let server = place.serve();
    soon(async || server.log().contains(WAITS)).await;
    assert_eq!(get(&server, "/readyz").await.0, 503);
    other.execute_batch("commit").expect("no lock");
    becomes_ready(&server).await;
}

/// A start that waiting does not help: its code, and what it says first.
fn fails(place: &Place, says: &str) {
    let ended = place.run(&["serve"]);
    assert_eq!(ended.code, Some(1), "{says}: {ended:?}");
    let error = ended.err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(error.starts_with(says), "{says}: {ended:?}");
    assert!(!ended.out.contains(UP), "{ended:?}");
}

#[tokio::test]
async fn what_waiting_does_not_help_ends_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    // Before the database is looked at, which is away.
    let place = at("postgres://u@127.0.0.1:1/d").with("BIND_ADDR", &address);
    fails(&place, &format!("error: The address of BIND_ADDR, {address}, cannot be listened on"));

    let free = ("BIND_ADDR", "127.0.0.1:0");
    let place = at("sqlite://no/folder/x.db?mode=rwc").with(free.0, free.1);
    fails(&place, "error: DATABASE_URL: the SQLite database no/folder/x.db cannot be opened");
    let place = Place::empty().with(free.0, free.1);
    fs::write(place.path().join("rootstock.db"), "no database at all, but as long as one").expect("written");
    fails(&place, "error: DATABASE_URL: the SQLite database rootstock.db cannot be opened");
    // A file that may only be read, and has no schema.
    let place = Place::empty().with(free.0, free.1).with("DATABASE_URL", "sqlite://empty.db?mode=ro");
    fs::write(place.path().join("empty.db"), "").expect("written");
    fails(&place, "error: The database takes no writes");

    // A table that stands in the way of a migration.
    let database = postgres::database().await;
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let sql = async |sql: &str| client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    sql("create table users (n integer)").await;
    let place = at(&database.url()).with(free.0, free.1);
    let ended = place.run(&["serve"]);
    assert!(ended.code == Some(1) && ended.err.contains("SQLSTATE 42P07"), "{ended:?}");
    sql("drop table users").await;

    // A schema that went another way.
    place.succeeds(&["migrate", "up"]);
    sql("insert into seaql_migrations values ('m29991231_000001_flying_trees', 0)").await;
    let server = place.serve();
    assert!(server.log().contains("the schema is newer than this program"), "{}", server.log());
    becomes_ready(&server).await;
    drop(server);
    sql("delete from seaql_migrations where version like '%identities'").await;
    fails(&place, "error: The schema is another program's (it has m29991231_000001_flying_trees, which");

    let place = at(&format!("{}_not", database.url())).with(free.0, free.1);
    fails(&place, "error: The database does not let this program in");
}

#[tokio::test]
async fn a_wrong_password_ends_the_start() {
    let cluster = Cluster::start(&[("fsync", "off")]).await;
    let rules = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    fs::write(cluster.directory().join("pg_hba.conf"), rules).expect("written");
    cluster.execute("create role ann login superuser password 'right'; select pg_reload_conf()").await;
    let url = cluster.url("postgres").replacen("postgres@", "ann@", 1);
    let place = |password: &str| at(&url).with("DATABASE_PASSWORD", password).with("BIND_ADDR", "127.0.0.1:0");
    fails(&place("wrong"), "error: The database does not let this program in");
    becomes_ready(&place("right").serve()).await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_served_if_it_is_migrated() {
    let cluster = Cluster::start(&[("fsync", "off"), ("default_transaction_read_only", "on")]).await;
    let place = at(&cluster.url("postgres"));
    let server = place.serve();
    assert!(get(&server, "/readyz").await.1.contains("takes no writes"), "somebody may yet let it migrate");
    drop(server);
    cluster.execute("begin read write; alter database postgres set default_transaction_read_only = off; commit").await;
    place.succeeds(&["migrate", "up"]);
    cluster.execute("alter database postgres reset default_transaction_read_only").await;
    let server = place.serve();
    soon(async || get(&server, "/readyz").await.0 == 200).await;
    assert_eq!(get(&server, "/trees").await, (200, "[]".to_owned()), "no trees could be planted");
}

/// Whoever reads the log may go away: that ends no request.
#[tokio::test]
async fn a_log_that_nobody_reads_is_lost_and_nothing_else() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let place = Place::empty();
    let script = "\"$0\" 2>&1 >/dev/null & echo $! >pid; wait";
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("({script}) | head -n 1"), env!("CARGO_BIN_EXE_rootstock")]);
    shell.current_dir(place.path()).env_clear().env("PATH", "/usr/bin:/bin");
    let mut shell = shell.env("BIND_ADDR", format!("127.0.0.1:{port}")).spawn().expect("sh");
    let url = format!("http://127.0.0.1:{port}/trees");
    soon(async || reqwest::get(&url).await.is_ok()).await;
    for _ in 0..10 {
        assert_eq!(reqwest::get(&url).await.expect("an answer").status(), 200);
    }
    let kill = Command::new("sh").args(["-c", "kill $(cat pid)"]).current_dir(place.path()).status();
    assert!(kill.expect("sh").success());
    shell.wait().expect("the shell ends");
}
