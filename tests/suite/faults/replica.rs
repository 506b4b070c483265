//! Reads on a replica by streaming replication: what goes there, what must not, and what becomes of requests when it is
//! behind, takes a statement away, or is gone.

use crate::support::{
    Caller::*,
    PASSWORD, Server, Setup,
    cluster::{Cluster, Mode},
    faults,
    pgbouncer::PgBouncer,
};
use rootstock::auth::users;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::{task::spawn_blocking, time::sleep};

/// How long a server may take to notice that its replica is there again, or is not.
const PATIENCE: Duration = Duration::from_secs(30);

/// A primary, a hot standby of it, and a server that reads there. It is dropped first, its primary last.
struct Pair {
    server: Server,
    standby: Cluster,
    primary: Cluster,
}

impl Pair {
    async fn start(settings: &[(&str, &str)], setup: Setup) -> Self {
        let primary = Cluster::start(&[("fsync", "off")]).await;
        let standby = primary.standby(settings).await;
        let replica = Some(standby.url("postgres"));
        let server = Server::over(&primary.url("postgres"), Setup { replica, ..setup }).await;
        standby.wait_for_replay(&primary).await;
        Self { server, standby, primary }
    }

    async fn usual() -> Self {
        Self::start(&[], Setup::default()).await
    }

    /// Reads until the number of trees is `count`: by the replica that shows so many, or by the primary that does.
    async fn reads(&self, count: usize) {
        let since = Instant::now();
        while trees(&self.server).await != count {
            assert!(since.elapsed() < PATIENCE, "the trees are still not {count}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn trees(server: &Server) -> usize {
    server.get(Anonymous, "/trees").await.expect(200).json().as_array().expect("rows").len()
}

async fn plant(server: &Server, name: &str) -> Value {
    let tree = json!({ "name": name, "species": "Taxus baccata" });
    server.rest(Editor, "POST", "/trees", tree).await.expect(201).json()
}

#[tokio::test]
async fn reads_go_to_the_replica_and_what_writes_sees_itself() {
    let Pair { server, standby, primary } = &Pair::usual().await;
    standby.pause_replay().await;

    // What a write answers, it has read where it wrote.
    let yew = plant(server, "Yew").await;
    let path = format!("/trees/{}", yew["id"]);
    let planted = server
        .data(
            Editor,
            r#"mutation { one: createTree(input: { name: "Rowan", species: "Sorbus" }) { name }
                          two: updateTree(id: 5, set: { name: "Old yew" }) { name species } }"#,
        )
        .await;
    assert_eq!(
        planted,
        json!({ "one": { "name": "Rowan" }, "two": { "name": "Old yew", "species": "Taxus baccata" } })
    );
    let renamed = server.rest_with(
        Editor,
        "PATCH",
        &path,
        json!({ "name": "Yew" }),
        // The state of the row is looked at where it is changed: that of a read from behind would be another.
        &[("if-match", "\"of a state that never was\"")],
    );
    renamed.await.expect(412);
    server.rest(Editor, "PATCH", &path, json!({ "name": "Yew" })).await.expect(200);

    // A read is as old as the replica.
    assert_eq!(trees(server).await, 4);
    server.get(Anonymous, &path).await.expect(404);
    assert_eq!(server.data(Anonymous, "{ trees { totalCount } }").await["trees"]["totalCount"], 4);
    for (count, status) in [("exact", 200), ("planned", 206), ("estimated", 200)] {
        let headers = [("prefer", &*format!("count={count}"))];
        let page = server.rest_with(Anonymous, "GET", "/trees", Value::Null, &headers).await;
        assert!([200, status].contains(&page.status), "{} {}", page.status, page.text);
        assert!(page.header("content-range").starts_with("0-3/"), "{}", page.header("content-range"));
    }

    standby.resume_replay().await;
    standby.wait_for_replay(primary).await;
    assert_eq!(trees(server).await, 6);
    server.get(Anonymous, &path).await.expect(200);
}

/// Both behind a pooler in transaction mode.
#[tokio::test]
async fn a_replica_may_be_behind_a_pooler() {
    let primary = Cluster::start(&[("fsync", "off")]).await;
    let standby = primary.standby(&[]).await;
    let pooler = async |cluster: &Cluster| {
        let port = cluster.port();
        spawn_blocking(move || PgBouncer::start(port)).await.expect("a pooler")
    };
    let (before_primary, before_standby) = (pooler(&primary).await, pooler(&standby).await);
    let setup = Setup { replica: Some(before_standby.url("postgres")), ..Setup::default() };
    let server = &Server::over(&before_primary.url("postgres"), setup).await;
    standby.wait_for_replay(&primary).await;
    standby.pause_replay().await;
    plant(server, "Yew").await;
    assert_eq!(trees(server).await, 4);
    let headers = [("prefer", "count=exact")];
    let page = server.rest_with(Anonymous, "GET", "/trees", Value::Null, &headers).await.expect(200);
    assert_eq!(page.header("content-range"), "0-3/4");
    drop(before_standby);
    assert_eq!(trees(server).await, 5, "without its pooler the replica is away");
}

/// More rows than are held at once: they are told out of a snapshot of the standby.
#[tokio::test]
async fn a_long_page_comes_from_the_replica() {
    let setup = Setup { configure: |config| config.limits.max_rows = 5_000, ..Setup::default() };
    let Pair { server, standby, primary } = &Pair::start(&[], setup).await;
    server.sql("insert into trees (name, species) select 'Birch', 'Betula' from generate_series(1, 3000)").await;
    standby.wait_for_replay(primary).await;
    standby.pause_replay().await;
    server.sql("delete from trees").await;
    for (prefer, range) in [("count=exact", "0-3003/3004"), ("", "0-3003/*")] {
        let page = server.rest_with(Anonymous, "GET", "/trees", Value::Null, &[("prefer", prefer)]).await.expect(200);
        assert_eq!(page.header("content-range"), range);
        assert_eq!(page.json().as_array().expect("rows").len(), 3_004);
    }
}

/// Whoever signs in, is shut out, or comes twice, is judged by what the primary knows.
#[tokio::test]
async fn accounts_are_those_of_the_primary() {
    let Pair { server, standby, .. } = &Pair::usual().await;
    standby.pause_replay().await;

    let body = json!({ "email": "new@example.com", "password": PASSWORD, "name": "New" });
    let session = server.rest(Anonymous, "POST", "/auth/register", body).await.expect(201).json();
    assert_eq!(session["user"]["email"], "new@example.com");
    let token = session["access_token"].as_str().expect("a token");
    assert_eq!(server.get_by(token, "/auth/me").await.expect(200).json()["name"], "New");
    let login = format!(
        r#"mutation {{ login(input: {{ email: "new@example.com", password: "{PASSWORD}" }}) {{ refreshToken user {{ name }} }} }}"#
    );
    let login = server.data(Anonymous, &login).await;
    assert_eq!(login["login"]["user"]["name"], "New");

    // A token that was used, whatever the replica has heard of its use.
    let refresh =
        async |token: &Value| server.rest(Anonymous, "POST", "/auth/refresh", json!({ "refresh_token": token })).await;
    let first = &login["login"]["refreshToken"];
    refresh(first).await.expect(200);
    refresh(first).await.expect(401);

    // A key that was used.
    let key = [("idempotency-key", "k")];
    let tea = json!({ "title": "Tea", "amount": 4.5 });
    let first = server.rest_with(User, "POST", "/expenses", tea.clone(), &key).await.expect(201);
    let again = server.rest_with(User, "POST", "/expenses", tea, &key).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &first.text));

