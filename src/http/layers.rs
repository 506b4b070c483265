//! What surrounds every request, as few layers as there are reasons for them.
//!
//! In: a request. Out: its response, with an id, a line that is told of it, a bound on its time, and no panic.

use super::{
    arrival::Arrival,
    health::HEALTH,
    line::{Line, Routes},
    timing,
};
use crate::{
    auth::client::Client,
    config::{AllowedOrigins, HttpConfig, Networks},
    error::{Error, Kind},
    error_http,
    telemetry::record::Record,
};
use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An answer is what its media type says, whatever its bytes look like.
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What every request is held to, and told by.
#[derive(Clone)]
pub(super) struct Bounds {
    /// How long it may take.
    pub(super) time: Duration,
    /// Whose word is taken for where it comes from.
    pub(super) trusted_proxies: Arc<Networks>,
    /// The routes of the resources.
    pub(super) routes: Arc<Routes>,
}

/// Stands in the extensions of a request that came by a connection which was made while the server was stopping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late;

/// Refuses a request that came too late: the server takes no new work, and says so on every path but those of health.
fn turn_away() -> Response {
    Error::new(Kind::Unavailable, "The server is stopping").hint("Ask another instance").into_response()
}

/// The id, the record and its line, the bound on time and the end of panics: one layer, since each of its own would cost as
/// much.
pub(super) async fn surround(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let line = Line::begin(&request, &bounds.routes, &id);
    let client = Client::of(&request, id.clone(), &bounds.trusted_proxies);
    let is_head = request.method() == Method::HEAD;
    let personal = request.uri().path().starts_with("/auth/");
    let is_health = request.extensions().get().is_some_and(|route: &MatchedPath| HEALTH.contains(&route.as_str()));
    let late = request.extensions().get::<Late>().is_some() && !is_health;
    let record = Record::new(!personal && timing::is_preferred(request.headers()), line.trace());
    let (parts, body) = request.into_parts();
    let (body, arrival) = Arrival::watch(body);
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(client);
    let answer = async {
        let answer = async { if late { turn_away() } else { next.run(request).await } };
        let work = AssertUnwindSafe(tokio::time::timeout(bounds.time, answer)).catch_unwind();
        let response = match work.await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) if arrival.is_awaited() => {
                Error::new(Kind::SlowBody, "The body did not come in the time that a request may take").into_response()
            }
            Ok(Err(_)) => Error::new(Kind::Timeout, "The request took longer than it may").into_response(),
            // Where it was went to the log already, by the hook.
            Err(_) => Error::internal("a handler panicked").into_response(),
        };
        let mut response = error_http::quoting(response, id.to_str().unwrap_or_default());
        let is_bare = is_head || response.status() == StatusCode::NOT_MODIFIED;
        if is_bare {
            // The router would tell the length of what it drops: of a HEAD PostgREST does not tell it, and of a 304 it
            // would be another one than that of the body that the client has (RFC 9110 section 8.6).
            *response.body_mut() = unmeasured();
        }
        timing::tell(&mut response, line.elapsed());
        let streams = !is_bare && response.body().size_hint().exact().is_none();
        line.answered(response, streams)
    };
    let mut response = record.of(answer).await;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if personal {
        // About one person; also what no route answers: a path that is not there, a body that is too slow.
        headers.insert(header::CACHE_CONTROL, NO_STORE);
    }
    response
}

/// An id, and what every answer carries, for what is answered before a request comes to its surroundings: a preflight.
pub(super) async fn name_preflight(request: Request, next: Next) -> Response {
    let id = (request.method() == Method::OPTIONS).then(|| request_id(&request));
    let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let line = id.as_ref().filter(|_| asks).map(|id| Line::preflight(&request, id));
    let mut response = next.run(request).await;
    if let Some(line) = line {
        response = line.answered(response, false);
    }
    if let Some(id) = id {
        response.headers_mut().entry(REQUEST_ID).or_insert(id);
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    }
    response
}

/// The caller's id if it is a sane one, so that traces join; else a new one.
fn request_id(request: &Request) -> HeaderValue {
    let sane = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=128).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte))
    };
    request.headers().get(REQUEST_ID).filter(sane).cloned().unwrap_or_else(|| {
        let id = Uuid::now_v7().simple();
        let mut buffer = Uuid::encode_buffer();
        // Hexadecimal digits are a header's value.
        HeaderValue::from_str(id.encode_lower(&mut buffer)).unwrap_or(HeaderValue::from_static("unknown"))
    })
}

/// A body without bytes of which nobody is told beforehand that it has none.
fn unmeasured() -> Body {
    Body::from_stream(futures_util::stream::empty::<Result<Bytes, Infallible>>())
}

/// An answer of the router around the routes is measured a second time, when the body of a HEAD is gone already: it must
/// not be given the length of nothing.
pub(super) fn measured_once(body: Body) -> Body {
    if body.size_hint().exact() == Some(0) { unmeasured() } else { body }
}

/// An OPTIONS that asks for no permission to ask something else.
#[derive(Clone, Copy)]
struct Plain;

/// Hides from the layer of CORS, which takes every OPTIONS for a preflight, those that are none.
pub(super) async fn hide_options(mut request: Request) -> Request {
    if request.method() == Method::OPTIONS && !request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        request.extensions_mut().insert(Plain);
        *request.method_mut() = Method::GET;
    }
    request
}

/// Shows them again.
pub(super) async fn show_options(mut request: Request) -> Request {
    if request.extensions_mut().remove::<Plain>().is_some() {
        *request.method_mut() = Method::OPTIONS;
    }
    request
}

/// Cross-origin requests, from the configured origins alone; none, and there is no layer.
pub(super) fn cors(config: &HttpConfig) -> Option<CorsLayer> {
    let origins = match &config.cors_allowed_origins {
        AllowedOrigins::Any => AllowOrigin::from(Any),
        AllowedOrigins::These(origins) if origins.is_empty() => return None,
        AllowedOrigins::These(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    let methods =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let named = |names: &[&'static str]| names.iter().map(|name| HeaderName::from_static(name)).collect::<Vec<_>>();
    let request = named(&[
        "accept",
        "accept-profile",
        "authorization",
        "content-profile",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "prefer",
        "range",
        "range-unit",
        "traceparent",
        "tracestate",
        "x-request-id",
    ]);
    let exposed = named(&[
        "content-encoding",
        "content-location",
        "content-profile",
        "content-range",
        "content-type",
        "date",
        "etag",
        "idempotency-replayed",
        "link",
        "location",
        "preference-applied",
        "proxy-status",
        "range-unit",
        "retry-after",
        "server",
        "server-timing",
        "transfer-encoding",
        "x-request-id",
    ]);
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods(methods)
            .allow_headers(request)
            .expose_headers(exposed)
            .max_age(Duration::from_secs(86_400)),
    )
}
