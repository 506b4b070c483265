//! The record of a request: what the layers within know of it, and the layer around them tells in the end.
//!
//! In: rows, a caller, an operation, how long a stage took, each noted where it is known. Out: [`Told`], at the end of
//! the request. The record belongs to the task that answers, so that nothing is locked and nothing is handed through;
//! outside of a request whoever notes something does so in vain, and at once.

use super::traces::{Span, Trace};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// The longest name of an operation that is told.
const MAX_NAME: usize = 64;

tokio::task_local! {
    static RECORD: Record;
}

/// What is known of a request so far.
#[derive(Debug, Default)]
pub struct Record {
    /// When the request came; none in a record that tells of no request.
    began: Option<Instant>,
    told: RefCell<Told>,
    /// Where somebody wants to know how long the stages took.
    timing: Option<Box<Timing>>,
    /// Where the request is traced.
    trace: Option<Trace>,
}

/// What is known of a request in the end.
#[derive(Debug, Default)]
pub struct Told {
    /// How many rows were told or written; none where none were looked for.
    pub rows: Option<u64>,
    /// The user who asked.
    pub user: Option<Uuid>,
    /// In which role; none where that was not found out.
    pub role: Option<Cow<'static, str>>,
    /// The first of its GraphQL operations.
    pub operation: Option<Operation>,
    /// How many of them there were.
    pub operations: u32,
    /// How many errors a GraphQL answer has.
    pub errors: usize,
    /// The code of the first of them.
    pub error: Option<Cow<'static, str>>,
}

/// A GraphQL operation of a valid document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name, if it has one that is told.
    pub name: Option<Arc<str>>,
    /// `query` or `mutation`.
    pub kind: &'static str,
}

/// A part of the work on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Who asks: what else is done for it belongs to it.
    Auth,
    /// The request's text becomes a question; a document is found, or parsed and validated.
    Parse,
    /// The question's names become indexes.
    Plan,
    /// The policies are put in.
    Authorize,
    /// SQL is made.
    Compile,
    /// A connection is waited for.
    Acquire,
    /// Statements run, and their rows are written as they come.
    Execute,
}

impl Stage {
    const ALL: [Self; 7] =
        [Self::Auth, Self::Parse, Self::Plan, Self::Authorize, Self::Compile, Self::Acquire, Self::Execute];

    /// Its name, in `Server-Timing` and of its span.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Parse => "parse",
            Self::Plan => "plan",
            Self::Authorize => "authorize",
            Self::Compile => "compile",
            Self::Acquire => "acquire",
            Self::Execute => "execute",
        }
    }
}

/// How long the stages took.
#[derive(Debug, Default)]
struct Timing {
    stages: [Cell<Clock>; Stage::ALL.len()],
    /// Whether they are nobody's business after all.
    withheld: Cell<bool>,
}

/// A clock that goes on while at least one piece of the work does: fields run side by side.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    running: u32,
    since: Option<Instant>,
    /// None before the first piece of work.
    total: Option<Duration>,
}

impl Record {
    /// An empty record; `timed` says that the stages are measured.
    pub fn new(timed: bool, trace: Option<Trace>) -> Self {
        Self { began: Some(Instant::now()), told: RefCell::default(), timing: timed.then(Box::default), trace }
    }

    /// Runs `work` with this record.
    pub async fn of<F: Future>(self, work: F) -> F::Output {
        RECORD.scope(self, work).await
    }
}

/// `work`, which goes on after the answer has begun: a record of its own, in the same trace.
pub fn follow<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let trace = RECORD.try_with(|record| record.trace.clone()).ok().flatten();
    Record::new(false, trace).of(work)
}

/// What has been noted so far; it is forgotten here.
pub fn take() -> Told {
    RECORD.try_with(|record| record.told.take()).unwrap_or_default()
}

