//! The log of the real program: no value, secret or token that anybody sends is in it, at any level; no request can
//! write a line of its own; the audit goes on whatever else is asked for.
//!
//! Every place of a request in which a value can stand gets one that is easily found again: a canary. The name of a
//! GraphQL operation is no value: it is told, once the document was found valid; here none with such a name is. What the
//! log does not hold, metrics and traces do not hold either.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    program::{Place, Server},
    support::{collector::Collector, postgres},
};

/// In every value that is sent. Also in lower case, where names are made so.
const CANARY: &str = "Canary";
const KEY: &str = "Canary-key-of-the-tests-0123456789-xy";
const PASSWORD: &str = "Canary seven green herons wade";
const EMAIL: &str = "canary.ann@example.com";
/// Whose lines there may be.
const OURS: [&str; 2] = ["rootstock", "sea_orm_migration"];
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that says all it can, and who talks to it.
struct Talk {
    server: Server,
    client: Client,
    /// Where metrics are, if the log can be read for it.
    admin: Option<String>,
}

impl Talk {
    fn to(server: Server) -> Self {
        let admin = server.log().contains("\"metrics and health are served\"").then(|| server.admin());
        Self { server, client: Client::new(), admin }
    }

    async fn send(&self, request: RequestBuilder) -> (u16, String) {
        let answer = timeout(PATIENCE, request.send()).await.expect("an answer in time").expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    fn ask(&self, method: &str, path: &str, token: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.server.base));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> (u16, String) {
        self.send(self.ask("POST", path, token).json(&body)).await
    }

