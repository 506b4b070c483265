//! Metrics of the real program: that each moves when it should, that clients cannot make more of them, and where they are.

use crate::{
    command::{PASSWORD, sign_in},
    program::{Place, Server},
    support::postgres,
};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What metrics say: each series with its labels, and its value.
struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    async fn of(server: &Server) -> Self {
        let answer = reqwest::get(format!("{}/metrics", server.admin())).await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        Self::parse(&answer.text().await.expect("a text"))
    }

    /// Reads the text as strictly as its format is told: a family is headed once, before its lines; no series comes twice;
    /// the buckets of a histogram grow, and the last one is its count.
    fn parse(text: &str) -> Self {
        let (mut headed, mut values) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            if let Some(line) = line.strip_prefix("# TYPE ") {
                let (name, kind) = line.split_once(' ').expect("a name and a type");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(headed.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is headed twice");
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line:?}"));
            let name = series.split('{').next().expect("a name");
            let parts = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
            let histogram = parts.filter(|name| headed.get(*name).is_some_and(|kind| kind == "histogram"));
            let kind = headed.get(histogram.unwrap_or(name)).unwrap_or_else(|| panic!("{name} is not headed"));
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            assert!(values.insert(series.to_owned(), value).is_none(), "{series} comes twice");
        }
        let scrape = Self(values);
        for (series, count) in &scrape.0 {
            if let Some((name, labels)) = series.split_once("_count") {
                let labels = labels.trim_matches(['{', '}']);
                let comma = if labels.is_empty() { "" } else { "," };
                let last = format!("{name}_bucket{{le=\"+Inf\"{comma}{labels}}}");
                if headed.get(name).is_some_and(|kind| kind == "histogram") {
                    assert_eq!(scrape.0.get(&last), Some(count), "{last}");
                }
            }
        }
        scrape
    }

    fn value(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or_default()
    }

    /// The values of a label.
    fn labels(&self, name: &str, label: &str) -> BTreeSet<&str> {
        let own = self.0.keys().filter(|series| series.split('{').next() == Some(name));
        own.filter_map(|series| series.split_once(&format!("{label}=\""))?.1.split('"').next()).collect()
    }
}

struct Talk {
    server: Server,
    client: Client,
}

impl Talk {
    async fn get(&self, path: &str) -> u16 {
        self.client.get(format!("{}{path}", self.server.base)).send().await.expect("an answer").status().as_u16()
    }

    async fn ask(&self, query: &str) -> Value {
        let request = self.client.post(format!("{}/graphql", self.server.base)).json(&json!({ "query": query }));
        request.send().await.expect("an answer").json().await.expect("JSON")
    }
}

fn talk(place: &Place) -> Talk {
    Talk { server: place.serve(), client: Client::new() }
}

