//! What can be asked in a query string or a header.
//!
//! In: a resource's columns and the operators of their types. Out: parameters, shared ones as components.

use super::{reference, schemas::example};
use crate::{
    catalog::{Catalog, Column, Operator, Resource, scalar::Scalar},
    rest::{
        condition::{OPERATORS, QUANTIFIED},
        prefer::{Resolution, Return},
    },
};
use serde_json::{Map, Value, json};

/// The words of a list's query string that name no column: the word, and the shared parameter.
const WORDS: [(&str, &str); 6] =
    [("select", "Select"), ("order", "Order"), ("limit", "Limit"), ("offset", "Offset"), ("and", "And"), ("or", "Or")];

/// The shared parameters: the words, the preference, and the filter of each column.
pub(super) fn components(catalog: &Catalog) -> Value {
    let mut components = shared();
    for resource in catalog.resources() {
        components.extend(filtered(resource).map(|column| (filter_name(resource, column), filter(column))));
    }
    components.into()
}

fn shared() -> Map<String, Value> {
    let query = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let logic = json!({ "type": "string", "pattern": "^\\(.+\\)$" });
    let values = [
        query(
            "select",
            "The members of the answer: `column`, `alias:column` or `*`, separated by commas; without it, all columns. Of a \
             list also aggregates, `column.sum()`, `avg()`, `min()`, `max()`, `count()`, or `count()` alone: then there is \
             one object for each group of rows that have the columns beside them in common, or one for all rows.",
            json!({ "type": "string" }),
        ),
        query(
            "order",
            "Columns, separated by commas, each with `.asc` or `.desc` and `.nullsfirst` or `.nullslast` behind it if need be; \
             `relation(column)` is a column of the row at the other end of a relation to one.",
            json!({ "type": "string" }),
        ),
        query(
            "limit",
            "How many rows at most; never more than the server's own bound.",
            json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        ),
        query("offset", "How many rows are left out.", json!({ "type": "integer", "format": "int64", "minimum": 0 })),
        query(
            "and",
            "Conditions that must all hold: `(column.operator.value,…)`; `and(…)`, `or(…)` and `not.` may stand inside.",
            logic.clone(),
        ),
        query("or", "Conditions of which one must hold, in the same form as `and`.", logic),
    ];
    let names = WORDS.iter().map(|(_, name)| (*name).to_owned());
    let preferences =
        [Return::Minimal, Return::HeadersOnly, Return::Representation].map(|value| format!("return={}", value.word()));
    let resolutions = [Resolution::Merge, Resolution::Ignore].map(|value| format!("resolution={}", value.word()));
    let prefer = json!({
        "name": "Prefer",
        "in": "header",
        "description": format!(
            "What the answer holds: nothing, nothing but where the row is, or the rows as an array ({}). For POST: what \
             becomes of rows whose values are taken ({}). For PATCH and DELETE with a filter that is more than the key: \
             how many rows it may match (handling=strict, max-affected=N).",
            preferences.join(", "),
            resolutions.join(", "),
        ),
        "schema": { "type": "string" },
        "examples": { "representation": { "value": preferences[2] } },
    });
    let on_conflict = query(
        "on_conflict",
        "The columns whose values are taken, separated by commas, for `Prefer: resolution=…`. Without it: the key.",
        json!({ "type": "string" }),
    );
    let others = [("Prefer".to_owned(), prefer), ("OnConflict".to_owned(), on_conflict)];
    names.zip(values).chain(others).collect()
}

/// The parameters of a list.
pub(super) fn of_list(resource: &Resource) -> Vec<Value> {
    let filters = filtered(resource).map(|column| reference("parameters", &filter_name(resource, column)));
    filters.chain(WORDS.iter().map(|(_, name)| reference("parameters", name))).collect()
}

/// The filters of a list.
pub(super) fn filters(resource: &Resource) -> Vec<Value> {
    let filters = filtered(resource).map(|column| reference("parameters", &filter_name(resource, column)));
    filters.chain(["And", "Or"].map(|name| reference("parameters", name))).collect()
}

/// The columns by which new rows meet those that are there.
pub(super) fn on_conflict() -> Value {
    reference("parameters", "OnConflict")
}

/// `select` alone, as where the path or the body names the row.
pub(super) fn select() -> Value {
    reference("parameters", "Select")
}

/// The preference of a write.
pub(super) fn prefer() -> Value {
    reference("parameters", "Prefer")
}

/// The key in the path of an item.
pub(super) fn key_in_path(resource: &Resource) -> Value {
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
pub(super) fn key_in_query(resource: &Resource) -> Value {
    let key = resource.key_column();
    json!({
        "name": key.name,
        "in": "query",
        "required": true,
        "description": "The key of the row, behind `eq.`.",
        "schema": { "type": "string", "pattern": "^eq\\..+" },
        "example": format!("eq.{}", in_url(key)),
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
        Some(operator) => format!("{operator}.{}", in_url(column)),
    };
    let name = &column.name;
    let mut description =
        format!("A condition on `{name}`: `operator.value`, as `{example}`; `not.` before it negates.");
    if let Some(word) = operators.iter().find(|word| QUANTIFIED.contains(word)) {
        description += &format!(" `{word}(any).{{…}}` and `{word}(all).{{…}}` take several values.");
    }
    if column.scalar == Scalar::Json {
        description += &format!(" What is inside is asked by `{name}->member->0->>member`, with each `>` as `%3E`.");
    }
    json!({
        "name": name,
        "in": "query",
        "description": description,
        "schema": { "type": "string", "pattern": format!("^(not\\.)?({})(\\([A-Za-z]+\\))?\\.", operators.join("|")) },
    })
}

/// The words of operators in a query string.
pub(super) fn spellings(operators: &'static [Operator]) -> impl Iterator<Item = &'static str> {
    let words = OPERATORS.iter();
    words.filter(|(_, operator)| operator.is_among(operators)).map(|(word, _)| *word)
}

/// A column's example as a URL has it: texts without quotes.
fn in_url(column: &Column) -> String {
    match example(column) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
