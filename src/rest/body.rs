//! The body of a write: rows, as a JSON object or an array of such, as lines of CSV, or as a form.
//!
//! In: bytes and their media type. Out: an argument a column and a row, with the digits of every number as they were
//! written. In CSV and in a form every value is a text, which its column reads; in CSV the word NULL is null, quoted or
//! not, as PostgREST takes it, and an empty value is the empty text.

use super::{prefer::Missing, query::pairs};
use crate::{
    catalog::Resource,
    engine::{
        bind::{Argument, MAX_MEMBERS},
        plan::check_rows,
    },
    error::{Error, Kind, Result},
    telemetry::record::{self, Stage},
};
use axum::http::{HeaderMap, header};
use serde::Deserialize as _;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeSet};

/// The media types that are read.
pub(super) const MEDIA: [&str; 3] = ["application/json", "text/csv", "application/x-www-form-urlencoded"];

/// A row of a body: its members, in their order.
pub(super) type Row = Vec<(String, Argument)>;

/// What a body holds.
#[derive(Debug, PartialEq)]
pub(super) enum Rows {
    /// One object.
    One(Row),
    /// A list of them, which may be empty.
    Many(Vec<Row>),
}

impl Rows {
    /// The one row: an object, or a list with one.
    ///
    /// # Errors
    /// `PGRST102` for a list of more rows, or of none.
    pub(super) fn only(self) -> Result<Row> {
        match self {
            Self::One(row) => Ok(row),
            Self::Many(mut rows) if rows.len() == 1 => Ok(rows.remove(0)),
            Self::Many(rows) => {
                Err(malformed(format!("The body is a list of {} rows, and one row says what is written", rows.len())))
            }
        }
    }
}

/// The members of a row that are written, where the client names them in the URL, and what those are that a row lacks.
#[derive(Debug)]
pub(super) struct Named<'q> {
    pub(super) columns: &'q [String],
    pub(super) missing: Missing,
}

impl<'q> Named<'q> {
    /// The columns of `resource` that a URL names, if it does.
    ///
    /// # Errors
    /// `PGRST204` for one that there is not.
    pub(super) fn of(
        resource: &Resource,
        columns: Option<&'q [String]>,
        missing: Option<Missing>,
    ) -> Result<Option<Self>> {
        let Some(columns) = columns else { return Ok(None) };
        if let Some(unknown) = columns.iter().find(|name| resource.column(name).is_none()) {
            let name = &resource.name;
            return Err(Error::bad_request(format!(
                "Could not find the '{unknown}' column of '{name}' in the schema cache"
            ))
            .code("PGRST204")
            .nearest(unknown, resource.column_names()));
        }
        Ok(Some(Self { columns, missing: missing.unwrap_or(Missing::Null) }))
    }

    /// Of a row, what is named.
    fn keep(&self, row: Row) -> Row {
        let mut row: Vec<_> = row.into_iter().map(|(name, value)| (name, Some(value))).collect();
        let mut take = |column: &String| {
            let value = row.iter_mut().find(|(name, _)| name == column).and_then(|(_, value)| value.take());
            let value = value.or((self.missing == Missing::Null).then_some(Argument::Null))?;
            Some((column.clone(), value))
        };
        self.columns.iter().filter_map(&mut take).collect()
    }
}

/// The rows of a body.
///
/// # Errors
/// `UnsupportedMediaType` for what is not read, `PGRST102` for what is malformed, and for rows whose members differ
/// where nothing says which of them are meant.
pub(super) fn rows(headers: &HeaderMap, bytes: &[u8], named: Option<&Named<'_>>) -> Result<Rows> {
    let _parse = record::stage(Stage::Parse);
    let media = media(headers)?;
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("The body is not UTF-8"))?;
    let rows = match media {
        "text/csv" => Rows::Many(csv(text)?),
        "application/json" => json(text)?,
        _ => Rows::One(form(text)?),
    };
    if let (Rows::Many(rows), Some(_)) = (&rows, named) {
        // Before each of them is given what it lacks: a row of two bytes would come to as many values as are named.
        check_rows(rows.len())?;
    }
    if let Some(named) = named {
        return Ok(match rows {
            Rows::One(row) => Rows::One(named.keep(row)),
            Rows::Many(rows) => Rows::Many(rows.into_iter().map(|row| named.keep(row)).collect()),
        });
    }
    if let Rows::Many(rows) = &rows {
        let mut names = rows.iter().map(|row| row.iter().map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>());
        let first = names.next().unwrap_or_default();
        if names.any(|names| names != first) {
            return Err(invalid("All object keys must match").hint("Name the columns that are meant: ?columns=a,b"));
        }
    }
    Ok(rows)
}

