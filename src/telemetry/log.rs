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
pub const AUDIT: &str = "rootstock::audit";

/// Starts logging, panics included. A second call changes nothing: the first one's log goes on.
pub fn init(config: &LogConfig) {
    let terminal = stderr().is_terminal();
    let format = config.format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    let filter = directives(&config.filter).and(filter_fn(speaks));
    // A line that cannot be written is lost: to tell so on the same standard error would end the program.
    let lines = fmt::layer().with_writer(stderr).log_internal_errors(false);
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
    if text.split(',').any(|directive| directive.starts_with(AUDIT)) {
        return filter;
    }
    match format!("{AUDIT}=info").parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

/// Whether a line of this kind may be written at all: ours, which migrations are applied, and warnings of others.
fn speaks(metadata: &Metadata<'_>) -> bool {
    let least = match metadata.target().split("::").next() {
        Some("rootstock" | "migration") => Level::TRACE,
        Some("sea_orm_migration") => Level::INFO,
        _ => Level::WARN,
    };
    *metadata.level() <= least
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex, PoisonError},
        thread,
    };

    /// What was logged, for all who look.
    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `speak` makes under the directives `text`.
    fn lines(text: &str, speak: impl FnOnce()) -> Vec<String> {
        let (buffer, filter) = (Buffer::default(), directives(text).and(filter_fn(speaks)));
        let written = buffer.clone();
        let lines = fmt::layer().with_ansi(false).without_time().with_writer(move || written.clone());
        tracing::subscriber::with_default(registry().with(lines.with_filter(filter)), speak);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    fn speak() {
        tracing::info!(target: "rootstock::audit", "audit");
        tracing::info!(target: "rootstock::http", "own");
        tracing::trace!(target: "rootstock::http", "own detail");
        tracing::warn!(target: "h2::server", "warning");
        tracing::info!(target: "h2::server", "foreign");
        tracing::info!(target: "sea_orm_migration::migrator", "applied");
        tracing::debug!(target: "sea_orm_migration::migrator", "statement");
        tracing::info!(target: "rootstockery", "near");
    }

    #[test]
    fn libraries_are_heard_from_warnings_on_and_the_audit_whatever_is_asked() {
        for (text, expected) in [
            ("info", "audit own warning applied"),
            ("trace", "audit own own detail warning applied"),
            ("trace,h2=trace,rootstockery=trace", "audit own own detail warning applied"),
            ("off", "audit"),
            ("error", "audit"),
            ("off,rootstock=off", "audit"),
            ("info,rootstock::audit=off", "own warning applied"),
            ("off,rootstock::audit=error", ""),
        ] {
            let said: Vec<_> =
                lines(text, speak).iter().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect();
            assert_eq!(said.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn a_panic_is_told_by_its_place_and_what_was_written_there() {
        let (own, before) = (thread::current().id(), panic::take_hook());
        // Tests beside this one go on as they did.
        panic::set_hook(Box::new(move |panic| if thread::current().id() == own { tell(panic) } else { before(panic) }));
        let value = "canary";
        let made = lines("info", || drop(panic::catch_unwind(|| panic!("no {value}"))));
        let written = lines("info", || drop(panic::catch_unwind(|| panic!("a bare word"))));
        assert!(made[0].contains("panic.at=src/telemetry/log.rs:") && !made[0].contains("canary"), "{made:?}");
        assert!(written[0].contains("panic.message=\"a bare word\""), "{written:?}");
    }
}
