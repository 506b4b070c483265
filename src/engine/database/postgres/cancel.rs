//! Asks the server to end a statement, by a connection of its own.
//!
//! In: the token of the statement's session. Out: nothing; whether the statement ends, its session tells. The connection
//! of such a request is closed by who was asked, when it is done. tokio-postgres does not wait for that, which is all the
//! same to PostgreSQL; but PgBouncer may still be handing the request on, and 1.18 does not survive the loss.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_postgres::{CancelToken, Config, config::Host, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Where the one host that `config` names is reached by TCP.
pub(super) fn address(config: &Config) -> Option<(String, u16)> {
    match config.get_hosts() {
        [Host::Tcp(host)] => Some((host.clone(), config.get_ports().first().copied().unwrap_or(5432))),
        _ => None,
    }
}

/// Asks a pooler at `address`, or without one PostgreSQL itself.
pub(super) async fn cancel(
    token: CancelToken,
    mut tls: MakeRustlsConnect,
    address: Option<&(String, u16)>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Some((host, port)) = address else { return Ok(token.cancel_query(tls).await?) };
    let stream = Patient(TcpStream::connect((&**host, *port)).await?);
    let tls = MakeTlsConnect::<Patient>::make_tls_connect(&mut tls, host)?;
    Ok(token.cancel_query_raw(stream, tls).await?)
}

/// A stream whose other end is the first to close it.
struct Patient(TcpStream);

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut space = [0; 64];
            let mut rest = ReadBuf::new(&mut space);
            // Closed in order or not: there is nobody any more.
            if ready!(Pin::new(&mut self.0).poll_read(cx, &mut rest)).is_err() || rest.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
