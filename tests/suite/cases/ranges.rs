//! Which part of a list is asked for, by limit and offset, by the Range header, and by both; and which methods there are.

use super::ledger;
use crate::support::{Answer, Caller, Caller::*, Server, Setup, on_both, on_both_with};
use reqwest::header::HeaderValue;
use rootstock::config::{AllowedOrigins, Config};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn ranged(server: &Server, range: &str, query: &str) -> Answer {
    let path = format!("/expenses?select=title&order=title&{query}");
    server.rest_with(User, "GET", &path, Value::Null, &[("range-unit", "items"), ("range", range)]).await
}

#[tokio::test]
async fn a_range_that_no_answer_can_hold_is_416() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (range, query, details) in [
            ("5-3", "", "The lower boundary must be lower than or equal to the upper boundary in the Range header."),
            ("0-5", "limit=-1", "Limit should be greater than or equal to zero."),
            ("5-9", "limit=3", "The Range header and the limit and offset of the URL have no row in common."),
        ] {
            let answer = ranged(server, range, query).await.expect(416).refused("PGRST103");
            let body = answer.json();
            assert_eq!(body["message"], "Requested range not satisfiable");
            assert_eq!(body["details"], details, "{range} {query}");
        }
    })
    .await;
}

#[tokio::test]
async fn range_and_limit_and_offset_mean_what_is_in_both() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (range, query, titles, content_range) in [
            ("0-2", "", "abc", "0-2/*"),
            ("3-3", "", "d", "3-3/*"),
            ("10-", "", "kl", "10-11/*"),
            ("10-99999999999999999999", "", "kl", "10-11/*"),
            ("12-20", "", "", "*/*"),
            ("99999999999999999999-", "", "", "*/*"),
            ("0-5", "limit=2", "ab", "0-1/*"),
            ("2-5", "limit=4", "cd", "2-3/*"),
            ("2-5", "offset=4", "ef", "4-5/*"),
            ("2-", "offset=1&limit=3", "cd", "2-3/*"),
            ("0-5", "limit=0", "", "*/*"),
            // What is malformed is ignored, and so is what is not of items.
            ("-5", "limit=2", "ab", "0-1/*"),
            ("a-b", "limit=2", "ab", "0-1/*"),
            ("bytes=0-0", "limit=2", "ab", "0-1/*"),
        ] {
            let answer = ranged(server, range, query).await.expect(200);
            assert_eq!(ledger::titles(&answer.json()), titles, "{range} {query}");
            assert_eq!(answer.header("content-range"), content_range, "{range} {query}");
        }
        let groups = "/expenses?select=currency,count()&order=currency";
        let headers = [("range", "1-2")];
        let groups = server.rest_with(User, "GET", groups, Value::Null, &headers).await.expect(200);
        assert_eq!(groups.text, r#"[{"currency":"EUR","count":2},{"currency":"JPY","count":1}]"#);
        assert_eq!(groups.header("content-range"), "1-2/*");
    })
    .await;
}

