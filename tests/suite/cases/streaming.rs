//! Answers of very many rows: told as the rows come, whole and exact however long, and ended where nobody takes them.

use super::quotas;
use crate::support::{Answer, Caller::*, Dialect, Server, Setup, on_both_with};
use serde_json::{Value, json};
use std::{fmt::Write as _, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

fn many() -> Setup {
    Setup { configure: |config| config.limits.max_rows = 100_000, ..quotas::setup() }
}

/// Plants so many rows that everybody sees, numbered from 1 on, with a text that is so much longer.
pub(super) async fn plant(server: &Server, rows: usize, length: usize) {
    let owner = server.person(User).id.replace('-', "");
    let (key, owner, filling) = match server.dialect {
        Dialect::Sqlite => (
            "unhex(printf('%032x', i))",
            format!("x'{owner}'"),
            format!("substr(printf('%.*c', {length}, 'x'), 1, {length})"),
        ),
        Dialect::Postgres => {
            ("lpad(to_hex(i), 32, '0')::uuid", format!("'{owner}'::uuid"), format!("repeat('x', {length})"))
        }
    };
    let sql = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
         insert into quotas (id, owner_id, name, amount, shared, updated_at)
         select {key}, {owner}, 'row, ' || i || {filling}, i % 3, true, '2026-01-01T00:00:00.000000Z' from n"
    );
    server.sql(&sql).await;
}

async fn counted(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = headers.iter().copied().chain([("prefer", "count=exact")]).collect();
    server.rest_with(Anonymous, method, path, Value::Null, &headers).await
}

