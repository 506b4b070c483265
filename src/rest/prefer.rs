//! The `Prefer` header (RFC 7240): what a client wants to be told of its write.
//!
//! In: the headers of a request. Out: the preferences that this server honours; others are ignored, as the RFC asks.

use axum::http::HeaderMap;

/// What the answer of a write holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    /// Nothing.
    Minimal,
    /// Nothing, but where the row is.
    HeadersOnly,
    /// The rows, as an array.
    Representation,
}

impl Return {
    /// As `Preference-Applied` says it.
    pub(super) const fn applied(self) -> &'static str {
        match self {
            Self::Minimal => "return=minimal",
            Self::HeadersOnly => "return=headers-only",
            Self::Representation => "return=representation",
        }
    }
}

/// The `return` preference; of several the first counts.
pub(super) fn returned(headers: &HeaderMap) -> Option<Return> {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).find_map(|preference| match preference.trim() {
        "return=minimal" => Some(Return::Minimal),
        "return=headers-only" => Some(Return::HeadersOnly),
        "return=representation" => Some(Return::Representation),
        _ => None,
    })
}