/// A write takes no notice of the header.
#[tokio::test]
async fn a_range_is_of_reads_alone() {
    on_both(async |server| {
        let headers = [("range", "5-3"), ("prefer", "handling=strict, max-affected=9")];
        server.rest_with(Editor, "DELETE", "/trees?id=gt.1", Value::Null, &headers).await.expect(204);
        assert_eq!(server.get(Anonymous, "/trees?select=id").await.expect(200).text, r#"[{"id":1}]"#);
    })
    .await;
}

#[tokio::test]
async fn options_tells_the_methods_that_there_are() {
    on_both(async |server| {
        for (path, allow) in [
            ("/trees", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
            ("/trees/", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
            ("/trees/1", "OPTIONS,GET,HEAD,PUT,PATCH,DELETE"),
            ("/users", "OPTIONS,GET,HEAD,PATCH"),
            ("/", "OPTIONS,GET,HEAD"),
        ] {
            let answer = server.rest(Anonymous, "OPTIONS", path, Value::Null).await.expect(200);
            assert_eq!((answer.header("allow"), answer.text.as_str()), (allow, ""), "{path}");
        }
        server.rest(Anonymous, "OPTIONS", "/leaves", Value::Null).await.expect(404).refused("PGRST205");
        let deeper = server.rest(Anonymous, "OPTIONS", "/trees/1/leaves", Value::Null).await.expect(404);
        assert_eq!(deeper.refused("PGRST125").failure().message, "Invalid path specified in request URL");
    })
    .await;
}

const ORIGIN: &str = "https://app.example";

fn open() -> Setup {
    let configure: fn(&mut Config) = |config| {
        config.http.cors_allowed_origins = AllowedOrigins::These(vec![HeaderValue::from_static(ORIGIN)]);
    };
    Setup { configure, ..Setup::default() }
}

#[tokio::test]
async fn other_origins_may_send_and_see_the_headers_of_the_dialect() {
    on_both_with(open, async |server| {
        let preflight = [("origin", ORIGIN), ("access-control-request-method", "PATCH")];
        let answer = server.rest_with(Anonymous, "OPTIONS", "/trees", Value::Null, &preflight).await.expect(200);
        let may = answer.header("access-control-allow-headers");
        for name in
            ["authorization", "prefer", "range", "accept-profile", "if-none-match", "idempotency-key", "traceparent"]
        {
            assert!(may.split(',').any(|allowed| allowed == name), "{name} in {may}");
        }
        assert_eq!(answer.header("allow"), "");
        assert!(!answer.header("x-request-id").is_empty());
        let origin = [("origin", ORIGIN)];
        let answer = server.rest_with(Anonymous, "GET", "/trees", Value::Null, &origin).await.expect(200);
        let sees = answer.header("access-control-expose-headers");
        for name in ["content-range", "content-location", "link", "etag", "preference-applied", "x-request-id"] {
            assert!(sees.split(',').any(|exposed| exposed == name), "{name} in {sees}");
        }
        let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.contains(&"Accept, Prefer, Range"), "{vary:?}");
        assert!(vary.iter().any(|value| value.contains("origin")), "{vary:?}");
        // One that asks for no permission reaches the resource.
        let plain = server.rest_with(Anonymous, "OPTIONS", "/trees", Value::Null, &origin).await.expect(200);
        assert_eq!(plain.header("allow"), "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE");
        assert_eq!(plain.header("access-control-allow-origin"), ORIGIN);
    })
    .await;
}

/// The bytes of a whole answer.
async fn wire(server: &Server, caller: Caller, request: &str) -> String {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("a connection");
    let token = if caller == Anonymous { "" } else { &server.person(caller).token };
    let bytes = format!("{request}\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    let bytes = if caller == Anonymous { bytes.replace("authorization: Bearer \r\n", "") } else { bytes };
    stream.write_all(bytes.as_bytes()).await.expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer of text");
    answer
}

#[tokio::test]
async fn a_head_has_neither_a_body_nor_a_length() {
    on_both(async |server| {
        for (path, status) in
            [("/trees", 200), ("/trees/1", 200), ("/trees?select=count()", 200), ("/leaves", 404), ("/trees/9", 404)]
        {
            let answer = wire(server, Anonymous, &format!("HEAD {path} HTTP/1.1")).await.to_lowercase();
            assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{answer}");
            assert!(answer.ends_with("\r\n\r\n"), "{answer}");
            assert!(!answer.contains("content-length") && !answer.contains("transfer-encoding"), "{answer}");
        }
        let counted = wire(server, Anonymous, "HEAD /trees?id=gt.1 HTTP/1.1\r\nprefer: count=exact").await;
        assert!(counted.contains("content-range: 0-2/3\r\n"), "{counted}");
        let known = wire(server, Anonymous, "GET /trees/1 HTTP/1.1\r\nif-none-match: *").await.to_lowercase();
        assert!(known.starts_with("http/1.1 304 ") && known.ends_with("\r\n\r\n"), "{known}");
        assert!(!known.contains("content-length") && !known.contains("transfer-encoding"), "{known}");
        // Other answers have one, those without a body too.
        assert!(wire(server, Anonymous, "GET /trees/1 HTTP/1.1").await.contains("content-length: 55\r\n"));
        assert!(wire(server, Anonymous, "OPTIONS /trees HTTP/1.1").await.contains("content-length: 0\r\n"));
    })
    .await;
}
