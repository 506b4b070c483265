//! A database that takes no writes: reads go on, writes are refused in each protocol's words, and the server starts.

use super::{pair, tree};
use crate::program::Place;
use crate::support::{Caller::*, KEY, PASSWORD, Setup};
use rootstock::engine::database::Migrate;
use serde_json::{Value, json};

#[tokio::test]
async fn a_read_only_database_is_read() {
    let (cluster, server) = pair(Setup::default()).await;
    let login = json!({ "email": "ann@example.com", "password": PASSWORD });
    let session = server.rest(Anonymous, "POST", "/auth/login", login.clone()).await.expect(200).json();
    let writes = async |on: &str| {
        cluster.execute(&format!("alter system set default_transaction_read_only = {on}")).await;
        cluster.execute("select pg_reload_conf()").await;
        cluster.terminate_backends().await;
    };
    writes("on").await;

    for (caller, method, path, body) in [
        (Editor, "POST", "/trees", tree("x")),
        (Editor, "POST", "/trees", json!([tree("x"), tree("y")])),
        (Editor, "PATCH", "/trees/1", json!({ "name": "x" })),
        (Editor, "PUT", "/trees/1", json!({ "name": "x", "species": "y" })),
        (Editor, "DELETE", "/trees/1", Value::Null),
        (User, "PATCH", "/auth/me", json!({ "name": "Anna" })),
    ] {
        let answer = server.rest(caller, method, path, body).await.expect(405).refused("25006");
        assert!(answer.header("allow").starts_with("GET, HEAD"), "{path}: {:?}", answer.header("allow"));
    }
    for (path, body) in [
        ("/auth/login", login.clone()),
        ("/auth/refresh", json!({ "refresh_token": session["refresh_token"] })),
        ("/auth/logout", json!({ "refresh_token": session["refresh_token"] })),
        ("/auth/register", json!({ "email": "new@example.com", "password": PASSWORD })),
    ] {
        let answer = server.rest(Anonymous, "POST", path, body).await.expect(405).refused("25006");
        // Where nothing helps but a database that can be written to.
        assert_eq!(answer.headers.get("allow").map(|allow| allow.as_bytes()), Some(&b""[..]), "{path}");
    }
    let change = r#"mutation { a: updateTree(id: 1, set: { name: "x" }) { id } b: deleteTree(id: 2) { id } }"#;
    let login_by_graphql = format!(
        r#"mutation {{ login(input: {{ email: "ann@example.com", password: "{PASSWORD}" }}) {{ tokenType }} }}"#
    );
    for document in [super::mutation("x"), change.to_owned(), login_by_graphql] {
        server.graphql(Editor, &document, Value::Null).await.refused("UNAVAILABLE");
    }
    server.get(Anonymous, "/trees").await.expect(200);
    server.get(User, "/auth/me").await.expect(200);
    server.graphql(Anonymous, "{ trees { totalCount } }", Value::Null).await.data();
    server.get(Anonymous, "/readyz").await.expect(200);

    // As the program starts: nothing is pending, so nothing is locked or written.
    server.app.database.migrate::<migration::Migrator>(Migrate::Up).await.expect("nothing to do");
    let place = Place::empty().with("DATABASE_URL", &cluster.url("postgres")).with("JWT_SECRET_KEY", KEY);
    let program = tokio::task::spawn_blocking(move || place.serve()).await.expect("it serves");
    let answer = reqwest::get(format!("{}/readyz", program.base)).await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200, "{}", program.log());

    // Who comes back to a server that can be written to need not know it.
    cluster.execute("alter system reset default_transaction_read_only").await;
    cluster.execute("select pg_reload_conf()").await;
    cluster.terminate_backends().await;
    server.rest(Editor, "POST", "/trees", tree("x")).await.expect(201);
    server.rest(Anonymous, "POST", "/auth/login", login).await.expect(200);
}
