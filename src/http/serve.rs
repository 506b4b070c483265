//! The loop that accepts connections and serves them, by HTTP/1.1 and by HTTP/2 with prior knowledge.
//!
//! In: a listener, a router, the bounds, and when to stop. Out: answers; after the word to stop, the end of the last
//! connection. `axum::serve` sets no bound on a client that is slow, so it does not serve here.

use super::connection::{Taken, Taking, Watch, Watched};
use crate::{config::HttpConfig, telemetry::metrics};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tower_service::Service as _;

/// How many bytes the head of a request may have. A URL may have 64 KiB, as far as they go (414); what is beyond this is
/// 431.
const HEAD: usize = 128 * 1024;
/// The same as HTTP/2 counts it, uncompressed.
const HEADERS: u32 = 64 * 1024;
/// How many requests one connection may have in flight.
const STREAMS: u32 = 100;
/// How often an HTTP/2 connection is asked whether somebody is there, and how long the answer may take. A head that comes
/// in pieces holds up the answer, so it is bounded by this as well.
const PING: Duration = Duration::from_secs(20);
/// How long to leave new connections alone when none can be taken: there are no more files to open, say.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a connection whose time is over has for its last words.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves `router` until `stop`, then ends each connection as soon as it has nothing in flight, and returns when the
/// last one has ended. A client has no more time than `config` says to send a head, to send the next one, and to take
/// an answer; nor are there more connections at once.
pub async fn serve(listener: TcpListener, router: Router, config: &HttpConfig, stop: impl Future<Output = ()>) {
    let (drain, draining) = watch::channel(false);
    let connections = Arc::new(Semaphore::new(config.max_connections as usize));
    let server = Arc::new(Server { builder: builder(), router, head: config.head_timeout, idle: config.idle_timeout });
    let accepting = async {
        loop {
            // Whoever comes when there are enough waits in the system's queue.
            let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
            let (stream, peer) = accept(&listener).await;
            tokio::spawn(Arc::clone(&server).connection(stream, peer, draining.clone(), permit));
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    // Nobody waits for a listener that accepts no more.
    drop(listener);
    drain.send_replace(true);
    // All of them are free again when the last connection has ended. The semaphore is never closed.
    let _ = connections.acquire_many(config.max_connections).await;
}

/// The next connection, whatever becomes of others.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        // Gone before it was taken: that is no trouble of ours.
        if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            tracing::warn!(error.cause = %error, "no connection can be accepted at the moment");
            sleep(PAUSE).await;
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Hyper's own bound counts the time between two requests as the next one's head; a `Watch` tells them apart.
    builder.http1().header_read_timeout(None).max_buf_size(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// What all connections share.
struct Server {
    builder: Builder<TokioExecutor>,
    router: Router,
    head: Duration,
    idle: Duration,
}

impl Server {
    /// Serves one connection to its end. The permit is given back then.
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        mut draining: watch::Receiver<bool>,
        _permit: OwnedSemaphorePermit,
    ) {
        let _open = metrics::connection();
        // An answer is written as a whole: to wait for more of it only delays it. A socket that cannot be told so works.
        let _ = stream.set_nodelay(true);
        let watch = Arc::new(Watch::new(self.head, self.idle));
        let (router, watched) = (self.router.clone(), Arc::clone(&watch));
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let taking = watched.request(request.version());
            answer(router.clone(), request, peer, taking)
        });
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&watch)));
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(io, service));
        let drained = async {
            // The other end is dropped only after it was said.
            let _ = draining.wait_for(|draining| *draining).await;
        };
        // What a connection ended with is the client's affair: each request that came has its line in the log.
        tokio::select! {
            biased;
            ended = connection.as_mut() => return heard(&ended),
            () = watch.expired() => {}
            () = drained => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    _ = connection.as_mut() => return,
                    () = watch.expired() => {}
                }
            }
        }
        // By HTTP/2 the client is told which of its requests have been seen.
        connection.as_mut().graceful_shutdown();
        let _ = timeout(FAREWELL, connection).await;
    }
}

/// Tells of a connection that ended with what is no HTTP: it has no request whose line could.
fn heard(ended: &Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    let error = ended.as_ref().err().and_then(|error| error.downcast_ref::<hyper::Error>());
    if error.is_some_and(hyper::Error::is_parse) {
        metrics::malformed();
        tracing::info!("a connection ended with what is no HTTP");
    }
}

async fn answer(
    mut router: Router,
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    taking: Taking,
) -> Result<Response<Taken>, Infallible> {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    // A router is ready at any time.
    let response = router.call(request).await?;
    Ok(response.map(|body| taking.answer(body)))
}
