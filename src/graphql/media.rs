//! The media types of GraphQL over HTTP: of an answer, by what the client accepts, and of a body.
//!
//! In: the headers of a request. Out: a [`Media`], and whether the body is JSON.

use crate::accept::{Accept, Range};
use axum::http::{HeaderMap, HeaderValue, header};

/// The two media types of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells whether the request was run.
    Response,
    /// `application/json`: a well-formed request is always 200.
    Json,
}

impl Media {
    /// The one that a request's `Accept` likes best; none if it likes neither.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let accept = Accept::of(headers);
        if accept.is_empty() {
            return Some(Self::Json);
        }
        // Who takes everything is given what every client reads.
        accept.best([Self::Json, Self::Response], |range, media| media.is_in(range))
    }

    fn is_in(self, range: &Range<'_>) -> bool {
        range.covers(self.name()) && range.parameter("charset").is_none_or(is_utf8)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }

    /// What the answer says that it is.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// Whether a body says that it is JSON in UTF-8, once and in full: a browser sends other types across origins without
/// asking.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(Ok(value)), None) = (values.next().map(HeaderValue::to_str), values.next()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            !name.trim().eq_ignore_ascii_case("charset") || is_utf8(value.trim().trim_matches('"'))
        })
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_is_the_one_that_the_client_likes_best() {
        for (accept, media) in [
            ("", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("application/*", Some(Media::Json)),
            ("application/graphql-response+json,application/json;q=0.9", Some(Media::Response)),
            ("application/json, application/graphql-response+json;q=0.5", Some(Media::Json)),
            ("application/json, application/graphql-response+json", Some(Media::Json)),
            ("application/json;q=0.5, application/graphql-response+json;q=0.5", Some(Media::Json)),
            (
                "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, \
                 multipart/mixed",
                Some(Media::Response),
            ),
            ("*/*, application/graphql-response+json", Some(Media::Response)),
            ("application/json;q=0, */*", Some(Media::Response)),
            ("application/json; charset=UTF-8", Some(Media::Json)),
            (r#"application/json; charset="utf-8", text/html"#, Some(Media::Json)),
            ("application/json; charset=iso-8859-1, application/graphql-response+json;q=0.1", Some(Media::Response)),
            ("application/json; charset=iso-8859-1", None),
            ("text/event-stream, multipart/mixed", None),
            ("text/html", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Media::of(&headers), media, "{accept}");
        }
        assert_eq!(Media::of(&HeaderMap::new()), Some(Media::Json));
    }

    #[test]
    fn a_body_is_json_if_it_says_so() {
        let says = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| {
                headers.append(header::CONTENT_TYPE, HeaderValue::from_static(value));
            });
            is_json(&headers)
        };
        for good in ["application/json", "Application/JSON ; Charset=\"UTF-8\"", "application/json;x=y;charset=utf8"] {
            assert!(says(&[good]), "{good}");
        }
        for bad in
            ["", "text/plain", "application/json2", "application/json;charset=utf-16", "application/json, text/plain"]
        {
            assert!(!says(&[bad]), "{bad}");
        }
        assert!(!says(&[]) && !says(&["application/json", "application/json"]));
    }
}
