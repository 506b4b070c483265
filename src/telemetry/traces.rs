//! Traces: one span of a request, one of each stage and of each statement, sent to a collector.
//!
//! In: where the collector is, and requests. Out: batches of spans by OTLP over HTTP, from a queue of bounded size behind
//! which no request waits: what a collector that is away does not take is dropped. What a span says is ours: a route, a
//! status, the text of a statement, in which values are placeholders. Without a collector no span is made.

use super::record::Operation;
use crate::config::TracesConfig;
use async_trait::async_trait;
use axum::http::HeaderMap;
use bytes::Bytes;
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator as _,
    trace::{SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use std::{
    borrow::Cow,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Handle;

/// How much of a statement's text a span has, in bytes.
const MAX_TEXT: usize = 4_096;

/// What this program is called where nobody says otherwise.
const SERVICE: &str = "rootstock";

/// The process has one, as it has one log.
static TRACING: OnceLock<Tracing> = OnceLock::new();

struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    continues: bool,
}

/// A span that ends when it is dropped.
pub type Span = opentelemetry_sdk::trace::Span;

/// Begins to trace. A second call changes nothing.
///
/// # Errors
/// In words, what the exporter says of its variables.
pub fn start(config: &TracesConfig) -> Result<(), String> {
    let client = reqwest::Client::builder().timeout(config.timeout).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| error.to_string())?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender { client, runtime: Handle::current(), failing: AtomicBool::new(false) })
        .with_endpoint(config.endpoint.as_str())
        .with_timeout(config.timeout)
        .build()
        .map_err(|error| error.to_string())?;
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
    let tracer = provider.tracer(SERVICE);
    if TRACING.set(Tracing { provider, tracer, continues: config.continues }).is_ok() {
        tracing::info!("traces are sent");
    }
    Ok(())
}

/// Who sends them: what the variables say, and a name where they say none.
fn resource() -> Resource {
    let named = Resource::builder().build();
    let is_named = named
        .iter()
        .any(|(key, value)| key.as_str() == "service.name" && !value.as_str().starts_with("unknown_service"));
    let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_named { resource.build() } else { resource.with_service_name(SERVICE).build() }
}

/// Sends what there is, and takes no more; waits for the collector no longer than `grace`.
pub async fn stop(grace: Duration) {
    let Some(tracing) = TRACING.get() else { return };
    // The thread that sends is waited for, and its requests run on this runtime.
    let stopped = tokio::task::spawn_blocking(move || tracing.provider.shutdown_with_timeout(grace)).await;
    if !matches!(stopped, Ok(Ok(()))) {
        tracing::warn!("the last traces were not sent");
    }
}

/// The trace of a request: its own span, which others are within.
#[derive(Debug, Clone)]
pub struct Trace(Context);

impl Trace {
    /// Begins the span of a request, in the trace of the caller if it names one; none where nobody takes traces.
    pub fn begin(headers: &HeaderMap, method: &'static str, route: &str) -> Option<Self> {
        let tracing = TRACING.get()?;
        let caller = if tracing.continues {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers))
        } else {
            Context::new()
        };
        let span = tracing
            .tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.to_owned()),
            ])
            .start_with_context(&tracing.tracer, &caller);
        Some(Self(caller.with_span(span)))
    }

    /// The trace's id, if it is one that is sent.
    pub fn id(&self) -> Option<String> {
        let span = self.0.span();
        let context = span.span_context();
        context.is_sampled().then(|| context.trace_id().to_string())
    }

    /// Ends the span of the request, which was answered with `status`, or, by GraphQL, with `error`.
    pub fn end(&self, status: u16, operation: Option<&Operation>, error: Option<&str>) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if let Some(operation) = operation {
            span.set_attribute(KeyValue::new("graphql.operation.type", operation.kind));
            if let Some(name) = &operation.name {
                span.set_attribute(KeyValue::new("graphql.operation.name", Arc::clone(name)));
            }
        }
        if let Some(error) = error {
            span.set_attribute(KeyValue::new("error.type", error.to_owned()));
        } else if status >= 499 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
        }
        // What a client did wrong is no failure of the server's.
        if status >= 500 || error == Some("INTERNAL_SERVER_ERROR") {
            span.set_status(Status::error(""));
        }
        span.end();
    }

    /// Begins the span of a stage.
    pub(super) fn stage(&self, name: &'static str) -> Option<Span> {
        self.within(name.into(), SpanKind::Internal, Vec::new)
    }

    /// Begins the span of a statement.
    pub(super) fn statement(&self, system: &'static str, sql: &str) -> Option<Span> {
        let verb = verb(sql);
        self.within(verb.into(), SpanKind::Client, || {
            vec![
                KeyValue::new("db.system.name", system),
                KeyValue::new("db.operation.name", verb),
                KeyValue::new("db.query.text", bounded(sql)),
            ]
        })
    }

    fn within(
        &self,
        name: Cow<'static, str>,
        kind: SpanKind,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Option<Span> {
        let tracing = TRACING.get()?;
        if !self.0.span().span_context().is_sampled() {
            return None;
        }
        let builder = tracing.tracer.span_builder(name).with_kind(kind).with_attributes(attributes());
        Some(builder.start_with_context(&tracing.tracer, &self.0))
    }
}

/// What a statement does.
fn verb(sql: &str) -> &'static str {
    let first = sql.trim_start().split(|byte: char| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    let known = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "EXPLAIN", "BEGIN", "COMMIT", "ROLLBACK"];
    known.into_iter().find(|verb| verb.eq_ignore_ascii_case(first)).unwrap_or("SQL")
}

/// The text of a statement, or its beginning.
fn bounded(sql: &str) -> String {
    let mut end = sql.len().min(MAX_TEXT);
    while !sql.is_char_boundary(end) {
        end -= 1;
    }
    sql[..end].to_owned()
}

/// Takes batches to the collector, on the program's runtime: the thread that makes them has none.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the last one was not taken: only the first of those is told.
    failing: AtomicBool,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request).await?;
            let status = answer.status();
            // What it says is not looked at; read, so that its connection can be used again.
            answer.bytes().await?;
            Ok::<_, reqwest::Error>(status)
        });
        let sent = sent.await?;
        let failed = match &sent {
            Ok(status) if status.is_success() => None,
            Ok(status) => Some(format!("it answers {status}")),
            // Without the URL, which may hold a key.
            Err(error) if error.is_timeout() => Some("it takes too long".to_owned()),
            Err(error) if error.is_connect() => Some("it cannot be reached".to_owned()),
            Err(_) => Some("its connection broke".to_owned()),
        };
        let before = self.failing.swap(failed.is_some(), Ordering::Relaxed);
        match failed {
            Some(why) if !before => {
                tracing::warn!(error.cause = why, "the collector takes no traces: they are dropped")
            }
            None if before => tracing::info!("the collector takes traces again"),
            _ => {}
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = sent.map_err(reqwest::Error::without_url)?;
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_named_by_what_it_does_and_bounded() {
        assert_eq!(verb("select 1"), "SELECT");
        assert_eq!(verb("  insert into t"), "INSERT");
        assert_eq!(verb("pragma x"), "SQL");
        assert_eq!(bounded("select"), "select");
        let long = format!("select '{}'", "ä".repeat(MAX_TEXT));
        assert!(bounded(&long).len() <= MAX_TEXT && long.starts_with(&bounded(&long)));
    }
}
