//! Where traces go, by OpenTelemetry's own variables.
//!
//! In: the endpoint among the options, and the variables that are OpenTelemetry's. Out: [`TracesConfig`], or what would be
//! done otherwise than a variable says. Those that its SDK reads and heeds by itself are not looked at here.

use super::ConfigError;
use std::time::Duration;
use url::Url;

/// How long the collector may take for a batch, where nobody says: as the specification has it.
const TIMEOUT: Duration = Duration::from_secs(10);

const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracesConfig {
    /// Where batches of spans are posted.
    pub endpoint: Url,
    /// How long the collector may take for a batch.
    pub timeout: Duration,
    /// Whether the trace of a caller is continued.
    pub continues: bool,
}

impl TracesConfig {
    /// The configuration that `endpoint` and the variables that `read` reads describe; none, and nothing is traced.
    ///
    /// # Errors
    /// A variable that asks for something that is not done here.
    pub(super) fn new(
        endpoint: Option<&Url>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        // An empty variable is as good as none, as the specification has it.
        let read = |name: &str| read(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        // What is said of traces alone counts before what is said of all signals.
        let of_traces = |rest: &str| {
            let names = [format!("OTEL_EXPORTER_OTLP_TRACES_{rest}"), format!("OTEL_EXPORTER_OTLP_{rest}")];
            names.into_iter().find_map(|name| read(&name).map(|value| (name, value)))
        };
        if read("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        match read("OTEL_TRACES_EXPORTER").as_deref() {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(_) => return Err(ConfigError::new("OTEL_TRACES_EXPORTER", "must be otlp or none")),
        }
        let own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let endpoint = match (read(own), endpoint) {
            (Some(text), _) => super::parse::otlp_url(&text).map_err(|what| ConfigError::new(own, what))?,
            (None, Some(all)) => of_all_signals(all),
            (None, None) => return Ok(None),
        };
        if let Some((name, protocol)) = of_traces("PROTOCOL")
            && protocol != "http/protobuf"
        {
            return Err(ConfigError::new(&name, "must be http/protobuf: another protocol is not spoken"));
        }
        if let Some((name, compression)) = of_traces("COMPRESSION")
            && compression != "none"
        {
            return Err(ConfigError::new(&name, "must be none: batches are not compressed"));
        }
        let timeout = match of_traces("TIMEOUT") {
            None => TIMEOUT,
            Some((name, text)) => {
                let milliseconds = text.parse().ok().filter(|number| *number > 0);
                let wrong = || ConfigError::new(&name, "must be a whole number of milliseconds, 1 or more");
                Duration::from_millis(milliseconds.ok_or_else(wrong)?)
            }
        };
        if let Some(sampler) = read("OTEL_TRACES_SAMPLER") {
            if !SAMPLERS.contains(&sampler.as_str()) {
                return Err(ConfigError::new("OTEL_TRACES_SAMPLER", format!("must be one of {}", SAMPLERS.join(", "))));
            }
            let ratio = read("OTEL_TRACES_SAMPLER_ARG").and_then(|text| text.parse::<f64>().ok());
            if sampler.ends_with("traceidratio") && !ratio.is_some_and(|ratio| (0.0..=1.0).contains(&ratio)) {
                return Err(ConfigError::new("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1"));
            }
        }
        let continues = match read("OTEL_PROPAGATORS") {
            None => true,
            Some(text) => {
                let mut continues = false;
                for name in text.split(',').map(str::trim) {
                    match name {
                        "tracecontext" => continues = true,
                        // Nothing is passed on to others, so there is nobody whom baggage would be for.
                        "baggage" | "none" => {}
                        _ => {
                            let what = "must be a comma list of tracecontext and baggage, or none";
                            return Err(ConfigError::new("OTEL_PROPAGATORS", what));
                        }
                    }
                }
                continues
            }
        };
        Ok(Some(Self { endpoint, timeout, continues }))
    }
}

/// Where traces go at the endpoint of all signals.
fn of_all_signals(endpoint: &Url) -> Url {
    let mut own = endpoint.clone();
    let path = format!("{}/v1/traces", endpoint.path().trim_end_matches('/'));
    own.set_path(&path);
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(endpoint: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<TracesConfig>, String> {
        let endpoint = endpoint.map(|text| Url::parse(text).unwrap());
        let read =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        TracesConfig::new(endpoint.as_ref(), read).map_err(|error| error.to_string())
    }

    #[test]
    fn an_endpoint_of_traces_is_taken_as_it_is_and_one_of_all_signals_has_a_path_for_them() {
        let at = |endpoint, variables: &[(&str, &str)]| of(endpoint, variables).unwrap().unwrap().endpoint.to_string();
        assert_eq!(at(Some("http://c:4318"), &[]), "http://c:4318/v1/traces");
        assert_eq!(at(Some("http://c:4318/otlp/"), &[]), "http://c:4318/otlp/v1/traces");
        let own = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/x")];
        assert_eq!(at(None, &own), "https://t/x");
        assert_eq!(at(Some("http://c:4318"), &own), "https://t/x");
    }

    #[test]
    fn nothing_is_traced_where_nobody_takes_it_or_it_is_turned_off() {
        for (endpoint, variables) in [
            (None, &[][..]),
            (Some("http://c"), &[("OTEL_SDK_DISABLED", "True")]),
            (Some("http://c"), &[("OTEL_TRACES_EXPORTER", "none")]),
        ] {
            assert_eq!(of(endpoint, variables), Ok(None), "{variables:?}");
        }
    }

    #[test]
    fn what_is_not_done_here_is_said_at_the_start() {
        for (name, value, expected) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL must be"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_COMPRESSION must be none"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "c:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be a URL"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number"),
            ("OTEL_TRACES_EXPORTER", "zipkin", "OTEL_TRACES_EXPORTER must be otlp or none"),
            ("OTEL_TRACES_SAMPLER", "xray", "OTEL_TRACES_SAMPLER must be one of always_on"),
            ("OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1"),
            ("OTEL_PROPAGATORS", "b3", "OTEL_PROPAGATORS must be a comma list"),
        ] {
            let error = of(Some("http://c"), &[(name, value)]).unwrap_err();
            assert!(error.starts_with(expected), "{name}={value}: {error}");
        }
    }

    #[test]
    fn the_variables_that_are_known_are_heeded() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_PROPAGATORS", "baggage"),
        ];
        let config = of(Some("http://c"), &variables).unwrap().unwrap();
        assert_eq!((config.timeout, config.continues), (Duration::from_millis(250), false));
        assert!(of(Some("http://c"), &[("OTEL_PROPAGATORS", "tracecontext,baggage")]).unwrap().unwrap().continues);
    }
}
