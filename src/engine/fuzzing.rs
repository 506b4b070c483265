//! What fuzz targets ask of the engine: cursors, values, patterns, searches, and any question down to its SQL. Compiled for
//! them alone, by `cfg(fuzzing)`.
//!
//! In: bytes of a client, or what a protocol has made of them. Out: nothing, or a panic that says what does not hold.

use super::{
    authorize::{Who, authorize},
    bind::{Argument, Bound, bind},
    compile::{Statement, compile},
    cursor::{self, CursorProgram},
    database::{Dialect, Row},
    operand,
    plan::{Bounds, plan},
    principal::Principal,
    query::Sort,
    request::{Action, Envelope, Form, List, Order, Question, Request, Term},
    search,
};
use crate::{
    catalog::{
        Catalog, Column, Language, Operator, Resource, Syntax,
        scalar::{Cell, Input, Scalar, Style, Value},
    },
    error::{Error, Kind, Result},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use std::fmt::Debug;
use uuid::Uuid;

/// Reads something twice, for the same bytes always mean the same; and no client's bytes are a defect of ours.
pub fn read<T: PartialEq + Debug>(reading: impl Fn() -> Result<T>) -> Result<T> {
    let (one, other) = (reading(), reading());
    match (&one, &other) {
        (Ok(one), Ok(other)) => assert_eq!(one, other, "read twice"),
        (Err(one), Err(other)) => {
            assert_ne!(one.kind, Kind::Internal, "a defect: {one:?}");
            assert_eq!((one.kind, &one.code, &one.message), (other.kind, &other.code, &other.message), "read twice");
        }
        _ => panic!("read as {one:?}, then as {other:?}"),
    }
    one
}

fn refusal(error: &Error) {
    assert_ne!(error.kind, Kind::Internal, "a defect: {error:?}");
}

/// Plans a question, and compiles it for both databases and for every kind of caller; [`judge`] looks at the SQL.
pub fn ask(catalog: &Catalog, question: &Question, arguments: &[Argument], style: Style, bounds: Bounds) {
    let query = match plan(catalog, question, style, bounds) {
        Ok(query) => query,
        Err(error) => return refusal(&error),
    };
    let somebody = |role: &str| Principal::user(Uuid::nil(), role);
    for principal in [Principal::anonymous(), somebody("user"), somebody("editor"), somebody("admin")] {
        let authorized = match authorize(catalog, query.clone(), &Who::from(&principal)) {
            Ok(authorized) => authorized,
            Err(error) => {
                refusal(&error);
                continue;
            }
        };
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let plan = compile(catalog, &authorized, dialect, style);
            match bind(catalog, &plan.slots, &plan.defects, arguments, &principal) {
                Ok(bound) => plan.read.iter().for_each(|statement| sent(&bound, statement)),
                Err(error) => refusal(&error),
            }
        }
    }
}

/// The values as each database is sent them.
fn sent(bound: &Bound, statement: &Statement) {
    for value in &*bound.values(&statement.binds, None) {
        let mut text = String::new();
        value.write_text(&mut text);
        let _ = value.to_sqlite();
        // No text of PostgreSQL has a NUL, and SQLite's functions of ours end at one.
        assert!(!text.contains('\0'), "a NUL is sent: {value:?}");
    }
}

