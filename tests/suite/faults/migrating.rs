//! Instances that migrate: one that is killed half way leaves nothing half done, and one that waits for another says so
//! and can be told to stop. The real program, on both databases.

use crate::{program::Place, support::postgres};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

const KEY: &str = "a-key-that-the-instances-share-0123456789";

/// How long a migration may take to come to where it is held up.
const PATIENCE: Duration = Duration::from_secs(60);

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// Waits until a migration waits for the end of another transaction.
async fn held_up(client: &Client) {
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event = 'transactionid'";
    let since = Instant::now();
    while client.query_one(waiting, &[]).await.expect("a row").get::<_, i64>(0) == 0 {
        assert!(since.elapsed() < PATIENCE, "nobody waits");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn trees(place: &Place) -> usize {
    let server = place.serve();
    let trees = reqwest::get(format!("{}/trees?select=id", server.base)).await.expect("an answer");
    let trees: Vec<serde_json::Value> = trees.json().await.expect("an array");
    trees.len()
}

/// Whether each migration is applied, as the program tells it.
fn applied(place: &Place) -> Vec<bool> {
    place.succeeds(&["migrate", "status"]).lines().map(|line| line.starts_with("applied ")).collect()
}

/// The last of them waits for a table of the same name that somebody is about to make; those before it have run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_is_killed_while_it_migrates_postgresql_leaves_it_to_the_next() {
    for pooled in [false, true] {
        let database = postgres::database().await;
        let url = if pooled { database.pooled_url() } else { database.url() };
        let place = Place::empty().with("DATABASE_URL", &url).with("JWT_SECRET_KEY", KEY);
        let holder = client(&database.url()).await;
        holder.batch_execute("begin; create table identities (n integer)").await.expect("a table");

        let server = place.start();
        held_up(&client(&database.url()).await).await;
        server.kill();
        holder.batch_execute("rollback").await.expect("the end");

        let after = applied(&place);
        assert!(after.len() > 4 && !after.contains(&true), "all or nothing, whenever it was killed: {after:?}");
        assert_eq!(trees(&place).await, 4);
        assert!(!applied(&place).contains(&false));
    }
}

/// SQLite's migrations take a moment: it is killed at one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_is_killed_while_it_migrates_sqlite_leaves_it_to_the_next() {
    let place = Place::empty().with("JWT_SECRET_KEY", KEY).with("DATABASE_URL", "sqlite://test.db?mode=rwc");
    for step in 0..25 {
        let server = place.start();
        sleep(Duration::from_millis(4 * step)).await;
        server.kill();
        let after = applied(&place);
        assert!(after.iter().all(|applied| *applied == after[0]), "all or nothing, after {step}: {after:?}");
        if after[0] {
            break;
        }
    }
    assert_eq!(trees(&place).await, 4);
    assert!(!applied(&place).contains(&false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_anothers_migrations_says_so_and_stops_when_told() {
    let database = postgres::database().await;
    let place = || Place::empty().with("DATABASE_URL", &database.url()).with("JWT_SECRET_KEY", KEY);
    let holder = client(&database.url()).await;
    holder.batch_execute("begin; create table identities (n integer)").await.expect("a table");
    let (here, there, elsewhere) = (place(), place(), place());
    let first = here.start();
    held_up(&client(&database.url()).await).await;

    let waiting = "another instance migrates the database";
    let second = there.start();
    second.says(waiting);
    assert_eq!(second.terminate().code, Some(0), "told to stop, it does not wait for the other's end");
    let third = elsewhere.start();
    third.says(waiting);
    assert!(!first.log().contains(waiting), "{}", first.log());

    holder.batch_execute("rollback").await.expect("the end");
    for server in [first, third] {
        server.says("listening");
        assert_eq!(server.terminate().code, Some(0));
    }
    assert_eq!(trees(&here).await, 4, "planted once");
}
