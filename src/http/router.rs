//! Which path is whose.
//!
//! In: the parts of the application. Out: one router; the fixed paths come first, the resources' take what is left.

use super::{
    health::{self, Readiness},
    layers, pages,
};
use crate::{
    auth::{self, Auth, layer::identify},
    config::HttpConfig,
    engine::Engine,
    error::{Error, Kind, Result},
    graphql::{self, GraphQl},
    rest::{self, Rest},
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state, map_request},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::{Arc, OnceLock};
use tower_http::{map_response_body::MapResponseBody, normalize_path::NormalizePath};

/// What answers requests.
#[derive(Clone)]
pub struct Parts {
    /// Who asks.
    pub auth: Auth,
    /// What runs requests.
    pub engine: Engine,
    /// GraphQL over the engine.
    pub graphql: GraphQl,
    /// REST over the engine.
    pub rest: Rest,
    /// Whether the instance takes work.
    pub readiness: Readiness,
    /// The bounds of a request.
    pub config: HttpConfig,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The router of an application.
pub fn router(parts: Parts) -> Router {
    let Parts { auth, engine, graphql, rest, readiness, config } = parts;
    let document = Document { engine: engine.clone(), rendered: Arc::default() };
    let bounds =
        layers::Bounds { time: config.request_timeout, trusted_proxies: Arc::new(config.trusted_proxies.clone()) };
    // Who asks is found out where it matters: pages and health are for everybody, and GraphQL, which answers in its
    // own form, asks for itself.
    let identified = Router::new()
        .merge(auth::routes::routes(auth.clone(), engine))
        .merge(rest::routes(rest))
        .layer(from_fn_with_state(auth, identify));
    let routes = Router::new()
        .route("/", get(root).options(async || [(header::ALLOW, "OPTIONS,GET,HEAD")]))
        .route("/openapi.json", get(openapi))
        .with_state(document)
        .merge(pages::routes())
        .merge(health::routes(readiness))
        .merge(graphql::routes(graphql))
        .merge(identified)
        .fallback(async || Error::not_found("Invalid path specified in request URL").code("PGRST125"))
        .layer(DefaultBodyLimit::max(config.max_body_bytes))
        .layer(from_fn(spell_out))
        .layer(from_fn_with_state(bounds, layers::surround));
    let routes = match layers::cors(&config) {
        Some(cors) => routes
            .layer(map_request(layers::show_options))
            .layer(cors)
            .layer(map_request(layers::hide_options))
            .layer(from_fn(layers::name_preflight)),
        None => routes,
    };
    // Around the router, since a route is chosen before the router's own layers run.
    let routes = NormalizePath::trim_trailing_slash(routes);
    Router::new().fallback_service(MapResponseBody::new(routes, layers::measured_once))
}

/// The landing page for a browser, the OpenAPI document for everybody else, as PostgREST's root has it.
async fn root(document: State<Document>, headers: HeaderMap) -> Response {
    if quality(&headers, "text/html") > quality(&headers, "application/json").max(quality(&headers, OPENAPI)) {
        pages::landing()
    } else {
        openapi(document, headers).await
    }
}

const OPENAPI: &str = "application/openapi+json";

/// The OpenAPI document, rendered once it is asked for: most instances never are.
#[derive(Clone)]
struct Document {
    engine: Engine,
    rendered: Arc<OnceLock<Bytes>>,
}

impl Document {
    fn bytes(&self) -> Result<Bytes> {
        if let Some(bytes) = self.rendered.get() {
            return Ok(bytes.clone());
        }
        let document = serde_json::to_vec(&rest::openapi::document(self.engine.catalog())).map_err(Error::internal)?;
        Ok(self.rendered.get_or_init(|| Bytes::from(document)).clone())
    }
}

/// The OpenAPI document, under its own media type for who prefers that to plain JSON.
async fn openapi(State(document): State<Document>, headers: HeaderMap) -> Response {
    let own = quality(&headers, OPENAPI) > quality(&headers, "application/json");
    let media = if own { "application/openapi+json; charset=utf-8" } else { "application/json; charset=utf-8" };
    match document.bytes() {
        Ok(bytes) => ([(header::CONTENT_TYPE, media), (header::VARY, "Accept")], bytes).into_response(),
        Err(error) => error.into_response(),
    }
}

/// How much a request wants a media type that it names, in thousandths; 0 for one that it does not. `*/*` names none:
/// who takes everything has not asked for a page.
fn quality(headers: &HeaderMap, media: &str) -> u32 {
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let of = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(Some(1.0), |text| text.parse::<f32>().ok()).unwrap_or_default();
        // Of three digits at most: the cast cuts off nothing that a client meant.
        named.then_some((weight.clamp(0.0, 1.0) * 1000.0) as u32)
    };
    ranges.flat_map(|value| value.split(',')).filter_map(of).max().unwrap_or_default()
}

/// Gives the framework's own refusals, which are plain text or nothing, the four members of an error.
async fn spell_out(request: Request, next: Next) -> Response {
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let mut response = next.run(request).await;
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_none_or(|media| media.as_bytes().starts_with(b"text/plain"));
    let error = match response.status() {
        _ if !plain => return response,
        StatusCode::BAD_REQUEST => Error::bad_request("The URL is not understood"),
        StatusCode::METHOD_NOT_ALLOWED => {
            Error::new(Kind::MethodNotAllowed, format!("{method} is not a method of {path}"))
        }
        StatusCode::PAYLOAD_TOO_LARGE => Error::new(Kind::PayloadTooLarge, "The body is larger than this server reads"),
        _ => return response,
    };
    let allow = response.headers_mut().remove(header::ALLOW);
    let mut response = error.into_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
