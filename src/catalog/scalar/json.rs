//! JSON values. Both databases give the same bytes, if PostgreSQL's column is of type `json`: what stands between tokens
//! is dropped. A `jsonb` column is served too, and orders the members of objects as it likes.

use super::{Cell, Input, Scalar, ScalarType, Style, Value, mismatch};
use crate::{catalog::operator::Operator, error::Result};

pub(super) struct Json;

/// As what a value inside of a JSON value is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonKind {
    /// As whatever it is: there, and not `null`.
    Value,
    /// As a text: a string as it is, a number as it is written, `true` and `false`. Objects and arrays have none.
    Text,
    /// As a number that a double holds; other values have none.
    Number,
    /// As a boolean; other values have none.
    Boolean,
    /// As the JSON value that it is; `null` is none.
    Json,
    /// As a text, whatever it is: a string as it is, everything else as it is written. `null` is none.
    Written,
    /// By the place of its kind in an order: strings, numbers, booleans, arrays, objects, from 1.
    Rank,
}

impl JsonKind {
    /// The type of what is found.
    pub const fn scalar(self) -> Scalar {
        match self {
            Self::Value | Self::Json => Scalar::Json,
            Self::Text | Self::Written => Scalar::Text,
            Self::Rank => Scalar::Integer,
            Self::Number => Scalar::Float,
            Self::Boolean => Scalar::Boolean,
        }
    }

    /// Its name, in GraphQL and in SQLite's function.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Json => "json",
            Self::Written => "written",
            Self::Rank => "rank",
        }
    }
}

impl ScalarType for Json {
    fn graphql(&self) -> &'static str {
        "JSON"
    }

    fn description(&self) -> Option<&'static str> {
        Some("Any JSON value.")
    }

    fn specified_by(&self) -> Option<&'static str> {
        Some("https://www.rfc-editor.org/rfc/rfc8259")
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({})
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::PRESENCE
    }

    fn postgres_type(&self) -> String {
        // Not `jsonb`, which would put the members of an object in an order of its own on the way to a `json` column.
        "json".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        let json = match input {
            Input::Bool(value) => value.to_string(),
            Input::Number(text) => (*text).to_owned(),
            Input::String(text) => serde_json::Value::from(*text).to_string(),
            Input::Json(text) | Input::Text(text) => (*text).to_owned(),
        };
        match serde_json::from_str::<serde::de::IgnoredAny>(&json) {
            // PostgreSQL's jsonb cannot hold it.
            Ok(_) if json.contains("\\u0000") => Err("must not contain the NUL character".to_owned()),
            // Nor can PostgreSQL read the half of a character, which it takes at first.
            Ok(_) if !pairs_surrogates(&json) => Err("must not contain half of a surrogate pair".to_owned()),
            Ok(_) => Ok(Value::Json(json)),
            Err(_) => Err("must be a JSON value".to_owned()),
        }
    }

    fn write(&self, cell: Cell<'_>, _: Style, out: &mut Vec<u8>) -> Result<()> {
        let text = match cell {
            // jsonb is sent with its format's version before it; no JSON text begins with that byte.
            Cell::Postgres([1, text @ ..]) | Cell::Postgres(text) => text,
            Cell::Text(text) | Cell::Token(text) => text.as_bytes(),
            _ => return Err(mismatch("a JSON value", cell)),
        };
        let (mut quoted, mut escaped) = (false, false);
        for &byte in text {
            if quoted {
                quoted = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
            } else if byte.is_ascii_whitespace() {
                continue;
            } else {
                quoted = byte == b'"';
            }
            out.push(byte);
        }
        Ok(())
    }

    fn sqlite_json(&self, expression: &str) -> String {
        format!("json({expression})")
    }
}

/// Whether every escaped surrogate of a JSON text stands in a pair (RFC 8259 section 8.2).
fn pairs_surrogates(json: &str) -> bool {
    let bytes = json.as_bytes();
    let unit = |at: usize| {
        let escape = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut at = 0;
    while at < bytes.len() {
        at += match (bytes[at], unit(at)) {
            (b'\\', Some(0xd800..=0xdbff)) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
            (b'\\', Some(0xd800..=0xdfff)) => return false,
            (b'\\', _) => 2,
            _ => 1,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_is_refused() {
        for (json, whole) in [
            (r#""\ud83c\udf33""#, true),
            (r#""\ud83c""#, false),
            (r#""\udf33\ud83c""#, false),
            (r#"{"\ud83cx":1}"#, false),
            (r#""\\ud83c""#, true),
            (r#""\u0041""#, true),
        ] {
            assert_eq!(Json.parse(&Input::Json(json)).is_ok(), whole, "{json}");
        }
    }

    #[test]
    fn spaces_go_and_texts_stay() {
        let mut out = Vec::new();
        Json.write(Cell::Text(r#"{ "a b" : [1, "x \" y  z\\" , null ] }"#), Style::Rest, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a b":[1,"x \" y  z\\",null]}"#);
    }
}
