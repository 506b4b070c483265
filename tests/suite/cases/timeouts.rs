//! Time: a request that takes longer than it may, and one whose client goes away, end their statement in the database
//! and write nothing.

use crate::support::{
    Caller::{self, *},
    Dialect, Server, Setup, on_both_with,
};
use rootstock::config::Config;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn slow(configure: fn(&mut Config)) -> Setup {
    Setup { configure, ..Setup::default() }
}

/// From now on a new tree takes for ever, and so does a look at the budgets.
async fn slow_down(server: &Server) {
    let budget = json!({ "category": "food", "month": "2026-01-01", "limit_amount": 1 });
    server.rest(User, "POST", "/budgets", budget).await.expect(201);
    let statements: &[&str] = match server.dialect {
        Dialect::Sqlite => &[
            "create trigger trees_slow after insert on trees begin
                 select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n);
             end",
            "alter table budgets rename to budgets_kept",
            "create view budgets as select * from budgets_kept where
                 (with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n) > 0",
        ],
        Dialect::Postgres => &[
            "create function slow() returns trigger language plpgsql as
                 $$ begin perform pg_sleep(3600); return new; end $$",
            "create trigger trees_slow after insert on trees for each row execute function slow()",
            "alter table budgets rename to budgets_kept",
            "create view budgets as select b.* from budgets_kept b, pg_sleep(3600)",
        ],
    };
    for statement in statements {
        server.sql(statement).await;
    }
}

/// Waits until PostgreSQL runs a statement of `server`'s, or until it runs none any more.
async fn activity(server: &Server, some: bool) {
    let sql = "select pid::text from pg_stat_activity where datname = current_database()
               and state = 'active' and pid <> pg_backend_pid()";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    loop {
        // Within one transaction the view would go on showing what it showed first.
        let transaction = server.app.database.begin().await.expect("a transaction");
        let running = transaction.query_all_raw(statement.clone()).await.expect("rows");
        transaction.rollback().await;
        if running.is_empty() != some {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a statement runs.
async fn busy(server: &Server) {
    match server.dialect {
        // Nobody tells whether it runs; if it does not yet, it will not begin.
        Dialect::Sqlite => sleep(Duration::from_millis(500)).await,
        Dialect::Postgres => timeout(PATIENCE, activity(server, true)).await.expect("the statement has begun"),
    }
}

/// Waits until the database runs nothing of `server`'s any more.
async fn quiet(server: &Server) {
    let quiet = async {
        match server.dialect {
            // There is one writer: as soon as it takes another statement, the one before has ended.
            Dialect::Sqlite => server.sql("update trees set species = species where id = 1").await,
            Dialect::Postgres => activity(server, false).await,
        }
    };
    timeout(PATIENCE, quiet).await.expect("the statement has ended");
}

/// That no new tree is there, and that all is as it was for others.
async fn untouched(server: &Server) {
    quiet(server).await;
    assert_eq!(server.get(Anonymous, "/trees?select=count()").await.expect(200).text, r#"[{"count":4}]"#);
    server.rest(Editor, "PATCH", "/trees/1", json!({ "species": "Ficus" })).await.expect(200);
}

/// The two requests that take for ever, by both protocols.
async fn ask(server: &Server) -> [(u16, String); 4] {
    let rest = async |caller: Caller, method: &str, path: &str, body: Value| {
        let answer = server.rest(caller, method, path, body).await;
        (answer.status, answer.failure().code)
    };
    let graphql = async |caller: Caller, document: &str| {
        let answer = server.graphql(caller, document, Value::Null).await;
        (answer.status, answer.failure().code)
    };
    [
        rest(Editor, "POST", "/trees", json!({ "name": "Yew", "species": "Taxus" })).await,
        rest(User, "GET", "/budgets", Value::Null).await,
        graphql(Editor, r#"mutation { createTree(input: { name: "Yew", species: "Taxus" }) { id } }"#).await,
        graphql(User, "{ budgets { nodes { id } } }").await,
    ]
}

/// With nothing but the request's own time: what waits is dropped, and the database is told.
#[tokio::test]
async fn a_request_that_takes_too_long_ends_its_statement() {
    let setup = || {
        slow(|config| {
            config.http.request_timeout = Duration::from_secs(1);
            config.database.statement_timeout = Duration::from_secs(3_600);
        })
    };
    on_both_with(setup, async |server| {
        slow_down(server).await;
        let [created, read, by_mutation, by_query] = ask(server).await;
        assert_eq!((created.0, read.0), (504, 504));
        for told in [by_mutation, by_query] {
            assert_eq!(told, (504, "TIMEOUT".to_owned()));
        }
        untouched(server).await;
    })
    .await;
}

/// The database's own bound lies below the request's, so that it is the one that answers.
#[tokio::test]
async fn a_statement_has_less_time_than_its_request() {
    let setup = || slow(|config| config.database.statement_timeout = Duration::from_millis(500));
    on_both_with(setup, async |server| {
        if server.dialect == Dialect::Sqlite {
            // It has no such bound: the request's own ends the statement.
            return;
        }
        slow_down(server).await;
        let [created, read, by_mutation, by_query] = ask(server).await;
        for told in [created, read] {
            assert_eq!(told, (504, "57014".to_owned()));
        }
        for told in [by_mutation, by_query] {
            assert_eq!(told, (200, "TIMEOUT".to_owned()));
        }
        untouched(server).await;
    })
    .await;
    let config = Config::for_tests("sqlite::memory:").expect("the defaults");
    assert!(config.database.statement_timeout < config.http.request_timeout);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_statement() {
    let setup = || slow(|config| config.database.statement_timeout = Duration::from_secs(3_600));
    on_both_with(setup, async |server| {
        slow_down(server).await;
        let body = r#"{"name":"Yew","species":"Taxus"}"#;
        let mutation = r#"{"query":"mutation { createTree(input: { name: \"Yew\", species: \"Taxus\" }) { id } }"}"#;
        for (caller, method, path, body) in
            [(Editor, "POST", "/trees", body), (User, "GET", "/budgets", ""), (Editor, "POST", "/graphql", mutation)]
        {
            let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("a connection");
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n{body}",
                server.person(caller).token,
                body.len()
            );
            stream.write_all(request.as_bytes()).await.expect("the request is sent");
            busy(server).await;
            drop(stream);
            quiet(server).await;
        }
        untouched(server).await;
    })
    .await;
}
