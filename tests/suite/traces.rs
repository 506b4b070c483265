//! Traces of the real program, as a collector gets them.

use crate::{
    program::Place,
    support::collector::{Collector, attribute},
};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use reqwest::Client;
use serde_json::{Value, json};
use std::time::Duration;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name} among {names:?}"))
}

// Of several threads: one waits for the program, which waits for the collector.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_a_span_of_its_callers_trace_and_its_stages_are_within() {
    let collector = Collector::start().await;
    let place = Place::empty()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
        .with("OTEL_EXPORTER_OTLP_HEADERS", "x-key=sesame")
        .with("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        .with("OTEL_SERVICE_NAME", "orchard");
    let server = place.serve();
    let client = Client::new();
    let get = async |path: &str, sampled: &str| {
        let parent = format!("00-{TRACE}-{CALLER}-{sampled}");
        let request = client.get(format!("{}{path}", server.base)).header("traceparent", parent);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(get("/trees?name=eq.Banyan", "01").await, 200);
    assert_eq!(get("/trees/1", "00").await, 200);
    let document = json!({ "query": "query Known { trees { nodes { name } } }" });
    let answer = client.post(format!("{}/graphql", server.base)).json(&document).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let log = server.terminate().err;

    let spans = collector.spans();
    let request = named(&spans, "GET /trees");
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.to_owned(), CALLER.to_owned()));
    assert_eq!(request.kind, SpanKind::Server as i32);
    for (key, value) in [("http.request.method", "GET"), ("http.route", "/trees"), ("http.response.status_code", "200")]
    {
        assert_eq!(attribute(&request.attributes, key).as_deref(), Some(value), "{key}");
    }
    let within: Vec<_> = spans.iter().filter(|span| span.parent_span_id == request.span_id).collect();
    for stage in ["auth", "parse", "plan", "authorize", "compile", "acquire", "execute"] {
        assert!(within.iter().any(|span| span.name == stage), "{stage} is not within the request");
    }
    let statement = within.iter().find(|span| span.kind == SpanKind::Client as i32).expect("a statement");
    assert_eq!(attribute(&statement.attributes, "db.system.name").as_deref(), Some("sqlite"));
    let text = attribute(&statement.attributes, "db.query.text").expect("a text");
    assert!(text.to_lowercase().contains("trees") && !text.contains("Banyan"), "{text}");
    // A caller that is not sampled has no spans here either.
    assert!(spans.iter().all(|span| span.name != "GET /trees/{id}"));

    let operation = named(&spans, "POST /graphql");
    assert_eq!(attribute(&operation.attributes, "graphql.operation.name").as_deref(), Some("Known"));
    assert!(operation.parent_span_id.is_empty() && hex(&operation.trace_id) != TRACE);

    assert_eq!(attribute(&collector.resource(), "service.name").as_deref(), Some("orchard"));
    assert_eq!(attribute(&collector.resource(), "deployment.environment").as_deref(), Some("test"));
    assert!(collector.headers().iter().all(|headers| headers["x-key"] == "sesame"));
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told: Vec<_> = lines.filter(|line| line["http.route"] == "/trees").collect();
    assert_eq!(told[0]["trace.id"], TRACE, "{told:?}");
}

#[tokio::test]
async fn a_collector_that_is_away_holds_nobody_up_and_is_told_once() {
    let place = Place::empty()
        // Nobody listens on the port of discarding.
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .with("OTEL_BSP_SCHEDULE_DELAY", "50");
    let server = place.serve();
    for _ in 0..5 {
        let answer = reqwest::get(format!("{}/trees", server.base)).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        // Each has a batch of its own.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let ended = server.terminate();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.err.matches("the collector takes no traces").count(), 1, "{}", ended.err);
}

#[tokio::test]
async fn what_is_not_spoken_is_said_at_the_start() {
    let place = Place::empty().with("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let ended = place.with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").run(&["serve"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.starts_with("error: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf"), "{ended:?}");
}
