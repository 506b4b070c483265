//! The middleware that says who is asking.
//!
//! In: a request. Out: the same request with its [`Principal`](crate::engine::principal::Principal) among its
//! extensions, or 401. What the principal may do is decided where statements are made, not here.

use axum::{
    extract::{Request, State},
    http::{
        HeaderValue,
        header::{AUTHORIZATION, CACHE_CONTROL},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{jwt::bad_token, sessions::Auth};
use crate::error::Result;

/// Puts the principal into the request: `axum::middleware::from_fn_with_state(auth, identify)`.
pub async fn identify(State(auth): State<Auth>, mut request: Request, next: Next) -> Response {
    let principal = match header(&request) {
        Ok(header) => auth.authenticate(header.as_ref()).await,
        Err(error) => Err(error),
    };
    match principal {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(error) if request.uri().path().starts_with("/auth/") => no_store(error.into_response()).await,
        Err(error) => error.into_response(),
    }
}

/// The one `Authorization` header that counts. Of two, one program would believe the first and another the last.
fn header(request: &Request) -> Result<Option<HeaderValue>> {
    // Who signs in may carry a token that has ended, or a client's Basic header: what counts is in the body.
    if request.uri().path().trim_end_matches('/') == "/auth/login" {
        return Ok(None);
    }
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.cloned()),
        _ => Err(bad_token("There is more than one Authorization header")),
    }
}

/// `response`, kept by no cache: it is about one person.
pub(super) async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
