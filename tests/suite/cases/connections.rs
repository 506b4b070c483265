//! Connections, byte by byte: clients that are slow, heads that are too large or ambiguous, and how a drain ends them.

use super::{quotas, streaming};
use crate::support::{Caller::*, Dialect, Server, Setup, on_both_with, start_with};
use rootstock::{config::Config, http};
use serde_json::json;
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a head may take.
const HEAD: Duration = Duration::from_millis(700);

/// A server whose clients must be quick, and may be idle for longer than a test takes.
fn quick() -> Setup {
    let configure: fn(&mut Config) = |config| {
        config.http.head_timeout = HEAD;
        config.http.request_timeout = Duration::from_secs(2);
    };
    Setup { configure, ..Setup::default() }
}

/// A socket, and what came over it.
pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    async fn to(server: &Server) -> Self {
        Self::at(server.url.trim_start_matches("http://")).await
    }

    pub(crate) async fn at(address: &str) -> Self {
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The other end may have heard enough already.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Everything that comes until the server closes the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let end = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("the server closes the connection");
        if let Err(error) = end {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One answer whose body ends with `end`.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.expect("an answer in time");
            let byte = byte.unwrap_or_else(|_| panic!("closed after {:?}", String::from_utf8_lossy(&bytes)));
            bytes.push(byte);
        }
        String::from_utf8(bytes).expect("UTF-8")
    }
}

/// What comes back to bytes that end in an answer and the end of the connection.
async fn told(server: &Server, bytes: impl AsRef<[u8]>) -> String {
    let mut wire = Wire::to(server).await;
    wire.send(bytes).await;
    wire.rest().await
}