    // Shut out at the primary, by another process.
    let id = session["user"]["id"].as_str().and_then(|id| uuid::Uuid::parse_str(id).ok()).expect("a UUID");
    users::set_disabled(&server.app.database, id, true).await.expect("shut out");
    let since = Instant::now();
    while server.get_by(token, "/auth/me").await.status != 401 {
        assert!(since.elapsed() < Duration::from_secs(5), "the token is still good");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn reads_go_to_the_primary_while_the_replica_is_away() {
    let pair = Pair::usual().await;
    let (server, standby) = (&pair.server, &pair.standby);
    for mode in [Mode::Fast, Mode::Immediate] {
        // Under load: no request may notice.
        let stopped = AtomicBool::new(false);
        let load = async |path: &'static str| {
            let mut asked = 0;
            while !stopped.load(Ordering::Relaxed) {
                server.get(Anonymous, path).await.expect(200);
                server.graphql(Anonymous, "{ trees { totalCount nodes { name } } }", Value::Null).await.data();
                asked += 1;
            }
            asked
        };
        let stop = async {
            standby.stop(mode).await;
            sleep(Duration::from_millis(300)).await;
            stopped.store(true, Ordering::Relaxed);
        };
        let (one, two, ()) = tokio::join!(load("/trees"), load("/trees?limit=2"), stop);
        assert!(one > 0 && two > 0);

        // Nothing of it makes this instance one that balancers leave.
        server.get(Anonymous, "/readyz").await.expect(200);
        let seen = trees(server).await;
        plant(server, "Yew").await;
        assert_eq!(trees(server).await, seen + 1, "the primary is read");

        standby.start_again().await;
        standby.wait_for_replay(&pair.primary).await;
        standby.pause_replay().await;
        plant(server, "Rowan").await;
        pair.reads(seen + 1).await;
        standby.resume_replay().await;
        standby.wait_for_replay(&pair.primary).await;
    }
}

/// One that takes connections and says nothing costs those their time who ask it first, and nobody after them.
#[tokio::test]
async fn a_replica_that_stalls_is_left() {
    if !faults::long() {
        return;
    }
    let setup = Setup {
        configure: |config| {
            config.http.request_timeout = Duration::from_secs(2);
            config.database.acquire_timeout = Duration::from_secs(1);
            config.database.statement_timeout = Duration::from_millis(1_800);
        },
        ..Setup::default()
    };
    let pair = Pair::start(&[], setup).await;
    let (server, standby) = (&pair.server, &pair.standby);
    assert_eq!(trees(server).await, 4);
    standby.pause().await;
    plant(server, "Yew").await;
    let since = Instant::now();
    loop {
        let answer = server.get(Anonymous, "/trees").await;
        if answer.status == 200 {
            assert_eq!(answer.json().as_array().expect("rows").len(), 5);
            break;
        }
        assert!([503, 504].contains(&answer.status), "{} {}", answer.status, answer.text);
        assert!(since.elapsed() < PATIENCE, "the replica is still asked");
    }
    for _ in 0..20 {
        assert_eq!(trees(server).await, 5, "nobody asks it again");
    }
    standby.resume().await;
    standby.wait_for_replay(&pair.primary).await;
    standby.pause_replay().await;
    plant(server, "Rowan").await;
    pair.reads(5).await;
}

/// A standby ends a statement that reads what the primary has taken away: it is asked of the primary then.
#[tokio::test]
async fn what_the_replica_takes_back_the_primary_answers() {
    let setup = Setup {
        // So that a page without a limit is one that is told out of a snapshot.
        configure: |config| config.limits.max_rows = 5_000,
        sql: vec![
            "alter table trees rename to planted".to_owned(),
            "create function dawdle() returns boolean language plpgsql stable as $$ begin
                 if pg_is_in_recovery() then perform pg_sleep(60); end if; return true; end $$"
                .to_owned(),
            "create view trees as select * from planted where (select dawdle())".to_owned(),
        ],
        ..Setup::default()
    };
    let Pair { server, standby, primary } = &Pair::start(&[("max_standby_streaming_delay", "0")], setup).await;
    let running =
        "select 1 from pg_stat_activity where state = 'active' and query like '%trees%' and pid <> pg_backend_pid()";
    for (number, path) in ["/trees", "/trees?limit=4"].into_iter().enumerate() {
        let conflict = async {
            while standby.query(running).await.is_empty() {
                sleep(Duration::from_millis(20)).await;
            }
            // A lock of which the standby hears, and which the reader is in the way of.
            primary.execute(&format!("alter table planted add column n{number} integer")).await;
        };
        let (answer, ()) = tokio::join!(server.get(Anonymous, path), conflict);
        assert_eq!(answer.expect(200).json().as_array().expect("rows").len(), 4);
    }
}

/// During a deployment the replica may not know the schema yet that the primary has.
#[tokio::test]
async fn a_schema_that_is_behind_is_no_answer() {
    let primary = Cluster::start(&[("fsync", "off")]).await;
    let standby = primary.standby(&[]).await;
    standby.pause_replay().await;
    let setup = Setup {
        replica: Some(standby.url("postgres")),
        configure: |config| config.limits.max_rows = 5_000,
        ..Setup::default()
    };
    let server = &Server::over(&primary.url("postgres"), setup).await;
    assert_eq!(trees(server).await, 4);
    assert_eq!(server.data(Anonymous, "{ trees { totalCount } tree(id: 1) { name } }").await["tree"]["name"], "Banyan");

    server.sql("alter table trees rename column species to kind").await;
    standby.resume_replay().await;
    standby.wait_for_replay(&primary).await;
    standby.pause_replay().await;
    server.sql("alter table trees rename column kind to species").await;
    assert_eq!(trees(server).await, 4);
    assert_eq!(server.get(Anonymous, "/trees?limit=2").await.expect(200).json()[1]["species"], "Populus tremula");
    assert_eq!(server.data(Anonymous, "{ trees { totalCount } tree(id: 1) { name } }").await["tree"]["name"], "Banyan");
}