/// What must hold of every statement, whatever was asked: it is one, its identifiers are the catalogue's, and its
/// placeholders have values. So nothing of it can be a client's.
pub(super) fn judge(catalog: &Catalog, sql: &str, binds: usize) {
    // The letters that the rule of words makes one (`engine/words.rs`).
    let odd = |character: char| !matches!(character, ' '..='~' | 'İ' | 'ς' | 'σ');
    assert!(!sql.contains(odd), "odd characters: {sql}");
    let enumerated = |column: &Column| column.scalar.postgres_type();
    let known = |name: &str| {
        // The collations by code point, and for letters in either case.
        matches!(name, "C" | "und-x-icu")
            || catalog.resources().iter().any(|resource| {
                let own = name.strip_prefix(&resource.name);
                own.is_some_and(|end| matches!(end, "" | "_search" | "_search_keys"))
                    || resource.column(name).is_some()
                    || resource.columns.iter().any(|column| enumerated(column).trim_matches('"') == name)
            })
    };
    let mut rest = sql;
    while let Some(at) = rest.find(['"', '\'', ';', '$', '?', '-', '/']) {
        let (mark, behind) = rest[at..].split_at(1);
        rest = match mark {
            "\"" => {
                let (name, behind) = behind.split_once('"').unwrap_or_else(|| panic!("an open identifier: {sql}"));
                assert!(known(name), "the identifier {name} is not the catalogue's: {sql}");
                behind
            }
            "'" => behind.split_once('\'').unwrap_or_else(|| panic!("an open literal: {sql}")).1,
            "$" | "?" => {
                let end = behind.find(|next: char| !next.is_ascii_digit()).unwrap_or(behind.len());
                let number: usize = behind[..end].parse().unwrap_or_else(|_| panic!("no placeholder: {sql}"));
                assert!((1..=binds).contains(&number), "the placeholder {number} has no value: {sql}");
                &behind[end..]
            }
            ";" => panic!("more than one statement: {sql}"),
            mark => {
                let comment = if mark == "-" { behind.starts_with('-') } else { behind.starts_with('*') };
                assert!(!comment, "a comment: {sql}");
                behind
            }
        };
    }
}

/// A cell that holds a value as SQLite hands it over.
enum Held {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<&Value> for Held {
    fn from(value: &Value) -> Self {
        match value.to_sqlite() {
            rusqlite::types::Value::Null => Self::Null,
            rusqlite::types::Value::Integer(value) => Self::Integer(value),
            rusqlite::types::Value::Real(value) => Self::Real(value),
            rusqlite::types::Value::Text(value) => Self::Text(value),
            rusqlite::types::Value::Blob(value) => Self::Blob(value),
        }
    }
}

impl Held {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Integer(value) => Cell::Integer(*value),
            Self::Real(value) => Cell::Real(*value),
            Self::Text(value) => Cell::Text(value),
            Self::Blob(value) => Cell::Blob(value),
        }
    }
}

struct Cells(Vec<Held>);

impl Row for Cells {
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        self.0.get(index).map(Held::cell).ok_or_else(|| Error::internal("no such cell"))
    }
}

/// What a type reads of a client, it writes again so that it reads the same, for either protocol.
pub fn value(scalar: &Scalar, input: &Input<'_>) {
    let parsed = scalar.parse(input);
    assert_eq!(parsed, scalar.parse(input), "read twice");
    let Ok(value) = parsed else { return };
    if let Value::Timestamp(instant) = &value {
        assert!(instant.timestamp_subsec_nanos() < 1_000_000_000, "{instant} is no second of PostgreSQL's");
    }
    let held = Held::from(&value);
    let Ok(again) = scalar.read(held.cell()) else { panic!("{value:?} is not read again") };
    if let (Value::Json(text), Value::Json(again)) = (&value, &again) {
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert_eq!(parse(text), parse(again), "read again");
    } else {
        assert_eq!(value, again, "read again");
    }
    for style in [Style::Rest, Style::GraphQl] {
        let mut json = Vec::new();
        scalar
            .write(held.cell(), style, &mut json)
            .unwrap_or_else(|error| panic!("{value:?} is not written: {error:?}"));
        let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(&json);
        assert!(parsed.is_ok(), "no JSON: {}", String::from_utf8_lossy(&json));
    }
}

/// The orders of lists by each column of a resource, up and down.
fn orders(catalog: &Catalog, resource: &Resource) -> Vec<Vec<Sort>> {
    let by = |name: &str, descending| {
        let order = vec![Order { term: Term::Column(name.to_owned()), descending, nulls_first: None }];
        let request = Request {
            resource: resource.name.clone(),
            action: Action::List(List { order, ..List::default() }),
            select: Vec::new(),
        };
        let question = Question { request, envelope: Envelope::Array, form: Form::default() };
        plan(catalog, &question, Style::Rest, Bounds { default_page: 1, max_page: 1 })
            .ok()
            .map(|query| query.read.order)
    };
    resource.column_names().flat_map(|name| [by(name, false), by(name, true)]).flatten().collect()
}

