//! Entity tags (RFC 9110, section 8.8): the state of one row, and what depends on it.
//!
//! In: the tag of a row's state, and the headers `If-Match` and `If-None-Match`. Out: the `ETag` of an answer, and
//! whether what was asked for may happen.
//!
//! A tag is the digest of all that the caller sees of the row. An answer that tells of it in another way, by `select`
//! or in another media type, has the digest of its own bytes behind a dot: it is another representation of the same
//! state. A write compares the states alone.

use crate::{
    engine::digest,
    error::{Error, Result},
};
use axum::http::{HeaderMap, HeaderName, header};

/// The `ETag` of a row whose state has the tag `tag`, told as `bytes`.
pub(super) fn of(tag: &str, bytes: &[u8]) -> String {
    match digest::tag(bytes) {
        own if own == tag => state(tag),
        own => format!("\"{tag}.{own}\""),
    }
}

/// The `ETag` of the row itself, where the answer does not tell it.
pub(super) fn state(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// The tags of a header.
#[derive(Debug, PartialEq, Eq)]
enum Tags {
    /// Those of any state.
    Any,
    /// These, each without its quotes, and whether it is a strong one.
    These(Vec<(bool, String)>),
}

/// On which states of a row a request depends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Condition {
    among: Option<Tags>,
    beside: Option<Tags>,
}

impl Condition {
    /// The condition of a request, if it has one.
    ///
    /// # Errors
    /// A header that is no list of tags.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>> {
        let (among, beside) = (tags(headers, header::IF_MATCH)?, tags(headers, header::IF_NONE_MATCH)?);
        Ok((among.is_some() || beside.is_some()).then_some(Self { among, beside }))
    }

    /// Whether a row may be written whose state has the tag `tag`. A weak tag never says that the state is the same; that
    /// it is another one, it may say.
    pub(super) fn holds(&self, tag: &str) -> bool {
        let is = |text: &str| text.split('.').next() == Some(tag);
        let among = match &self.among {
            Some(Tags::These(tags)) => tags.iter().any(|(strong, text)| *strong && is(text)),
            Some(Tags::Any) | None => true,
        };
        let beside = match &self.beside {
            Some(Tags::These(tags)) => !tags.iter().any(|(_, text)| is(text)),
            Some(Tags::Any) => false,
            None => true,
        };
        among && beside
    }

    /// Whether it asks for a row that is not there.
    pub(super) fn is_for_none(&self) -> bool {
        *self == Self { among: None, beside: Some(Tags::Any) }
    }
}

/// Whether the client has what an answer with this `ETag` would tell.
///
/// # Errors
/// A header that is no list of tags.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> Result<bool> {
    Ok(match tags(headers, header::IF_NONE_MATCH)? {
        Some(Tags::Any) => true,
        Some(Tags::These(tags)) => tags.iter().any(|(_, text)| etag.trim_matches('"') == text),
        None => false,
    })
}

fn tags(headers: &HeaderMap, name: HeaderName) -> Result<Option<Tags>> {
    let wrong = || {
        Error::bad_request(format!("{name} is not understood"))
            .hint("It takes entity tags as an ETag has them, with commas between: \"abc\", \"def\", or *")
    };
    let mut values = headers.get_all(&name).iter().peekable();
    if values.peek().is_none() {
        return Ok(None);
    }
    let mut tags = Vec::new();
    for value in values {
        let mut rest = value.to_str().map_err(|_| wrong())?.trim();
        if rest == "*" {
            return Ok(Some(Tags::Any));
        }
        while !rest.is_empty() {
            let (strong, text) = rest.strip_prefix("W/").map_or((true, rest), |text| (false, text));
            let (tag, behind) = text.strip_prefix('"').and_then(|text| text.split_once('"')).ok_or_else(wrong)?;
            tags.push((strong, tag.to_owned()));
            rest = match behind.trim_start().strip_prefix(',') {
                Some(behind) => behind.trim_start(),
                None if behind.trim().is_empty() => "",
                None => return Err(wrong()),
            };
        }
    }
    if tags.is_empty() { Err(wrong()) } else { Ok(Some(Tags::These(tags))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn an_answer_that_tells_of_the_row_in_another_way_has_another_tag_of_the_same_state() {
        let tag = digest::tag(b"{\"id\":1}");
        assert_eq!(of(&tag, b"{\"id\":1}"), format!("\"{tag}\""));
        let other = of(&tag, b"{}");
        assert!(other.starts_with(&format!("\"{tag}.")), "{other}");
        let condition = |value: String| {
            let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_str(&value).unwrap())]);
            Condition::of(&headers).unwrap().unwrap()
        };
        assert!(condition(other).holds(&tag));
        assert!(!condition("\"abc\"".to_owned()).holds(&tag));
    }

    #[test]
    fn a_list_is_any_of_its_tags_and_a_weak_one_says_only_what_has_changed() {
        let among = |value| Condition::of(&headers(header::IF_MATCH, value)).unwrap().unwrap().holds("b");
        assert!(among("\"a\" ,\t\"b\"") && among("*") && among("\"b\","));
        assert!(!among("\"a\"") && !among("W/\"b\""));
        let beside = |value| Condition::of(&headers(header::IF_NONE_MATCH, value)).unwrap().unwrap();
        assert!(beside("\"a\"").holds("b") && !beside("W/\"b\"").holds("b") && !beside("*").holds("b"));
        assert!(beside("*").is_for_none() && !beside("\"a\"").is_for_none());
        assert_eq!(Condition::of(&HeaderMap::new()).unwrap(), None);
        for wrong in ["", "a", "\"a", "\"a\" \"b\"", "\"a\" *", ","] {
            assert!(Condition::of(&headers(header::IF_MATCH, wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_known_is_compared_as_a_whole() {
        let known = |value| is_known(&headers(header::IF_NONE_MATCH, value), "\"a.b\"").unwrap();
        assert!(known("\"x\", W/\"a.b\"") && known("*") && !known("\"a\""));
    }
}
