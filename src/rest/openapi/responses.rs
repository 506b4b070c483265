//! What operations answer, and how they fail.
//!
//! In: the kinds of failure that an operation can meet. Out: its responses, failures by reference to shared ones.

use super::{json_content, reference};
use crate::{error::Kind, error_http};
use serde_json::{Map, Value, json};

/// The failures that several operations share: the name of the response, and when it is the answer. Any other failure
/// is described by [`DEFAULT`].
const FAILURES: [(Kind, &str, &str); 11] = [
    (Kind::BadRequest, "BadRequest", "The request is not understood: a malformed value, or a name that is not there."),
    (Kind::Unauthenticated, "Unauthenticated", "There is no token, or it is not good."),
    (Kind::Forbidden, "Forbidden", "The caller is known and may not do this."),
    (Kind::NotFound, "NotFound", "The row is not there, or not for this caller."),
    (Kind::NotAcceptable, "NotAcceptable", "`Accept` names no media type that is written."),
    (Kind::Conflict, "Conflict", "Another row stands in the way: a value is taken, or a row is referred to."),
    (Kind::PayloadTooLarge, "PayloadTooLarge", "The body is larger than this server reads."),
    (Kind::UnsupportedMediaType, "UnsupportedMediaType", "The body is of a media type that is not read."),
    (Kind::RangeNotSatisfiable, "RangeNotSatisfiable", "The rows asked for cannot be: the limit is below zero."),
    (Kind::Invalid, "Invalid", "The body breaks a rule or has unknown members; `details` names each."),
    (Kind::Unavailable, "Unavailable", "The database is away or has no connection free in time."),
];

const DEFAULT: (&str, &str) = ("Failure", "Any other failure.");

/// What every operation with a body can meet.
pub(super) const BODY: [Kind; 4] = [Kind::BadRequest, Kind::PayloadTooLarge, Kind::UnsupportedMediaType, Kind::Invalid];

/// The shared responses.
pub(super) fn components() -> Value {
    let failures = FAILURES.iter().map(|(kind, name, description)| {
        let mut response = failure(description);
        match kind {
            Kind::Unauthenticated => {
                response["headers"] = json!({ "WWW-Authenticate": header("How to authenticate.", "^Bearer") });
            }
            Kind::Unavailable => {
                response["headers"] =
                    json!({ "Retry-After": header("After how many seconds to try again.", "^[0-9]+$") });
            }
            _ => {}
        }
        ((*name).to_owned(), response)
    });
    failures.chain([(DEFAULT.0.to_owned(), failure(DEFAULT.1))]).collect::<Map<_, _>>().into()
}

fn failure(description: &str) -> Value {
    json!({ "description": description, "content": json_content(reference("schemas", "Error")) })
}

/// A header of a response.
pub(super) fn header(description: &str, pattern: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string", "pattern": pattern } })
}

/// The responses of an operation: those of success, those of `failures`, those that every operation can have.
pub(super) fn responses<const N: usize>(successes: [(&str, Value); N], failures: &[Kind]) -> Value {
    let mut responses: Map<String, Value> =
        successes.into_iter().map(|(status, response)| (status.to_owned(), response)).collect();
    for (kind, name, _) in &FAILURES {
        if failures.contains(kind) || matches!(kind, Kind::Unauthenticated | Kind::Unavailable) {
            responses.insert(error_http::status(*kind).as_str().to_owned(), reference("responses", name));
        }
    }
    responses.insert("default".to_owned(), reference("responses", DEFAULT.0));
    responses.into()
}

/// The body of every failure.
pub(super) fn error_schema() -> Value {
    json!({
        "type": "object",
        "description": "Why a request has failed.",
        "properties": {
            "code": { "type": "string", "description": "A SQLSTATE, or a code of PostgREST's." },
            "message": { "type": "string", "description": "What was wrong, in one sentence." },
            "details": { "type": ["string", "null"], "description": "Where, or how much." },
            "hint": { "type": ["string", "null"], "description": "What would be right." },
        },
        "required": ["code", "message", "details", "hint"],
        "examples": [{ "code": "42703", "message": "column trees.nam does not exist", "details": null,
            "hint": "Perhaps you meant to reference the column \"trees.name\"." }],
    })
}