/// Notes something, if this is a request.
fn note(what: impl FnOnce(&mut Told)) {
    // Outside of a request nobody wants to know.
    let _ = RECORD.try_with(|record| what(&mut record.told.borrow_mut()));
}

/// How long this request has lasted; none outside of one.
pub fn age() -> Option<Duration> {
    RECORD.try_with(|record| record.began.map(|began| began.elapsed())).ok().flatten()
}

/// Notes who asks.
pub fn caller(user: Option<Uuid>, role: &str) {
    note(|told| {
        told.user = user;
        told.role = Some(if user.is_none() { Cow::Borrowed("anonymous") } else { Cow::Owned(role.to_owned()) });
    });
}

/// Notes that so many rows more were told or written.
pub fn rows(count: u64) {
    note(|told| told.rows = Some(told.rows.unwrap_or_default().saturating_add(count)));
}

/// Notes an operation that runs.
pub fn operation(operation: &Operation) {
    note(|told| {
        told.operations += 1;
        if told.operation.is_none() {
            told.operation = Some(operation.clone());
        }
    });
}

/// Notes the errors of a GraphQL answer, of which the client is not told how long they took.
pub fn errors(count: usize, first: impl Into<Cow<'static, str>>) {
    if count > 0 {
        withhold_timing();
    }
    note(|told| {
        told.errors += count;
        if told.error.is_none() {
            told.error = Some(first.into());
        }
    });
}

/// The name of an operation as it is told: none where it is too long.
pub fn told_name(name: &str) -> Option<Arc<str>> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && (1..=MAX_NAME).contains(&name.len())).then(|| Arc::from(name))
}

/// Sees to it that the client is not told how long the stages take: of work on passwords that is nobody's business.
pub fn withhold_timing() {
    let _ = RECORD.try_with(|record| record.timing.as_ref().map(|timing| timing.withheld.set(true)));
}

/// The stages that there were, as `Server-Timing` says it, in milliseconds; none where they are not measured, or withheld.
pub fn server_timing(total: Duration) -> Option<String> {
    let said = RECORD.try_with(|record| {
        let timing = record.timing.as_ref().filter(|timing| !timing.withheld.get())?;
        let mut said = String::with_capacity(128);
        for (stage, clock) in Stage::ALL.iter().zip(&timing.stages) {
            if let Some(total) = clock.get().total {
                write(&mut said, stage.name(), total);
            }
        }
        write(&mut said, "total", total);
        Some(said)
    });
    said.ok().flatten()
}

fn write(said: &mut String, name: &str, duration: Duration) {
    let comma = if said.is_empty() { "" } else { ", " };
    // A text takes all that is written to it.
    let _ = write!(said, "{comma}{name};dur={:.3}", duration.as_secs_f64() * 1e3);
}

/// A piece of work of a stage: it lasts until this is dropped.
#[must_use = "it is over when this is dropped"]
#[derive(Debug, Default)]
pub struct Measured {
    stage: Option<Stage>,
    /// Ends with it.
    _span: Option<Span>,
}

/// Begins a piece of work of `stage`.
pub fn stage(stage: Stage) -> Measured {
    let begun = RECORD.try_with(|record| {
        let measured = record.timing.as_ref().is_some_and(|timing| timing.begin(stage));
        let span = record.trace.as_ref().and_then(|trace| trace.stage(stage.name()));
        Measured { stage: measured.then_some(stage), _span: span }
    });
    begun.unwrap_or_default()
}

impl Drop for Measured {
    fn drop(&mut self) {
        let Some(stage) = self.stage else { return };
        // Dropped in the task in which it began, or with it.
        let _ = RECORD.try_with(|record| record.timing.as_ref().map(|timing| timing.end(stage)));
    }
}

/// The span of a statement, if the request is traced; it ends when it is dropped.
pub fn statement(system: &'static str, sql: &str) -> Option<Span> {
    RECORD.try_with(|record| record.trace.as_ref().and_then(|trace| trace.statement(system, sql))).ok().flatten()
}