/// Where the next page is.
fn next(answer: &Answer) -> Option<&str> {
    answer.header("link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"")
}

#[tokio::test]
async fn a_long_answer_is_whole_and_exact() {
    on_both_with(many, async |server| {
        plant(server, 50_000, 0).await;
        let (mut json, mut csv) = (String::new(), String::from("amount,name"));
        for number in 1..=50_000 {
            let amount = number % 3;
            let _ = write!(json, r#",{{"amount":{amount},"name":"row, {number}"}}"#);
            let _ = write!(csv, "\n{amount},\"row, {number}\"");
        }
        json.replace_range(..1, "[");
        json.push(']');
        let path = "/quotas?select=amount,name&order=id";
        let answer = server.get(Anonymous, path).await.expect(200);
        assert!(answer.text == json, "{:.200}", answer.text);
        assert_eq!(answer.header("content-range"), "0-49999/*");
        assert_eq!((answer.header("content-length"), answer.header("transfer-encoding")), ("", "chunked"));
        assert_eq!((answer.header("vary"), next(&answer)), ("Accept, Prefer, Range", None));
        let answer = counted(server, "GET", path, &[("accept", "text/csv")]).await.expect(200);
        assert!(answer.text == csv, "{:.200}", answer.text);
        assert_eq!(answer.header("content-range"), "0-49999/50000");
    })
    .await;
}

#[tokio::test]
async fn a_long_page_says_what_it_is_before_it_is_told() {
    on_both_with(many, async |server| {
        plant(server, 5_000, 0).await;
        for (query, status, range) in [
            ("limit=2000&offset=10", 206, "10-2009/5000"),
            ("limit=2000&amount=eq.0", 200, "0-1665/1666"),
            ("limit=1500&amount=eq.0", 206, "0-1499/1666"),
            ("limit=5", 206, "0-4/5000"),
            ("limit=3000&offset=4998", 206, "4998-4999/5000"),
            ("limit=3000&offset=5000", 206, "*/5000"),
            ("amount=lt.0", 200, "*/0"),
            ("select=amount,count()", 200, "0-2/3"),
            ("select=name,count()", 200, "0-4999/5000"),
            ("select=name,count()&limit=2000&offset=3000", 206, "3000-4999/5000"),
        ] {
            let path = format!("/quotas?{query}");
            for method in ["GET", "HEAD"] {
                let answer = counted(server, method, &path, &[]).await.expect(status);
                assert_eq!(answer.header("content-range"), range, "{method} {query}");
                assert_eq!(answer.header("preference-applied"), "count=exact");
            }
            let planned = [("prefer", "count=planned")];
            let planned = server.rest_with(Anonymous, "GET", &path, Value::Null, &planned).await;
            assert!([200, 206, 416].contains(&planned.status), "{query}: {}", planned.text);
        }
        counted(server, "GET", "/quotas?offset=5001", &[]).await.expect(416).refused("PGRST103");
        let one = [("accept", "application/vnd.pgrst.object+json")];
        let answer = counted(server, "GET", "/quotas", &one).await.expect(406).refused("PGRST116");
        assert_eq!(answer.json()["details"], "The result contains 5000 rows");
    })
    .await;
}

/// In an order with ties, whose links are known before the rows are told.
#[tokio::test]
async fn long_pages_lead_to_one_another() {
    on_both_with(many, async |server| {
        plant(server, 5_000, 0).await;
        let (mut path, mut names) = ("/quotas?select=name&order=amount.desc&limit=2000".to_owned(), Vec::new());
        for rows in [2_000, 2_000, 1_000] {
            let page = server.get(Anonymous, &path).await.expect(200);
            assert_eq!(page.header("content-range"), format!("0-{}/*", rows - 1));
            names.extend(page.json().as_array().expect("rows").iter().map(|row| row["name"].to_string()));
            path = next(&page).unwrap_or_default().to_owned();
        }
        assert_eq!(path, "");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 5_000);
    })
    .await;
}

/// A request for a long answer.
async fn ask(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("a connection");
    stream.write_all(b"GET /quotas HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("the request");
    stream
}

/// The beginning of a long answer, which nobody takes yet.
async fn begin(server: &Server) -> TcpStream {
    let mut stream = ask(server).await;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("the beginning of an answer");
    assert_eq!(&start, b"HTTP/1.1 200");
    stream
}

/// More of them than there are connections to the database.
#[tokio::test]
async fn clients_that_go_away_leave_nothing_behind() {
    on_both_with(many, async |server| {
        plant(server, 5_000, 4_000).await;
        for _ in 0..25 {
            drop(begin(server).await);
        }
        let whole = server.get(Anonymous, "/quotas?select=id").await.expect(200);
        assert_eq!(whole.json().as_array().expect("rows").len(), 5_000);
        server.rest(Editor, "DELETE", "/trees/1", Value::Null).await.expect(204);
    })
    .await;
}

fn few_connections() -> Setup {
    let configure: fn(&mut rootstock::config::Config) = |config| {
        config.limits.max_rows = 100_000;
        config.database.max_connections = 2;
    };
    Setup { configure, ..quotas::setup() }
}

#[tokio::test]
async fn clients_that_take_their_time_leave_connections_to_others() {
    on_both_with(few_connections, async |server| {
        plant(server, 5_000, 4_000).await;
        let slow = begin(server).await;
        let next = ask(server).await;
        for _ in 0..3 {
            server.get(Anonymous, "/quotas?select=id&limit=1").await.expect(200);
            server.rest(Editor, "PATCH", "/trees/1", json!({ "name": "Fig" })).await.expect(200);
        }
        drop((slow, next));
        server.get(Anonymous, "/quotas?select=id").await.expect(200);
    })
    .await;
}

fn hasty() -> Setup {
    let configure: fn(&mut rootstock::config::Config) = |config| {
        config.limits.max_rows = 100_000;
        config.http.request_timeout = Duration::from_secs(1);
    };
    Setup { configure, ..quotas::setup() }
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_with_the_time_of_its_request() {
    on_both_with(hasty, async |server| {
        plant(server, 5_000, 4_000).await;
        let mut stream = begin(server).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut rest = Vec::new();
        // Whether the connection is closed or reset, what came is not the end of an answer.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.len() < 5_000 * 4_000 && !rest.ends_with(b"0\r\n\r\n"), "{} bytes", rest.len());
        assert_eq!(server.get(Anonymous, "/trees/4?select=id").await.expect(200).text, r#"{"id":4}"#);
    })
    .await;
}
