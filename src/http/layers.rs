//! What surrounds every request, as few layers as there are reasons for them.
//!
//! In: a request. Out: its response, with an id, a log line, a bound on its time, and no panic.

use crate::{
    config::{AllowedOrigins, HttpConfig},
    error::{Error, Kind},
    error_http,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id, the log line, the bound on time and the end of panics: one layer, since each of its own would cost as much.
pub(super) async fn surround(State(time): State<Duration>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    // The route and not the path: a path can hold a key, and a query string values, which are nobody else's business.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let work = AssertUnwindSafe(tokio::time::timeout(time, next.run(request))).catch_unwind();
    let response = match work.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Error::new(Kind::Timeout, "The request took longer than it may").into_response(),
        // What a panic says went to standard error already, by the hook.
        Err(_) => Error::internal("a handler panicked").into_response(),
    };
    let id_text = id.to_str().unwrap_or_default();
    let mut response = error_http::quoting(response, id_text);
    tracing::info!(
        http.method = %method,
        http.route = route.as_ref().map_or("none", MatchedPath::as_str),
        http.status = response.status().as_u16(),
        duration_ms = start.elapsed().as_secs_f64() * 1e3,
        request.id = id_text,
        "request"
    );
    response.headers_mut().insert(REQUEST_ID, id);
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

/// Cross-origin requests, from the configured origins alone; none, and there is no layer.
pub(super) fn cors(config: &HttpConfig) -> Option<CorsLayer> {
    let origins = match &config.cors_allowed_origins {
        AllowedOrigins::Any => AllowOrigin::from(Any),
        AllowedOrigins::These(origins) if origins.is_empty() => return None,
        AllowedOrigins::These(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    let methods =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let request =
        [header::ACCEPT, header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("prefer"), REQUEST_ID];
    let exposed = [header::CONTENT_RANGE, header::LOCATION, HeaderName::from_static("preference-applied"), REQUEST_ID];
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods(methods)
            .allow_headers(request)
            .expose_headers(exposed)
            .max_age(Duration::from_secs(86_400)),
    )
}
