//! How much time a connection has left. A head must come whole soon after its first byte, while a connection may wait
//! longer for the next request; and a client that takes nothing of its answer is gone.
//!
//! In: the bytes that come, the requests that begin, what is taken of their answers. Out: a [`Watch`] that expires. One
//! timer serves a connection, and is moved only when it rings, so that a request costs no timer.
//!
//! And how a connection ends: what the client still sends is read for a moment, because a socket that is closed with
//! bytes unread is reset, and a client that is reset may lose the answer it was about to read.

use axum::{
    body::{Body, Bytes},
    http::Version,
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep, sleep_until},
};

/// How long a connection whose time is over has for its last words.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);
/// How often a connection that is to end is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// No deadline: the server is the one who takes time, and requests have a bound of their own.
const NONE: u64 = u64::MAX;

/// Nothing has come over the connection yet.
const FIRST: u8 = 0;
/// A request was answered: the next byte is the first of a head.
const NEXT: u8 = 1;
/// A head, or what it began, is being read.
const BEGUN: u8 = 2;

/// The time of one connection.
pub(super) struct Watch {
    start: Instant,
    head: u64,
    idle: u64,
    /// When it is over, in milliseconds from the start on.
    deadline: AtomicU64,
    /// How many requests are in flight.
    requests: AtomicUsize,
    /// How far the next head has come.
    awaiting: AtomicU8,
    /// By HTTP/2 bytes come at any time; it is asked by pings whether they make sense.
    multiplexed: AtomicBool,
}

impl Watch {
    /// A connection that has just been made: its first head is awaited.
    pub(super) fn new(head: Duration, idle: Duration) -> Self {
        let head = millis(head);
        Self {
            start: Instant::now(),
            head,
            idle: millis(idle),
            deadline: AtomicU64::new(head),
            requests: AtomicUsize::new(0),
            awaiting: AtomicU8::new(FIRST),
            multiplexed: AtomicBool::new(false),
        }
    }

    /// A head has come whole.
    pub(super) fn request(self: &Arc<Self>, version: Version) -> Taking {
        if version == Version::HTTP_2 {
            self.multiplexed.store(true, Relaxed);
        }
        self.requests.fetch_add(1, Relaxed);
        self.awaiting.store(BEGUN, Relaxed);
        self.deadline.store(NONE, Relaxed);
        Taking(Arc::clone(self))
    }

    /// Waits until the time is over.
    pub(super) async fn expired(&self) {
        loop {
            let (now, deadline) = (self.now(), self.deadline.load(Relaxed));
            if deadline <= now {
                return;
            }
            // A deadline that is set from now on is no earlier than a head that begins now has.
            let look = deadline.min(now.saturating_add(self.head));
            sleep_until(self.start + Duration::from_millis(look)).await;
        }
    }

    /// Waits until a connection that is to end has been without a request for `rest`, be it one whose head has only
    /// begun. By HTTP/2 there is nothing to wait for: its clients are told which of their requests will be answered.
    pub(super) async fn quiet(&self, rest: Duration) {
        let mut since = Instant::now();
        while !self.multiplexed.load(Relaxed) {
            if self.requests.load(Relaxed) > 0 || self.awaiting.load(Relaxed) == BEGUN {
                since = Instant::now();
            } else if since.elapsed() >= rest {
                return;
            }
            sleep(LOOK).await;
        }
    }

    fn now(&self) -> u64 {
        millis(self.start.elapsed())
    }

    fn allow(&self, milliseconds: u64) {
        self.deadline.store(self.now().saturating_add(milliseconds), Relaxed);
    }

