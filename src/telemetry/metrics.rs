//! Metrics: what happened since the start, counted where it happens, and what is so now, read when somebody asks.
//!
//! In: what layers count, and [`Reading`]s of who keeps something. Out: the text that Prometheus reads. Without
//! `ADMIN_ADDR` there are none: then each of these calls is a look at a word of memory. The process has one set of them, as
//! it has one log. The number of series is bounded: labels are of lists of ours, and of the names of operations, which
//! clients choose, only the first hundred have series of their own.

mod reading;
mod route;
mod text;

pub use self::{
    reading::{Reading, Sampled},
    route::Route,
    text::{Form, told},
};

use super::{process, record::Operation};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

/// How many names of operations have series of their own.
const MAX_NAMES: usize = 100;
/// What is said instead of the names behind them.
const OTHER: &str = "other";

/// In seconds: most requests take less than one millisecond, and none more than its time.
const OF_REQUESTS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The same of what a request is made of.
const OF_STATEMENTS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

static METRICS: OnceLock<Metrics> = OnceLock::new();

/// A histogram for each set of labels.
type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// What is counted.
#[derive(Debug)]
struct Metrics {
    requests: Times<RequestLabels>,
    active: Gauge,
    connections: Gauge,
    malformed: Counter,
    operations: Family<OutcomeLabels, Counter>,
    operation_times: Times<OperationLabels>,
    names: Mutex<HashSet<Arc<str>>>,
    cache_requests: Family<CacheLabels, Counter>,
    /// Of each cache its hits and its misses, found once.
    caches: [[Counter; 2]; Cache::ALL.len()],
    statements: Histogram,
    waits: Histogram,
    wait_failures: Counter,
    database_errors: Family<ClassLabels, Counter>,
    events: Family<EventLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: Route,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: Arc<str>,
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    operation: Arc<str>,
    r#type: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    event: &'static str,
}

/// What is kept so that it is not made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// GraphQL documents that were found valid.
    Documents,
    /// The plans of a GraphQL operation.
    Operations,
    /// The plans of a question.
    Plans,
}

impl Cache {
    const ALL: [Self; 3] = [Self::Documents, Self::Operations, Self::Plans];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Operations => "operations",
            Self::Plans => "plans",
        }
    }
}

impl Metrics {
    fn new() -> Self {
        let cache_requests = Family::<CacheLabels, Counter>::default();
        let caches = Cache::ALL.map(|cache| {
            ["hit", "miss"]
                .map(|result| cache_requests.get_or_create_owned(&CacheLabels { cache: cache.name(), result }))
        });
        Self {
            requests: Family::new_with_constructor(|| Histogram::new(OF_REQUESTS)),
            active: Gauge::default(),
            connections: Gauge::default(),
            malformed: Counter::default(),
            operations: Family::default(),
            operation_times: Family::new_with_constructor(|| Histogram::new(OF_REQUESTS)),
            names: Mutex::default(),
            cache_requests,
            caches,
            statements: Histogram::new(OF_STATEMENTS),
            waits: Histogram::new(OF_STATEMENTS),
            wait_failures: Counter::default(),
            database_errors: Family::default(),
            events: Family::default(),
        }
    }
}

/// Begins to count, and gives what there is to tell; whoever keeps something adds a [`Sampled`] of it.
pub fn start() -> Registry {
    let metrics = METRICS.get_or_init(Metrics::new);
    let mut all = Registry::default();
    // A clone counts what the first one counts.
    macro_rules! add {
        ($name:literal, $help:literal, $metric:expr) => {
            all.register($name, $help, $metric.clone());
        };
    }
    add!(
        "http_server_request_duration_seconds",
        "Requests by route and status, and how long they took",
        metrics.requests
    );
    add!("http_server_active_requests", "Requests in flight", metrics.active);
    add!("http_server_connections", "Open connections, those of ADMIN_ADDR included", metrics.connections);
    add!("http_server_malformed_requests", "Connections that ended with what is no HTTP", metrics.malformed);
    add!("graphql_operations", "GraphQL operations by name, type and outcome", metrics.operations);
    add!(
        "graphql_operation_duration_seconds",
        "How long GraphQL operations took that were found valid",
        metrics.operation_times
    );
    add!("rootstock_cache_requests", "Looks into a cache, and what was found", metrics.cache_requests);
    add!("db_client_operation_duration_seconds", "How long statements took, until their last row", metrics.statements);
    add!("db_client_connection_wait_time_seconds", "How long a connection was waited for", metrics.waits);
    add!(
        "db_client_connection_failures",
        "How often no connection came free in time, or none could be made",
        metrics.wait_failures
    );
    add!("db_client_errors", "Statements that failed, by the class of their SQLSTATE", metrics.database_errors);
    add!("auth_events", "What happened to accounts and sessions, as the audit has it", metrics.events);
    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    all.register("rootstock_build", "The program that runs", build);
    all.register_collector(Box::new(Sampled::new(process::readings)));
    all
}

