//! The client: requests made beforehand, over connections that stay open. It does as little as it can, for it shares the
//! machine with the server.

use crate::Outcome;
use futures_util::future::try_join_all;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An HTTP request, but for who sends it.
pub(crate) struct Request {
    method: &'static str,
    path: String,
    body: String,
}

impl Request {
    pub(crate) fn get(path: String) -> Self {
        Self { method: "GET", path, body: String::new() }
    }

    pub(crate) fn post(path: String, body: &Value) -> Self {
        Self { method: "POST", path, body: body.to_string() }
    }

    pub(crate) fn into_bytes(self, token: &str) -> Vec<u8> {
        let Self { method, path, body } = self;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n");
        if !token.is_empty() {
            head += &format!("authorization: Bearer {token}\r\n");
        }
        if !body.is_empty() {
            head += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}

/// A server's door, with the requests that are sent to it in turn.
pub(crate) struct Target {
    requests: Vec<Vec<u8>>,
    connections: Vec<Connection>,
}

impl Target {
    /// Over as many connections as requests shall be under way at a time.
    pub(crate) async fn connect(port: u16, requests: Vec<Vec<u8>>, connections: usize) -> Outcome<Self> {
        let connections = try_join_all((0..connections).map(|_| Connection::open(port))).await?;
        Ok(Self { requests, connections })
    }

    /// The answer to the first of the requests.
    pub(crate) async fn ask(&mut self) -> Outcome<Vec<u8>> {
        let range = self.connections[0].ask(&self.requests[0]).await?;
        Ok(self.connections[0].buffer[range].to_vec())
    }

    /// Sends requests for as long as `time`, each connection from another one on, and tells how many.
    pub(crate) async fn load(&mut self, time: Duration) -> Outcome<u32> {
        let (requests, end) = (&self.requests, Instant::now() + time);
        let counts = self.connections.iter_mut().enumerate().map(async |(index, connection)| {
            let mut count = 0;
            for request in requests.iter().cycle().skip(index) {
                if Instant::now() >= end {
                    break;
                }
                connection.ask(request).await?;
                count += 1;
            }
            Outcome::Ok(count)
        });
        Ok(try_join_all(counts).await?.into_iter().sum())
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(256 * 1024) })
    }

    /// Sends a request and reads its answer; where its body is in the buffer.
    async fn ask(&mut self, request: &[u8]) -> Outcome<std::ops::Range<usize>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed a connection".into());
            }
            let Some(head) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let (text, start) = (std::str::from_utf8(&self.buffer[..head])?, head + 4);
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let end = start + length.ok_or("an answer without a length")?.parse::<usize>()?;
            let good = text.starts_with("HTTP/1.1 2");
            while self.buffer.len() < end {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err("the server closed a connection".into());
                }
            }
            // GraphQL tells of a failure in the body.
            if !good || self.buffer[start..end].windows(9).any(|bytes| bytes == b"\"errors\":") {
                return Err(String::from_utf8_lossy(&self.buffer).into());
            }
            return Ok(start..end);
        }
    }
}
