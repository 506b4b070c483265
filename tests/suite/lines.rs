//! The line of each request in the log of the real program.

use crate::{command::PASSWORD, program::Place};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    time::{sleep, timeout},
};

/// The line of the request with this id.
fn line(log: &str, id: &str) -> Value {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut own: Vec<_> = lines.filter(|line| line["message"] == "request" && line["request.id"] == id).collect();
    assert_eq!(own.len(), 1, "{id} has one line: {own:?}");
    own.remove(0)
}

async fn status(request: RequestBuilder) -> u16 {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    answer.bytes().await.expect("all of it");
    status
}

#[tokio::test]
async fn a_line_says_who_asked_what_and_what_came_of_it() {
    let place = Place::empty().with("GRAPHQL_BATCH_LIMIT", "3").with("REST_MAX_ROWS", "5000");
    let place = place.with("CORS_ALLOWED_ORIGINS", "https://app.example");
    place.succeeds(&["migrate", "up"]);
    place.succeeds(&["seed", "--trees", "3000"]);
    let server = place.serve();
    let (client, base) = (Client::new(), &server.base);
    let account = json!({ "email": "ada@example.com", "password": PASSWORD });
    let session = client.post(format!("{base}/auth/register")).json(&account).send().await.expect("an answer");
    let session: Value = session.json().await.expect("a session");
    let token = session["access_token"].as_str().expect("a token");
    let ask = |id: &str, method: &str, path: &str| {
        let method = method.parse().expect("a method");
        client.request(method, format!("{base}{path}")).header("x-request-id", id)
    };
    let graphql = |id: &str, body: Value| ask(id, "POST", "/graphql").bearer_auth(token).json(&body);
    let query = |query: &str| json!({ "query": query });
    let long = format!("query {} {{ me {{ id }} }}", "N".repeat(65));
    for (expected, request) in [
        (200, ask("list", "GET", "/trees?limit=4")),
        (200, ask("streamed", "GET", "/trees")),
        (200, ask("item", "GET", "/trees/1")),
        (200, ask("head", "HEAD", "/trees/1")),
        (201, ask("made", "POST", "/expenses").bearer_auth(token).json(&json!({ "title": "Spade", "amount": 9 }))),
        (401, ask("refused", "GET", "/trees").bearer_auth("nonsense")),
        (404, ask("nowhere", "GET", "/nowhere/at/all")),
        (404, ask("unknown", "GET", "/palms")),
        (200, ask("methods", "OPTIONS", "/trees")),
        (
            200,
            ask("preflight", "OPTIONS", "/trees")
                .header("origin", "https://app.example")
                .header("access-control-request-method", "GET"),
        ),
        (200, graphql("query", query("query Known { trees(first: 3) { nodes { name } } me { id } }"))),
        (200, graphql("anonymous", query("{ me { id } }"))),
        (200, graphql("long", query(&long))),
        (200, graphql("invalid", query("query Invalid { nothing }"))),
        (
            200,
            graphql(
                "mutation",
                query(r#"mutation Add { createExpense(input: { title: "Rake", amount: "3" }) { id } }"#),
            ),
        ),
        (
            200,
            graphql(
                "undone",
                query(
                    r#"mutation Undo { a: createExpense(input: { title: "Rake", amount: "3" }) { id }
                                       b: deleteExpense(id: "01900000-0000-7000-8000-000000000000") { id } }"#,
                ),
            ),
        ),
        (200, graphql("failed", query("mutation Fell { deleteTree(id: \"1\") { id } }"))),
        (200, graphql("batch", json!([query("query One { me { id } }"), query("query Two { me { id } }")]))),
    ] {
        let request = request.build().expect("a request");
        let id = request.headers()["x-request-id"].to_str().expect("a text").to_owned();
        assert_eq!(status(RequestBuilder::from_parts(client.clone(), request)).await, expected, "{id}");
    }
    // One that is left in the middle of a long answer, and one that is left before there is one.
    let members: Vec<_> = (0..40).map(|number| format!("m{number}:name")).collect();
    let address = base.trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 * 1024).expect("a small buffer");
    let mut stream = socket.connect(address).await.expect("a connection");
    let head = format!("GET /trees?select={} HTTP/1.1\r\nhost: x\r\nx-request-id: left\r\n\r\n", members.join(","));
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.read_exact(&mut [0; 1024]).await.expect("the beginning of an answer");
    drop(stream);
    let database = rusqlite::Connection::open(place.path().join("rootstock.db")).expect("the database");
    database.execute_batch("begin immediate").expect("nobody else writes now");
    let waiting = ask("gone", "POST", "/expenses").bearer_auth(token).json(&json!({ "title": "Hoe", "amount": 9 }));
    waiting.timeout(Duration::from_millis(500)).send().await.expect_err("it waits for the writer");
    for id in ["left", "gone"] {
        let is_told = || server.log().contains(&format!("\"request.id\":\"{id}\""));
        timeout(Duration::from_secs(30), async {
            while !is_told() {
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{id} has a line:\n{}", server.log()));
    }
    database.execute_batch("rollback").expect("others may write");
    let log = server.terminate().err;
    assert!(line(&log, "streamed")["rows"].as_u64().is_some_and(|rows| rows >= 3_000), "a page that is not held");
    let user = session["user"]["id"].as_str().expect("an id");
    for (id, expected) in [
        (
            "list",
            json!({ "http.method": "GET", "http.route": "/trees", "http.status": 200, "rows": 4, "user.role": "anonymous",
                    "user.id": null, "graphql.errors": null }),
        ),
        ("streamed", json!({ "http.route": "/trees", "http.broken_off": null })),
        ("left", json!({ "http.route": "/trees", "http.status": 200, "http.broken_off": true })),
        ("gone", json!({ "http.route": "/expenses", "http.status": 499, "user.id": user, "rows": null })),
        ("item", json!({ "http.route": "/trees/{id}", "rows": 1 })),
        ("head", json!({ "http.method": "HEAD", "http.route": "/trees/{id}", "rows": 1, "http.broken_off": null })),
        ("made", json!({ "http.method": "POST", "http.status": 201, "rows": 1, "user.id": user, "user.role": "user" })),
        (
            "refused",
            json!({ "http.route": "/trees", "http.status": 401, "rows": null, "user.id": null, "user.role": null }),
        ),
        ("nowhere", json!({ "http.route": "other", "http.status": 404 })),
        ("unknown", json!({ "http.route": "other", "http.status": 404, "rows": null })),
        ("methods", json!({ "http.method": "OPTIONS", "http.route": "/trees", "http.status": 200 })),
        ("preflight", json!({ "http.method": "OPTIONS", "http.route": "preflight", "http.status": 200 })),
        (
            "query",
            json!({ "http.route": "/graphql", "graphql.operation": "Known", "graphql.type": "query", "rows": 4,
                    "graphql.errors": 0, "graphql.error": null, "graphql.operations": null, "user.id": user }),
        ),
        ("anonymous", json!({ "graphql.operation": null, "graphql.type": "query", "rows": 1 })),
        ("long", json!({ "graphql.operation": null, "graphql.type": "query" })),
        (
            "invalid",
            json!({ "graphql.operation": null, "graphql.errors": 1, "graphql.error": "GRAPHQL_VALIDATION_FAILED" }),
        ),
        ("mutation", json!({ "graphql.operation": "Add", "graphql.type": "mutation", "rows": 1 })),
        ("undone", json!({ "graphql.operation": "Undo", "graphql.error": "NOT_FOUND", "rows": null })),
        (
            "failed",
            json!({ "http.status": 200, "graphql.operation": "Fell", "graphql.errors": 1, "graphql.error": "FORBIDDEN" }),
        ),
        ("batch", json!({ "graphql.operation": "One", "graphql.operations": 2, "rows": 2 })),
    ] {
        let line = line(&log, id);
        assert!(line["duration_ms"].as_f64().is_some_and(|took| took > 0.0), "{line}");
        for (member, value) in expected.as_object().expect("an object") {
            assert_eq!(line[member], *value, "{member} of {id}: {line}");
        }
    }
}

#[tokio::test]
async fn a_request_that_finds_no_database_has_its_line_and_is_counted() {
    let place = Place::empty()
        .with("JWT_SECRET_KEY", "the key of a test that nobody has to guess")
        // Nobody listens on the port of discarding.
        .with("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing")
        .with("ADMIN_ADDR", "127.0.0.1:0");
    let server = place.serve_with(&["serve", "--no-migrate"]);
    let client = Client::new();
    let trees = client.get(format!("{}/trees", server.base)).header("x-request-id", "away");
    assert_eq!(status(trees).await, 503);
    let admin = server.admin();
    assert_eq!(status(client.get(format!("{admin}/livez"))).await, 200);
    assert_eq!(status(client.get(format!("{admin}/readyz"))).await, 503);
    let metrics = client.get(format!("{admin}/metrics")).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("a text");
    let failures = metrics.lines().find_map(|line| line.strip_prefix("db_client_connection_failures_total "));
    assert!(failures.is_some_and(|count| count.parse::<u64>().is_ok_and(|count| count > 0)), "{metrics}");
    let line = line(&server.terminate().err, "away");
    assert_eq!(
        (&line["http.status"], &line["http.route"], &line["rows"]),
        (&json!(503), &json!("/trees"), &Value::Null)
    );
}
