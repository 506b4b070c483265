//! Log lines: which there are, where they go and what they look like.
//!
//! In: the configuration of the log. Out: `tracing` events on standard error, so that standard output stays a command's
//! own answer; for people on a terminal, else as one JSON object a line.
//!
//! No line holds a secret, a token or a value that a client has sent, at any level. Our own lines are written with that
//! in mind. Libraries' are not: below a warning they tell statements with their parameters, headers and keys, so nobody
//! hears them, whatever RUST_LOG asks for, and a panic is told by its place.

use std::{
    io::{IsTerminal, stderr},
    panic,
};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    registry,
    util::SubscriberInitExt as _,
};

use crate::config::{LogConfig, LogFormat};

/// The target of the audit's lines.
const AUDIT: &str = "rootstock::audit";

/// Starts logging, panics included. A second call changes nothing: the first one's log goes on.
pub fn init(config: &LogConfig) {
    let terminal = stderr().is_terminal();
    let format = config.format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    let filter = directives(&config.filter).and(filter_fn(speaks));
    let lines = fmt::layer().with_writer(stderr);
    let lines = match format {
        LogFormat::Pretty => lines.with_ansi(terminal).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    // An error is a logger that is there already, which is what was asked for.
    if registry().with(lines.with_filter(filter)).try_init().is_ok() {
        panic::set_hook(Box::new(tell));
    }
}

/// What RUST_LOG asks for. The audit goes on whatever it says, unless it says something of the audit.
fn directives(text: &str) -> EnvFilter {
    // The directives were tried when the configuration was read; `info` is for a caller that made them up.
    let filter = EnvFilter::try_new(text).unwrap_or_else(|_| EnvFilter::new("info"));
    if text.split(',').any(|directive| directive.trim().starts_with(AUDIT)) {
        return filter;
    }
    match format!("{AUDIT}=info").parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

/// Whether a line of this kind may be written at all: ours, and warnings of others.
fn speaks(metadata: &Metadata<'_>) -> bool {
    let own = ["rootstock", "migration"];
    *metadata.level() <= Level::WARN || own.contains(&metadata.target().split("::").next().unwrap_or_default())
}

/// Tells where a panic was, as one line. What it says is told only where it was written as it stands: what was made for
/// the occasion can quote a value.
fn tell(panic: &panic::PanicHookInfo<'_>) {
    let said = panic.payload().downcast_ref::<&'static str>();
    tracing::error!(
        panic.at = panic.location().map(tracing::field::display),
        panic.message = said.copied(),
        "the program has a defect: a task panicked"
    );
}
