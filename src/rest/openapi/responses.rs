//! How operations fail, and the answers that have no rows.
//!
//! In: the statuses that an operation can have. Out: its responses, by reference to shared ones.

use super::{headers::headers, json_content, reference};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// The failures that operations share: the status, the name of the response, when it is the answer, and one that a
/// client could get: its code and its message.
const FAILURES: [(StatusCode, &str, &str, &str, &str); 18] = [
    (
        StatusCode::MULTIPLE_CHOICES,
        "Ambiguous",
        "`select` names a relation of which there are several; `details` has them.",
        "PGRST201",
        "Could not embed because more than one relationship was found for 'expenses' and 'users'",
    ),
    (
        StatusCode::BAD_REQUEST,
        "BadRequest",
        "The request is not understood: a malformed value, or a name that is not there.",
        "42703",
        "There is no column \"nam\"",
    ),
    (
        StatusCode::UNAUTHORIZED,
        "Unauthenticated",
        "There is no token, or it is not good.",
        "PGRST301",
        "The token is not good",
    ),
    (StatusCode::FORBIDDEN, "Forbidden", "The caller is known and may not do this.", "42501", "This is not for you"),
    (
        StatusCode::NOT_FOUND,
        "NotFound",
        "The row is not there, or not for this caller; or a column's type does not have the operator or the aggregate that \
         is asked for (`42883`); or nobody signs in here, since an outside identity provider makes the tokens.",
        "PGRST116",
        "There is no such row",
    ),
    (
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "The method does not fit what the query string asks for, or the database takes no writes.",
        "25006",
        "The database takes no writes",
    ),
    (
        StatusCode::NOT_ACCEPTABLE,
        "NotAcceptable",
        "`Accept` names no media type that is written, or one object where there is not exactly one row; or the profile \
         is not `public`.",
        "PGRST107",
        "None of these media types are available: image/png",
    ),
    (
        StatusCode::REQUEST_TIMEOUT,
        "SlowBody",
        "The body did not come in the time that a request may take.",
        "PGRST102",
        "The body did not come in the time that a request may take",
    ),
    (
        StatusCode::CONFLICT,
        "Conflict",
        "Another row stands in the way: a value is taken, or a row is referred to.",
        "23505",
        "A row with this id is there already",
    ),
    (
        StatusCode::PRECONDITION_FAILED,
        "PreconditionFailed",
        "The row is not in the state that the request names.",
        "55000",
        "The row has changed",
    ),
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        "PayloadTooLarge",
        "The body is larger than this server reads.",
        "PGRST102",
        "The body is larger than this server reads",
    ),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        "The body is of a media type that is not read.",
        "PGRST107",
        "The body is of a media type that is not read",
    ),
    (
        StatusCode::RANGE_NOT_SATISFIABLE,
        "RangeNotSatisfiable",
        "The rows asked for cannot be: they begin behind the last one, end before the first, or are fewer than none.",
        "PGRST103",
        "Requested range not satisfiable",
    ),
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        "Invalid",
        "The body breaks a rule or has unknown members, each of which `details` names; or the `Idempotency-Key` was \
         another body's.",
        "23514",
        "title must be 1 to 200 characters long",
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "RateLimited",
        "There were too many attempts, from this address or on this account.",
        "53400",
        "Too many attempts to sign in, from here or to this account",
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "Internal",
        "A defect of the server's; `details` has the id of the request.",
        "PGRSTX00",
        "The server could not answer this request",
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "Unavailable",
        "The database is away or has no connection free in time (`PGRST003`); or others were writing the same rows, again \
         and again (`40001`); or it went away before it said whether the change was made (`08007`); or too many are \
         signing in (`53000`).",
        "PGRST001",
        "The database is away",
    ),
    (
        StatusCode::GATEWAY_TIMEOUT,
        "Timeout",
        "The request took longer than it may.",
        "57014",
        "The request took longer than it may",
    ),
];

/// What every operation can meet.
const ALWAYS: [StatusCode; 4] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// What every operation with a body can meet.
pub(super) const BODY: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
];

/// The shared responses: every failure, and what has no body.
pub(super) fn components() -> Map<String, Value> {
    let failures = FAILURES.iter().map(|(status, name, description, code, message)| {
        let mut content = json_content(reference("schemas", "Error"));
        content["application/json"]["example"] =
            json!({ "code": code, "message": message, "details": null, "hint": null });
        let own = match *status {
            StatusCode::UNAUTHORIZED => vec!["WWW-Authenticate"],
            StatusCode::METHOD_NOT_ALLOWED => vec!["Allow"],
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => vec!["Retry-After"],
            _ => Vec::new(),
        };
        let own = headers(&[own.as_slice(), &["Proxy-Status"]].concat());
        ((*name).to_owned(), json!({ "description": description, "headers": own, "content": content }))
    });
    let silent = [
        (
            "Rows",
            "The headers of the same request by GET.",
            headers(&[
                "Content-Range",
                "Content-Location",
                "Content-Profile",
                "Link",
                "Preference-Applied",
                "Server-Timing",
                "Vary",
            ]),
        ),
        (
            "Row",
            "The headers of the same request by GET.",
            headers(&["Content-Location", "Content-Profile", "ETag", "Preference-Applied", "Server-Timing", "Vary"]),
        ),
        ("NotModified", "The row is still in the state that `If-None-Match` names.", headers(&["ETag", "Vary"])),
        (
            "Done",
            "It is done, and nothing is told of it; or there was no such row to do it to.",
            headers(&["Content-Profile", "Content-Range", "Location", "Preference-Applied", "Server-Timing"]),
        ),
        ("Gone", "The row is deleted.", headers(&["Preference-Applied", "Server-Timing"])),
        ("Methods", "The methods are in `Allow`.", headers(&["Allow"])),
    ];
    let silent = silent.map(|(name, description, headers)| {
        (name.to_owned(), json!({ "description": description, "headers": headers }))
    });
    failures.chain(silent).collect()
}

/// The responses of an operation: those of success, those of `failures`, those that every operation can have.
pub(super) fn responses<const N: usize>(successes: [(&str, Value); N], failures: &[StatusCode]) -> Value {
    let mut responses: Map<String, Value> =
        successes.into_iter().map(|(status, response)| (status.to_owned(), response)).collect();
    for (status, name, ..) in &FAILURES {
        if failures.contains(status) || ALWAYS.contains(status) {
            responses.insert(status.as_str().to_owned(), reference("responses", name));
        }
    }
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
