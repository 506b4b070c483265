//! The text of metrics, in either form that there is.
//!
//! In: a registry. Out: OpenMetrics, or the older text of Prometheus, which differs in how counters are headed and in its
//! end.

use prometheus_client::{encoding::text, registry::Registry};
use std::{
    collections::HashSet,
    fmt::{self, Write as _},
};

/// A form of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own, of version 0.0.4.
    Prometheus,
}

impl Form {
    /// Its media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// What all metrics say now.
///
/// # Errors
/// A metric that has no text, which is a defect.
pub fn told(registry: &Registry, form: Form) -> Result<String, fmt::Error> {
    let mut text = String::with_capacity(16 * 1024);
    text::encode(&mut text, registry)?;
    match form {
        Form::OpenMetrics => Ok(text),
        Form::Prometheus => older(&text),
    }
}

/// The older text: a counter is headed by the name that its lines have, an info is a gauge, and there is no end.
fn older(text: &str) -> Result<String, fmt::Error> {
    let typed = |kind: &'static str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(kind));
        lines.map(str::trim_end).collect::<HashSet<_>>()
    };
    let (counters, infos) = (typed(" counter"), typed(" info"));
    let mut older = String::with_capacity(text.len() + text.len() / 16);
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        let (sign, what) = (words.next(), words.next());
        let (Some("#"), Some(what @ ("HELP" | "TYPE"))) = (sign, what) else {
            if !line.starts_with('#') {
                writeln!(older, "{line}")?;
            }
            continue;
        };
        let (name, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (suffix, kind) = match name {
            name if counters.contains(name) => ("_total", rest),
            name if infos.contains(name) => ("_info", if what == "TYPE" { "gauge" } else { rest }),
            _ => ("", rest),
        };
        writeln!(older, "# {what} {name}{suffix} {kind}")?;
    }
    Ok(older)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::{counter::Counter, gauge::Gauge, info::Info};

    #[test]
    fn the_older_form_heads_counters_by_the_name_of_their_lines() {
        let mut registry = Registry::default();
        registry.register("seen", "What was seen", Counter::<u64>::default());
        registry.register("there", "What is there", Gauge::<i64>::default());
        registry.register("build", "What runs", Info::new([("version", "1")]));
        assert!(told(&registry, Form::OpenMetrics).unwrap().ends_with("# EOF\n"));
        assert_eq!(
            told(&registry, Form::Prometheus).unwrap(),
            "# HELP seen_total What was seen.\n# TYPE seen_total counter\nseen_total 0\n\
             # HELP there What is there.\n# TYPE there gauge\nthere 0\n\
             # HELP build_info What runs.\n# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n"
        );
    }
}