#[tokio::test]
async fn each_moves_when_what_it_counts_happens() {
    let database = postgres::database().await;
    for url in [None, Some(database.url())] {
        let mut place = Place::empty().with("ADMIN_ADDR", "127.0.0.1:0").with("RATE_LIMIT_AUTH_PER_MINUTE", "4");
        place = place.with("JWT_SECRET_KEY", "the key of a test that nobody has to guess");
        if let Some(url) = &url {
            place = place.with("DATABASE_URL", url);
        }
        let talk = talk(&place);
        let before = Scrape::of(&talk.server).await;
        for _ in 0..2 {
            assert_eq!(talk.get("/trees?select=name").await, 200);
            talk.ask("query Known { trees { nodes { name } } }").await;
        }
        assert_eq!(talk.get("/trees/1").await, 200);
        assert_eq!(talk.get("/trees?select=name::int").await, 400);
        assert_eq!(talk.get("/palms").await, 404);
        talk.ask("mutation Fell { deleteTree(id: \"1\") { id } }").await;
        talk.ask("{ nothing }").await;
        let base = &talk.server.base;
        let account = json!({ "email": "ada@example.com", "password": PASSWORD });
        let register = talk.client.post(format!("{base}/auth/register")).json(&account);
        assert_eq!(register.send().await.expect("an answer").status(), 201);
        sign_in(base, "ada@example.com", PASSWORD).await.expect("a session");
        for _ in 0..5 {
            sign_in(base, "ada@example.com", "wrong").await.expect_err("no session");
        }
        let after = Scrape::of(&talk.server).await;
        let grew = |series: &str| after.value(series) - before.value(series);
        let requests = |method: &str, route: &str, status: u16| {
            grew(&format!(
                "http_server_request_duration_seconds_count{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"
            ))
        };
        assert_eq!(requests("GET", "/trees", 200), 2.0);
        assert_eq!(requests("GET", "/trees", 400), 1.0);
        assert_eq!(requests("GET", "/trees/{id}", 200), 1.0);
        assert_eq!(requests("GET", "other", 404), 1.0);
        assert_eq!(requests("POST", "/graphql", 200), 4.0);
        assert_eq!(requests("POST", "/auth/register", 201), 1.0);
        for (series, by) in [
            (r#"graphql_operations_total{operation="Known",type="query",outcome="ok"}"#, 2.0),
            (r#"graphql_operations_total{operation="Fell",type="mutation",outcome="error"}"#, 1.0),
            (r#"graphql_operations_total{operation="",type="",outcome="refused"}"#, 1.0),
            (r#"graphql_operation_duration_seconds_count{operation="Known",type="query"}"#, 2.0),
            (r#"rootstock_cache_requests_total{cache="documents",result="hit"}"#, 1.0),
            (r#"rootstock_cache_requests_total{cache="documents",result="miss"}"#, 3.0),
            (r#"rootstock_cache_requests_total{cache="operations",result="hit"}"#, 1.0),
            (r#"rootstock_cache_requests_total{cache="operations",result="miss"}"#, 2.0),
            (r#"db_client_errors_total{class="22"}"#, 1.0),
            (r#"auth_events_total{event="registered"}"#, 1.0),
            (r#"auth_events_total{event="signed_in"}"#, 1.0),
        ] {
            assert_eq!(grew(series), by, "{series}");
        }
        for series in [
            r#"rootstock_cache_requests_total{cache="plans",result="hit"}"#,
            r#"rootstock_cache_requests_total{cache="plans",result="miss"}"#,
            r#"rootstock_cache_entries{cache="plans"}"#,
            r#"rootstock_cache_entries{cache="documents"}"#,
            r#"rootstock_cache_entries{cache="operations"}"#,
            r#"auth_events_total{event="sign_in_failed"}"#,
            r#"auth_events_total{event="rate_limited"}"#,
            "db_client_operation_duration_seconds_count",
            "db_client_connection_wait_time_seconds_count",
        ] {
            assert!(grew(series) > 0.0, "{series} grows");
        }
        let pool = if url.is_some() { "primary" } else { "readers" };
        assert_eq!(after.value(&format!("db_client_connection_max{{pool=\"{pool}\"}}")), 10.0);
        assert!(after.value(&format!("db_client_connection_count{{pool=\"{pool}\",state=\"idle\"}}")) >= 1.0);
        assert_eq!(after.value("http_server_active_requests"), 0.0);
        assert!(after.value("http_server_connections") >= 1.0);
        assert!(after.value("process_resident_memory_bytes") > 1e6);
        assert_eq!(after.value(&format!("rootstock_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
    }
}

#[tokio::test]
async fn clients_make_no_series() {
    let talk = talk(&Place::empty().with("ADMIN_ADDR", "127.0.0.1:0"));
    for number in 0..1_000 {
        talk.ask(&format!("query Operation{number} {{ __typename }}")).await;
        assert_eq!(talk.get(&format!("/path{number}")).await, 404);
    }
    for method in ["BREW", "WHEN"] {
        let method = method.parse().expect("a method");
        let request = talk.client.request(method, format!("{}/trees", talk.server.base));
        assert_eq!(request.send().await.expect("an answer").status(), 405);
    }
    let scrape = Scrape::of(&talk.server).await;
    assert_eq!(scrape.labels("graphql_operations_total", "operation").len(), 101, "the first hundred, and other");
    let other = r#"graphql_operations_total{operation="other",type="query",outcome="ok"}"#;
    assert_eq!(scrape.value(other), 900.0);
    let requests = "http_server_request_duration_seconds_count";
    assert_eq!(scrape.labels(requests, "route"), BTreeSet::from(["/graphql", "/trees", "other"]));
    assert_eq!(scrape.labels(requests, "method"), BTreeSet::from(["GET", "POST", "other"]));
}

#[tokio::test]
async fn they_are_on_an_address_of_their_own() {
    let talk = talk(&Place::empty().with("ADMIN_ADDR", "127.0.0.1:0"));
    let admin = talk.server.admin();
    let get = async |path: &str| talk.client.get(format!("{admin}{path}")).send().await.expect("an answer");
    assert_eq!(talk.get("/metrics").await, 404, "the API has none");
    assert_eq!(get("/livez").await.status(), 200);
    assert_eq!(get("/readyz").await.status(), 200);
    for path in ["/", "/trees", "/graphql", "/metrics/more"] {
        assert_eq!(get(path).await.status(), 404, "{path}");
    }
    // What a Prometheus of today asks for.
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    let request = talk.client.get(format!("{admin}/metrics")).header("accept", accept);
    let newer = request.send().await.expect("an answer");
    assert_eq!(newer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(newer.text().await.expect("a text").ends_with("# EOF\n"));

    let place = Place::empty().with("ADMIN_ADDR", "127.0.0.1:8789");
    let ended = place.run(&["serve", "--bind-addr", "127.0.0.1:8789"]);
    assert_eq!((ended.code, &*ended.err), (Some(2), "error: ADMIN_ADDR must be another address than BIND_ADDR\n"));
}

/// A socket that sends what is no HTTP has no request, so it is told by itself.
#[tokio::test]
async fn what_is_no_http_is_counted() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let talk = talk(&Place::empty().with("ADMIN_ADDR", "127.0.0.1:0"));
    let address = talk.server.base.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    stream.write_all(b"no HTTP at all\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    // The connection is read to its end, which is here.
    drop(stream);
    talk.server.says("a connection ended with what is no HTTP");
    assert_eq!(Scrape::of(&talk.server).await.value("http_server_malformed_requests_total"), 1.0);
}
