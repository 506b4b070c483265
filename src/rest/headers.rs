//! The headers of a read's answer that say where it is found, and where the list goes on.
//!
//! In: the path and the query string of a request, and its headers. Out: `Content-Location`, `Link`, and what is said of
//! profiles, which is what PostgREST calls a schema over HTTP.

use crate::error::{Error, Kind, Result};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};

/// What the profile of an answer is told by.
pub(super) const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");
const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");
/// The only profile that there is.
pub(super) const PROFILE: &str = "public";

/// What of a URL's query is written as it is (RFC 3986 section 2.3).
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What of a query stands in no URL (RFC 3986 section 2), though requests come with it; it would end the link as well.
const UNWRITTEN: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Whether the client names the profile that it means.
///
/// # Errors
/// `PGRST106` for one that there is not.
pub(super) fn profile(method: &Method, headers: &HeaderMap) -> Result<bool> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let Some(named) = headers.get(if reads { ACCEPT_PROFILE } else { CONTENT_PROFILE }) else { return Ok(false) };
    if named == PROFILE {
        return Ok(true);
    }
    let named = String::from_utf8_lossy(named.as_bytes());
    Err(Error::new(Kind::NotAcceptable, format!("Invalid schema: {named}"))
        .code("PGRST106")
        .hint(format!("Only the following schemas are exposed: {PROFILE}")))
}

/// Where an answer is found: the path, and the parameters in one order and one spelling, so that equal questions are
/// told from others.
pub(super) fn location(resource: &str, key: Option<&str>, query: &str) -> Option<HeaderValue> {
    let mut text = String::with_capacity(2 + resource.len() + query.len() + query.len() / 4);
    text.push('/');
    text.push_str(resource);
    if let Some(key) = key {
        text.push('/');
        text.extend(percent_encode(key.as_bytes(), ENCODED));
    }
    let mut pairs: Vec<_> = pairs(query).map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    // Stable: of parameters of one name, the order stays.
    pairs.sort_by_key(|(name, _)| *name);
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        encode(name, &mut text);
        text.push('=');
        encode(value, &mut text);
    }
    HeaderValue::try_from(text).ok()
}

/// Where the list goes on: the same URL behind the cursor of the page's last row. `limit` is what a header asked for.
pub(super) fn next(resource: &str, query: &str, cursor: &str, limit: Option<u64>) -> Option<HeaderValue> {
    let mut text = String::with_capacity(32 + resource.len() + query.len() + cursor.len());
    text.push_str("</");
    text.push_str(resource);
    let replaced = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        matches!(name, "offset" | "cursor") || (limit.is_some() && name == "limit")
    };
    let mut before = '?';
    let mut add = |pair: &str, value: &str| {
        text.push(before);
        text.extend(utf8_percent_encode(pair, UNWRITTEN));
        text.push_str(value);
        before = '&';
    };
    pairs(query).filter(|pair| !replaced(pair)).for_each(|pair| add(pair, ""));
    if let Some(limit) = limit {
        add("limit=", itoa::Buffer::new().format(limit));
    }
    add("cursor=", cursor);
    text.push_str(">; rel=\"next\"");
    HeaderValue::try_from(text).ok()
}

fn pairs(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|pair| !pair.is_empty())
}

/// Writes a part of a query string in its canonical spelling.
fn encode(part: &str, text: &mut String) {
    if part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)) {
        return text.push_str(part);
    }
    let spaced = part.replace('+', " ");
    let plain: Vec<u8> = percent_decode_str(&spaced).collect();
    text.extend(percent_encode(&plain, ENCODED));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_questions_are_found_at_one_place() {
        let of = |query| location("trees", None, query).unwrap();
        assert_eq!(of(""), "/trees");
        assert_eq!(of("select=name&id=gt.1"), "/trees?id=gt.1&select=name");
        assert_eq!(
            of("select=id,name&name=eq.a+b&id=lt.9&&id=gt.1&x"),
            "/trees?id=lt.9&id=gt.1&name=eq.a%20b&select=id%2Cname&x="
        );
        assert_eq!(of("select=%69d%2Cname"), of("select=id,name"));
        assert_eq!(location("notes", Some("a/b c"), "select=*").unwrap(), "/notes/a%2Fb%20c?select=%2A");
    }

    #[test]
    fn the_next_page_is_the_same_question_behind_a_cursor() {
        let of = |query, limit| next("trees", query, "abc", limit).unwrap();
        assert_eq!(of("", None), r#"</trees?cursor=abc>; rel="next""#);
        assert_eq!(
            of("order=name&offset=3&limit=2&cursor=x", None),
            r#"</trees?order=name&limit=2&cursor=abc>; rel="next""#
        );
        assert_eq!(of("limit=9", Some(5)), r#"</trees?limit=5&cursor=abc>; rel="next""#);
        // A client may write what a URL does not have.
        assert_eq!(
            of("name=gt.a>; rel=\"é\"&or=(id.eq(any).{1})&x=%3e", None),
            r#"</trees?name=gt.a%3E;%20rel=%22%C3%A9%22&or=(id.eq(any).%7B1%7D)&x=%3e&cursor=abc>; rel="next""#
        );
    }
}
