//! Failures as GraphQL errors: `extensions.code` by kind, from a closed list.
//!
//! In: an [`Error`], or what the schema says of a document. Out: JSON, bounded whatever was sent.

use super::types::{InputType, InputTypes};
use crate::{
    error::{Error, Kind, nearest},
    error_http,
};
use async_graphql::{
    Pos, ServerError,
    registry::{MetaType, Registry},
};
use axum::http::HeaderValue;
use heck::ToLowerCamelCase as _;
use serde_json::{Map, Value, json};

/// A document that is no GraphQL.
pub(super) const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
/// A document that the schema does not allow.
pub(super) const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
/// A document that is named and not known.
pub(super) const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";

/// How many errors of a document are told.
const MAX_TOLD: usize = 20;
/// How many bytes of a text are told: it may quote what was sent.
const MAX_TEXT: usize = 2_000;
/// The longest name to which a nearest one is looked for.
const MAX_NAME: usize = 100;

/// The `extensions.code` of a kind of failure.
pub(super) const fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest
        | Kind::Ambiguous
        | Kind::Invalid
        | Kind::MethodNotAllowed
        | Kind::NotAcceptable
        | Kind::UnsupportedMediaType
        | Kind::PayloadTooLarge
        | Kind::RangeNotSatisfiable => "BAD_USER_INPUT",
        Kind::Unauthenticated => "UNAUTHENTICATED",
        Kind::Forbidden => "FORBIDDEN",
        Kind::NotFound => "NOT_FOUND",
        Kind::Conflict | Kind::PreconditionFailed => "CONFLICT",
        Kind::CostLimit => "COST_LIMIT_EXCEEDED",
        Kind::RateLimited => "RATE_LIMITED",
        Kind::Timeout | Kind::SlowBody => "TIMEOUT",
        Kind::Unavailable | Kind::ReadOnly => "UNAVAILABLE",
        Kind::Internal => "INTERNAL_SERVER_ERROR",
    }
}

/// An error of the field `path`, or of the whole request with the id `request_id`. What led to it goes to the log here.
pub(super) fn render(error: &Error, path: Option<&str>, request_id: &HeaderValue) -> Value {
    error_http::log(error);
    let mut extensions = Map::new();
    extensions.insert("code".into(), code(error.kind).into());
    if error.kind == Kind::Internal {
        extensions.insert("requestId".into(), request_id.to_str().unwrap_or_default().into());
    }
    if let Some(after) = error.retry_after {
        extensions.insert("retryAfter".into(), after.get().into());
    }
    let fields: Vec<_> = error.problems.iter().map(|problem| spelt(&problem.field)).collect();
    if let Some(field) = fields.first() {
        extensions.insert("field".into(), field.clone().into());
    }
    if fields.len() > 1 {
        let problems = fields.iter().zip(&error.problems);
        let problems = problems.map(|(field, problem)| json!({ "field": field, "message": problem.message }));
        extensions.insert("fields".into(), problems.collect());
    }
    let told = error.problems.iter().map(|problem| format!("{} {}", problem.field, problem.message));
    let told = told.collect::<Vec<_>>().join("; ");
    // The problems as one text, which names columns.
    let rest = error.details.as_deref().and_then(|details| details.strip_prefix(&told)).filter(|_| !told.is_empty());
    let details = match rest {
        Some(rest) => {
            let told =
                fields.iter().zip(&error.problems).map(|(field, problem)| format!("{field} {}", problem.message));
            Some(told.collect::<Vec<_>>().join("; ") + rest)
        }
        None => error.details.clone(),
    };
    for (name, text) in [("details", details), ("hint", error.hint.clone())] {
        if let Some(text) = text {
            extensions.insert(name.into(), shortened(&text).into());
        }
    }
    let mut shown = Map::new();
    shown.insert("message".into(), shortened(&message(error, &fields, path.is_some())).into());
    if let Some(path) = path {
        shown.insert("path".into(), json!([path]));
    }
    shown.insert("extensions".into(), extensions.into());
    shown.into()
}

/// A field as GraphQL spells it: each name of a path by itself.
fn spelt(field: &str) -> String {
    field.split('.').map(|name| name.to_lower_camel_case()).collect::<Vec<_>>().join(".")
}