    /// Bytes as they are; what came back.
    async fn raw(&self, bytes: &[u8]) -> String {
        let address = self.server.base.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(bytes).await.expect("the request is sent");
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the end of the connection");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Accounts and sessions, good and bad; gives a token.
async fn sign_in(talk: &Talk) -> String {
    let account = json!({ "email": EMAIL, "password": PASSWORD, "name": CANARY });
    assert_eq!(talk.post("/auth/register", "", account.clone()).await.0, 201);
    assert_eq!(talk.post("/auth/register", "", account).await.0, 409);
    let weak = json!({ "email": "canary@example.com", "password": "Canary", CANARY: CANARY });
    assert_eq!(talk.post("/auth/register", "", weak).await.0, 422);
    let wrong = json!({ "email": EMAIL, "password": "Canary but wrong" });
    assert_eq!(talk.post("/auth/login", "", wrong).await.0, 401);
    let form = talk.ask("POST", "/auth/login", "").form(&[("username", CANARY), ("password", PASSWORD)]);
    assert_eq!(talk.send(form).await.0, 401);
    assert_eq!(
        talk.send(talk.ask("POST", "/auth/login", "").header("content-type", "application/json").body("{\"Canary"))
            .await
            .0,
        400
    );
    let (status, session) = talk.post("/auth/login", "", json!({ "email": EMAIL, "password": PASSWORD })).await;
    assert_eq!(status, 200);
    let session: Value = serde_json::from_str(&session).expect("JSON");
    let token = session["access_token"].as_str().expect("a token").to_owned();
    let name = json!({ "name": "Canary the second" });
    assert_eq!(talk.send(talk.ask("PATCH", "/auth/me", &token).json(&name)).await.0, 200);
    for bad in
        [CANARY, "Canary.Canary.Canary", &format!("{token}Canary"), &forged(json!({ "sub": CANARY, "exp": CANARY }))]
    {
        assert_eq!(talk.send(talk.ask("GET", "/auth/me", bad)).await.0, 401);
    }
    token
}

/// A token of these claims, signed by the server's own key.
fn forged(claims: Value) -> String {
    let header = jsonwebtoken::Header::default();
    jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_secret(KEY.as_bytes())).expect("a token")
}

/// REST with a value in every place, and the failures of both databases that quote values.
async fn by_rest(talk: &Talk, token: &str) {
    let expense = json!({ "title": CANARY, "description": "Canary", "amount": "12.34", "category": CANARY });
    let (status, made) = talk.post("/expenses", token, expense.clone()).await;
    assert_eq!(status, 201);
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let id = made["id"].as_str().expect("a key");
    for path in [
        "/expenses?title=eq.Canary&order=title",
        "/expenses?title=ilike.*Canary*&description=fts.Canary",
        "/expenses?title=wfts.Canary%20-%22Canary",
        "/expenses?description=fts(english).Canary%20%26%20%7C",
        "/expenses?title=match.Canary(",
        "/expenses?title=match.Canary%5B",
        "/expenses?select=title::int",
        "/expenses?select=title::date",
        "/expenses?select=title::uuid",
        "/expenses?select=title::numeric,description::json",
        "/expenses?select=Canary",
        "/expenses?select=Canary:title",
        "/expenses?Canary=eq.Canary",
        "/expenses?title=Canary.Canary",
        "/expenses?amount=eq.Canary",
        "/expenses?spent_on=gt.Canary",
        "/expenses?id=eq.Canary",
        "/expenses?order=Canary",
        "/expenses?limit=Canary",
        "/expenses?cursor=Canary",
        "/expenses?order=title&limit=1&cursor=WyJDYW5hcnkiLCJDYW5hcnkiXQ",
        "/expenses?and=(title.eq.Canary,or(title.eq.Canary))",
        "/expenses/Canary",
        "/Canary",
        "/Canary/Canary?Canary=Canary",
        "/expenses/Canary/Canary/Canary",
        "/assets/Canary",
    ] {
        let (status, text) = talk.send(talk.ask("GET", path, token)).await;
        assert!(status < 500, "{path}: {status} {text}");
    }
    for name in [
        "accept",
        "accept-profile",
        "authorization",
        "cookie",
        "forwarded",
        "if-match",
        "if-none-match",
        "prefer",
        "range",
        "referer",
        "user-agent",
        "x-forwarded-for",
    ] {
        let request = talk.client.get(format!("{}/trees", talk.server.base)).header(name, "Canary");
        assert!(talk.send(request).await.0 < 500, "{name}");
    }
    for (body, media) in [
        ("{\"title\":\"Canary\",\"amount\":\"Canary\"}", "application/json"),
        ("{\"title\":\"Canary\",\"amount\":1,\"Canary\":1}", "application/json"),
        ("{\"title\":\"Canary\",\"amount\":1,\"currency\":\"Canary\"}", "application/json"),
        ("{\"title\":\"Canary", "application/json"),
        ("title,amount\nCanary,Canary\n", "text/csv"),
        ("Canary,amount\nCanary,1\n", "text/csv"),
        ("title,amount\n\"Canary,1\n", "text/csv"),
        ("title=Canary&amount=Canary", "application/x-www-form-urlencoded"),
        ("Canary", "text/Canary"),
    ] {
        let request = talk.ask("POST", "/expenses", token).header("content-type", media).body(body);
        let (status, text) = talk.send(request).await;
        assert!((400..500).contains(&status), "{body}: {status} {text}");
    }
    // Keys that are taken, references to nothing, the same key for another request.
    let with_key = |id: &str| json!({ "id": id, "title": CANARY, "amount": 1 });
    assert_eq!(talk.post("/expenses", token, with_key(id)).await.0, 409);
    let budget = json!({ "category": CANARY, "month": "2026-01-01", "limit_amount": 1 });
    assert_eq!(talk.post("/budgets", token, budget.clone()).await.0, 201);
    assert_eq!(talk.post("/budgets", token, budget.clone()).await.0, 409);
    let upsert = talk.ask("POST", "/budgets?on_conflict=user_id,category,month,currency", token);
    let upsert = upsert.header("prefer", "resolution=merge-duplicates").json(&budget);
    assert!(talk.send(upsert).await.0 < 300);
    for (title, expected) in [("Canary once", 201), ("Canary twice", 422)] {
        let request = talk.ask("POST", "/expenses", token).header("idempotency-key", "Canary");
        let (status, _) = talk.send(request.json(&json!({ "title": title, "amount": 1 }))).await;
        assert_eq!(status, expected, "{title}");
    }
    let change =
        talk.ask("PATCH", &format!("/expenses/{id}"), token).json(&json!({ "title": "Canary", "user_id": CANARY }));
    assert!(talk.send(change).await.0 < 500);
    for method in ["PUT", "PATCH", "DELETE"] {
        let (status, _) = talk.send(talk.ask(method, "/expenses/Canary", token).json(&expense)).await;
        assert!((400..500).contains(&status), "{method}");
    }
}

/// GraphQL with a value in every place.
async fn by_graphql(talk: &Talk, token: &str) {
    for (query, variables) in [
        (r#"{ expenses(filter: { title: { eq: "Canary" } }) { nodes { title } } }"#, Value::Null),
        (r#"{ expenses(filter: { title: { search: "Canary \" ( *" } }) { nodes { title } } }"#, Value::Null),
        (r#"{ expenses(filter: { title: { match: "Canary(" } }) { nodes { title } } }"#, Value::Null),
        (r#"{ expenses(after: "Canary") { nodes { title } } }"#, Value::Null),
        (r#"{ Canary: expenses { Canary: nodes { Canary: title } } }"#, Value::Null),
        (r#"{ node(nodeId: "Canary") { nodeId } }"#, Value::Null),
        (r#"{ expense(id: "Canary") { id } }"#, Value::Null),
        ("{ Canary }", Value::Null),
        ("{ Canary", Value::Null),
        ("query Canary($canary: Int) { expenses(first: $canary) { nodes { id } } }", json!({ "canary": CANARY })),
        (
            "query ($f: ExpenseFilter) { expenses(filter: $f) { nodes { id } } }",
            json!({ "f": { "title": { "eq": CANARY } } }),
        ),
        ("query ($f: ExpenseFilter) { expenses(filter: $f) { nodes { id } } }", json!({ "f": { "Canary": CANARY } })),
        (r#"mutation { createExpense(input: { title: "Canary", amount: "Canary" }) { id } }"#, Value::Null),
        (
            r#"mutation { createBudget(input: { category: "Canary", month: "2026-01-01", limitAmount: "1" }) { id } }"#,
            Value::Null,
        ),
        (
            r#"mutation ($p: String!) { login(input: { email: "canary.ann@example.com", password: $p }) { accessToken } }"#,
            json!({ "p": PASSWORD }),
        ),
        (
            r#"mutation { login(input: { email: "canary@example.com", password: "Canary" }) { accessToken } }"#,
            Value::Null,
        ),
    ] {
        let (status, text) = talk.post("/graphql", token, json!({ "query": query, "variables": variables })).await;
        assert!(status < 500 && !text.contains("INTERNAL"), "{query}: {status} {text}");
    }
    let get = "/graphql?query=%7B%20Canary%20%7D&variables=Canary&extensions=Canary";
    assert!(talk.send(talk.ask("GET", get, token)).await.0 < 500);
    for body in
        ["{\"Canary", "[\"Canary\"]", "{\"query\":\"Canary\",\"variables\":\"Canary\",\"operationName\":[\"Canary\"]}"]
    {
        let request = talk.ask("POST", "/graphql", token).header("content-type", "application/json").body(body);
        assert!(talk.send(request).await.0 < 500);
    }
}

/// What would write lines, colours or members of its own, if it were written as it stands.
async fn forge(talk: &Talk) {
    let forgeries = [
        "x\",\"level\":\"Canary\",\"y\":\"",
        "x\u{1b}[31mCanary",
        "x\\nCanary",
        "x} {\"message\":\"Canary\"}",
        "Canary Canary",
        "%0a{\"message\":\"Canary\"}",
        &"Canary".repeat(100),
    ];
    for forgery in forgeries {
        for request in [
            format!("GET /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: {forgery}\r\n\r\n"),
            format!("GET /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\nuser-agent: {forgery}\r\n\r\n"),
            format!("GET /{forgery} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
            format!("GET /trees?{forgery}=eq.1 HTTP/1.1\r\nhost: {forgery}\r\nconnection: close\r\n\r\n"),
            format!("{forgery} /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        ] {
            let answer = talk.raw(request.as_bytes()).await;
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(!status.starts_with('5'), "{request}: {answer}");
            assert!(!answer.contains("x-request-id: x"), "an id that is not sane is replaced: {answer}");
        }
    }
    let method = talk.raw(b"CANARY /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(method.starts_with("HTTP/1.1 405 "), "{method}");
    let sane =
        talk.raw(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: trace-7/a\r\n\r\n").await;
    assert!(sane.contains("x-request-id: trace-7/a\r\n"), "{sane}");
}

fn holds(log: &str) -> Option<&str> {
    log.lines().find(|line| {
        let line = line.to_lowercase();
        line.contains("canary") || line.contains("eyj") || line.contains('\u{1b}')
    })
}

/// A database that is not what the server takes it for, and quotes what it is given: by triggers, checks and casts.
async fn break_down(talk: &Talk, token: &str, database: &Breaking<'_>) {
    database
        .run(&[
            (
                "create trigger expenses_canary before insert on expenses when new.title = 'Canary raised'
                 begin select raise(abort, 'Canary'); end",
                "create function canary() returns trigger language plpgsql as $$ begin
                     if new.title = 'Canary raised' then raise exception 'no %', new.title; end if;
                     if new.title = 'Canary cast' then new.amount := new.title::int; end if;
                     if new.title = 'Canary syntax' then perform to_tsquery(new.title || ' & & ('); end if;
                     if new.title = 'Canary name' then perform new.title::regclass; end if;
                     return new; end $$",
            ),
            (
                "select 1",
                "create trigger expenses_canary before insert on expenses for each row execute function canary()",
            ),
            (
                "create trigger expenses_json before insert on expenses when new.title like 'Canary %'
                 begin select json_extract(new.title, new.title); end",
                "select 1",
            ),
            ("alter table budgets rename to budgets_gone", "alter table budgets rename to budgets_gone"),
        ])
        .await;
    for title in ["Canary raised", "Canary cast", "Canary syntax", "Canary name"] {
        let (status, text) = talk.post("/expenses", token, json!({ "title": title, "amount": 1 })).await;
        assert!(status >= 400, "{title}: {status} {text}");
        let document = "mutation ($input: CreateExpenseInput!) { createExpense(input: $input) { id } }";
        let variables = json!({ "input": { "title": title, "amount": "1" } });
        let (_, text) = talk.post("/graphql", token, json!({ "query": document, "variables": variables })).await;
        assert!(text.contains("errors"), "{title}: {text}");
    }
    let (status, text) = talk.send(talk.ask("GET", "/budgets?category=eq.Canary", token)).await;
    assert_eq!(status, 500, "{text}");
    assert!(!text.contains("budgets_gone") && !text.contains("SQL"), "{text}");
}

/// The database behind the server's back.
enum Breaking<'p> {
    Sqlite(&'p Place),
    Postgres(&'p str),
}

impl Breaking<'_> {
    /// Runs the statement of each pair that is its own: SQLite's, PostgreSQL's.
    async fn run(&self, statements: &[(&str, &str)]) {
        match self {
            Self::Sqlite(place) => {
                let connection = rusqlite::Connection::open(place.path().join("rootstock.db")).expect("the database");
                for (sql, _) in statements {
                    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
                }
            }
            Self::Postgres(url) => {
                let (client, connection) =
                    tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("a connection");
                tokio::spawn(connection);
                for (_, sql) in statements {
                    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                }
            }
        }
    }
}

async fn drive(place: &Place, database: &Breaking<'_>) -> String {
    let talk = Talk::to(place.serve());
    let token = sign_in(&talk).await;
    by_rest(&talk, &token).await;
    by_graphql(&talk, &token).await;
    forge(&talk).await;
    break_down(&talk, &token, database).await;
    if let Some(admin) = &talk.admin {
        let (status, metrics) = talk.send(talk.client.get(format!("{admin}/metrics"))).await;
        assert_eq!((status, holds(&metrics)), (200, None));
    }
    let ended = talk.server.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.err
}

#[tokio::test]
async fn no_value_is_in_the_log_at_any_level() {
    for format in ["json", "pretty"] {
        let database = postgres::database().await;
        for url in [None, Some(database.url())] {
            let mut place =
                Place::empty().with("JWT_SECRET_KEY", KEY).with("RUST_LOG", "trace").with("LOG_FORMAT", format);
            place = place.with("RATE_LIMIT_AUTH_PER_MINUTE", "1000").with("ADMIN_ADDR", "127.0.0.1:0");
            let collector = Collector::start().await;
            place = place.with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
            if let Some(url) = &url {
                place = place.with("DATABASE_URL", url);
            }
            let database = url.as_deref().map_or(Breaking::Sqlite(&place), Breaking::Postgres);
            let log = drive(&place, &database).await;
            assert!(log.lines().count() > 100, "every request has its line:\n{log}");
            assert_eq!(holds(&log), None);
            assert!(log.contains("trace-7/a"));
            assert!(collector.spans().len() > 100, "every request has its span");
            assert_eq!(collector.text().to_lowercase().find("canary"), None);
            for line in log.lines().filter(|_| format == "json") {
                let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                assert!(
                    line["target"].as_str().is_some_and(|target| OURS.iter().any(|own| target.starts_with(own))),
                    "{line}"
                );
            }
            // Why something failed is told all the same, by codes and names.
            let names = if url.is_some() {
                "budgets_user_id_category_month_currency_key"
            } else {
                "UNIQUE constraint failed: budgets.user_id"
            };
            for told in ["23505", "error.cause", "budgets", names] {
                assert!(log.contains(told), "{told}: {log}");
            }
        }
    }
}

/// Of the lines there are, those of a target.
fn targets<'l>(log: &'l str, target: &str) -> Vec<&'l str> {
    log.lines().filter(|line| line.contains(&format!("\"target\":\"{target}\""))).collect()
}

#[tokio::test]
async fn others_are_heard_only_when_something_is_wrong() {
    let talk = Talk::to(Place::empty().with("RUST_LOG", "trace,hyper=trace,h2=trace,sea_orm=trace").serve());
    assert_eq!(talk.send(talk.ask("GET", "/trees", "")).await.0, 200);
    let log = talk.server.terminate().err;
    let own = |line: &str| OURS.iter().any(|own| line.contains(&format!("\"target\":\"{own}")));
    assert!(log.lines().all(own), "{log}");
    assert!(targets(&log, "rootstock::http::line").len() == 1, "{log}");

    let talk = Talk::to(Place::empty().with("RUST_LOG", "off,rootstock::cli=info,rootstock::http=off").serve());
    assert_eq!(talk.send(talk.ask("GET", "/trees", "")).await.0, 200);
    let log = talk.server.terminate().err;
    assert!(targets(&log, "rootstock::http::line").is_empty(), "{log}");
}
