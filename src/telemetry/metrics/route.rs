//! Routes, as the log, metrics and traces have them.

use axum::extract::MatchedPath;
use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};
use std::{
    fmt::{self, Write as _},
    hash::{Hash, Hasher},
    sync::Arc,
};

/// Which route a request took: one of ours, and never a path.
#[derive(Debug, Clone)]
pub enum Route {
    /// As the router has it.
    Matched(MatchedPath),
    /// That of a resource, with its name.
    Resource(Arc<str>),
    /// A browser's question before a request from another origin.
    Preflight,
    /// None.
    Other,
}

impl Route {
    /// As it is told.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Matched(path) => path.as_str(),
            Self::Resource(path) => path,
            Self::Preflight => "preflight",
            Self::Other => "other",
        }
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.as_str())
    }
}
