//! Unicode text. Both databases compare it by code point (collation "C").

use super::{Cell, Input, ScalarType, Style, Value, mismatch, write_string};
use crate::{catalog::operator::Operator, error::Result};

pub(super) struct Text;

impl ScalarType for Text {
    fn graphql(&self) -> &'static str {
        "String"
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::TEXT
    }

    fn postgres_type(&self) -> String {
        "text".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        match input {
            // PostgreSQL's text cannot hold it, and SQLite's functions would stop at it.
            Input::String(text) | Input::Text(text) if text.contains('\0') => {
                Err("must not contain the NUL character".to_owned())
            }
            Input::String(text) | Input::Text(text) => Ok(Value::Text((*text).to_owned())),
            Input::Bool(_) | Input::Number(_) | Input::Json(_) => Err("must be a string".to_owned()),
        }
    }

    fn write(&self, cell: Cell<'_>, _: Style, out: &mut Vec<u8>) -> Result<()> {
        match cell {
            Cell::Token(token) => out.extend_from_slice(token.as_bytes()),
            _ => write_string(cell.plain_text().ok_or_else(|| mismatch("a text", cell))?, out),
        }
        Ok(())
    }
}
