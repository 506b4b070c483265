//! The header `Accept`: what a client wants an answer to be, and how much (RFC 9110 section 12.5.1).
//!
//! In: the headers of a request. Out: its media ranges, and the best of what there is. Work is bounded by the header's
//! length times the number of types that are offered.

use axum::http::{HeaderMap, header::ACCEPT};
use std::cmp::Reverse;

/// The quality of what a client wants without reserve, in thousandths.
const WHOLE: u16 = 1_000;

/// What a request accepts, in its own order. Several headers are one list.
#[derive(Debug, Clone, Default)]
pub struct Accept<'a> {
    ranges: Vec<Range<'a>>,
}

/// A media range: a type, all of a kind, or everything, with parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range<'a> {
    name: &'a str,
    parameters: &'a str,
    /// In thousandths; 0 says that the client does not want it.
    quality: u16,
}

impl<'a> Accept<'a> {
    /// What a request with these headers accepts.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges = values.flat_map(|value| split(value, ',')).filter_map(Range::parse);
        Self { ranges: ranges.collect() }
    }

    /// Whether nothing is said, so that everything is accepted.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges, in the order of the header.
    pub fn ranges(&self) -> impl Iterator<Item = &Range<'a>> {
        self.ranges.iter()
    }

    /// The best of what is offered; `includes` says whether a range has an offer in it. The most exact range says how
    /// much an offer is wanted. Of what is wanted equally the more exactly named comes first, then what the client names
    /// first, then what is offered first.
    pub fn best<T: Copy>(
        &self,
        offered: impl IntoIterator<Item = T>,
        includes: impl Fn(&Range<'a>, T) -> bool,
    ) -> Option<T> {
        let ranked = offered.into_iter().enumerate().filter_map(|(number, offer)| {
            let about = self.ranges.iter().enumerate().filter(|(_, range)| includes(range, offer));
            let (at, exact) = about.min_by_key(|(at, range)| (range.wildness(), *at))?;
            (exact.quality > 0).then_some(((Reverse(exact.quality), exact.wildness(), at, number), offer))
        });
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, offer)| offer)
    }

    /// How much a type is wanted that is named in full, in thousandths; 0 for one that is not. `*/*` names none.
    pub fn named(&self, media: &str) -> u16 {
        self.ranges.iter().filter(|range| range.is(media)).map(|range| range.quality).max().unwrap_or_default()
    }
}

impl<'a> Range<'a> {
    /// A media range; none for what is no media type.
    fn parse(text: &'a str) -> Option<Self> {
        let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
        let name = name.trim();
        let mut range = Self { name, parameters, quality: WHOLE };
        // What is no number is none of the client's wishes.
        range.quality = range.parameter("q").and_then(quality).unwrap_or(WHOLE);
        name.contains('/').then_some(range)
    }

    /// Whether the range is this type and no other.
    pub fn is(&self, media: &str) -> bool {
        self.name.eq_ignore_ascii_case(media)
    }

    /// Whether the range has this type in it.
    pub fn covers(&self, media: &str) -> bool {
        match self.name.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => media.split('/').next().is_some_and(|of| of.eq_ignore_ascii_case(kind)),
            None => self.is(media),
        }
    }

    /// The value of a parameter, without its quotes.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut parameters =
            split(self.parameters, ';').map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
        let (_, value) = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim().trim_matches('"'))
    }

    /// The range as the client wrote it, without how much it is wanted.
    pub fn written(&self) -> String {
        let mut written = self.name.to_owned();
        for parameter in self.own_parameters() {
            written.push(';');
            written.push_str(parameter);
        }
        written
    }

    /// The parameters of the type itself.
    fn own_parameters(&self) -> impl Iterator<Item = &'a str> {
        let is_quality = |text: &str| text.split_once('=').is_some_and(|(key, _)| key.trim().eq_ignore_ascii_case("q"));
        split(self.parameters, ';').filter(move |parameter| !parameter.is_empty() && !is_quality(parameter))
    }

    /// How much the range leaves open.
    fn wildness(&self) -> u8 {
        match self.name.strip_suffix("/*") {
            Some("*") => 3,
            Some(_) => 2,
            None => u8::from(self.own_parameters().next().is_none()),
        }
    }
}

/// The parts of a text between separators that stand outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
    .map(str::trim)
}

/// A quality in thousandths; more than the whole is the whole.
fn quality(text: &str) -> Option<u16> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let quality = text.parse::<f32>().ok()?;
    // Of three digits at most, and between the bounds: the cast cuts off nothing that a client meant.
    Some((quality.clamp(0.0, 1.0) * f32::from(WHOLE)).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(accept: &[&str]) -> HeaderMap {
        let value = |text: &&str| (ACCEPT, HeaderValue::try_from(*text).unwrap());
        accept.iter().map(value).fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
    }

    fn best(accept: &[&str]) -> Option<&'static str> {
        let headers = headers(accept);
        Accept::of(&headers).best(["application/json", "text/csv", "text/plain"], |range, offer| range.covers(offer))
    }

    #[test]
    fn the_most_exact_range_says_how_much_a_type_is_wanted() {
        for (accept, wanted) in [
            ("*/*", Some("application/json")),
            ("text/*", Some("text/csv")),
            ("TEXT/Plain", Some("text/plain")),
            ("text/csv, application/json", Some("text/csv")),
            ("*/*, text/plain", Some("text/plain")),
            ("text/csv;q=0.5, application/json;q=0.9", Some("application/json")),
            ("text/csv; Q=0.5, application/json;q=0.4", Some("text/csv")),
            ("application/json;q=0, */*", Some("text/csv")),
            ("application/json;q=0.1, */*;q=0.9, text/*;q=0.2", Some("text/csv")),
            ("*/*;q=0, text/plain;q=0.001", Some("text/plain")),
            ("text/csv;q=1.5, text/plain", Some("text/csv")),
            ("text/plain;q=nan, text/csv;q=0.9", Some("text/plain")),
            (r#"text/html; a="text/csv, b", text/plain"#, Some("text/plain")),
            (r#"text/plain; a=";q=0""#, Some("text/plain")),
            ("application/json;q=0", None),
            ("application/json;q=0.000, text/*;q=0", None),
            ("text/html, image/*", None),
            ("json", None),
            (", ,;", None),
        ] {
            assert_eq!(best(&[accept]), wanted, "{accept}");
        }
        assert_eq!(best(&["text/html", "text/plain;q=0.5", "text/csv"]), Some("text/csv"));
    }

    #[test]
    fn what_says_nothing_is_empty() {
        for accept in [&[][..], &[""], &[" , "], &["nonsense"]] {
            assert!(Accept::of(&headers(accept)).is_empty(), "{accept:?}");
        }
    }

    #[test]
    fn only_what_is_written_out_is_named() {
        let headers = headers(&["text/html;q=0.9, */*;q=0.8, text/html;q=0.5"]);
        let accept = Accept::of(&headers);
        assert_eq!((accept.named("text/html"), accept.named("application/json")), (900, 0));
    }

    #[test]
    fn a_range_is_told_without_its_quality() {
        let headers = headers(&[r#"application/x; a="b, c"; q=0.5;d, text/csv"#]);
        let written: Vec<_> = Accept::of(&headers).ranges().map(Range::written).collect();
        assert_eq!(written, [r#"application/x;a="b, c";d"#, "text/csv"]);
    }
}
