//! The codes of failures and their statuses, from both databases: PostgREST's where it has one, else the SQLSTATE.

use super::quotas::with_quotas;
use crate::support::{Caller::*, Dialect, Setup, on_both, on_both_with, start_with};
use rootstock::config::Config;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_not_there_is_told_in_postgrests_words() {
    on_both(async |server| {
        let table = |name: &str| format!("Could not find the table 'public.{name}' in the schema cache");
        let tables = json!("Perhaps you meant the table 'public.trees'");
        let column = json!("Perhaps you meant to reference the column \"trees.species\".");
        for (path, status, code, message, hint) in [
            ("/treez", 404, "PGRST205", table("treez"), tables.clone()),
            ("/treez?x=y", 404, "PGRST205", table("treez"), tables.clone()),
            ("/treez/1", 404, "PGRST205", table("treez"), tables),
            ("/credentials", 404, "PGRST205", table("credentials"), Value::Null),
            ("/trees?speces=eq.x", 400, "42703", "column trees.speces does not exist".to_owned(), column.clone()),
            ("/trees?or=(speces.eq.x)", 400, "42703", "column trees.speces does not exist".to_owned(), column.clone()),
            ("/trees?select=speces", 400, "42703", "column trees.speces does not exist".to_owned(), column.clone()),
            ("/trees?order=speces", 400, "42703", "column trees.speces does not exist".to_owned(), column),
            ("/trees?zzz=is.null", 400, "42703", "column trees.zzz does not exist".to_owned(), Value::Null),
        ] {
            let answer = server.get(Anonymous, path).await.expect(status).refused(code).json();
            assert_eq!((&answer["message"], &answer["hint"]), (&json!(message), &hint), "{path}");
            assert_eq!(answer.as_object().map(serde_json::Map::len), Some(4), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_value_that_is_none_of_its_type_has_one_code_on_both_databases() {
    on_both(async |server| {
        for (query, code) in [
            ("id=eq.x", "22P02"),
            ("id=in.(1,x)", "22P02"),
            ("id=gt.1.5", "22P02"),
            ("name=like.\\", "22025"),
            ("name=match.[", "2201B"),
            ("name=fts.a+b", "42601"),
            ("name=fts(klingon).a", "42704"),
            ("id=like.1", "42883"),
            ("name=cs.{a}", "42883"),
            ("name=is.true", "42804"),
            ("name=1", "PGRST100"),
            ("limit=-1", "PGRST103"),
        ] {
            let status = match code {
                "PGRST103" => 416,
                "42883" => 404,
                _ => 400,
            };
            server.get(Anonymous, &format!("/trees?{query}")).await.expect(status).refused(code);
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_table_does_not_allow_has_the_code_of_its_constraint() {
    with_quotas(async |server| {
        let quota = |name: &str, amount: i64| json!({ "name": name, "amount": amount });
        server.rest(User, "POST", "/quotas", quota("a", 1)).await.expect(201);
        server.rest(User, "POST", "/quotas", quota("a", 2)).await.expect(409).refused("23505");
        server.rest(User, "POST", "/quotas", quota("b", 2_000)).await.expect(400).refused("23514");
        // What the catalogue knows is told before the database is asked.
        server.rest(User, "POST", "/quotas", json!({ "amount": 1 })).await.expect(422).refused("23514");
        server.sql("create table leaves (tree integer not null references trees (id))").await;
        server.sql("create table buds (tree integer not null references trees (id) on delete restrict)").await;
        server.sql("insert into leaves values (1)").await;
        server.sql("insert into buds values (2)").await;
        for tree in [1, 2] {
            let answer = server.rest(Admin, "DELETE", &format!("/trees/{tree}"), Value::Null).await;
            answer.expect(409).refused("23503").saying("stands in the way");
        }
        server.rest(Admin, "DELETE", "/trees/3", Value::Null).await.expect(204);
    })
    .await;
}

/// A trigger refuses new trees by the code that is their name.
const REFUSES: [&str; 2] = [
    "create function refuse() returns trigger language plpgsql as $$ begin
        raise exception 'no % here', new.species using errcode = new.name; end $$",
    "create trigger refuse before insert on trees for each row execute function refuse()",
];

#[tokio::test]
async fn each_sqlstate_has_its_status() {
    let sql = REFUSES.map(str::to_owned).to_vec();
    let server = start_with(Dialect::Postgres, Setup { sql, ..Setup::default() }).await;
    for (code, status) in [
        ("08006", 503),
        ("22001", 400),
        ("22003", 400),
        ("22007", 400),
        ("22012", 400),
        ("22P02", 400),
        ("23001", 409),
        ("23502", 400),
        ("23503", 409),
        ("23505", 409),
        ("23514", 400),
        ("23P01", 400),
        ("25006", 405),
        ("28000", 403),
        ("0LP01", 403),
        ("0P000", 403),
        ("42501", 403),
        ("40001", 503),
        ("40P01", 503),
        ("55P03", 503),
        ("53100", 503),
        ("53300", 503),
        ("57P01", 503),
        ("57014", 504),
    ] {
        let answer = server.rest(Editor, "POST", "/trees", json!({ "name": code, "species": "oak" })).await;
        let answer = answer.expect(status).refused(code);
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503, "{code}");
        // The database's own words are in the log.
        assert!(!answer.text.contains("no oak here"), "{}", answer.text);
    }
    for code in ["2F000", "39000", "42P01", "53400", "54000", "58000", "XX000"] {
        let answer = server.rest(Editor, "POST", "/trees", json!({ "name": code, "species": "oak" })).await;
        let answer = answer.expect(500).refused("PGRSTX00");
        assert!(!answer.text.contains("no oak here"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_a_trigger_raises_is_for_the_caller() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let sql = match dialect {
            Dialect::Postgres => REFUSES.map(|statement| statement.replace(" using errcode = new.name", "")).to_vec(),
            Dialect::Sqlite => vec![
                "create trigger refuse before insert on trees begin select raise(abort, 'no oak here'); end".to_owned(),
            ],
        };
        let server = start_with(dialect, Setup { sql, ..Setup::default() }).await;
        let answer = server.rest(Editor, "POST", "/trees", json!({ "name": "x", "species": "oak" })).await;
        assert_eq!(answer.expect(400).refused("P0001").failure().message, "no oak here");
        let document = r#"mutation { createTree(input: { name: "x", species: "oak" }) { id } }"#;
        let failure = server.graphql(Editor, document, Value::Null).await.failure();
        assert_eq!((&*failure.code, &*failure.message), ("BAD_USER_INPUT", "no oak here"));
    }
}

/// SQLite's file is opened for reading; PostgreSQL's sessions are.
fn read_only(config: &mut Config) {
    config.database.url = config.database.url.expose_secret().replace("mode=rwc", "mode=ro").into();
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_405() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let sql = match dialect {
            Dialect::Sqlite => Vec::new(),
            Dialect::Postgres => vec![
                "do $$ begin execute format('alter database %I set default_transaction_read_only = on', \
                 current_database()); end $$"
                    .to_owned(),
                "set default_transaction_read_only = on".to_owned(),
            ],
        };
        let server = start_with(dialect, Setup { sql, configure: read_only, ..Setup::default() }).await;
        server.get(Anonymous, "/trees").await.expect(200);
        let tree = json!({ "name": "x", "species": "oak" });
        for (method, path, body) in [
            ("POST", "/trees", tree.clone()),
            ("POST", "/trees", json!([tree, tree])),
            ("PATCH", "/trees/1", json!({ "name": "y" })),
            ("PATCH", "/trees?id=eq.1", json!({ "name": "y" })),
            ("DELETE", "/trees/1", Value::Null),
        ] {
            let answer = server.rest(Admin, method, path, body).await.expect(405).refused("25006");
            assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
        }
        let document = r#"mutation { createTree(input: { name: "x", species: "oak" }) { id } }"#;
        server.graphql(Admin, document, Value::Null).await.refused("UNAVAILABLE");
    }
}

#[tokio::test]
async fn a_database_that_does_not_answer_in_time_is_503_and_one_that_is_slow_504() {
    on_both_with(
        || Setup {
            configure: |config| {
                config.database.max_connections = 1;
                config.database.acquire_timeout = std::time::Duration::from_millis(200);
                config.database.statement_timeout = std::time::Duration::from_millis(500);
            },
            ..Setup::default()
        },
        async |server| {
            // Who holds the only connection that writes is somebody else.
            let held = server.app.database.begin().await.expect("a transaction");
            let tree = json!({ "name": "x", "species": "oak" });
            let answer = server.rest(Admin, "POST", "/trees", tree.clone()).await.expect(503);
            assert_eq!(answer.header("retry-after"), "1");
            drop(held);
            if server.dialect == Dialect::Postgres {
                server.sql("create function sleep() returns trigger language plpgsql as $$ begin perform pg_sleep(60); end $$").await;
                server.sql("create trigger sleep before insert on trees for each row execute function sleep()").await;
                server.rest(Admin, "POST", "/trees", tree).await.expect(504).refused("57014");
            }
        },
    )
    .await;
}
