//! The headers of answers.
//!
//! In: nothing. Out: one component a header, and references to them.

use super::reference;
use serde_json::{Map, Value, json};

/// A header that an answer may carry: its name, what it says, the pattern of its value, and whether it is always there
/// where it is told of.
const HEADERS: [(&str, &str, &str, bool); 15] = [
    ("Allow", "The methods that the path has.", "^[A-Z]+(, ?[A-Z]+)*$", false),
    ("Content-Location", "The path and the query string of what is told, in one spelling.", "^/", false),
    ("Content-Profile", "The schema of the database, where the request named it.", "^public$", false),
    (
        "Content-Range",
        "Which rows these are: first and last, counted from 0, or `*` for none; and behind the slash how many there \
         are in all, where the request asked for it.",
        "^([0-9]+-[0-9]+|\\*)/([0-9]+|\\*)$",
        false,
    ),
    ("ETag", "The state of the row, for `If-Match` and `If-None-Match`.", "^(W/)?\"[^\"]*\"$", false),
    ("Idempotency-Replayed", "Whether this is the answer that an earlier request with this key got.", "^true$", false),
    ("Link", "Where the next page is, if rows follow: `<…>; rel=\"next\"`.", "^<[^>]*>; rel=\"next\"$", false),
    ("Location", "Where the new row is.", "^/", false),
    ("Preference-Applied", "The preferences that were honoured.", "^[a-z-]+(=|$)", false),
    ("Proxy-Status", "The code of the failure (RFC 9209).", "^PostgREST; error=", false),
    ("Retry-After", "After how many seconds to try again.", "^[0-9]+$", true),
    (
        "Server-Timing",
        "How long the stages took, in milliseconds, where the request prefers to know.",
        "^[a-z]+;dur=",
        false,
    ),
    ("Vary", "The headers of the request that the answer depends on.", "Accept", false),
    ("WWW-Authenticate", "How to authenticate.", "^Bearer", true),
    ("x-request-id", "The request's own `x-request-id`, or a new one; the log has it too.", "^.+$", true),
];

/// What every answer carries.
pub(super) const ALWAYS: &str = "x-request-id";

/// The shared headers.
pub(super) fn components() -> Value {
    let header = |(name, description, pattern, required): (&str, &str, &str, bool)| {
        let mut header = json!({ "description": description, "schema": { "type": "string", "pattern": pattern } });
        if required {
            header["required"] = true.into();
        }
        (name.to_owned(), header)
    };
    HEADERS.into_iter().map(header).collect::<Map<_, _>>().into()
}

/// The headers of one answer, and those of every answer.
pub(super) fn headers(names: &[&str]) -> Value {
    let names = names.iter().chain([&ALWAYS]);
    names.map(|name| ((*name).to_owned(), reference("headers", name))).collect::<Map<_, _>>().into()
}
