//! The `Prefer` header (RFC 7240): what a client wants to be told, and how far a write may go.
//!
//! In: the headers of a request. Out: the preferences that this server honours; others are ignored, as the RFC asks,
//! unless the client asks for strict handling.

use crate::error::{Error, Result};
use axum::http::{HeaderMap, HeaderName};

/// What tells which preferences were honoured.
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

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

/// What becomes of a new row whose values are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    /// The row that is there gets the values of the new one.
    Merge,
    /// The row that is there stays as it is, and the answer does not have it.
    Ignore,
}

/// What a column gets that a row of a body does not name and that `columns` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// What a new row would get.
    Default,
    /// NULL.
    Null,
}

/// How the rows of a list are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// One by one.
    Exact,
    /// By what the planner of the database expects.
    Planned,
    /// One by one up to the most rows that an answer has, beyond that by what the planner expects.
    Estimated,
}

/// What becomes of a write in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tx {
    /// It happens.
    Commit,
    /// It is told, and undone.
    Rollback,
}

/// What a client prefers; of several values of one preference the first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// What becomes of new rows whose values are taken.
    pub(super) resolution: Option<Resolution>,
    /// What columns get that a row does not name.
    pub(super) missing: Option<Missing>,
    /// What the answer holds.
    pub(super) returned: Option<Return>,
    /// How a list is counted.
    pub(super) count: Option<Count>,
    /// What becomes of the write in the end.
    pub(super) tx: Option<Tx>,
    /// Whether the request fails where a preference cannot be honoured.
    pub(super) handling: Option<bool>,
    pub(super) max_affected: Option<u64>,
}

/// A value of a preference, and how `Preference-Applied` says it.
macro_rules! words {
    ($kind:ty, $($text:literal => $value:path),+) => {
        impl $kind {
            fn of(text: &str) -> Option<Self> {
                match text {
                    $($text => Some($value),)+
                    _ => None,
                }
            }

            /// As a header says it.
            pub(super) const fn word(self) -> &'static str {
                match self {
                    $($value => $text,)+
                }
            }
        }
    };
}

words!(Return, "minimal" => Self::Minimal, "headers-only" => Self::HeadersOnly,
    "representation" => Self::Representation);
words!(Resolution, "merge-duplicates" => Self::Merge, "ignore-duplicates" => Self::Ignore);
words!(Missing, "default" => Self::Default, "null" => Self::Null);
words!(Count, "exact" => Self::Exact, "planned" => Self::Planned, "estimated" => Self::Estimated);
words!(Tx, "commit" => Self::Commit, "rollback" => Self::Rollback);

impl Preferences {
    /// The preferences of a request.
    ///
    /// # Errors
    /// `PGRST122` for one that the server does not know, if the client asks for strict handling.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let mut preferences = Self::default();
        let mut unknown = Vec::new();
        // One that is no text must not take the others of its line with it: they may bound a write, or undo it.
        let lines: Vec<_> =
            headers.get_all("prefer").iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        for preference in lines.iter().flat_map(|line| line.split([',', ';'])).map(str::trim) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            let known = match name {
                "resolution" => first(&mut preferences.resolution, Resolution::of(value)),
                "missing" => first(&mut preferences.missing, Missing::of(value)),
                "return" => first(&mut preferences.returned, Return::of(value)),
                "count" => first(&mut preferences.count, Count::of(value)),
                "tx" => first(&mut preferences.tx, Tx::of(value)),
                "handling" => {
                    let strict = (value == "strict").then_some(true).or((value == "lenient").then_some(false));
                    first(&mut preferences.handling, strict)
                }
                "max-affected" => first(&mut preferences.max_affected, value.parse().ok()),
                // Honoured by what is around both protocols.
                "server-timing" => preference == name,
                _ => preference.is_empty(),
            };
            if !known {
                unknown.push(preference);
            }
        }
        if preferences.is_strict() && !unknown.is_empty() {
            return Err(Error::bad_request("Invalid preferences given with handling=strict")
                .code("PGRST122")
                .details(format!("Invalid preferences: {}", unknown.join(", "))));
        }
        Ok(preferences)
    }

    /// Whether the request fails where a preference cannot be honoured.
    pub(super) fn is_strict(&self) -> bool {
        self.handling == Some(true)
    }

    /// How many rows a write may touch, if the client has bounded it: the preference means nothing unless it is strict.
    pub(super) fn bound(&self) -> Option<u64> {
        self.max_affected.filter(|_| self.is_strict())
    }

    /// As `Preference-Applied` says it, in PostgREST's order; what had no meaning for the request is taken out before.
    pub(super) fn applied(&self) -> Option<String> {
        let mut applied = Vec::new();
        let mut add = |name: &str, word: Option<&str>| applied.extend(word.map(|word| format!("{name}={word}")));
        add("resolution", self.resolution.map(Resolution::word));
        add("missing", self.missing.map(Missing::word));
        add("return", self.returned.map(Return::word));
        add("count", self.count.map(Count::word));
        add("tx", self.tx.map(Tx::word));
        add("handling", self.handling.map(|strict| if strict { "strict" } else { "lenient" }));
        add("max-affected", self.bound().map(|bound| bound.to_string()).as_deref());
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

/// Keeps the first value of a preference; whether this one is a value of it.
fn first<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let known = value.is_some();
    *slot = slot.take().or(value);
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(text: &'static str) -> Result<Preferences> {
        Preferences::of(&HeaderMap::from_iter([("prefer".parse().unwrap(), HeaderValue::from_static(text))]))
    }

    #[test]
    fn of_several_values_the_first_counts_and_a_bound_is_one_if_it_is_strict() {
        assert_eq!(of("return=minimal, return=representation").unwrap().returned, Some(Return::Minimal));
        assert_eq!(of("resolution=ignore-duplicates; return=x").unwrap().resolution, Some(Resolution::Ignore));
        assert_eq!(of("max-affected=2").unwrap().bound(), None);
        assert_eq!(of("handling=lenient, handling=strict, max-affected=2").unwrap().bound(), None);
        assert_eq!(of("handling=strict, max-affected=2").unwrap().bound(), Some(2));
        assert_eq!(of("max-affected=-2").unwrap().bound(), None);
    }

    #[test]
    fn a_preference_that_is_no_text_leaves_the_others_what_they_are() {
        let line = HeaderValue::from_bytes(b"return=\xff, handling=lenient, tx=rollback").unwrap();
        let preferences = Preferences::of(&HeaderMap::from_iter([("prefer".parse().unwrap(), line)])).unwrap();
        assert_eq!((preferences.returned, preferences.tx), (None, Some(Tx::Rollback)));
    }

    #[test]
    fn what_is_unknown_is_an_error_if_the_client_is_strict_and_what_applies_is_told_in_one_order() {
        let error = of("foo, handling=strict, return=x, count=exact").unwrap_err();
        assert_eq!((&*error.code, error.details.as_deref()), ("PGRST122", Some("Invalid preferences: foo, return=x")));
        assert_eq!(of("foo=bar").unwrap().applied(), None);
        let all = "max-affected=3, handling=strict, tx=rollback, count=exact, return=minimal, missing=default, \
                   resolution=merge-duplicates";
        assert_eq!(
            of(all).unwrap().applied().unwrap(),
            "resolution=merge-duplicates, missing=default, return=minimal, count=exact, tx=rollback, \
             handling=strict, max-affected=3"
        );
        assert_eq!(of("max-affected=3, handling=lenient").unwrap().applied().unwrap(), "handling=lenient");
    }
}
