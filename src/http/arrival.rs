//! How far a request's body has come: one that is still on its way when the time is over is the client's delay, and not
//! the server's.
//!
//! In: the body of a request. Out: the same, and an [`Arrival`] that knows of it.

use axum::body::{Body, HttpBody as _};
use futures_util::{StreamExt as _, stream};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// What is known of a body: whether somebody waits for more of it.
#[derive(Default)]
pub(super) struct Arrival(Arc<AtomicBool>);

impl Arrival {
    /// A body that tells of itself.
    pub(super) fn watch(body: Body) -> (Body, Self) {
        let arrival = Self::default();
        if body.is_end_stream() {
            return (body, arrival);
        }
        let (mut parts, awaited) = (body.into_data_stream(), Arc::clone(&arrival.0));
        let watched = stream::poll_fn(move |context| {
            let polled = parts.poll_next_unpin(context);
            awaited.store(polled.is_pending(), Ordering::Relaxed);
            polled
        });
        (Body::from_stream(watched), arrival)
    }

    /// Whether somebody waits for more of it.
    pub(super) fn is_awaited(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
