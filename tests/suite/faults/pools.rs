//! A pool without a free connection, and a database that is not there: who needs it waits for a bounded time, and who
//! does not, not at all.

use super::{pair, tree};
use crate::support::{Caller::*, Server, Setup, cluster::Mode};
use reqwest::Method;
use rootstock::config::Config;
use serde_json::Value;
use std::{future::pending, time::Duration};
use tokio::time::timeout;

fn small() -> Setup {
    fn configure(config: &mut Config) {
        config.database.max_connections = 3;
        config.database.acquire_timeout = Duration::from_millis(500);
        // Who waited would wait for ever.
        config.http.request_timeout = Duration::from_secs(3_600);
    }
    Setup { configure, ..Setup::default() }
}

/// Answers that need no database come without one.
async fn needs_none(server: &Server) {
    let forged = forged();
    let none = async {
        server.get_by(&forged, "/trees").await.expect(401);
        server.get_by("nonsense", "/expenses").await.expect(401);
        server.get(Anonymous, "/livez").await.expect(200);
        server.get(Anonymous, "/nothing").await.expect(404);
        server.get(Anonymous, "/trees?nonsense=eq.1").await.expect(400);
        server.get(Anonymous, "/trees?id=eq.x").await.expect(400);
        server.get(Anonymous, "/expenses").await.expect(401);
        server.rest(Anonymous, "POST", "/trees", tree("x")).await.expect(401);
        server.rest(Anonymous, "DELETE", "/auth/login", Value::Null).await.expect(405);
        server.rest(Anonymous, "PUT", "/graphql", Value::Null).await.expect(405);
        server.rest_with(Anonymous, "GET", "/trees", Value::Null, &[("accept", "image/png")]).await.expect(406);
        server.text(Anonymous, "POST", "/graphql", "text/plain", "{ __typename }").await.expect(415);
        server.send(server.request(Anonymous, "OPTIONS", "/trees")).await.expect(200);
        let preflight = server.request(Anonymous, "OPTIONS", "/trees").header("access-control-request-method", "GET");
        assert!(server.send(preflight).await.status < 500);
        for path in ["/", "/docs", "/graphiql", "/openapi.json"] {
            assert!(server.get(Anonymous, path).await.status < 500, "{path}");
        }
        server.graphql(Anonymous, "{ nonsense }", Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
        server.graphql(Anonymous, "{", Value::Null).await.refused("GRAPHQL_PARSE_FAILED");
        server.graphql(Anonymous, r#"{ tree(id: "x") { id } }"#, Value::Null).await.refused("BAD_USER_INPUT");
        server.graphql(Anonymous, "{ __typename __schema { queryType { name } } }", Value::Null).await.data();
        server.rest(Anonymous, "POST", "/auth/login", serde_json::json!({})).await.expect(422);
        server.send(server.request(Anonymous, Method::HEAD.as_str(), "/livez")).await.expect(200);
    };
    timeout(Duration::from_secs(20), none).await.expect("nobody waits");
}

/// A token of the right form, signed with another key.
fn forged() -> String {
    let claims = serde_json::json!({ "sub": "00000000-0000-7000-8000-000000000000", "exp": 99_999_999_999_u64 });
    let key = jsonwebtoken::EncodingKey::from_secret(b"a key that nobody here has ever signed with");
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("a token")
}

#[tokio::test]
async fn a_pool_in_use_is_waited_for_by_those_who_need_it_alone() {
    let (_cluster, server) = pair(small()).await;
    server.get(Anonymous, "/readyz").await.expect(200);
    let database = &server.app.database;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(database.read().await.expect("a connection"));
    }
    let pool = database.pools()[0];
    assert_eq!((pool.max, pool.used, pool.idle), (3, 3, 0));
    needs_none(&server).await;
    let counted = async {
        while database.pools()[0].waiting != 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (refused, counted) = tokio::join!(server.get(Anonymous, "/trees"), timeout(Duration::from_secs(10), counted));
    counted.expect("who waits is counted");
    let refused = refused.expect(503).refused("PGRST003");
    assert_eq!(refused.header("retry-after"), "1");
    server.rest(Editor, "POST", "/trees", tree("x")).await.expect(503);
    let refused = server.graphql(Anonymous, "{ trees { totalCount } }", Value::Null).await.refused("UNAVAILABLE");
    assert_eq!(refused.header("retry-after"), "1");
    // It has much to do, and is no less ready than others.
    server.get(Anonymous, "/readyz").await.expect(200);
    drop(held);
    server.get(Anonymous, "/trees").await.expect(200);
    server.rest(Editor, "POST", "/trees", tree("x")).await.expect(201);
}

#[tokio::test]
async fn a_dropped_read_leaves_the_pool_at_once_and_ends_in_the_database() {
    let (cluster, server) = pair(small()).await;
    let database = &server.app.database;
    let sleeping = "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'";
    for _ in 0..5 {
        let slow = async {
            let connection = database.read().await.expect("a connection");
            let statement =
                sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, "select pg_sleep(3600)::text");
            let _ = sea_orm::ConnectionTrait::query_all_raw(&connection, statement).await;
            pending::<()>().await;
        };
        assert!(timeout(Duration::from_millis(200), slow).await.is_err());
        assert_eq!(database.pools()[0].used, 0, "nobody has it, and it is not kept");
    }
    let quiet = async {
        while cluster.query(sleeping).await != [["0"]] {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(10), quiet).await.expect("the statements are cancelled");
}

#[tokio::test]
async fn without_a_database_what_needs_none_is_answered() {
    let (cluster, server) = pair(small()).await;
    cluster.stop(Mode::Fast).await;
    needs_none(&server).await;
    server.get(Anonymous, "/trees").await.expect(503);
    server.get(Anonymous, "/readyz").await.expect(503);
}
