//! What a resource's operations answer with rows.
//!
//! In: a resource. Out: its three shared responses – a list, a row, what was written – in every media type.

use super::{headers::headers, reference};
use crate::catalog::Resource;
use serde_json::{Map, Value, json};

/// The media types of one row alone, and of a list.
const OBJECT: &str = "application/vnd.pgrst.object+json";
const STRIPPED_OBJECT: &str = "application/vnd.pgrst.object+json;nulls=stripped";
const STRIPPED: &str = "application/vnd.pgrst.array+json;nulls=stripped";

/// The responses of `resource`, with their names.
pub(super) fn of(resource: &Resource) -> [(String, Value); 3] {
    let row = || reference("schemas", &resource.names.type_name);
    let list = json!({
        "description": "All rows, or as many as an answer may have, in the order asked for.",
        "headers": headers(&[
            "Content-Range", "Content-Location", "Content-Profile", "Link", "Preference-Applied", "Server-Timing", "Vary",
        ]),
        "content": content(array(resource), row(), array(resource)),
    });
    let one = json!({
        "description": "The row.",
        "headers": headers(&[
            "Content-Location", "Content-Profile", "ETag", "Preference-Applied", "Server-Timing", "Vary",
        ]),
        "content": content(row(), row(), array(resource)),
    });
    let written = json!({
        "description": "The row as it is now; an array for `return=representation`.",
        "headers": headers(&[
            "Content-Profile", "Content-Range", "ETag", "Idempotency-Replayed", "Location", "Preference-Applied",
            "Server-Timing",
        ]),
        "content": content(json!({ "oneOf": [row(), array(resource)] }), row(), array(resource)),
    });
    [("list", list), ("row", one), ("written", written)].map(|(what, response)| (name(resource, what), response))
}

/// A response of the resource.
pub(super) fn told(resource: &Resource, what: &str) -> Value {
    reference("responses", &name(resource, what))
}

/// The same, of which there is something else to say, and which has other headers beside its own.
pub(super) fn told_as(resource: &Resource, what: &str, description: &str) -> Value {
    let mut response = told(resource, what);
    response["description"] = description.into();
    response
}

fn name(resource: &Resource, what: &str) -> String {
    format!("{}.{what}", resource.names.type_name)
}

/// An array of rows.
pub(super) fn array(resource: &Resource) -> Value {
    json!({ "type": "array", "items": reference("schemas", &resource.names.type_name) })
}

/// The media types of an answer, by the schemas of what is usual, of one object, and of an array.
fn content(usual: Value, object: Value, array: Value) -> Value {
    let csv = json!({
        "type": "string",
        "description": "A line of names, then a line a row; NULL is empty.",
    });
    let types = [
        ("application/json", usual),
        ("text/csv", csv),
        (OBJECT, object.clone()),
        (STRIPPED_OBJECT, object),
        (STRIPPED, array),
    ];
    types
        .into_iter()
        .map(|(media, schema)| (media.to_owned(), json!({ "schema": schema })))
        .collect::<Map<_, _>>()
        .into()
}
