//! A typed value on its way into a statement, and how each database takes it.
//!
//! PostgreSQL is sent the text form of every value: the statement casts each placeholder to its column's type, so the
//! server parses it and one binding serves every type. SQLite is sent its own storage classes.

use bytes::BytesMut;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use std::{error::Error as StdError, fmt::Write as _};
use tokio_postgres::types::{Format, IsNull, ToSql, Type};
use uuid::Uuid;

/// A value of a column's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer, or a decimal's minor units.
    Int(i64),
    /// A floating-point number; never NaN.
    Float(f64),
    /// A text, or a member of an enumeration.
    Text(String),
    /// A UUID.
    Uuid(Uuid),
    /// A day.
    Date(NaiveDate),
    /// An instant, to the microsecond.
    Timestamp(DateTime<Utc>),
    /// The text of a JSON value.
    Json(String),
    /// The operand of `in`: one bind, whatever its length, so that the statement's text is stable.
    List(Vec<Value>),
    /// A text that says the same to each database in its own words: a pattern, or the words of a search.
    Each {
        /// For PostgreSQL.
        postgres: String,
        /// For SQLite.
        sqlite: String,
    },
}

impl Value {
    /// The value as the text of PostgreSQL and of most types on SQLite; NULL is not a text.
    pub(crate) fn write_text(&self, out: &mut String) {
        // Writing into a String cannot fail, so the results below carry nothing.
        match self {
            Self::Null => {}
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => out.push_str(itoa::Buffer::new().format(*value)),
            Self::Float(value) => {
                let _ = write!(out, "{value:?}");
            }
            Self::Text(text) | Self::Json(text) => out.push_str(text),
            Self::Uuid(value) => {
                let _ = write!(out, "{value}");
            }
            Self::Date(value) => {
                let _ = write!(out, "{value}");
            }
            Self::Timestamp(value) => out.push_str(&value.to_rfc3339_opts(SecondsFormat::Micros, true)),
            Self::List(values) => write_array(values, out),
            Self::Each { postgres, .. } => out.push_str(postgres),
        }
    }

    /// The value in SQLite's storage classes; a list is a JSON array for `json_each`.
    pub(crate) fn to_sqlite(&self) -> rusqlite::types::Value {
        use rusqlite::types::Value as Sqlite;
        match self {
            Self::Null => Sqlite::Null,
            Self::Bool(value) => Sqlite::Integer((*value).into()),
            Self::Int(value) => Sqlite::Integer(*value),
            Self::Float(value) => Sqlite::Real(*value),
            Self::Uuid(value) => Sqlite::Blob(value.as_bytes().to_vec()),
            Self::List(values) => {
                Sqlite::Text(serde_json::Value::Array(values.iter().map(Self::to_json_element).collect()).to_string())
            }
            Self::Each { sqlite, .. } => Sqlite::Text(sqlite.clone()),
            Self::Text(_) | Self::Json(_) | Self::Date(_) | Self::Timestamp(_) => {
                let mut text = String::new();
                self.write_text(&mut text);
                Sqlite::Text(text)
            }
        }
    }

    /// The value as an element of the array that `json_each` unpacks; a UUID is hexadecimal, for `unhex`, and a double
    /// its text, for `as_real`: SQLite's own reading of numbers may be off by the last bit.
    fn to_json_element(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => i64::from(*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Uuid(value) => value.simple().to_string().into(),
            other => {
                let mut text = String::new();
                other.write_text(&mut text);
                text.into()
            }
        }
    }
}

/// PostgreSQL's array literal: every element quoted, so that none can be read as NULL or as structure.
fn write_array(values: &[Value], out: &mut String) {
    out.push('{');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if matches!(value, Value::Null) {
            out.push_str("NULL");
            continue;
        }
        let mut text = String::new();
        value.write_text(&mut text);
        out.push('"');
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('"');
    }
    out.push('}');
}

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Text(text) | Self::Json(text) => out.extend_from_slice(text.as_bytes()),
            Self::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            other => {
                let mut text = String::new();
                other.write_text(&mut text);
                out.extend_from_slice(text.as_bytes());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql(ty, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_literal_cannot_be_broken_out_of() {
        let mut out = String::new();
        Value::List(vec![Value::Text("a\",\"b\\".into()), Value::Text("NULL".into()), Value::Null])
            .write_text(&mut out);
        assert_eq!(out, r#"{"a\",\"b\\","NULL",NULL}"#);
    }
}
