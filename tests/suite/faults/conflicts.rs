//! Transactions that the database ends for the sake of others: they are begun again, a few times, from the start.

use super::{made, pair, tree};
use crate::support::{Caller::*, Dialect, PASSWORD, Server, Setup, cluster::Cluster, start_with};
use serde_json::{Value, json};
use std::time::Duration;

/// From now on the first writes of a table fail, as many as `times`, with `state`; and how often one was tried is known.
async fn conflict(cluster: &Cluster, table: &str, times: u32, state: &str) {
    cluster
        .execute(&format!(
            "create sequence if not exists tried;
             alter sequence tried restart;
             create or replace function conflict() returns trigger language plpgsql as $$
                 begin
                     if nextval('tried') <= {times} then raise exception 'others' using errcode = '{state}'; end if;
                     return new;
                 end $$;
             drop trigger if exists conflict on {table};
             create trigger conflict before insert or update on {table} for each row execute function conflict()"
        ))
        .await;
}

async fn tried(cluster: &Cluster) -> String {
    cluster.query("select last_value from tried").await[0][0].clone()
}

#[tokio::test]
async fn a_transaction_is_begun_again_from_its_start() {
    let (cluster, server) = pair(Setup::default()).await;
    for (number, state) in ["40001", "40P01"].into_iter().enumerate() {
        let name = |what: &str| format!("{what} {number}");
        let again = async || conflict(&cluster, "trees", 3, state).await;
        again().await;
        server.rest(Editor, "POST", "/trees", tree(&name("a"))).await.expect(201);
        assert_eq!(tried(&cluster).await, "4");
        again().await;
        server.rest(Editor, "POST", "/trees", json!([tree(&name("b")), tree(&name("c"))])).await.expect(201);
        assert_eq!(tried(&cluster).await, "5", "three times the first, and both");
        again().await;
        server.graphql(Editor, &super::mutation(&name("d")), Value::Null).await.data();
        again().await;
        // What goes before is done again as well: the key of the deleted row is not found twice.
        let document = format!(
            r#"mutation {{ a: updateTree(id: 1, set: {{ name: "{}" }}) {{ name }}
                           b: createTree(input: {{ name: "{}", species: "Taxus" }}) {{ id }} }}"#,
            name("Banyan"),
            name("e"),
        );
        let data = server.graphql(Editor, &document, Value::Null).await.data();
        assert_eq!(data["a"]["name"], name("Banyan"));
        cluster.execute("delete from idempotency_keys").await;
        again().await;
        let key = [("idempotency-key", "once")];
        let once = async || server.rest_with(Editor, "POST", "/trees", tree(&name("f")), &key).await.expect(201);
        assert_eq!(once().await.text, once().await.text);
        cluster.execute("drop trigger conflict on trees").await;

        conflict(&cluster, "users", 3, state).await;
        let email = format!("new-{number}@example.com");
        let account = json!({ "email": email, "password": PASSWORD });
        server.rest(Anonymous, "POST", "/auth/register", account).await.expect(201);
        server.rest(User, "PATCH", "/auth/me", json!({ "name": name("Ann") })).await.expect(200);
        cluster.execute("drop trigger conflict on users").await;
    }
    assert_eq!(made(&cluster).await.len(), 2 * 6);
}

#[tokio::test]
async fn a_transaction_is_not_begun_again_for_ever() {
    let (cluster, server) = pair(Setup::default()).await;
    conflict(&cluster, "trees", 1_000, "40001").await;
    let answer = server.rest(Editor, "POST", "/trees", tree("a")).await.expect(503).refused("40001");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(tried(&cluster).await, "6");
    server.graphql(Editor, &super::mutation("b"), Value::Null).await.refused("UNAVAILABLE");
    assert_eq!(tried(&cluster).await, "12");
    // What is wrong for another reason is wrong once.
    conflict(&cluster, "trees", 1_000, "23514").await;
    server.rest(Editor, "POST", "/trees", tree("a")).await.expect(400);
    assert_eq!(tried(&cluster).await, "1");
}

/// A deadlock of two documents that write two rows in opposite orders, and rows that are written by all at once where a
/// transaction sees one state of the database.
#[tokio::test]
async fn writers_who_meet_all_succeed() {
    let (cluster, server) = pair(Setup::default()).await;
    let document = |first: u32, second: u32| {
        format!(
            r#"mutation {{ a: updateTree(id: {first}, set: {{ species: "one" }}) {{ id }}
                           b: updateTree(id: {second}, set: {{ species: "two" }}) {{ id }} }}"#
        )
    };
    for isolation in ["read committed", "repeatable read", "serializable"] {
        cluster.execute(&format!("alter database postgres set default_transaction_isolation = '{isolation}'")).await;
        cluster.terminate_backends().await;
        for _ in 0..5 {
            let (ahead, back) = (document(1, 2), document(2, 1));
            let (a, b, c) = tokio::join!(
                server.graphql(Editor, &ahead, Value::Null),
                server.graphql(Editor, &back, Value::Null),
                server.rest(Editor, "PATCH", "/trees/1", json!({ "name": "Banyan" })),
            );
            for answer in [a, b] {
                answer.data();
            }
            c.expect(200);
        }
    }
}

/// SQLite has one writer, which may be in another process: it is waited for, and what waited too long does not happen.
#[tokio::test]
async fn a_locked_file_is_waited_for_and_no_longer_than_that() {
    fn configure(config: &mut rootstock::config::Config) {
        config.http.request_timeout = Duration::from_secs(1);
    }
    let server: Server = start_with(Dialect::Sqlite, Setup { configure, ..Setup::default() }).await;
    let file = server.sqlite_file();
    let other = rusqlite::Connection::open(file).expect("the file");
    server.rest(Editor, "POST", "/trees", tree("before")).await.expect(201);
    other.execute_batch("begin immediate").expect("the lock");
    for answer in [
        server.rest(Editor, "POST", "/trees", tree("a")).await,
        server.rest(Editor, "POST", "/trees", json!([tree("b"), tree("c")])).await,
    ] {
        assert!(matches!(answer.status, 503 | 504), "{}", answer.text);
    }
    // Who reads does not wait for who writes.
    server.get(Anonymous, "/trees?limit=1").await.expect(200);
    server.get(Anonymous, "/readyz").await.expect(200);
    other.execute_batch("rollback").expect("the lock is given up");
    let next = async { while server.rest(Editor, "POST", "/trees", tree("after")).await.status != 201 {} };
    tokio::time::timeout(Duration::from_secs(10), next).await.expect("writes go on");
    let names = server.get(Anonymous, "/trees?species=eq.Taxus&select=name&order=id").await.expect(200).json();
    let names: Vec<_> = names.as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["before", "after"]);
}