pub(crate) const ALIVE: &str = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_client_that_does_not_say_what_it_wants_is_left() {
    on_both_with(quick, async |server| {
        // Nothing at all; the beginning of a head; the beginning of HTTP/2.
        for beginning in ["", "GET /livez HT", "PRI * HTTP/2.0\r\n\r\nS"] {
            assert_eq!(told(server, beginning).await, "", "{beginning:?}");
        }
        // A byte at a time, each long before its time is over.
        let mut wire = Wire::to(server).await;
        let slow = async {
            for byte in ALIVE.bytes().cycle() {
                if wire.0.write_all(&[byte]).await.is_err() {
                    return;
                }
                sleep(HEAD / 5).await;
            }
        };
        // Every five heads' time one of them would be whole.
        timeout(PATIENCE, slow).await.expect("it is cut off");
        // The same on a connection that has been useful before.
        let mut wire = Wire::to(server).await;
        wire.send(ALIVE).await;
        wire.until("alive\n").await;
        wire.send("GET /livez HTTP/1.1\r\nho").await;
        assert_eq!(wire.rest().await, "");
        server.get(Anonymous, "/livez").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_connection_may_rest_between_two_requests_for_longer_than_a_head_may_take() {
    on_both_with(quick, async |server| {
        let mut wire = Wire::to(server).await;
        for _ in 0..3 {
            wire.send(ALIVE).await;
            assert!(wire.until("alive\n").await.starts_with("HTTP/1.1 200 "));
            sleep(HEAD * 2).await;
        }
    })
    .await;
}

fn restless() -> Setup {
    let configure: fn(&mut Config) = |config| config.http.idle_timeout = HEAD;
    Setup { configure, ..Setup::default() }
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    on_both_with(restless, async |server| {
        let mut wire = Wire::to(server).await;
        wire.send(ALIVE).await;
        wire.until("alive\n").await;
        assert_eq!(wire.rest().await, "");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    on_both_with(quick, async |server| {
        let token = &server.person(User).token;
        let head = format!(
            "POST /expenses HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        );
        let mut wire = Wire::to(server).await;
        wire.send(format!("{head}content-length: 1000\r\nconnection: close\r\n\r\n{{\"title\":")).await;
        assert!(wire.rest().await.starts_with("HTTP/1.1 408 "));
        // What would not be read is not waited for.
        for path in ["/graphql", "/auth/login"] {
            let mut wire = Wire::to(server).await;
            wire.send(format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\n"
            ))
            .await;
            assert!(wire.until("\r\n").await.starts_with("HTTP/1.1 415 "), "{path}");
        }
        // A client that asks first is told to go on.
        let mut wire = Wire::to(server).await;
        wire.send(format!("{head}content-length: 27\r\nexpect: 100-continue\r\n\r\n")).await;
        assert_eq!(wire.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
        wire.send(r#"{"title":"tea","amount":"1"}"#.get(..27).expect("as long as was said")).await;
        assert!(wire.until("\r\n\r\n").await.starts_with("HTTP/1.1 400 "), "the last brace is missing");
        // What is refused for its head is not asked for its body.
        let mut wire = Wire::to(server).await;
        let refused = head.replace("application/json", "text/html").replace("/expenses", "/auth/login");
        wire.send(format!("{refused}content-length: 27\r\nexpect: 100-continue\r\n\r\n")).await;
        assert!(wire.until("\r\n\r\n").await.starts_with("HTTP/1.1 415 "));
    })
    .await;
}

#[tokio::test]
async fn heads_have_bounds() {
    on_both_with(Setup::default, async |server| {
        let get =
            |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        for (request, status) in [
            (get("/livez", &"x-many: 1\r\n".repeat(90)), 200),
            (get("/livez", &"x-many: 1\r\n".repeat(120)), 431),
            (get("/livez", &format!("x-long: {}\r\n", "x".repeat(60_000))), 200),
            (get("/livez", &format!("x-long: {}\r\n", "x".repeat(200_000))), 431),
            (get(&format!("/livez?{}", "x".repeat(60_000)), ""), 200),
            (get(&format!("/livez?{}", "x".repeat(66_000)), ""), 414),
            (get(&format!("/livez?{}", "x".repeat(200_000)), ""), 431),
        ] {
            let answer = told(server, &request).await;
            // Who is still sending when the connection is closed may not hear why.
            let unheard = answer.is_empty() && request.len() > 128 * 1024;
            assert!(unheard || answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:.60}: {answer:.60}");
        }
    })
    .await;
}

/// What two parties could read in two ways: none of it makes a second request of the bytes behind the first.
#[tokio::test]
async fn the_end_of_a_request_is_never_in_doubt() {
    on_both_with(Setup::default, async |server| {
        let hidden = "DELETE /trees/1 HTTP/1.1\r\nhost: x\r\n\r\n";
        let post = |headers: &str, body: &str| {
            format!("POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n\r\n{body}")
        };
        for (request, status) in [
            // Both lengths: the chunks count, and the connection ends with the answer (RFC 9112, section 6.3).
            (post("content-length: 5\r\ntransfer-encoding: chunked", &format!("0\r\n\r\n{hidden}")), 400),
            (post("transfer-encoding: chunked\r\ncontent-length: 5", &format!("0\r\n\r\n{hidden}")), 400),
            (post("content-length: 2\r\ncontent-length: 3", &format!("{{}}{hidden}")), 400),
            (post("content-length: 2, 3", &format!("{{}}{hidden}")), 400),
            (post("content-length: +2", &format!("{{}}{hidden}")), 400),
            (post("content-length: -1", hidden), 400),
            (post("transfer-encoding: chunked, identity", &format!("0\r\n\r\n{hidden}")), 400),
            (post("transfer-encoding: gzip", hidden), 400),
            (post("transfer-encoding : chunked", &format!("0\r\n\r\n{hidden}")), 400),
            // A line that goes on in the next one; a lone CR in a line.
            (format!("GET /livez HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n content-length: 5\r\n\r\n{hidden}"), 400),
            (format!("GET /livez HTTP/1.1\r\nhost: x\r\nx-a: 1\rcontent-length: 5\r\n\r\n{hidden}"), 400),
            // A chunk whose size is none.
            (post("transfer-encoding: chunked", &format!("zz\r\n{hidden}")), 400),
            (post("transfer-encoding: chunked", &format!("fffffffffffffffff\r\n{hidden}")), 400),
        ] {
            let answer = told(server, &request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{request:?}: {answer}");
        }
        // A line may end with LF alone (RFC 9112, section 2.2), and a length be told twice if it is the same.
        let bare = "GET /livez HTTP/1.1\nhost: x\nconnection: close\n\n";
        assert!(told(server, bare).await.starts_with("HTTP/1.1 200 "));
        let twice = post("connection: close\r\ncontent-length: 2\r\ncontent-length: 2", "{}");
        assert!(told(server, twice).await.starts_with("HTTP/1.1 422 "));
    })
    .await;
}

#[tokio::test]
async fn requests_that_come_together_are_answered_in_their_order() {
    on_both_with(Setup::default, async |server| {
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        let last = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answer = told(server, format!("{}{}{last}", get("/trees/1?select=id"), get("/trees/2?select=id"))).await;
        let at = |text: &str| answer.find(text).unwrap_or_else(|| panic!("no {text} in {answer}"));
        assert!(at(r#"{"id":1}"#) < at(r#"{"id":2}"#) && at(r#"{"id":2}"#) < at("alive\n"));
    })
    .await;
}

fn crowded() -> Setup {
    let configure: fn(&mut Config) = |config| {
        config.http.max_connections = 2;
        config.http.head_timeout = HEAD;
    };
    Setup { configure, ..Setup::default() }
}

/// Whoever comes when there are as many as there may be waits until one of them goes.
#[tokio::test]
async fn connections_are_counted() {
    on_both_with(crowded, async |server| {
        let _silent = (Wire::to(server).await, Wire::to(server).await);
        let mut third = Wire::to(server).await;
        third.send(ALIVE).await;
        third.until("alive\n").await;
    })
    .await;
}

/// A frame of HTTP/2.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The preface of HTTP/2, the client's settings, and nothing else.
pub(crate) fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat()
}

/// `GET /` with an authority, by the static table of HPACK.
const GET_ROOT: [u8; 6] = [0x82, 0x86, 0x84, 0x41, 0x01, b'x'];

/// Streams that are reset as soon as they are opened (CVE-2023-44487), and heads that never end (CVE-2024-27316).
#[tokio::test]
async fn http_2_cannot_be_used_to_make_work_of_nothing() {
    on_both_with(quick, async |server| {
        let mut resets = preface();
        for stream in (1..20_001).step_by(2) {
            resets.extend(frame(1, 5, stream, &GET_ROOT));
            resets.extend(frame(3, 0, stream, &8_u32.to_be_bytes()));
        }
        let mut endless = preface();
        endless.extend(frame(1, 0, 1, &GET_ROOT));
        for _ in 0..10_000 {
            // A literal header that is not indexed: `a: b`.
            endless.extend(frame(9, 0, 1, &[0x00, 0x01, b'a', 0x01, b'b']));
        }
        for bytes in [resets, endless] {
            let mut wire = Wire::to(server).await;
            let (mut from, mut to) = wire.0.split();
            let sent = async {
                let _ = to.write_all(&bytes).await;
            };
            let heard = async {
                let mut heard = Vec::new();
                let _ = from.read_to_end(&mut heard).await;
            };
            timeout(PATIENCE, async { tokio::join!(sent, heard) }).await.expect("the connection is ended");
            server.get(Anonymous, "/trees/1").await.expect(200);
        }
    })
    .await;
}

/// Who is in the middle of a request is answered, and told that the connection ends; who is not is let go.
#[tokio::test]
async fn a_drain_ends_every_connection_when_it_has_nothing_left_to_do() {
    let server = start_with(Dialect::Sqlite, Setup::default()).await;
    let mut config = Config::for_tests("sqlite::memory:").expect("a configuration").http;
    config.request_timeout = PATIENCE;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = server.app.router();
    let serving = tokio::spawn(async move {
        http::serve(listener, router, &config, async {
            let _ = stopped.await;
        })
        .await;
    });

    let (mut silent, mut idle, mut busy) =
        (Wire::at(&address).await, Wire::at(&address).await, Wire::at(&address).await);
    idle.send(ALIVE).await;
    idle.until("alive\n").await;
    let body = json!({ "email": "ann@example.com", "password": "wrong" }).to_string();
    let head = format!(
        "POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    busy.send(head).await;
    busy.until("100 Continue\r\n\r\n").await;

    stop.send(()).expect("the server waits for it");
    assert_eq!((silent.rest().await, idle.rest().await), (String::new(), String::new()));
    assert!(!serving.is_finished());
    // Who comes now is heard, and sent elsewhere.
    for (request, status) in
        [("GET /trees", 503), ("GET /nowhere", 503), ("GET /graphql?query={__typename}", 503), ("GET /livez", 200)]
    {
        let mut late = Wire::at(&address).await;
        late.send(format!("{request} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        let answer = late.rest().await.to_lowercase();
        assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{request}: {answer}");
        for header in ["connection: close", "x-request-id: ", if status == 503 { "retry-after: " } else { "" }] {
            assert!(answer.contains(&format!("\r\n{header}")), "{request}: no {header} in {answer}");
        }
    }
    busy.send(body).await;
    let answer = busy.rest().await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    timeout(PATIENCE, serving).await.expect("the server ends").expect("without a panic");
    assert!(TcpStream::connect(&address).await.is_err(), "nobody listens any more");
}

fn patient_with_nobody() -> Setup {
    let configure: fn(&mut Config) = |config| {
        config.http.head_timeout = HEAD;
        config.http.idle_timeout = HEAD;
    };
    Setup { configure, ..quotas::setup() }
}

/// An answer that is longer than what the system keeps for both ends.
#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_left() {
    on_both_with(patient_with_nobody, async |server| {
        streaming::plant(server, 1_000, 20_000).await;
        let mut wire = Wire::to(server).await;
        wire.send("GET /quotas HTTP/1.1\r\nhost: x\r\n\r\n").await;
        sleep(HEAD * 6).await;
        let answer = wire.rest().await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.len() < 1_000 * 20_000, "{} bytes", answer.len());
    })
    .await;
}