    fn arrived(&self, bytes: &[u8]) {
        if self.awaiting.load(Relaxed) == BEGUN || self.multiplexed.load(Relaxed) {
            return;
        }
        // A connection by HTTP/2 says so before its first request (RFC 9113 section 3.4), and is none that waits for one.
        if self.awaiting.load(Relaxed) == FIRST && bytes.starts_with(b"PRI * HTTP/2") {
            self.multiplexed.store(true, Relaxed);
        }
        // The first head has its time from the connection's beginning on.
        if self.awaiting.swap(BEGUN, Relaxed) == NEXT {
            self.allow(self.head);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NONE)
}

/// A request in flight, from the end of its head to the end of its answer.
pub(super) struct Taking(Arc<Watch>);

impl Taking {
    /// The body of its answer, with which it ends.
    pub(super) fn answer(self, body: Body) -> Taken {
        Taken { body, taking: self }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        let watch = &self.0;
        if watch.requests.fetch_sub(1, Relaxed) == 1 {
            watch.awaiting.store(NEXT, Relaxed);
            // Also of an answer whose end the client does not take.
            watch.allow(watch.idle);
        }
    }
}

/// The body of an answer, which tells whether it is waited for, or the client.
pub(super) struct Taken {
    body: Body,
    taking: Taking,
}

impl HttpBody for Taken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let watch = &self.taking.0;
        match &polled {
            Poll::Pending => watch.deadline.store(NONE, Relaxed),
            // It is asked for more when the client has taken enough of this.
            Poll::Ready(Some(_)) => watch.allow(watch.idle),
            Poll::Ready(None) => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket whose bytes are noticed.
pub(super) struct Watched<S> {
    socket: S,
    watch: Arc<Watch>,
    /// When a socket that was shut is closed, whatever still comes.
    farewell: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    pub(super) fn new(socket: S, watch: Arc<Watch>) -> Self {
        Self { socket, watch, farewell: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if let Some(bytes @ [_, ..]) = buffer.filled().get(before..) {
            self.watch.arrived(bytes);
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    /// Says that nothing more will come, then reads what the client still sends until it has ended too, or for a moment.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, farewell, .. } = &mut *self;
        if farewell.is_none() {
            ready!(Pin::new(&mut *socket).poll_shutdown(cx))?;
        }
        let farewell = farewell.get_or_insert_with(|| Box::pin(sleep(FAREWELL)));
        while farewell.as_mut().poll(cx).is_pending() {
            let mut unheard = [0; 4096];
            let mut unheard = ReadBuf::new(&mut unheard);
            // An end, be it a rude one, is what is waited for.
            if ready!(Pin::new(&mut *socket).poll_read(cx, &mut unheard)).is_err() || unheard.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::task::Waker;
    use tokio::time::timeout;

    const HEAD: Duration = Duration::from_secs(100);
    const IDLE: Duration = Duration::from_secs(1_000);

    fn watch() -> Arc<Watch> {
        Arc::new(Watch::new(HEAD, IDLE))
    }

    /// The deadline in seconds, of a connection that has just been made.
    fn deadline(watch: &Watch) -> u64 {
        watch.deadline.load(Relaxed) / 1_000
    }

    #[test]
    fn a_head_has_its_time_from_the_first_byte_on() {
        let watch = watch();
        assert_eq!(deadline(&watch), 100, "a new connection owes its first head");
        watch.arrived(b"G");
        assert_eq!(deadline(&watch), 100, "a byte at a time wins no time");

        drop(watch.request(Version::HTTP_11));
        assert!(deadline(&watch) >= 1_000, "it may wait for the next one");
        watch.arrived(b"G");
        let first = watch.deadline.load(Relaxed);
        assert!((100_000..1_000_000).contains(&first), "{first}");
        watch.arrived(b"G");
        assert_eq!(watch.deadline.load(Relaxed), first);
    }

    #[test]
    fn requests_in_flight_have_bounds_of_their_own() {
        let watch = watch();
        let (one, other) = (watch.request(Version::HTTP_2), watch.request(Version::HTTP_2));
        drop(one);
        assert_eq!(watch.deadline.load(Relaxed), NONE);
        drop(other);
        watch.arrived(b"G");
        assert!(deadline(&watch) >= 1_000, "by HTTP/2 a byte is no head");
    }

    #[tokio::test]
    async fn a_connection_is_quiet_when_no_request_has_begun() {
        let (watch, moment) = (watch(), Duration::from_millis(1));
        let is_quiet = async || timeout(LOOK * 4, watch.quiet(moment)).await.is_ok();
        assert!(is_quiet().await, "nothing came yet");
        watch.arrived(b"G");
        assert!(!is_quiet().await, "a head has begun");
        let request = watch.request(Version::HTTP_11);
        assert!(!is_quiet().await, "a request is in flight");
        drop(request);
        assert!(is_quiet().await, "it was answered");
        watch.arrived(b"G");
        assert!(!is_quiet().await, "the next head has begun");
        let _other = watch.request(Version::HTTP_2);
        assert!(is_quiet().await, "by HTTP/2 GOAWAY may be said at any time");
    }

    #[test]
    fn an_answer_that_is_not_taken_has_an_end() {
        let watch = watch();
        let mut parts = [None, Some("x")].into_iter();
        let body = Body::from_stream(stream::poll_fn(move |_| match parts.next().flatten() {
            Some(part) => Poll::Ready(Some(Ok::<_, axum::Error>(part))),
            None => Poll::Pending,
        }));
        let mut answer = watch.request(Version::HTTP_11).answer(body);
        let mut poll = || Pin::new(&mut answer).poll_frame(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(!poll());
        assert_eq!(watch.deadline.load(Relaxed), NONE, "it is the server that has nothing to tell yet");
        assert!(poll());
        assert!(deadline(&watch) >= 1_000);
    }
}
