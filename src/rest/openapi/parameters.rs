//! What can be asked in a query string or a header.
//!
//! In: a resource's columns and the operators of their types. Out: parameters, shared ones as components.

use super::{
    preferences, reference,
    schemas::{example, plain},
};
use crate::{
    catalog::{Catalog, Column, Operator, Resource, scalar::Scalar},
    rest::condition::{OPERATORS, QUANTIFIED},
};
use serde_json::{Map, Value, json};

/// The words of a query string that name no column: the word, and the shared parameter.
const WORDS: [(&str, &str); 9] = [
    ("select", "Select"),
    ("order", "Order"),
    ("limit", "Limit"),
    ("offset", "Offset"),
    ("cursor", "Cursor"),
    ("and", "And"),
    ("or", "Or"),
    ("columns", "Columns"),
    ("on_conflict", "OnConflict"),
];

/// The shared parameters: the words, the headers, and the filter of each column.
pub(super) fn components(catalog: &Catalog) -> Map<String, Value> {
    let mut components = words();
    components.extend(headers());
    components.extend(preferences::components());
    for resource in catalog.resources() {
        components.extend(filtered(resource).map(|column| (filter_name(resource, column), filter(column))));
    }
    components
}

fn words() -> Map<String, Value> {
    let logic = || json!({ "type": "string", "pattern": "^\\(.*\\)$" });
    let text = || json!({ "type": "string" });
    let describe = |word: &str| match word {
        "select" => (
            "The members of the answer, separated by commas; without it, all columns. `column`, `alias:column`, \
             `column::type` and `*`; `column->member->>0` into JSON, with each `>` as `%3E`; `relation(…)` with the same \
             in its brackets embeds the rows of a relation, `relation!inner(…)` leaves out rows that have none, \
             `...relation(…)` puts their members beside the others. Aggregates are `column.sum()`, `avg()`, `min()`, \
             `max()` and `count()`, or `count()` alone: then there is one object for each group of rows that have the \
             columns beside them in common, or one for all rows. `column.day()`, `week()`, `month()`, `quarter()` and \
             `year()` group by the first day of such a stretch of time.",
            text(),
        ),
        "order" => (
            "Columns, separated by commas, each with `.asc` or `.desc` and `.nullsfirst` or `.nullslast` behind it if need \
             be; `relation(column)` is a column of the row at the other end of a relation to one. `relation.order` orders \
             what is embedded.",
            text(),
        ),
        "limit" => (
            "How many rows at most, in a POST of those that are told; never more than the server's own bound. \
             `relation.limit` is that of what is embedded.",
            json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        ),
        "offset" => (
            "How many rows are left out; below zero, none. `relation.offset` is that of what is embedded.",
            json!({ "type": "integer", "format": "int64" }),
        ),
        "cursor" => (
            "Where the page begins: as the answer before tells it in `Link`. It belongs to its order, which must be the \
             same.",
            text(),
        ),
        "and" => (
            "Conditions that must all hold: `(column.operator.value,…)`; `and(…)`, `or(…)` and `not.` may stand inside. \
             `relation.and` is about what is embedded.",
            logic(),
        ),
        "or" => ("Conditions of which one must hold, in the same form as `and`.", logic()),
        "columns" => (
            "The members of the body that are read, separated by commas; others are left. Without it, all are.",
            text(),
        ),
        _ => (
            "The columns whose values are taken, separated by commas, for `Prefer: resolution=…`. Without it: the key.",
            text(),
        ),
    };
    let parameter = |(word, name): &(&str, &str)| {
        let (description, schema) = describe(word);
        let parameter = json!({ "name": word, "in": "query", "description": description, "schema": schema });
        ((*name).to_owned(), parameter)
    };
    WORDS.iter().map(parameter).collect()
}

/// The headers of requests, but for the preferences.
fn headers() -> impl Iterator<Item = (String, Value)> {
    let text = || json!({ "type": "string" });
    let profile = || json!({ "type": "string", "enum": ["public"] });
    let key = json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" });
    [
        ("Range", "Range", "The rows from one to another, counted from 0: `0-24`, or `25-` for all behind.", text()),
        ("RangeUnit", "Range-Unit", "What `Range` counts: `items`.", text()),
        ("AcceptProfile", "Accept-Profile", "The schema of the database that is read.", profile()),
        ("ContentProfile", "Content-Profile", "The schema of the database that is written.", profile()),
        ("IfMatch", "If-Match", "Write only if the row's `ETag` is one of these; `*` for any.", text()),
        ("IfNoneMatch", "If-None-Match", "Tell the row only if its `ETag` is none of these; put one only if there is none, with `*`.", text()),
        (
            "IdempotencyKey",
            "Idempotency-Key",
            "A text of the client's own: for 24 hours the same request with the same key gets the first answer again, and \
             nothing more is created.",
            key,
        ),
    ]
    .into_iter()
    .map(|(component, name, description, schema)| {
        (component.to_owned(), json!({ "name": name, "in": "header", "description": description, "schema": schema }))
    })
}

/// Shared parameters by their names.
fn shared(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| reference("parameters", name)).collect()
}

