//! The middleware that says who is asking.
//!
//! In: a request. Out: the same request with its [`Principal`] among its extensions, or 401. What the principal may do
//! is decided where statements are made, not here.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::sessions::Auth;
use crate::engine::principal::Principal;

/// Puts the principal into the request: `axum::middleware::from_fn_with_state(auth, identify)`.
pub async fn identify(State(auth): State<Auth>, mut request: Request, next: Next) -> Response {
    // Who signs in, or goes on with a session, may carry a token that has ended, or a client's Basic header: what counts
    // is in the body.
    let principal = match request.uri().path().trim_end_matches('/') {
        "/auth/login" | "/auth/refresh" => Ok(Principal::anonymous()),
        _ => auth.identify(request.headers(), request.extensions().get()).await,
    };
    match principal {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}