/// The message, with the field in GraphQL's spelling where it begins with one or quotes one. What was wrong before a
/// field could be run is told in the document's own words.
fn message(error: &Error, fields: &[String], of_field: bool) -> String {
    match (error.problems.as_slice(), fields) {
        ([problem], [field]) if error.kind == Kind::Invalid => format!("{field} {}", problem.message),
        ([problem], [field]) if of_field => {
            error.message.replace(&format!("\"{}\"", problem.field), &format!("\"{field}\""))
        }
        _ => error.message.clone(),
    }
}

/// An error that the parser or the validation found in a document.
pub(super) fn render_document(code: &str, message: &str, locations: &[Pos]) -> Value {
    let locations: Vec<_> = locations.iter().map(|at| json!({ "line": at.line, "column": at.column })).collect();
    let mut shown = Map::new();
    shown.insert("message".into(), shortened(message).into());
    if !locations.is_empty() {
        shown.insert("locations".into(), locations.into());
    }
    shown.insert("extensions".into(), json!({ "code": code }));
    shown.into()
}

/// The nearest name to an unknown one of an input type, out of the validation's words, which name both.
fn nearest_input<'i>(message: &str, inputs: &'i InputTypes) -> Option<&'i str> {
    let (unknown, ty) = match message.split_once("unknown field \"") {
        Some((_, rest)) => rest.split_once("\" of type \""),
        None => {
            let (_, rest) = message.split_once("enumeration type \"")?;
            rest.split_once("\" does not contain the value \"").map(|(ty, unknown)| (unknown, ty))
        }
    }?;
    let (unknown, ty) = (unknown.trim_end_matches('"'), ty.trim_end_matches('"'));
    if unknown.len() > MAX_NAME {
        return None;
    }
    match inputs.get(ty)? {
        InputType::Object { fields, .. } => nearest(unknown, fields.iter().map(|(field, _)| field.as_str())),
        InputType::Enum(members) => nearest(unknown, members.iter().map(String::as_str)),
        _ => None,
    }
}

/// The nearest name to an unknown field or argument, out of the validation's words.
fn nearest_output<'r>(message: &str, registry: &'r Registry) -> Option<&'r str> {
    let quoted: Vec<_> = message.split('"').skip(1).step_by(2).collect();
    let (unknown, names): (_, Vec<&str>) = match (message, quoted.as_slice()) {
        (message, [unknown, ty]) if message.starts_with("Unknown field ") => {
            (unknown, registry.types.get(*ty)?.fields()?.keys().map(String::as_str).collect())
        }
        (message, [unknown, field, ty]) if message.starts_with("Unknown argument ") => {
            let field = registry.types.get(*ty).and_then(|ty: &MetaType| ty.field_by_name(field))?;
            (unknown, field.args.keys().map(String::as_str).collect())
        }
        _ => return None,
    };
    if unknown.len() > MAX_NAME {
        return None;
    }
    nearest(unknown, names)
}

/// What the validation found; where a name is misspelt, with the nearest one. It is told in the order of the document:
/// the validation goes through fragments in none.
pub(super) fn render_validation(errors: &[ServerError], registry: &Registry, inputs: &InputTypes) -> Vec<Value> {
    let limit = |error: &ServerError| error.message.contains("recursion depth");
    let mut errors: Vec<_> = errors.iter().collect();
    errors.sort_by(|one, other| (&one.locations, &one.message).cmp(&(&other.locations, &other.message)));
    bounded(errors.into_iter(), |error| {
        let code = if limit(error) { code(Kind::CostLimit) } else { VALIDATION_FAILED };
        let mut shown = render_document(code, &error.message, &error.locations);
        let near = nearest_input(&error.message, inputs).or_else(|| nearest_output(&error.message, registry));
        if let Some(near) = near {
            shown["extensions"]["hint"] = format!("Did you mean \"{near}\"?").into();
        }
        shown
    })
}

/// The first of many errors, rendered, and how many more there are: an answer is not larger than it is of use.
pub(super) fn bounded<T>(errors: impl ExactSizeIterator<Item = T>, render: impl Fn(T) -> Value) -> Vec<Value> {
    let more = errors.len().saturating_sub(MAX_TOLD);
    let mut shown: Vec<_> = errors.take(MAX_TOLD).map(render).collect();
    if more > 0 {
        shown.push(render_document(VALIDATION_FAILED, &format!("{more} more errors are not told"), &[]));
    }
    shown
}

/// A text, cut off where it is too long to be told.
fn shortened(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(MAX_TEXT)])
}
