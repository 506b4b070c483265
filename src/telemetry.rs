//! Log lines: where they go and what they look like.
//!
//! In: the configuration of the log. Out: every `tracing` event on standard error, so that standard output stays a
//! command's own answer; for people on a terminal, else as one JSON object a line.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogConfig, LogFormat};

/// Starts logging. A second call changes nothing: the first one's log goes on.
pub fn init(config: &LogConfig) {
    let terminal = stderr().is_terminal();
    let format = config.format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    // The directives were tried when the configuration was read; `info` is for a caller that made them up.
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt().with_env_filter(filter).with_writer(stderr);
    // An error is a logger that is there already, which is what was asked for.
    let _ = match format {
        LogFormat::Pretty => lines.with_ansi(terminal).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
}