/// A request in flight, or an open connection, until it is dropped.
#[derive(Debug)]
pub struct Held(Option<&'static Gauge>);

impl Held {
    fn of(gauge: fn(&Metrics) -> &Gauge) -> Self {
        let gauge = METRICS.get().map(gauge);
        if let Some(gauge) = gauge {
            gauge.inc();
        }
        Self(gauge)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(gauge) = self.0 {
            gauge.dec();
        }
    }
}

/// Counts a request in flight.
pub fn active() -> Held {
    Held::of(|metrics| &metrics.active)
}

/// Counts an open connection.
pub fn connection() -> Held {
    Held::of(|metrics| &metrics.connections)
}

/// Counts a connection that ended with what is no HTTP.
pub fn malformed() {
    if let Some(metrics) = METRICS.get() {
        metrics.malformed.inc();
    }
}

/// Counts a request that was answered.
pub fn request(method: &'static str, route: &Route, status: u16, took: Duration) {
    let Some(metrics) = METRICS.get() else { return };
    let labels = RequestLabels { method, route: route.clone(), status };
    metrics.requests.get_or_create(&labels).observe(took.as_secs_f64());
}

/// Counts an operation, which took so long if it ran.
pub fn operation(operation: Option<&Operation>, outcome: &'static str, took: Option<Duration>) {
    let Some(metrics) = METRICS.get() else { return };
    let name = label(&metrics.names, operation.and_then(|operation| operation.name.as_ref()));
    let r#type = operation.map_or("", |operation| operation.kind);
    if let Some(took) = took {
        let labels = OperationLabels { operation: Arc::clone(&name), r#type };
        metrics.operation_times.get_or_create(&labels).observe(took.as_secs_f64());
    }
    metrics.operations.get_or_create(&OutcomeLabels { operation: name, r#type, outcome }).inc();
}

/// A name, if it is one of the first.
fn label(names: &Mutex<HashSet<Arc<str>>>, name: Option<&Arc<str>>) -> Arc<str> {
    let Some(name) = name else { return Arc::from("") };
    // A set is whole between its calls, whatever became of the thread that held it.
    let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
    if names.contains(name) || (names.len() < MAX_NAMES && names.insert(Arc::clone(name))) {
        return Arc::clone(name);
    }
    Arc::from(OTHER)
}

/// Counts a look into a cache.
pub fn looked_up(cache: Cache, hit: bool) {
    if let Some(metrics) = METRICS.get() {
        metrics.caches[cache as usize][usize::from(!hit)].inc();
    }
}

/// Counts a statement that failed.
pub fn database_error(sqlstate: &str) {
    let Some(metrics) = METRICS.get() else { return };
    let class = sqlstate.get(..2).filter(|class| class.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    metrics.database_errors.get_or_create(&ClassLabels { class: class.unwrap_or(OTHER).to_owned() }).inc();
}

/// Counts an event of the audit.
pub fn event(event: &'static str) {
    if let Some(metrics) = METRICS.get() {
        metrics.events.get_or_create(&EventLabels { event }).inc();
    }
}

/// Counts that no connection was to be had.
pub fn no_connection() {
    if let Some(metrics) = METRICS.get() {
        metrics.wait_failures.inc();
    }
}

/// Measures until it is dropped.
#[derive(Debug)]
#[must_use = "it is over when this is dropped"]
pub struct Timer(Option<(&'static Histogram, Instant)>);

impl Timer {
    fn of(histogram: fn(&Metrics) -> &Histogram) -> Self {
        Self(METRICS.get().map(|metrics| (histogram(metrics), Instant::now())))
    }

    /// Of a statement.
    pub fn statement() -> Self {
        Self::of(|metrics| &metrics.statements)
    }

    /// Of the wait for a connection.
    pub fn wait() -> Self {
        Self::of(|metrics| &metrics.waits)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.inspect(|(histogram, since)| histogram.observe(since.elapsed().as_secs_f64()));
    }
}

/// The time, if somebody wants to know how much of it passes.
pub fn now() -> Option<Instant> {
    METRICS.get().map(|_| Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_thousand_names_the_first_hundred_have_series() {
        let names = Mutex::default();
        let labels: HashSet<_> =
            (0..1_000).map(|number| label(&names, Some(&Arc::from(format!("Operation{number}"))))).collect();
        assert_eq!(labels.len(), MAX_NAMES + 1);
        assert!(labels.contains(OTHER));
        assert_eq!(&*label(&names, Some(&Arc::from("Operation7"))), "Operation7");
        assert_eq!(&*label(&names, None), "");
    }
}
