//! RFC 9562 UUIDs: 16 bytes in both databases, hyphenated lower case in JSON.

use super::{Cell, Input, ScalarType, Style, Value, mismatch};
use crate::{catalog::operator::Operator, error::Result};

pub(super) struct Uuid;

impl ScalarType for Uuid {
    fn graphql(&self) -> &'static str {
        "UUID"
    }

    fn description(&self) -> Option<&'static str> {
        Some("A universally unique identifier, in its hyphenated lower-case form.")
    }

    fn specified_by(&self) -> Option<&'static str> {
        Some("https://www.rfc-editor.org/rfc/rfc9562")
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string", "format": "uuid" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::ORDERED
    }

    fn postgres_type(&self) -> String {
        "uuid".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        match input {
            Input::String(text) | Input::Text(text) => uuid::Uuid::try_parse(text).ok(),
            Input::Bool(_) | Input::Number(_) | Input::Json(_) => None,
        }
        .map(Value::Uuid)
        .ok_or_else(|| "must be a UUID like 01939d5c-7c5e-7cc0-8e5b-3d9c5f5b2a10".to_owned())
    }

    fn write(&self, cell: Cell<'_>, _: Style, out: &mut Vec<u8>) -> Result<()> {
        let value = match cell {
            Cell::Postgres(bytes) | Cell::Blob(bytes) => uuid::Uuid::from_slice(bytes).ok(),
            _ => cell.plain_text().and_then(|text| uuid::Uuid::try_parse(text).ok()),
        };
        let value = value.ok_or_else(|| mismatch("a UUID", cell))?;
        out.push(b'"');
        out.extend_from_slice(value.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).as_bytes());
        out.push(b'"');
        Ok(())
    }

    fn sqlite_json(&self, expression: &str) -> String {
        // JSON cannot hold a BLOB, and hex(NULL) is the empty text.
        format!("nullif(hex({expression}), '')")
    }
}
