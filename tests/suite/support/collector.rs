//! A collector of traces: a server that takes what OTLP over HTTP sends, and shows it.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{net::TcpListener, task::JoinHandle};

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A running collector; gone when dropped.
pub(crate) struct Collector {
    /// Where it is.
    pub(crate) url: String,
    received: Received,
    serving: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let received = Received::default();
        let take = async |State(received): State<Received>, headers: HeaderMap, body: Bytes| {
            received.lock().unwrap_or_else(PoisonError::into_inner).push((headers, body));
            StatusCode::OK
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&received));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, received, serving }
    }

    fn requests(&self) -> Vec<(HeaderMap, ExportTraceServiceRequest)> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let decode = |(headers, body): &(HeaderMap, Bytes)| {
            (headers.clone(), ExportTraceServiceRequest::decode(body.clone()).expect("what OTLP sends"))
        };
        received.iter().map(decode).collect()
    }

    /// The headers of the requests, one request after the other.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.requests().into_iter().map(|(headers, _)| headers).collect()
    }

    /// All spans that have come.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter().flat_map(|(_, request)| request.resource_spans);
        resources.flat_map(|of| of.scope_spans).flat_map(|of| of.spans).collect()
    }

    /// What is said of who sends them.
    pub(crate) fn resource(&self) -> Vec<KeyValue> {
        let mut resources = self.requests().into_iter().flat_map(|(_, request)| request.resource_spans);
        resources.next().and_then(|of| of.resource).map(|of| of.attributes).unwrap_or_default()
    }

    /// All that has come, as a text.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.requests().into_iter().map(|(_, request)| request).collect::<Vec<_>>())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The value of an attribute, as a text.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()?;
    Some(match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}
