//! `rootstock health`: whether a running server is ready, for containers that have no curl.
//!
//! In: a URL. Out: exit code 0 if it answers 200, else 1 and why.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use rootstock::config::Options;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use url::Url;

use super::{Failure, Outcome};

/// How long the server has to answer.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to ask; /readyz at BIND_ADDR if not said
    #[arg(long)]
    url: Option<String>,
}

pub(super) async fn run(options: &Options, arguments: &Arguments) -> Outcome {
    let url = arguments.url.clone().unwrap_or_else(|| local(options.bind_addr));
    let line = match timeout(PATIENCE, ask(&url)).await {
        Ok(Ok(line)) => line,
        Ok(Err(why)) => return Err(Failure::No(format!("not ready: {url}: {why}"))),
        Err(_) => return Err(Failure::No(format!("not ready: {url}: no answer in {} s", PATIENCE.as_secs()))),
    };
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(Failure::No(format!("not ready: {url}: {line}"))),
    }
}

/// Where the server of this configuration answers on this machine.
fn local(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() });
    }
    format!("http://{address}/readyz")
}

/// The status line of the answer to a GET: the one thing that is wanted of HTTP here.
async fn ask(url: &str) -> Result<String, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let (Some(host), "http") = (url.host_str(), url.scheme()) else {
        return Err("the URL must be as http://127.0.0.1:8000/readyz".to_owned());
    };
    let port = url.port_or_known_default().unwrap_or(80);
    let path = if url.path() == "/" { "/readyz" } else { url.path() };
    // A bracketed IPv6 host is written without brackets to the resolver.
    let address = (host.trim_start_matches('[').trim_end_matches(']'), port);
    let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // Enough for a status line, whatever sends it.
    stream.take(4096).read_to_end(&mut answer).await.map_err(|error| error.to_string())?;
    let answer = String::from_utf8_lossy(&answer);
    match answer.lines().next() {
        Some(line) if line.starts_with("HTTP/1.") => Ok(line.to_owned()),
        _ => Err("what answers there does not speak HTTP".to_owned()),
    }
}
