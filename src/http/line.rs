//! The line of a request: what is told of it when it is over.
//!
//! In: a request that came, and what its [`record`] says. Out: a line of the log, a count among the metrics, and the end of
//! its span, once each, whatever becomes of it: an answer whose rows are still to come is over when they have gone or
//! nobody takes them any more, and a request whose client goes away before there is an answer has the status 499.

use crate::telemetry::{
    metrics::{self, Held, Route},
    record::{self, Told},
    traces::Trace,
};
use axum::{
    body::Body,
    extract::MatchedPath,
    http::{HeaderValue, Method, Request},
    response::Response,
};
use futures_util::{StreamExt as _, stream};
use std::{
    collections::HashMap,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

/// What proxies write of a client that was gone before the answer.
const CLIENT_GONE: u16 = 499;

/// The routes of the resources, which the router knows as one.
#[derive(Debug)]
pub(super) struct Routes(HashMap<String, [Arc<str>; 2]>);

impl Routes {
    /// The routes of resources, each with the name of its key.
    pub(super) fn new<'r>(resources: impl Iterator<Item = (&'r str, &'r str)>) -> Self {
        let routes = |name: &str, key: &str| [Arc::from(format!("/{name}")), Arc::from(format!("/{name}/{{{key}}}"))];
        Self(resources.map(|(name, key)| (name.to_owned(), routes(name, key))).collect())
    }

    /// The route of a request. Not its path: that can hold a key, which is nobody else's business.
    fn of<B>(&self, request: &Request<B>) -> Route {
        let Some(matched) = request.extensions().get::<MatchedPath>() else { return Route::Other };
        let on_item = match matched.as_str() {
            "/{resource}" => 0,
            "/{resource}/{key}" => 1,
            _ => return Route::Matched(matched.clone()),
        };
        let name = request.uri().path().split('/').nth(1).unwrap_or_default();
        self.0.get(name).map_or(Route::Other, |routes| Route::Resource(Arc::clone(&routes[on_item])))
    }
}

/// The line of a request. It is told when this is dropped.
pub(super) struct Line {
    start: Instant,
    method: &'static str,
    route: Route,
    id: HeaderValue,
    status: u16,
    trace: Option<Trace>,
    /// Taken out of the record where the line outlives it.
    told: Option<Told>,
    /// Whether the answer was broken off.
    broken: bool,
    _active: Held,
}

impl Line {
    /// A request has come.
    pub(super) fn begin(request: &Request<Body>, routes: &Routes, id: &HeaderValue) -> Self {
        Self::of(request, routes.of(request), id)
    }

    /// A preflight has come.
    pub(super) fn preflight(request: &Request<Body>, id: &HeaderValue) -> Self {
        Self::of(request, Route::Preflight, id)
    }

    fn of(request: &Request<Body>, route: Route, id: &HeaderValue) -> Self {
        let (start, method) = (Instant::now(), shown(request.method()));
        let trace = Trace::begin(request.headers(), method, route.as_str());
        let (id, status, told, broken) = (id.clone(), CLIENT_GONE, None, false);
        Self { start, method, route, id, status, trace, told, broken, _active: metrics::active() }
    }

    /// The trace that the request is in.
    pub(super) fn trace(&self) -> Option<Trace> {
        self.trace.clone()
    }

    /// For how long it has been there.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// There is an answer; with `streams`, its rows are still to come.
    pub(super) fn answered(mut self, response: Response, streams: bool) -> Response {
        self.status = response.status().as_u16();
        if !streams {
            return response;
        }
        self.told = Some(record::take());
        self.broken = true;
        response.map(|body| {
            let (mut parts, mut line) = (body.into_data_stream(), Some(self));
            Body::from_stream(stream::poll_fn(move |context| {
                let polled = parts.poll_next_unpin(context);
                if let (Poll::Ready(None), Some(line)) = (&polled, &mut line) {
                    line.broken = false;
                }
                if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
                    line = None;
                }
                polled
            }))
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let told = self.told.take().unwrap_or_else(record::take);
        let Told { rows, user, role, operation, operations, errors, error } = told;
        let (elapsed, is_graphql) = (self.elapsed(), operations > 0 || errors > 0);
        tracing::info!(
            http.method = self.method,
            http.route = self.route.as_str(),
            http.status = self.status,
            http.broken_off = self.broken.then_some(true),
            duration_ms = elapsed.as_secs_f64() * 1e3,
            rows,
            graphql.operation = operation.as_ref().and_then(|operation| operation.name.as_deref()),
            graphql.r#type = operation.as_ref().map(|operation| operation.kind),
            graphql.operations = (operations > 1).then_some(operations),
            graphql.errors = is_graphql.then_some(errors),
            graphql.error = error.as_deref(),
            user.id = user.map(tracing::field::display),
            user.role = role.as_deref(),
            request.id = self.id.to_str().unwrap_or_default(),
            trace.id = self.trace.as_ref().and_then(Trace::id),
            "request"
        );
        metrics::request(self.method, &self.route, self.status, elapsed);
        if let Some(trace) = &self.trace {
            trace.end(self.status, operation.as_ref(), error.as_deref());
        }
    }
}

/// A method as it is told: one that nobody knows can be any word.
fn shown(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_thousand_paths_none_is_a_route_of_its_own() {
        let routes = Routes::new([("trees", "id")].into_iter());
        for number in 0..1_000 {
            let request = Request::builder().uri(format!("/path{number}")).body(()).unwrap();
            assert_eq!(routes.of(&request).as_str(), "other");
        }
    }
}
