//! The types that a column can have: one file each, so that a type's name in every protocol, its operators, its
//! parsing, its binding and its rendering are declared once.
//!
//! In: a client's text ([`Input`]) or a database's cell ([`Cell`]). Out: a typed [`Value`], or JSON bytes that are the
//! same from both databases.

mod bigint;
mod boolean;
mod cast;
mod cell;
mod date;
mod decimal;
mod enumeration;
mod float;
mod integer;
mod json;
mod text;
mod timestamp;
mod uuid;
mod value;

pub use cast::Cast;
pub use cell::{Cell, write_string};
pub use decimal::{Decimal, Money};
pub use enumeration::Enumeration;
pub use json::JsonKind;
pub use value::Value;

use crate::{
    catalog::operator::Operator,
    error::{Error, Result},
};
use std::sync::Arc;

/// Where rendered JSON goes: the protocols write some types differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Decimals and big integers are strings, enumerated texts are `UPPER_CASE`, keys are `ID` strings.
    GraphQl,
    /// Every value is written as the column has it; decimals are JSON numbers with their exact digits.
    Rest,
}

/// A value as a client wrote it, before its type is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<'a> {
    /// A JSON or GraphQL boolean.
    Bool(bool),
    /// The text of a JSON or GraphQL number, with the digits as written.
    Number(&'a str),
    /// A JSON or GraphQL string.
    String(&'a str),
    /// Text that stands for a value of any type: from a URL, or a GraphQL `ID`.
    Text(&'a str),
    /// The text of a JSON object or array.
    Json(&'a str),
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// 32-bit integers; GraphQL `Int`.
    Integer,
    /// 64-bit integers; GraphQL `BigInt`, a string, since clients' numbers end at 2^53.
    BigInt,
    /// 64-bit binary floating point; GraphQL `Float`.
    Float,
    /// Unicode text without NUL, compared by code point; GraphQL `String`.
    Text,
    /// True and false; GraphQL `Boolean`.
    Boolean,
    /// RFC 9562 UUIDs; GraphQL `UUID`.
    Uuid,
    /// Days of the Gregorian calendar; GraphQL `Date`.
    Date,
    /// Instants with microseconds, in UTC; GraphQL `DateTime`.
    Timestamp,
    /// Exact decimals of a fixed scale, stored as an integer of minor units; GraphQL `Decimal`.
    Decimal(Decimal),
    /// Any JSON value; GraphQL `JSON`.
    Json,
    /// One of a list of texts; a GraphQL enum.
    Enum(Arc<Enumeration>),
}

/// What a type says of itself. Each file of this folder implements it once.
pub(crate) trait ScalarType {
    /// The name of the type in GraphQL.
    fn graphql(&self) -> &str;
    /// What a GraphQL document says of the type, if it is not one of the five that every schema has.
    fn description(&self) -> Option<&'static str> {
        None
    }
    /// The specification that the GraphQL scalar points to.
    fn specified_by(&self) -> Option<&'static str> {
        None
    }
    /// Its JSON Schema (2020-12), as REST writes it.
    fn json_schema(&self) -> serde_json::Value;
    /// The filter operators that have a meaning for it.
    fn operators(&self) -> &'static [Operator];
    /// The type to which PostgreSQL casts a bound text.
    fn postgres_type(&self) -> String;
    /// Reads a client's value; the error is a sentence without a subject ("must be …").
    fn parse(&self, input: &Input<'_>) -> Result<Value, String>;
    /// Writes a cell that is not NULL as JSON.
    fn write(&self, cell: Cell<'_>, style: Style, out: &mut Vec<u8>) -> Result<()>;
    /// Inside SQLite's `json_array`, where a cell must be a JSON value: the expression for the column expression.
    fn sqlite_json(&self, expression: &str) -> String {
        expression.to_owned()
    }
}

impl Scalar {
    fn as_type(&self) -> &dyn ScalarType {
        match self {
            Self::Integer => &integer::Integer,
            Self::BigInt => &bigint::BigInt,
            Self::Float => &float::Float,
            Self::Text => &text::Text,
            Self::Boolean => &boolean::Boolean,
            Self::Uuid => &uuid::Uuid,
            Self::Date => &date::Date,
            Self::Timestamp => &timestamp::Timestamp,
            Self::Decimal(decimal) => decimal,
            Self::Json => &json::Json,
            Self::Enum(enumeration) => enumeration.as_ref(),
        }
    }

    /// The name of the type in GraphQL.
    pub fn graphql(&self) -> &str {
        self.as_type().graphql()
    }

    /// What a GraphQL document says of the type, for types that are not built in.
    pub fn description(&self) -> Option<&'static str> {
        self.as_type().description()
    }

    /// The URL of the specification of the GraphQL scalar, if it has one.
    pub fn specified_by(&self) -> Option<&'static str> {
        self.as_type().specified_by()
    }

    /// The JSON Schema of a value of this type, as REST writes it.
    pub fn json_schema(&self) -> serde_json::Value {
        self.as_type().json_schema()
    }

    /// The filter operators that have a meaning for this type.
    pub fn operators(&self) -> &'static [Operator] {
        self.as_type().operators()
    }

    /// The type to which PostgreSQL casts a bound text.
    pub fn postgres_type(&self) -> String {
        self.as_type().postgres_type()
    }

    /// Reads a client's value; the error says what it must be, as a sentence without a subject.
    pub fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        self.as_type().parse(input)
    }

    /// The name of the type in PostgreSQL's errors.
    pub fn postgres_name(&self) -> &str {
        match self {
            Self::Integer => "integer",
            Self::BigInt => "bigint",
            Self::Float => "double precision",
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Timestamp => "timestamp with time zone",
            Self::Decimal(_) => "numeric",
            Self::Json => "json",
            Self::Enum(enumeration) => enumeration.postgres_name(),
        }
    }

    /// Writes a cell as JSON.
    ///
    /// # Errors
    /// Fails when the database holds what the catalogue says it cannot.
    pub fn write(&self, cell: Cell<'_>, style: Style, out: &mut Vec<u8>) -> Result<()> {
        match cell {
            Cell::Null => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            cell => match self {
                // The two commonest types, without a virtual call.
                Self::Text => text::Text.write(cell, style, out),
                Self::Integer => integer::Integer.write(cell, style, out),
                _ => self.as_type().write(cell, style, out),
            },
        }
    }

    /// The expression that makes the column expression a JSON value inside SQLite's `json_array`.
    pub(crate) fn sqlite_json(&self, expression: &str) -> String {
        self.as_type().sqlite_json(expression)
    }

    /// Reads a cell back into a value, by way of its REST rendering.
    ///
    /// # Errors
    /// Fails when the database holds what the catalogue says it cannot.
    pub fn read(&self, cell: Cell<'_>) -> Result<Value> {
        if matches!(cell, Cell::Null) {
            return Ok(Value::Null);
        }
        let mut json = Vec::with_capacity(40);
        self.write(cell, Style::Rest, &mut json)?;
        self.read_json(std::str::from_utf8(&json).map_err(Error::internal)?)
    }

    /// Reads a JSON token of this type, as [`Scalar::write`] writes it for REST.
    ///
    /// # Errors
    /// Fails when the token is not one of this type.
    pub fn read_json(&self, token: &str) -> Result<Value> {
        let text: String;
        let input = match token.as_bytes().first() {
            Some(b'n') if !matches!(self, Self::Json) => return Ok(Value::Null),
            _ if matches!(self, Self::Json) => Input::Json(token),
            Some(b'"') => {
                text = serde_json::from_str(token).map_err(Error::internal)?;
                Input::Text(&text)
            }
            Some(b't') => Input::Bool(true),
            Some(b'f') => Input::Bool(false),
            _ => Input::Number(token),
        };
        self.parse(&input).map_err(|message| Error::bad_value(format!("A value of type {} {message}", self.graphql())))
    }
}

/// The error of a cell that is not of the type that the catalogue says it has.
pub(crate) fn mismatch(expected: &str, cell: Cell<'_>) -> Error {
    Error::internal(format!("the database holds {cell:?} where the catalogue says {expected}"))
}
