//! PgBouncer in transaction mode, without named prepared statements: clients share a few sessions of the server, and none
//! is to notice another, nor the pooler's own faults more than a database's.

use crate::graft;
use crate::support::{
    Answer,
    Caller::*,
    Server, Setup,
    cluster::Cluster,
    pgbouncer::{PgBouncer, SESSIONS},
    start_pooled,
};
use futures_util::future::join_all;
use rootstock::engine::database::Migrate;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    task::{block_in_place, spawn_blocking},
    time::sleep,
};
use tokio_postgres::{Client, NoTls};

/// How long a server may take to be there again.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server whose way to its database leads through the pooler; it is dropped first.
struct Pooled {
    server: Server,
    pooler: PgBouncer,
    cluster: Cluster,
}

impl Pooled {
    async fn start(setup: Setup) -> Self {
        let cluster = Cluster::start(&[("fsync", "off")]).await;
        let port = cluster.port();
        let pooler = spawn_blocking(move || PgBouncer::start(port)).await.expect("a pooler");
        let server = Server::over(&pooler.url("postgres"), setup).await;
        Self { server, pooler, cluster }
    }

    /// All the sessions that clients share, each held by a transaction.
    async fn sessions(&self) -> Vec<Client> {
        let mut clients = Vec::new();
        for _ in 0..SESSIONS {
            let url = self.pooler.url("postgres");
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("a connection");
            tokio::spawn(connection);
            client.batch_execute("begin").await.expect("a session");
            clients.push(client);
        }
        clients
    }
}

/// A tree of this name, by one protocol or the other.
async fn plant(server: &Server, name: &str, by_rest: bool) -> Answer {
    let tree = json!({ "name": name, "species": "Taxus" });
    if by_rest {
        return server.rest(Editor, "POST", "/trees", tree).await;
    }
    let document = "mutation ($tree: CreateTreeInput!) { a: createTree(input: $tree) { name } b: deleteTrees(filter: {
                        name: { eq: \"nobody's\" } }) { affected } }";
    server.graphql(Editor, document, json!({ "tree": tree })).await
}

/// Many at once over few sessions: each has its own answer, and nobody leaves anything behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_share_sessions_and_nothing_else() {
    let pooled = Pooled::start(Setup::default()).await;
    let (one, two) = (&pooled.server, &pooled.server.another().await);
    join_all((0..60).map(async |number| {
        let server = if number % 2 == 0 { one } else { two };
        let (name, by_rest) = (format!("Tree {number}"), number % 3 == 0);
        let planted = plant(server, &name, by_rest).await;
        assert!(planted.status < 300 && planted.text.contains(&name), "{}", planted.text);
        let found = server.get(Anonymous, &format!("/trees?name=eq.{name}&select=name")).await.expect(200);
        assert_eq!(found.text, format!(r#"[{{"name":"{name}"}}]"#));
        let document = format!(
            r#"{{ one: trees(filter: {{ name: {{ eq: "{name}" }} }}) {{ totalCount nodes {{ name }} }}
                  two: trees(filter: {{ name: {{ eq: "Banyan" }} }}) {{ nodes {{ name }} }} }}"#
        );
        let told = server.data(Anonymous, &document).await;
        let expected = json!({ "one": { "totalCount": 1, "nodes": [{ "name": name }] },
                               "two": { "nodes": [{ "name": "Banyan" }] } });
        assert_eq!(told, expected);
        // One of these is there; the others fail in their transactions.
        let budget = json!({ "category": "Food", "month": "2026-03-01", "limit_amount": 1 });
        let budget = server.rest(User, "POST", "/budgets", budget).await;
        assert!([201, 409].contains(&budget.status), "{} {}", budget.status, budget.text);
    }))
    .await;

    let sessions = pooled.sessions().await;
    assert_eq!(sessions.len(), SESSIONS);
    for session in &sessions {
        let left = "select current_setting('timezone') || ' ' || current_setting('statement_timeout') || ' '
                    || (select count(*) from pg_prepared_statements) || ' '
                    || (select count(*) from pg_locks where locktype = 'advisory')";
        let row = session.query_typed(left, &[]).await.expect("a row");
        assert_eq!(row[0].get::<_, &str>(0), "Asia/Kathmandu 0 0 0");
    }
}

/// What a session is set to elsewhere, each statement has here as well.
#[tokio::test]
async fn every_statement_runs_by_the_server_s_settings() {
    let setup = Setup {
        configure: |config| config.database.statement_timeout = Duration::from_millis(500),
        sql: vec![
            "alter table trees rename to planted".to_owned(),
            "create function zone() returns text language sql stable as $$ select current_setting('timezone') $$"
                .to_owned(),
            "create view trees as select id, name, zone() as species from planted
             where id <> 4 or (select true from pg_sleep(60))"
                .to_owned(),
        ],
        ..Setup::default()
    };
    let Pooled { server, cluster, .. } = &Pooled::start(setup).await;
    let slow = server.get(Anonymous, "/trees").await.expect(504);
    assert_eq!(slow.failure().code, "57014");
    server.graphql(Anonymous, "{ trees { totalCount } }", Value::Null).await.refused("TIMEOUT");
    cluster.execute("create or replace view trees as select id, name, zone() as species from planted").await;
    assert_eq!(server.get(Anonymous, "/trees/1").await.expect(200).json()["species"], "UTC");
    let told = server.data(Anonymous, "{ a: tree(id: 1) { species } b: tree(id: 2) { species } }").await;
    assert_eq!(told, json!({ "a": { "species": "UTC" }, "b": { "species": "UTC" } }));
}

