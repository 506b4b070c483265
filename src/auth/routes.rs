//! The paths under `/auth`.
//!
//! In: requests that [`identify`](super::layer::identify) has passed. Out: sessions and the caller's own user, as the
//! engine would show it. That no cache keeps them is said around all paths.

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE},
    },
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use uuid::Uuid;

use super::{
    body::{self, Media, Members},
    client::Client,
    register::RegisterInput,
    sessions::{Auth, Session},
    sign_in::anonymous,
};
use crate::{
    engine::{Engine, principal::Principal},
    error::{Error, Kind, Result},
    error_http::Failed,
};

/// What the handlers work with.
#[derive(Clone)]
struct Identity {
    auth: Auth,
    engine: Engine,
}

/// The paths under `/auth`.
pub fn routes(auth: Auth, engine: Engine) -> Router {
    Router::new()
        .route("/auth/register", post(register))
        .route("/auth/login", post(login))
        .route("/auth/refresh", post(refresh))
        .route("/auth/logout", post(logout))
        .route("/auth/password", post(change_password))
        .route_layer(from_fn_with_state(auth.clone(), sign_in_here))
        .route("/auth/me", get(me).patch(rename))
        .method_not_allowed_fallback(async || Error::new(Kind::MethodNotAllowed, "This path has other methods"))
        .with_state(Identity { auth, engine })
}

/// Refuses to look at what somebody signs in with where nobody does. Where sessions cannot be written, no method of these
/// paths is of use.
async fn sign_in_here(State(auth): State<Auth>, request: Request, next: Next) -> Result<Response> {
    auth.own()?;
    let mut response = next.run(request).await;
    if response.extensions().get().is_some_and(|Failed(error)| error.kind == Kind::ReadOnly) {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(""));
    }
    Ok(response)
}

async fn register(
    State(identity): State<Identity>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Result<Response> {
    let (_, bytes) = body::read(request, &[Media::Json]).await?;
    let mut members = Members::of_json(&bytes, &["email", "password", "name"])?;
    let input = RegisterInput {
        email: members.text("email"),
        password: members.text("password").into(),
        name: members.optional_text("name").flatten(),
    };
    members.finish()?;
    let session = identity.auth.register(&client, input).await?;
    identity.answer(StatusCode::CREATED, &session).await
}

async fn login(
    State(identity): State<Identity>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Result<Response> {
    let (email, password) = match body::read(request, &[Media::Json, Media::Form]).await? {
        (Media::Form, bytes) => body::password_form(&bytes)?,
        (Media::Json, bytes) => {
            let mut members = Members::of_json(&bytes, &["email", "password"])?;
            let pair = (members.text("email"), members.text("password"));
            members.finish()?;
            pair
        }
    };
    let session = identity.auth.login(&client, &email, password.into()).await?;
    identity.answer(StatusCode::OK, &session).await
}

async fn refresh(
    State(identity): State<Identity>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Result<Response> {
    let token = refresh_token(request).await?;
    let session = identity.auth.refresh(&client, &token).await?;
    identity.answer(StatusCode::OK, &session).await
}

async fn logout(
    State(identity): State<Identity>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Result<StatusCode> {
    let token = refresh_token(request).await?;
    identity.auth.logout(&client, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The one member of a body about a session.
async fn refresh_token(request: Request) -> Result<String> {
    let (_, bytes) = body::read(request, &[Media::Json]).await?;
    let mut members = Members::of_json(&bytes, &["refresh_token"])?;
    let token = members.text("refresh_token");
    members.finish()?;
    Ok(token)
}

async fn change_password(
    State(identity): State<Identity>,
    Extension(client): Extension<Client>,
    principal: Option<Extension<Principal>>,
    request: Request,
) -> Result<Response> {
    let (principal, _) = signed_in(principal)?;
    let (_, bytes) = body::read(request, &[Media::Json]).await?;
    let mut members = Members::of_json(&bytes, &["current_password", "new_password"])?;
    let (current, new) = (members.text("current_password").into(), members.text("new_password").into());
    members.finish()?;
    let session = identity.auth.change_password(&client, &principal, current, new).await?;
    identity.answer(StatusCode::OK, &session).await
}

async fn me(State(identity): State<Identity>, principal: Option<Extension<Principal>>) -> Result<Response> {
    let (principal, _) = signed_in(principal)?;
    Ok(json(StatusCode::OK, identity.user(&principal).await?))
}

async fn rename(
    State(identity): State<Identity>,
    principal: Option<Extension<Principal>>,
    request: Request,
) -> Result<Response> {
    let (principal, id) = signed_in(principal)?;
    let (_, bytes) = body::read(request, &[Media::Json]).await?;
    let mut members = Members::of_json(&bytes, &["name"])?;
    let name = members.optional_text("name");
    members.finish()?;
    if let Some(name) = name {
        identity.auth.rename(id, name).await?;
    }
    Ok(json(StatusCode::OK, identity.user(&principal).await?))
}

/// The caller and its id. A request that no middleware has looked at is nobody's.
fn signed_in(principal: Option<Extension<Principal>>) -> Result<(Principal, Uuid)> {
    principal.and_then(|Extension(principal)| principal.subject().map(|id| (principal, id))).ok_or_else(anonymous)
}

impl Identity {
    /// The session as RFC 6749, section 5.1 has it, with the user beside it.
    async fn answer(&self, status: StatusCode, session: &Session) -> Result<Response> {
        let user = self.user(&session.principal()).await?;
        let Session { access_token, expires_in, refresh_token, .. } = session;
        let refresh_token = refresh_token.expose();
        // Tokens are of letters, digits, dots, dashes and underscores: JSON as they stand.
        let mut text = format!(
            "{{\"access_token\":\"{access_token}\",\"token_type\":\"bearer\",\"expires_in\":{expires_in},\
             \"refresh_token\":\"{refresh_token}\",\"user\":"
        )
        .into_bytes();
        text.extend_from_slice(&user);
        text.push(b'}');
        Ok(json(status, text.into()))
    }

    /// The caller's own row, as the engine shows it.
    async fn user(&self, principal: &Principal) -> Result<Bytes> {
        let key = principal.subject().map(|id| id.to_string()).unwrap_or_default();
        let user = self.engine.object(principal, "users", &key).await?;
        user.map(Bytes::from).ok_or_else(|| Error::not_found("The account of the token is not there any more"))
    }
}

fn json(status: StatusCode, bytes: Bytes) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