/// Of a list that is read.
pub(super) fn of_list(resource: &Resource) -> Vec<Value> {
    let words = ["Select", "Order", "Limit", "Offset", "Cursor", "And", "Or"];
    let headers = ["Range", "RangeUnit", "PreferOfList", "AcceptProfile"];
    [filters(resource), shared(&words), shared(&headers)].concat()
}

/// Of a row that is read.
pub(super) fn of_item(resource: &Resource) -> Vec<Value> {
    [vec![key_in_path(resource)], shared(&["Select", "AcceptProfile", "IfNoneMatch"])].concat()
}

/// Of a row that is deleted.
pub(super) fn of_item_delete(resource: &Resource) -> Vec<Value> {
    [vec![key_in_path(resource)], shared(&["Select", "PreferOfItem", "ContentProfile", "IfMatch"])].concat()
}

/// Of a row that is changed or replaced.
pub(super) fn of_item_write(resource: &Resource) -> Vec<Value> {
    [of_item_delete(resource), shared(&["Columns"])].concat()
}

/// Of new rows.
pub(super) fn of_create() -> Vec<Value> {
    let words = ["Select", "Order", "Limit", "Offset", "Columns", "OnConflict"];
    [shared(&words), shared(&["PreferOfCreate", "ContentProfile", "IdempotencyKey"])].concat()
}

/// Of a row that is put where there may be one.
pub(super) fn of_put(resource: &Resource) -> Vec<Value> {
    [vec![key_in_query(resource)], shared(&["Select", "Columns", "PreferOfItem", "ContentProfile", "IfNoneMatch"])]
        .concat()
}

/// Of an update of all rows that match.
pub(super) fn of_update(resource: &Resource) -> Vec<Value> {
    [of_delete(resource), shared(&["Columns"])].concat()
}

/// Of a deletion of all rows that match.
pub(super) fn of_delete(resource: &Resource) -> Vec<Value> {
    [filters(resource), shared(&["Select", "Order", "And", "Or", "PreferOfChange", "ContentProfile"])].concat()
}

fn filters(resource: &Resource) -> Vec<Value> {
    filtered(resource).map(|column| reference("parameters", &filter_name(resource, column))).collect()
}

/// The key in the path of an item of which nothing but the path is asked.
pub(super) fn any_key_in_path(resource: &Resource) -> Value {
    let mut parameter = key_in_path(resource);
    parameter["schema"] = json!({ "type": "string" });
    parameter["example"] = plain(resource.key_column()).into();
    parameter
}

/// The key in the path of an item.
fn key_in_path(resource: &Resource) -> Value {
    let key = resource.key_column();
    json!({
        "name": key.name,
        "in": "path",
        "required": true,
        "description": "The key of the row.",
        "schema": key.scalar.json_schema(),
        "example": example(key),
    })
}

/// The key in the query string of a write that names its row there.
fn key_in_query(resource: &Resource) -> Value {
    let key = resource.key_column();
    json!({
        "name": key.name,
        "in": "query",
        "required": true,
        "description": "The key of the row, behind `eq.`.",
        "schema": { "type": "string", "pattern": "^eq\\..+" },
        "example": format!("eq.{}", plain(key)),
    })
}

/// The columns by which a query string can filter: a word hides the column of its name.
fn filtered(resource: &Resource) -> impl Iterator<Item = &Column> {
    resource.columns.iter().filter(|column| WORDS.iter().all(|(word, _)| *word != column.name))
}

fn filter_name(resource: &Resource, column: &Column) -> String {
    format!("{}.{}", resource.names.type_name, column.name)
}

/// The filter of a column. Its example stands in the description: as one of OpenAPI's own, pages for trying out would
/// fill it in for every column at once.
fn filter(column: &Column) -> Value {
    let operators: Vec<_> = spellings(column.scalar.operators()).collect();
    let example = match operators.first() {
        Some(&"is") | None => "is.null".to_owned(),
        Some(operator) => format!("{operator}.{}", plain(column)),
    };
    let name = &column.name;
    let mut description = format!(
        "A condition on `{name}`: `operator.value`, as `{example}`; `not.` before it negates. The operators are `{}`.",
        operators.join("`, `"),
    );
    if let Some(word) = operators.iter().find(|word| QUANTIFIED.contains(word)) {
        description += &format!(" `{word}(any).{{…}}` and `{word}(all).{{…}}` take several values.");
    }
    if operators.contains(&"fts") {
        description += " `fts(english)` and the others of full text may name a language.";
    }
    if column.scalar == Scalar::Json {
        description += &format!(" What is inside is asked by `{name}->member->0->>member`, with each `>` as `%3E`.");
    }
    let pattern = format!("^(not\\.)?({})(\\([A-Za-z]+\\))?\\.", operators.join("|"));
    json!({
        "name": name,
        "in": "query",
        "description": description,
        "schema": { "type": "string", "pattern": pattern },
    })
}

/// The words of operators in a query string.
pub(super) fn spellings(operators: &'static [Operator]) -> impl Iterator<Item = &'static str> {
    let words = OPERATORS.iter();
    words.filter(|(_, operator)| operator.is_among(operators)).map(|(word, _)| *word)
}