impl Timing {
    fn clock(&self, stage: Stage) -> &Cell<Clock> {
        &self.stages[stage as usize]
    }

    /// Whether the work counts: what is done to find out who asks is counted as that alone.
    fn begin(&self, stage: Stage) -> bool {
        if self.clock(Stage::Auth).get().running > 0 {
            return false;
        }
        let cell = self.clock(stage);
        let clock = cell.get();
        let since = clock.since.or_else(|| Some(Instant::now()));
        cell.set(Clock { running: clock.running + 1, since, total: clock.total.or(Some(Duration::ZERO)) });
        true
    }

    fn end(&self, stage: Stage) {
        let cell = self.clock(stage);
        let mut clock = cell.get();
        clock.running = clock.running.saturating_sub(1);
        if clock.running == 0
            && let Some(since) = clock.since.take()
        {
            clock.total = Some(clock.total.unwrap_or_default() + since.elapsed());
        }
        cell.set(clock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_noted_within_a_request_is_told_in_the_end_and_outside_of_one_nowhere() {
        rows(7);
        assert_eq!(take().rows, None);
        let told = Record::default().of(async {
            rows(2);
            rows(3);
            caller(None, "whatever");
            operation(&Operation { name: told_name("First"), kind: "query" });
            operation(&Operation { name: told_name("Second"), kind: "query" });
            errors(1, "NOT_FOUND");
            errors(2, "CONFLICT");
            take()
        });
        let told = told.await;
        assert_eq!((told.rows, told.user, told.role.as_deref()), (Some(5), None, Some("anonymous")));
        assert_eq!((told.operation.unwrap().name.as_deref(), told.operations), (Some("First"), 2));
        assert_eq!((told.errors, told.error.as_deref()), (3, Some("NOT_FOUND")));
    }

    #[test]
    fn a_name_is_told_if_it_is_short_and_nothing_but_a_name() {
        assert_eq!(told_name("Trees_2").as_deref(), Some("Trees_2"));
        for name in ["", "a b", "a\nb", "ä", &"x".repeat(MAX_NAME + 1)] {
            assert_eq!(told_name(name), None, "{name}");
        }
    }

    #[tokio::test]
    async fn stages_are_measured_on_request_alone() {
        assert!(server_timing(Duration::ZERO).is_none());
        let unmeasured = Record::default().of(async {
            let _work = stage(Stage::Parse);
            server_timing(Duration::ZERO)
        });
        assert_eq!(unmeasured.await, None);
        let measured = Record::new(true, None).of(async {
            drop(stage(Stage::Execute));
            {
                let _auth = stage(Stage::Auth);
                // This is part of finding out who asks.
                let _within = stage(Stage::Acquire);
            }
            let (_one, _other) = (stage(Stage::Parse), stage(Stage::Parse));
            server_timing(Duration::from_micros(1500)).unwrap()
        });
        let said = measured.await;
        let names: Vec<_> = said.split(", ").map(|entry| entry.split_once(";dur=").unwrap().0).collect();
        assert_eq!(names, ["auth", "parse", "execute", "total"]);
        assert!(said.ends_with("total;dur=1.500"), "{said}");
        let withheld = Record::new(true, None).of(async {
            withhold_timing();
            server_timing(Duration::ZERO)
        });
        assert_eq!(withheld.await, None);
    }

    #[test]
    fn work_side_by_side_is_not_counted_twice() {
        let timing = Timing::default();
        let elapsed = Instant::now();
        assert!(timing.begin(Stage::Execute) && timing.begin(Stage::Execute));
        std::thread::park_timeout(Duration::from_millis(2));
        timing.end(Stage::Execute);
        timing.end(Stage::Execute);
        let total = timing.clock(Stage::Execute).get().total.unwrap();
        assert!(total > Duration::ZERO && total <= elapsed.elapsed(), "{total:?}");
    }
}
