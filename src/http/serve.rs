//! The loop that accepts connections and serves them, by HTTP/1.1 and by HTTP/2 with prior knowledge.
//!
//! In: a listener, a router, the bounds, and when to stop. Out: answers; after the word to stop, the end of the last
//! connection that was there before. `axum::serve` sets no bound on a client that is slow, so it does not serve here.

use super::{
    connection::{FAREWELL, Taken, Taking, Watch, Watched},
    layers::Late,
};
use crate::{config::HttpConfig, telemetry::metrics};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, Version, header},
    response::Response,
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::{
    convert::Infallible,
    future::pending,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
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
/// How long a drain waits for requests that are on their way: a connection that was there before stays open for as long
/// when it has nothing to do, so that what its client has sent already is answered. Round trips are shorter.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Serves `router` until `stop`, then drains, and returns when the last connection that was there before has ended.
/// Dropped, it ends all of them at once. A client has no more time than `config` says to send a head, to send the next
/// one, and to take an answer; nor are there more connections at once.
///
/// Who has a connection when the drain begins, be it in the system's queue, gets answers to what is on its way, the last
/// one of HTTP/1.1 with `connection: close`; by HTTP/2 GOAWAY says the same. Who comes later is heard too, so that a
/// balancer that asks for `/readyz` learns why, and is told by 503 to go elsewhere.
pub async fn serve(listener: TcpListener, router: Router, config: &HttpConfig, stop: impl Future<Output = ()>) {
    let (drain, draining) = watch::channel(false);
    let room = || Arc::new(Semaphore::new(config.max_connections as usize));
    let (connections, latecomers) = (room(), room());
    let server = Arc::new(Server {
        builder: builder(),
        router,
        head: config.head_timeout,
        idle: config.idle_timeout,
        draining: AtomicBool::new(false),
    });
    tokio::select! {
        () = server.accept(&listener, &connections, &draining, false) => {}
        () = stop => {}
    }
    let listener = server.take_in(listener, &connections, &draining);
    server.draining.store(true, Relaxed);
    drain.send_replace(true);
    let ended = async {
        sleep(LAST_CALL).await;
        // All of them are free again when the last connection has ended. The semaphore is never closed.
        let _ = connections.acquire_many(config.max_connections).await;
    };
    let late = async {
        match &listener {
            Ok(listener) => server.accept(listener, &latecomers, &draining, true).await,
            Err(_) => pending().await,
        }
    };
    tokio::select! {
        () = ended => {}
        () = late => {}
    }
    drop(listener);
    let _ = timeout(FAREWELL, latecomers.acquire_many(config.max_connections)).await;
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
    /// A client is told not to send another request on its connection.
    draining: AtomicBool,
}

impl Server {
    /// Accepts connections and serves them, as many at once as there is room for. They are late when the server drains.
    async fn accept(
        self: &Arc<Self>,
        listener: &TcpListener,
        room: &Arc<Semaphore>,
        draining: &watch::Receiver<bool>,
        late: bool,
    ) {
        loop {
            // Whoever comes when there are enough waits in the system's queue.
            let Ok(permit) = Arc::clone(room).acquire_owned().await else { return };
            let (stream, peer) = accept(listener).await;
            tokio::spawn(Arc::clone(self).connection(stream, peer, late, draining.clone(), permit));
        }
    }

    /// Serves those who wait in the system's queue. The system itself is asked: of who came just now, the runtime may not
    /// know yet.
    fn take_in(
        self: &Arc<Self>,
        listener: TcpListener,
        room: &Arc<Semaphore>,
        draining: &watch::Receiver<bool>,
    ) -> io::Result<TcpListener> {
        let listener = listener.into_std()?;
        while let Ok(permit) = Arc::clone(room).try_acquire_owned()
            && let Ok((stream, peer)) = listener.accept()
        {
            stream.set_nonblocking(true)?;
            let stream = TcpStream::from_std(stream)?;
            tokio::spawn(Arc::clone(self).connection(stream, peer, false, draining.clone(), permit));
        }
        TcpListener::from_std(listener)
    }

    /// Serves one connection to its end, which is also that of the loop that accepted it. The permit is given back then.
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        late: bool,
        draining: watch::Receiver<bool>,
        _permit: OwnedSemaphorePermit,
    ) {
        let _open = metrics::connection();
        let mut loop_of_it = draining.clone();
        let dropped = async { while loop_of_it.changed().await.is_ok() {} };
        tokio::select! {
            () = self.converse(stream, peer, late, draining) => {}
            () = dropped => {}
        }
    }

    async fn converse(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        late: bool,
        mut draining: watch::Receiver<bool>,
    ) {
        // An answer is written as a whole: to wait for more of it only delays it. A socket that cannot be told so works.
        let _ = stream.set_nodelay(true);
        let watch = Arc::new(Watch::new(self.head, self.idle));
        let (server, watched) = (Arc::clone(self), Arc::clone(&watch));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            let taking = watched.request(request.version());
            request.extensions_mut().insert(ConnectInfo(peer));
            if late {
                request.extensions_mut().insert(Late);
            }
            Arc::clone(&server).answer(request, taking)
        });
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&watch)));
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(io, service));
        let quiet = async {
            // The other end is dropped only after it was said.
            let _ = draining.wait_for(|draining| *draining).await;
            watch.quiet(LAST_CALL).await;
        };
        // What a connection ended with is the client's affair: each request that came has its line in the log.
        tokio::select! {
            biased;
            ended = connection.as_mut() => return heard(&ended),
            () = watch.expired() => {}
            () = quiet => {
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

    async fn answer(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
        taking: Taking,
    ) -> Result<Response<Taken>, Infallible> {
        let request: Request = request.map(Body::new);
        let version = request.version();
        // A router is ready at any time.
        let mut response = self.router.clone().call(request).await?;
        if version < Version::HTTP_2 && self.draining.load(Relaxed) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| taking.answer(body)))
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
