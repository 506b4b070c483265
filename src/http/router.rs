//! Which path is whose.
//!
//! In: the parts of the application. Out: one router; the fixed paths come first, the resources' take what is left.

use super::{
    admin,
    health::{self, Readiness},
    layers,
    line::Routes,
    pages,
};
use crate::{
    accept::Accept,
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
    let resources = engine.catalog().resources().iter();
    let bounds = layers::Bounds {
        time: config.request_timeout,
        trusted_proxies: Arc::new(config.trusted_proxies.clone()),
        routes: Arc::new(Routes::new(resources.map(|of| (of.name.as_str(), of.key_column().name.as_str())))),
    };
    // Who asks is found out where it matters: pages and health are for everybody, and GraphQL, which answers in its
    // own form, asks for itself.
    let identified = Router::new()
        .merge(auth::routes::routes(auth.clone(), engine))
        .merge(rest::routes(rest))
        .layer(from_fn_with_state(auth, identify));
    // GraphQL answers in its own form whatever fails around it, so it is surrounded by itself.
    let surrounded = |routes: Router| {
        routes
            .layer(DefaultBodyLimit::max(config.max_body_bytes))
            .layer(from_fn(spell_out))
            .layer(from_fn_with_state(bounds.clone(), layers::surround))
    };
    let shows_schema = graphql.is_introspectable();
    let graphql = surrounded(graphql::routes(graphql)).layer(from_fn(graphql::spell_failures));
    let others = Router::new()
        .route("/", get(root).options(async || [(header::ALLOW, "OPTIONS,GET,HEAD")]))
        .route("/openapi.json", get(openapi))
        .with_state(document)
        .merge(pages::routes(shows_schema))
        .merge(health::routes(readiness))
        .merge(identified)
        .fallback(async || Error::not_found("Invalid path specified in request URL").code("PGRST125"));
    let routes = surrounded(others).merge(graphql);
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

/// The router of what is served to those who run the program. It begins to count what metrics tell.
pub fn admin_router(parts: Parts) -> Router {
    let Parts { auth, engine, graphql, readiness, .. } = parts;
    admin::router(readiness, engine, graphql, auth)
}

/// The landing page for a browser, the OpenAPI document for everybody else, as PostgREST's root has it.
async fn root(document: State<Document>, headers: HeaderMap) -> Response {
    let accept = Accept::of(&headers);
    if accept.named("text/html") > accept.named("application/json").max(accept.named(OPENAPI)) {
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
    let accept = Accept::of(&headers);
    let own = accept.named(OPENAPI) > accept.named("application/json");
    let media = if own { "application/openapi+json; charset=utf-8" } else { "application/json; charset=utf-8" };
    match document.bytes() {
        Ok(bytes) => ([(header::CONTENT_TYPE, media), (header::VARY, "Accept")], bytes).into_response(),
        Err(error) => error.into_response(),
    }
}

/// Gives the framework's own refusals, which are plain text or nothing, the four members of an error.
async fn spell_out(request: Request, next: Next) -> Response {
    let (uri, method) = (request.uri().clone(), request.method().clone());
    let mut response = next.run(request).await;
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_none_or(|media| media.as_bytes().starts_with(b"text/plain"));
    let error = match response.status() {
        _ if !plain => return response,
        StatusCode::BAD_REQUEST => Error::bad_request("The URL is not understood"),
        StatusCode::METHOD_NOT_ALLOWED => {
            Error::new(Kind::MethodNotAllowed, format!("{method} is not a method of {}", uri.path()))
        }
        StatusCode::PAYLOAD_TOO_LARGE => Error::payload_too_large(),
        _ => return response,
    };
    let allow = response.headers_mut().remove(header::ALLOW);
    let mut response = error.into_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
