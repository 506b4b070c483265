//! Bad bytes: requests as no client would send them, byte by byte. Never 5xx, and nothing is written.

use super::bad_input::state;
use crate::support::{Caller::*, on_both};

#[tokio::test]
async fn what_no_client_would_send_is_answered_all_the_same() {
    on_both(async |server| {
        let before = state(server).await;
        let token = &server.person(User).token;
        let post = |path: &str, headers: &str, body: &str| {
            format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        for request in [
            "GET\r\n\r\n".to_owned(),
            "GET / HTTP/9.9\r\n\r\n".to_owned(),
            "get /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "CONNECT x:80 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET http://elsewhere/trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(),
            "GET //trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees// HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /./trees/../expenses HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees/%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees/%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees?%ff=eq.1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees?name=eq.%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees?name=eq.%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees?name=eq.% HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /assets/../Cargo.toml HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /assets/%2e%2e/index.html HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "GET /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: \u{ff}\r\n\r\n".to_owned(),
            "GET /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer \u{ff}\r\n\r\n".to_owned(),
            format!("GET /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: {}\r\n\r\n", "x".repeat(60_000)),
            format!("GET /trees HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}\r\n", "x-many: 1\r\n".repeat(90)),
            format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "x".repeat(60_000)),
            post("/graphql", "content-type: application/json\r\n", "{\"query\":\"\\u0000\"}"),
            post(
                "/graphql",
                "content-type: application/json\r\ncontent-type: text/plain\r\n",
                "{\"query\":\"{me{id}}\"}",
            ),
            post(
                "/graphql",
                "content-type: application/json\r\ncontent-encoding: gzip\r\n",
                "{\"query\":\"{me{id}}\"}",
            ),
            post(
                "/expenses",
                &format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n"),
                "\u{feff}{}",
            ),
            post(
                "/expenses",
                &format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n"),
                &"[".repeat(100_000),
            ),
            post(
                "/expenses",
                &format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n"),
                &format!("{{\"title\":{}", "{\"a\":".repeat(50_000)),
            ),
            post(
                "/graphql",
                "content-type: application/json\r\n",
                &format!("{{\"query\":\"{{me{{id}}}}\",\"variables\":{}{}}}", "{\"a\":".repeat(5000), "}".repeat(5000)),
            ),
            post("/auth/login", "content-type: application/json\r\n", &"[".repeat(100_000)),
        ] {
            if let Some(status) = server.raw(request.as_bytes()).await {
                assert!((200..500).contains(&status), "{status}: {request:.300}");
            }
        }
        assert_eq!(state(server).await, before);
        server.get(Anonymous, "/livez").await.expect(200);
    })
    .await;
}

/// Text is UTF-8, whatever a header calls it: nothing is converted, so nothing grows.
#[tokio::test]
async fn other_character_sets_are_not_read() {
    on_both(async |server| {
        let before = state(server).await;
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let utf32 = |text: &str| text.chars().flat_map(|one| u32::from(one).to_be_bytes()).collect::<Vec<u8>>();
        let latin1 = |text: &str| text.chars().map(|one| u8::try_from(one).expect("a letter")).collect::<Vec<u8>>();
        for (media, path, text) in [
            ("application/json", "/expenses", r#"{"title":"é","amount":1}"#),
            ("text/csv", "/expenses", "title,amount\né,1\n"),
            ("application/json", "/graphql", r#"{"query":"{ me { id } } # é"}"#),
            ("application/json", "/auth/login", r#"{"email":"é","password":"x"}"#),
        ] {
            for (charset, body) in [("utf-16le", utf16(text)), ("utf-32", utf32(text)), ("iso-8859-1", latin1(text))] {
                let request = server.request(User, "POST", path);
                let request = request.header("content-type", format!("{media}; charset={charset}"));
                let answer = server.send(request.body(body)).await;
                assert!((400..500).contains(&answer.status), "{path} {charset}: {} {}", answer.status, answer.text);
            }
        }
        assert_eq!(state(server).await, before);
    })
    .await;
}