fn invalid(message: &'static str) -> Error {
    Error::bad_request(message).code("PGRST102")
}

fn malformed(details: impl Into<String>) -> Error {
    invalid("Empty or invalid json").details(details)
}

/// The media type of the body, of those that are read.
fn media(headers: &HeaderMap) -> Result<&'static str> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    MEDIA.into_iter().find(|known| media.eq_ignore_ascii_case(known)).ok_or_else(|| {
        let message = if media.is_empty() {
            "The body has no Content-Type".to_owned()
        } else {
            format!("A body of type {media} is not read")
        };
        Error::new(Kind::UnsupportedMediaType, message).hint(format!("Send {}", MEDIA.join(", ")))
    })
}

fn json(text: &str) -> Result<Rows> {
    if !text.trim_start().starts_with('[') {
        return object(text).map(Rows::One);
    }
    let items: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| malformed(format!("The body is no array of JSON objects: {error}")))?;
    items.into_iter().map(|item| object(item.get())).collect::<Result<_>>().map(Rows::Many)
}

fn object(text: &str) -> Result<Row> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = Members::deserialize(&mut deserializer).and_then(|members| deserializer.end().map(|()| members));
    let members = members.map_err(|error| malformed(format!("The body is no JSON object: {error}")))?;
    let argument = |token: &str| Argument::from_json(token).ok_or_else(|| malformed("A text is malformed"));
    members.0.into_iter().map(|(name, value)| Ok((name, argument(value.get())?))).collect()
}

/// The lines of CSV under a line of names (RFC 4180).
fn csv(text: &str) -> Result<Vec<Row>> {
    let malformed = |error: csv::Error| match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            invalid("All lines must have same number of fields")
                .details(format!("Line {line} has {len} of them, and the first line {expected_len}"))
        }
        _ => invalid("The body is no CSV").details(error.to_string()),
    };
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let names: Vec<String> = reader.headers().map_err(malformed)?.iter().map(str::to_owned).collect();
    if names.is_empty() {
        return Err(invalid("The body is no CSV").details("It has no line of names"));
    }
    distinct(&names)?;
    let line = |record: csv::StringRecord| {
        let value = |text: &str| if text == "NULL" { Argument::Null } else { Argument::Text(text.to_owned()) };
        names.iter().cloned().zip(record.iter().map(value)).collect()
    };
    reader.records().map(|record| record.map(line).map_err(malformed)).collect()
}

/// The fields of a form (URL Standard, section 5).
fn form(text: &str) -> Result<Row> {
    let fields = pairs(text).map_err(|error| error.code("PGRST102"))?;
    let names: Vec<_> = fields.iter().map(|(name, _)| name.to_string()).collect();
    distinct(&names)?;
    Ok(names.into_iter().zip(fields.into_iter().map(|(_, value)| Argument::Text(value.into_owned()))).collect())
}

/// No reading of a name that is there twice is what everybody would expect.
fn distinct(names: &[String]) -> Result<()> {
    if names.len() > MAX_MEMBERS {
        return Err(invalid("The body has too many columns").details(format!("It has more than {MAX_MEMBERS} members")));
    }
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => {
            Err(invalid("A column is there twice").details(format!("The member \"{twice}\" is there twice")))
        }
        None => Ok(()),
    }
}