/// A page that goes on its way as its rows come, in a transaction of many fetches.
#[tokio::test]
async fn a_long_page_is_whole() {
    let setup = Setup {
        configure: |config| config.limits.max_rows = 10_000,
        sql: vec![
            "insert into trees (name, species) select 'Birch ' || n, 'Betula' from generate_series(5, 9000) n"
                .to_owned(),
        ],
        ..Setup::default()
    };
    let server = &Pooled::start(setup).await.server;
    let prefer = [("prefer", "count=exact")];
    let pages = (0..6).map(async |_| {
        let page = server.rest_with(Anonymous, "GET", "/trees", Value::Null, &prefer).await.expect(200);
        assert_eq!(page.header("content-range"), "0-8999/9000");
        assert_eq!(page.json().as_array().expect("rows").len(), 9_000);
    });
    join_all(pages).await;
}

/// A request whose client goes away ends in the database, through the pooler.
#[tokio::test]
async fn what_nobody_waits_for_ends_in_the_database() {
    let setup = Setup {
        configure: |config| config.http.request_timeout = Duration::from_secs(1),
        sql: vec![
            "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(600); return new; end $$"
                .to_owned(),
            "create trigger slow after insert on trees for each row execute function slow()".to_owned(),
        ],
        ..Setup::default()
    };
    let Pooled { server, cluster, .. } = &Pooled::start(setup).await;
    for by_rest in [true, false] {
        let answer = plant(server, "Yew", by_rest).await;
        assert!(answer.status == 504 || answer.failure().code == "TIMEOUT", "{} {}", answer.status, answer.text);
        let since = Instant::now();
        let running = "select 1 from pg_stat_activity where query like '%insert into%' and state <> 'idle'
                       and pid <> pg_backend_pid()";
        while !cluster.query(running).await.is_empty() {
            assert!(since.elapsed() < PATIENCE, "the statement goes on");
            sleep(Duration::from_millis(50)).await;
        }
        // Some versions of PgBouncer end when they are not told of it as they like.
        server.get(Anonymous, "/trees").await.expect(200);
    }
    assert_eq!(cluster.query("select count(*) from trees").await, [["4"]]);
}

/// What an operator does to a pooler in use: its clients wait, and that is all.
#[tokio::test]
async fn a_pause_and_new_sessions_cost_no_request() {
    let Pooled { server, pooler, cluster } = &Pooled::start(Setup::default()).await;
    let over = AtomicBool::new(false);
    let load = async |by_rest: bool| {
        let mut planted = 0;
        while !over.load(Ordering::Relaxed) {
            let answer = plant(server, "Yew", by_rest).await;
            assert!(answer.status < 300 && !answer.text.contains("errors"), "{} {}", answer.status, answer.text);
            server.get(Anonymous, "/trees?limit=3").await.expect(200);
            planted += 1;
        }
        planted
    };
    let operate = async {
        for _ in 0..3 {
            pooler.command("reconnect").await;
            sleep(Duration::from_millis(100)).await;
            pooler.command("pause").await;
            sleep(Duration::from_millis(200)).await;
            pooler.command("resume").await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let (one, two, ()) = tokio::join!(load(true), load(false), operate);
    assert_eq!(cluster.query("select count(*) from trees where name = 'Yew'").await, [[(one + two).to_string()]]);
}

/// One that is killed takes its connections with it: what was acknowledged is there, and soon all is well.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_pooler_in_the_place_of_one_that_died() {
    let Pooled { server, mut pooler, cluster } = Pooled::start(Setup::default()).await;
    let over = AtomicBool::new(false);
    let load = async |by_rest: bool| {
        let (mut done, mut unknown) = (0, 0);
        while !over.load(Ordering::Relaxed) {
            let answer = plant(&server, "Yew", by_rest).await;
            if answer.status < 300 && !answer.text.contains("errors") {
                done += 1;
            } else {
                assert!(
                    answer.status == 503 || answer.failure().code == "UNAVAILABLE",
                    "{} {}",
                    answer.status,
                    answer.text
                );
                unknown += 1;
            }
        }
        (done, unknown)
    };
    let operate = async {
        for _ in 0..3 {
            sleep(Duration::from_millis(300)).await;
            block_in_place(|| pooler.restart());
        }
        let since = Instant::now();
        while server.get(Anonymous, "/readyz").await.status != 200 {
            assert!(since.elapsed() < PATIENCE, "the server does not come back");
        }
        over.store(true, Ordering::Relaxed);
    };
    let (one, two, ()) = tokio::join!(load(true), load(false), operate);
    let planted: u64 =
        cluster.query("select count(*) from trees where name = 'Yew'").await[0][0].parse().expect("a number");
    let (done, unknown) = (one.0 + two.0, one.1 + two.1);
    assert!(done > 0 && (done..=done + unknown).contains(&planted), "{done} were acknowledged, {planted} are there");
}

/// Of a type that it does not know the driver would ask by named statements, and find another client's.
#[tokio::test]
async fn types_that_only_the_database_knows_are_told_without_a_name() {
    let catalog = || rootstock::entities::resources().add::<graft::species::Entity>().build().expect("a catalogue");
    let setup = || Setup { catalog: catalog(), ..Setup::default() };
    let one = start_pooled(setup()).await;
    one.app.database.migrate::<graft::species::Grafted>(Migrate::Up).await.expect("its migration");
    graft::plant(&one).await;
    let two = one.another_with(setup()).await;
    for server in [&one, &two, &one] {
        for path in ["/species?select=id,status", "/species?order=status&limit=2", "/species?select=status,count()"] {
            server.get(User, path).await.expect(200);
        }
        let document = "{ speciesList(first: 2, orderBy: [{ status: ASC }]) { nodes { id status } edges { cursor } } }";
        server.data(User, document).await;
    }
}
