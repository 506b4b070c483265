//! How an [`Error`] looks over HTTP, for every layer that answers with one.
//!
//! In: an error. Out: the status of its kind or code, the body `{"code","message","details","hint"}`, and the headers that the
//! status calls for. The source of an error goes to the log here and nowhere else.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::rejection::BytesRejection,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::error::{Error, Kind};

/// For how long after a failure of the database others are not told to the log as warnings.
const QUIET: Duration = Duration::from_secs(10);

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// The codes of a token that was sent and is not good, as opposed to one that was not sent.
const TOKEN_CODES: [&str; 2] = ["PGRST301", "PGRST303"];

/// The status of a kind of failure, where its code has none of its own.
pub const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::BadRequest | Kind::CostLimit => StatusCode::BAD_REQUEST,
        Kind::Ambiguous => StatusCode::MULTIPLE_CHOICES,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed | Kind::ReadOnly => StatusCode::METHOD_NOT_ALLOWED,
        Kind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::SlowBody => StatusCode::REQUEST_TIMEOUT,
        Kind::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The status of a failure: an operator that a type does not have is as good as one that is not there, as PostgREST
/// has it; else what the kind says.
fn status_of(error: &Error) -> StatusCode {
    if error.code == "42883" { StatusCode::NOT_FOUND } else { status(error.kind) }
}

/// The four members that a caller may read of a failure, in their order.
#[derive(Serialize)]
struct Shown<'a> {
    code: &'a str,
    message: &'a str,
    details: Details<'a>,
    hint: Option<&'a str>,
}

/// Where, or how much: a text, or a list of what there is.
#[derive(Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Text(Option<&'a str>),
    List(&'a [serde_json::Value]),
}

/// The body of `error`.
pub fn body(error: &Error) -> Vec<u8> {
    let Error { code, message, details, list, hint, .. } = error;
    let details = if list.is_empty() { Details::Text(details.as_deref()) } else { Details::List(list) };
    let shown = Shown { code, message, details, hint: hint.as_deref() };
    // Four texts, or a list of values, cannot fail to be JSON; an empty body would still carry the status.
    serde_json::to_vec(&shown).unwrap_or_default()
}

/// Writes what led to `error` to the log: a defect of ours as an error, a database that is away as a warning.
pub fn log(error: &Error) {
    let Some(cause) = error.cause() else {
        if error.kind == Kind::Internal {
            tracing::error!(error.code = %error.code, "the request failed");
        }
        return;
    };
    match error.kind {
        Kind::Internal => tracing::error!(error.code = %error.code, error.cause = cause, "the request failed"),
        // Of a database that is away every request tells the same.
        Kind::Unavailable if !is_news() => {
            tracing::debug!(error.code = %error.code, error.cause = cause, "the database did not answer");
        }
        Kind::Unavailable | Kind::Timeout => {
            tracing::warn!(error.code = %error.code, error.cause = cause, "the database did not answer");
        }
        _ => tracing::debug!(error.code = %error.code, error.cause = cause, "the request was refused"),
    }
}

/// Whether nobody has asked for a while.
fn is_news() -> bool {
    static TOLD: Mutex<Option<Instant>> = Mutex::new(None);
    // A time is whole, whatever became of the thread that wrote it.
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let is_news = told.is_none_or(|told| told.elapsed() >= QUIET);
    if is_news {
        *told = Some(Instant::now());
    }
    is_news
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        log(&self);
        let mut response = Response::new(Body::from(body(&self)));
        *response.status_mut() = status_of(&self);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        // Who found the error, as PostgREST calls itself (RFC 9209).
        if let Ok(found) = HeaderValue::try_from(format!("PostgREST; error={}", self.code)) {
            headers.insert(PROXY_STATUS, found);
        }
        explain(&self, headers);
        response.extensions_mut().insert(Failed(Arc::new(self)));
        response
    }
}

/// The headers that a failure calls for, whatever the form of its body: how to authenticate, which methods there are,
/// when to try again.
pub fn explain(error: &Error, headers: &mut HeaderMap) {
    match error.kind {
        Kind::Unauthenticated if TOKEN_CODES.contains(&error.code.as_ref()) => {
            // RFC 6750, section 3.1: a client may get another token and try again.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        Kind::Unauthenticated => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Kind::MethodNotAllowed | Kind::ReadOnly => {
            if let Some(allow) = error.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
                headers.insert(ALLOW, allow);
            }
        }
        _ => {}
    }
    if let Some(after) = error.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(after.get()));
    }
}

/// Why a body was not read: it is too large, or it has ended before it was whole.
pub fn unread(rejection: &BytesRejection) -> Error {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::payload_too_large(),
        _ => Error::bad_request("The body ended before it was whole").code("PGRST102"),
    }
}

/// Marks a response that was made of an error, for the layers around.
#[derive(Debug, Clone)]
pub struct Failed(pub Arc<Error>);

/// `response`, with the request's id in its details if it says that the server failed: all that a caller can quote.
pub fn quoting(response: Response, request_id: &str) -> Response {
    if response.extensions().get::<Failed>().is_none_or(|Failed(error)| error.kind != Kind::Internal) {
        return response;
    }
    let error = Error::new(Kind::Internal, Error::internal("").message).details(format!("Request {request_id}"));
    let (parts, _) = response.into_parts();
    Response::from_parts(parts, Body::from(body(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(error: &Error) -> String {
        String::from_utf8(body(error)).unwrap()
    }

    #[test]
    fn the_body_has_four_members_and_never_the_source() {
        let error = Error::not_found("No tree has this key").hint("List /trees").source("secret");
        assert_eq!(
            text(&error),
            r#"{"code":"PGRST116","message":"No tree has this key","details":null,"hint":"List /trees"}"#
        );
        assert!(!text(&Error::internal("secret")).contains("secret"));
    }

    #[test]
    fn a_401_says_how_to_authenticate_and_a_503_when_to_try_again() {
        let header = |error: Error, name| error.into_response().headers().get(name).cloned();
        assert_eq!(header(Error::unauthenticated("Sign in"), WWW_AUTHENTICATE).unwrap(), "Bearer");
        assert_eq!(
            header(Error::unauthenticated("Expired").code("PGRST303"), WWW_AUTHENTICATE).unwrap(),
            "Bearer error=\"invalid_token\""
        );
        assert_eq!(header(Error::new(Kind::Unavailable, "Away"), RETRY_AFTER).unwrap(), "1");
        assert_eq!(header(Error::internal("x"), WWW_AUTHENTICATE), None);
    }

    #[tokio::test]
    async fn a_failure_of_the_server_quotes_the_request() {
        let response = quoting(Error::internal("secret").into_response(), "abc");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let bytes = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["details"], "Request abc");
        let response = quoting(Error::not_found("x").into_response(), "abc");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}