/// The members of an object; one that is there twice is an error, for no reading of it is what everybody would expect.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object whose members are columns")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    if members.len() == MAX_MEMBERS {
                        return Err(serde::de::Error::custom(format!("it has more than {MAX_MEMBERS} members")));
                    }
                    if members.iter().any(|(other, _)| *other == name) {
                        return Err(serde::de::Error::custom(format!("the member \"{name}\" is there twice")));
                    }
                    members.push((name.into_owned(), value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(media: &'static str, body: &str) -> Result<Rows> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media))]);
        rows(&headers, body.as_bytes(), None)
    }

    fn text(name: &str, value: &str) -> (String, Argument) {
        (name.to_owned(), Argument::Text(value.to_owned()))
    }

    #[test]
    fn a_body_of_very_many_members_is_refused() {
        let body = |count: usize| {
            let members: Vec<_> = (0..count).map(|member| format!("\"m{member}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        let Rows::One(row) = read("application/json", &body(MAX_MEMBERS)).unwrap() else { panic!("a list") };
        assert_eq!(row.len(), MAX_MEMBERS);
        assert_eq!(read("application/json", &body(MAX_MEMBERS + 1)).unwrap_err().code, "PGRST102");
        let header = vec!["a"; MAX_MEMBERS + 1].join(",");
        assert_eq!(read("text/csv", &header).unwrap_err().code, "PGRST102");
    }

    #[test]
    fn csv_has_texts_nulls_and_lines_of_one_length() {
        let row = |name: &str, value: Argument| vec![text("name", name), ("b".to_owned(), value)];
        let read = |body: &str| read("text/csv; charset=utf-8", body);
        let body = "name,b\r\na,NULL\n\"x, \"\"y\"\"\nz\",\n";
        let expected = vec![row("a", Argument::Null), row("x, \"y\"\nz", Argument::Text(String::new()))];
        assert_eq!(read(body).unwrap(), Rows::Many(expected));
        assert_eq!(read("name,b").unwrap(), Rows::Many(Vec::new()));
        let error = read("name,b\n1,2\n3\n").unwrap_err();
        assert_eq!((&*error.code, &*error.message), ("PGRST102", "All lines must have same number of fields"));
        assert_eq!(error.details.unwrap(), "Line 3 has 1 of them, and the first line 2");
        for body in ["", "a,a\n1,2"] {
            assert_eq!(read(body).unwrap_err().code, "PGRST102", "{body:?}");
        }
    }

    #[test]
    fn a_form_is_one_row_of_texts() {
        let read = |body: &str| read("application/x-www-form-urlencoded", body);
        assert_eq!(read("a=1+2&b=%C3%BC&c").unwrap(), Rows::One(vec![text("a", "1 2"), text("b", "ü"), text("c", "")]));
        assert_eq!(read("").unwrap(), Rows::One(Vec::new()));
        for body in ["a=1&a=2", "a=%ff", "a=%00", "a=\0", "\0=a"] {
            assert_eq!(read(body).unwrap_err().code, "PGRST102", "{body:?}");
        }
    }

    #[test]
    fn what_a_url_names_is_taken_of_each_row() {
        let columns = ["b".to_owned(), "a".to_owned()];
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let read = |missing| {
            let named = Named { columns: &columns, missing };
            rows(&headers, br#"[{"a":1,"c":2},{"b":true}]"#, Some(&named)).unwrap()
        };
        let member = |name: &str, value: Argument| (name.to_owned(), value);
        let (one, yes) = (Argument::Number("1".to_owned()), Argument::Bool(true));
        let given = |rows: [Row; 2]| Rows::Many(rows.into());
        let with_null = [
            vec![member("b", Argument::Null), member("a", one.clone())],
            vec![member("b", yes.clone()), member("a", Argument::Null)],
        ];
        assert_eq!(read(Missing::Null), given(with_null));
        assert_eq!(read(Missing::Default), given([vec![member("a", one)], vec![member("b", yes)]]));
        let error = rows(&headers, br#"[{"a":1},{"b":true}]"#, None).unwrap_err();
        assert_eq!((&*error.code, &*error.message), ("PGRST102", "All object keys must match"));
    }
}
