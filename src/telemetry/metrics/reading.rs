//! Readings: what is so at the moment in which metrics are asked for.
//!
//! In: a function that looks. Out: what it sees, each time somebody asks; nothing is counted in between.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use std::fmt;

/// What is seen of one thing.
#[derive(Debug)]
pub struct Reading {
    name: &'static str,
    help: &'static str,
    grows: bool,
    values: Vec<(Vec<(&'static str, &'static str)>, f64)>,
}

impl Reading {
    /// Something that goes up and down.
    pub fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, grows: false, values: Vec::new() }
    }

    /// Something that only grows.
    pub fn counter(name: &'static str, help: &'static str) -> Self {
        Self { grows: true, ..Self::gauge(name, help) }
    }

    /// With this value.
    pub fn value(self, value: f64) -> Self {
        self.of(&[], value)
    }

    /// With this value of what the labels say.
    pub fn of(mut self, labels: &[(&'static str, &'static str)], value: f64) -> Self {
        self.values.push((labels.to_vec(), value));
        self
    }

    fn encode(&self, value: f64, encoder: MetricEncoder<'_>) -> fmt::Result {
        if self.grows { ConstCounter::new(value).encode(encoder) } else { ConstGauge::new(value).encode(encoder) }
    }
}

/// Looks when it is asked.
pub struct Sampled(Box<dyn Fn() -> Vec<Reading> + Send + Sync>);

impl Sampled {
    /// What `look` sees.
    pub fn new(look: impl Fn() -> Vec<Reading> + Send + Sync + 'static) -> Self {
        Self(Box::new(look))
    }
}

impl fmt::Debug for Sampled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampled").finish_non_exhaustive()
    }
}

impl Collector for Sampled {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for reading in (self.0)() {
            let kind = if reading.grows { MetricType::Counter } else { MetricType::Gauge };
            let mut metric = encoder.encode_descriptor(reading.name, reading.help, None, kind)?;
            for (labels, value) in &reading.values {
                if labels.is_empty() {
                    reading.encode(*value, metric)?;
                    break;
                }
                reading.encode(*value, metric.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}
