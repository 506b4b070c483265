//! How long the stages of the engine took, for a client that wants to know: `Prefer: server-timing` (RFC 7240), answered by
//! `Server-Timing` (W3C) and `Preference-Applied`, by both protocols alike.
//!
//! In: a request's headers, and in the end its record. Out: headers of an answer that tells what was asked for: how long a
//! failure takes can be a hint at what is not shown.

use crate::telemetry::record;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use std::time::Duration;

const PREFERENCE: &str = "server-timing";
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Whether the client wants to know.
pub(super) fn is_preferred(headers: &HeaderMap) -> bool {
    let lines = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split([',', ';'])).any(|preference| preference.trim() == PREFERENCE)
}

/// Tells it, if the answer is a good one and somebody measured.
pub(super) fn tell(response: &mut Response, total: Duration) {
    if response.status().is_client_error() || response.status().is_server_error() {
        return;
    }
    let Some(said) = record::server_timing(total).and_then(|said| HeaderValue::try_from(said).ok()) else { return };
    let headers = response.headers_mut();
    headers.insert(SERVER_TIMING, said);
    add(headers, PREFERENCE_APPLIED, PREFERENCE);
    add(headers, header::VARY, "Prefer");
}

/// Adds a word to a header that is a list.
fn add(headers: &mut HeaderMap, name: HeaderName, word: &str) {
    let list = headers.get(&name).and_then(|list| list.to_str().ok()).unwrap_or_default();
    if list.split(',').any(|known| known.trim().eq_ignore_ascii_case(word)) {
        return;
    }
    let longer = if list.is_empty() { word.to_owned() } else { format!("{list}, {word}") };
    if let Ok(longer) = HeaderValue::try_from(longer) {
        headers.insert(name, longer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_is_one_of_a_list_and_a_word_is_added_to_one_once() {
        let preferred = |value| {
            is_preferred(&HeaderMap::from_iter([(HeaderName::from_static("prefer"), HeaderValue::from_static(value))]))
        };
        assert!(preferred("server-timing") && preferred("count=exact, server-timing") && preferred("a;server-timing"));
        assert!(!preferred("server-timing=1") && !preferred("server-timings") && !preferred("return=minimal"));
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            add(&mut headers, header::VARY, "Prefer");
            add(&mut headers, header::VARY, "Accept");
        }
        assert_eq!(headers[header::VARY], "Prefer, Accept");
    }
}
