//! Rows and keys, as the two protocols write them.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rootstock::catalog::Resource;
use serde_json::{Map, Value};

use crate::support::Answer;

/// Rows as REST writes them, by their keys.
pub(super) type Rows = BTreeMap<String, Map<String, Value>>;

/// A write that did not happen. Named in the query, a row that is not there is no error, as PostgREST has it.
pub(super) fn refused(answer: &Answer, named: bool) {
    let silent = named && answer.status == 204 && answer.text.is_empty();
    assert!(silent || matches!(answer.status, 401 | 403 | 404 | 405), "{} {}", answer.request, answer.status);
}

/// The row with a key, by its global id.
pub(super) fn node(resource: &Resource, key: &str) -> String {
    let id = BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{key}", resource.name));
    format!("{{ one: node(nodeId: \"{id}\") {{ nodeId }} }}")
}

/// The rows of a list.
pub(super) fn by_key(resource: &Resource, answer: &Answer) -> Rows {
    let rows: Vec<Map<String, Value>> = serde_json::from_str(&answer.text).expect("an array of objects");
    rows.into_iter().map(|row| (text(&row[&resource.key_column().name]), row)).collect()
}

/// A key as a text, whatever its type.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
