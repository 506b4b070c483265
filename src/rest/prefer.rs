//! The `Prefer` header (RFC 7240): what a client wants to be told of its write, and how far the write may go.
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

/// What becomes of a new row whose values are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    /// The row that is there gets the values of the new one.
    Merge,
    /// The row that is there stays as it is, and the answer does not have it.
    Ignore,
}

impl Resolution {
    /// As `Preference-Applied` says it.
    pub(super) const fn applied(self) -> &'static str {
        match self {
            Self::Merge => "resolution=merge-duplicates",
            Self::Ignore => "resolution=ignore-duplicates",
        }
    }
}

/// What a client prefers; of several values of one preference the first counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// What the answer holds.
    pub(super) returned: Option<Return>,
    /// What becomes of new rows whose values are taken.
    pub(super) resolution: Option<Resolution>,
    /// Whether the request fails where a preference cannot be honoured.
    strict: bool,
    max_affected: Option<u64>,
}

impl Preferences {
    /// The preferences of a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        let mut handling = None;
        let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| value.split([',', ';'])) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            match (name.trim(), value.trim()) {
                ("return", "minimal") => first(&mut preferences.returned, Return::Minimal),
                ("return", "headers-only") => first(&mut preferences.returned, Return::HeadersOnly),
                ("return", "representation") => first(&mut preferences.returned, Return::Representation),
                ("resolution", "merge-duplicates") => first(&mut preferences.resolution, Resolution::Merge),
                ("resolution", "ignore-duplicates") => first(&mut preferences.resolution, Resolution::Ignore),
                ("handling", "strict") => first(&mut handling, true),
                ("handling", "lenient") => first(&mut handling, false),
                ("max-affected", number) => {
                    if let Ok(number) = number.parse() {
                        first(&mut preferences.max_affected, number);
                    }
                }
                _ => {}
            }
        }
        Self { strict: handling.unwrap_or_default(), ..preferences }
    }

    /// How many rows a write may touch, if the client has bounded it: the preference means nothing unless it is strict.
    pub(super) fn bound(&self) -> Option<u64> {
        self.max_affected.filter(|_| self.strict)
    }
}

fn first<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn of_several_values_the_first_counts_and_a_bound_is_one_if_it_is_strict() {
        let of = |text: &'static str| {
            Preferences::of(&HeaderMap::from_iter([("prefer".parse().unwrap(), HeaderValue::from_static(text))]))
        };
        assert_eq!(of("return=minimal, return=representation").returned, Some(Return::Minimal));
        assert_eq!(of("resolution=ignore-duplicates; return=x").resolution, Some(Resolution::Ignore));
        assert_eq!(of("max-affected=2").bound(), None);
        assert_eq!(of("handling=lenient, handling=strict, max-affected=2").bound(), None);
        assert_eq!(of("handling=strict, max-affected=2").bound(), Some(2));
        assert_eq!(of("handling=strict, max-affected=-2").bound(), None);
    }
}
