//! What is served to those who run the program, apart from the API: metrics and health.
//!
//! In: what keeps something that can be looked at. Out: a router for `ADMIN_ADDR`, which no client of the API can reach.

use super::health::{self, Readiness};
use crate::{
    accept::Accept,
    auth::Auth,
    engine::Engine,
    error::{Error, Result},
    graphql::GraphQl,
    telemetry::metrics::{self, Cache, Form, Reading, Sampled},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// The router of `ADMIN_ADDR`. From now on there are metrics.
pub(super) fn router(readiness: Readiness, engine: Engine, graphql: GraphQl, auth: Auth) -> Router {
    let mut registry = metrics::start();
    registry.register_collector(Box::new(Sampled::new(move || {
        let mut readings = pools(&engine);
        readings.push(
            Reading::gauge("rootstock_cache_entries", "What a cache holds.")
                .of(&[("cache", Cache::Plans.name())], engine.cached_plans() as f64)
                .of(&[("cache", Cache::Documents.name())], graphql.cached_documents() as f64)
                .of(&[("cache", Cache::Operations.name())], graphql.cached_operations() as f64),
        );
        let (working, waiting) = auth.password_work();
        readings.push(
            Reading::gauge("auth_password_hashes", "Hashes of passwords that are made or waited for.")
                .of(&[("state", "working")], working as f64)
                .of(&[("state", "waiting")], waiting as f64),
        );
        readings
    })));
    Router::new()
        .route("/metrics", get(told))
        .with_state(Arc::new(registry))
        .merge(health::routes(readiness))
        .fallback(async || Error::not_found("There are /metrics, /livez and /readyz here, and nothing else"))
}

/// How the connections to the databases are used.
fn pools(engine: &Engine) -> Vec<Reading> {
    let mut count = Reading::gauge("db_client_connection_count", "Connections that are open, by what they do.");
    let mut most = Reading::gauge("db_client_connection_max", "How many connections there may be.");
    let mut pending = Reading::gauge("db_client_connection_pending_requests", "How many wait for a connection.");
    for pool in engine.database().pools() {
        let name = ("pool", pool.name);
        count = count.of(&[name, ("state", "used")], pool.used as f64).of(&[name, ("state", "idle")], pool.idle as f64);
        most = most.of(&[name], pool.max as f64);
        pending = pending.of(&[name], pool.waiting as f64);
    }
    vec![count, most, pending]
}

/// Metrics, in the form that is liked better; the older one for who does not say.
async fn told(State(registry): State<Arc<Registry>>, headers: HeaderMap) -> Result<impl IntoResponse> {
    let accept = Accept::of(&headers);
    let newer = accept.named("application/openmetrics-text") > accept.named("text/plain");
    let form = if newer { Form::OpenMetrics } else { Form::Prometheus };
    let text = metrics::told(&registry, form).map_err(Error::internal)?;
    Ok(([(header::CONTENT_TYPE, form.content_type()), (header::VARY, "Accept")], text))
}
