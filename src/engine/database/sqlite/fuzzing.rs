//! What fuzz targets ask of the functions that SQLite is given: casts, patterns, paths into JSON. Compiled for them alone,
//! by `cfg(fuzzing)`.
//!
//! In: bytes that a client has stored or sent. Out: nothing, or a panic that says what does not hold.

use super::{
    casts::{From, cast},
    functions,
};
use rusqlite::types::{Value, ValueRef};

/// The types that a text can be cast to and back.
const TYPES: [&str; 11] = [
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric",
    "boolean",
    "uuid",
    "date",
    "timestamp with time zone",
    "json",
];

/// The type of what a cast to `to` makes.
fn made(to: &str) -> &str {
    match to {
        "smallint" => "integer",
        "real" => "double precision",
        "numeric" => "numeric 6 0",
        to => to,
    }
}

/// A text and a JSON value as each type; what a text is cast to is the same when it is told as a text and cast again.
pub fn casts(text: &str) {
    let Some(of_text) = From::named("text") else { panic!("no type of texts") };
    let value = ValueRef::Text(text.as_bytes());
    for to in TYPES {
        let Ok(done) = cast(value, of_text, to) else { continue };
        let Some(of_done) = From::named(made(to)) else { panic!("no type {to}") };
        let told = match cast((&done).into(), of_done, "text") {
            Ok(Value::Text(told)) => told,
            other => panic!("{done:?} is told as {other:?}"),
        };
        match cast(ValueRef::Text(told.as_bytes()), of_text, to) {
            Ok(again) => assert_eq!(again, done, "{told} as {to}"),
            Err(error) => panic!("{done:?} is told as {told}, which is no {to}: {error}"),
        }
    }
    let Some(of_json) = From::named("json") else { panic!("no type of JSON") };
    if cast(value, of_text, "json").is_ok() {
        for to in TYPES {
            let _ = cast(value, of_json, to);
        }
    }
}

/// A pattern of LIKE against a text: a text matches what is all of it, and `%` with anything around.
pub fn like(text: &str, pattern: &str) {
    let characters = |pattern: &str| pattern.chars().collect::<Vec<_>>();
    let matched = functions::like(text, &characters(pattern));
    if matched && !pattern.ends_with('\\') {
        assert!(functions::like(&format!("x{text}x"), &characters(&format!("%{pattern}%"))), "{text:?} {pattern:?}");
    }
    let escaped: String = text.chars().flat_map(|character| ['\\', character]).collect();
    assert!(functions::like(text, &characters(&escaped)), "{text:?} is not like itself");
}

/// A path into a JSON text, one step a line.
pub fn json_path(document: &str, path: &str) {
    let steps: Vec<String> = path.split('\n').map(str::to_owned).collect();
    let Some(found) = functions::at(document, &steps) else { return };
    for kind in ["value", "json", "rank", "text", "written", "boolean", "number"] {
        let _ = functions::read(found, kind);
    }
    // A document that nobody checked may be none behind what was found in it.
    if serde_json::from_str::<serde::de::IgnoredAny>(document).is_ok() {
        let whole = serde_json::from_str::<serde::de::IgnoredAny>(found);
        assert!(whole.is_ok(), "no JSON: {found}");
    }
}