/// A text as the cursor of a list, and as the values of one behind the right fingerprint; `choice` says in which order the
/// list is.
pub fn cursor(catalog: &Catalog, resource: &Resource, choice: usize, text: &str) {
    let orders = orders(catalog, resource);
    let order = &orders[choice % orders.len()];
    let plain = format!("[{},{text}]", cursor::fingerprint(resource, order));
    for text in [text, &BASE64_URL_SAFE_NO_PAD.encode(plain)] {
        if let Ok(values) = read(|| cursor::values(text, resource, order)) {
            continues(text, &values, resource, order);
        }
    }
    let _ = read(|| cursor::nulls(text));
    if let Some((resource, key)) = cursor::parse_node_id(catalog, text) {
        node_id(catalog, resource, &key);
    }
}

/// A cursor that is read is written so that it is read as the same, and as that ever after.
fn continues(text: &str, values: &[Value], resource: &Resource, order: &[Sort]) {
    let nulls = cursor::nulls(text).unwrap_or_else(|error| panic!("a cursor without its nulls: {error:?}"));
    for (index, value) in values.iter().enumerate() {
        assert_eq!(nulls & (1 << index) != 0, *value == Value::Null, "which values are NULL");
    }
    let program = CursorProgram {
        fingerprint: cursor::fingerprint(resource, order),
        columns: order.iter().enumerate().map(|(index, sort)| (index, sort.expression.scalar.clone())).collect(),
    };
    let write = |values: &[Value]| {
        let row = Cells(values.iter().map(Held::from).collect());
        program.text(&row).unwrap_or_else(|error| panic!("{values:?} are not written: {error:?}"))
    };
    let written = write(values);
    match cursor::values(&written, resource, order) {
        Ok(again) => assert_eq!(write(&again), written, "written again"),
        Err(error) => panic!("{values:?} are not read again: {error:?}"),
    }
}

fn node_id(catalog: &Catalog, resource: usize, key: &str) {
    let scalar = &catalog.at(resource).key_column().scalar;
    let Ok(value) = scalar.parse(&Input::Text(key)) else { return };
    let mut json = Vec::new();
    if scalar.write(Held::from(&value).cell(), Style::Rest, &mut json).is_err() {
        panic!("{value:?} is not written");
    }
    let mut id = Vec::new();
    cursor::write_node_id(&catalog.at(resource).name, &json, &mut id);
    let id = String::from_utf8_lossy(&id);
    let again = cursor::parse_node_id(catalog, id.trim_matches('"'));
    let again = again.map(|(of, key)| (of, scalar.parse(&Input::Text(&key))));
    assert_eq!(again, Some((resource, Ok(value))), "read again");
}

/// A pattern of each kind: what is taken is one for both databases.
pub fn pattern(text: &str) {
    for operator in
        [Operator::Match, Operator::Like, Operator::Ilike, Operator::StartsWith, Operator::EndsWith, Operator::Contains]
    {
        let Ok(value) = read(|| operand::read("column", operator, text.to_owned())) else { continue };
        if let (Operator::Match, Value::Each { postgres, sqlite }) = (operator, value) {
            let compiled = super::regex::compile(&sqlite);
            assert!(compiled.is_ok_and(|regex| regex.is_match(text) || !postgres.is_empty()), "{sqlite}");
            assert!(postgres.is_ascii() && !postgres.contains('\0'), "{postgres}");
        }
    }
}

/// A path into JSON.
pub fn path(text: &str) {
    let steps = Argument::List(text.split('\n').map(|step| Argument::Text(step.to_owned())).collect());
    let _ = read(|| operand::path("column", &steps));
}

/// A search in every syntax and two languages, looked for in a text.
pub fn search(query: &str, text: &str) {
    for syntax in [Syntax::Query, Syntax::Plain, Syntax::Phrase, Syntax::Web] {
        for language in [None, Some(Language::English), Some(Language::Turkish)] {
            let operator = Operator::FullText(syntax, language);
            let Ok(value) = read(|| operand::read("column", operator, query.to_owned())) else { continue };
            let rusqlite::types::Value::Text(sent) = value.to_sqlite() else { panic!("{value:?} is sent as no text") };
            let wants = match language {
                None => search::Wants::as_written(&sent),
                Some(language) => search::Wants::in_language(&sent, language),
            };
            match wants {
                Ok(wants) => drop(wants.are_in(text)),
                Err(error) => panic!("{sent} is not read again: {error}"),
            }
        }
    }
    let wanted = super::words::wanted(query);
    let _ = (super::words::has(text, &wanted), super::words::tsquery(&wanted), super::words::fts5(&wanted));
}
