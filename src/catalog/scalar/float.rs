//! 64-bit binary floating point.

use super::{Cell, Input, ScalarType, Style, Value, mismatch};
use crate::{
    catalog::operator::Operator,
    error::{Error, Result},
};

pub(super) struct Float;

impl ScalarType for Float {
    fn graphql(&self) -> &'static str {
        "Float"
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "number", "format": "double" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::ORDERED
    }

    fn postgres_type(&self) -> String {
        "float8".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        match input {
            Input::Number(text) | Input::Text(text) => text.parse().ok().filter(|value: &f64| value.is_finite()),
            Input::Bool(_) | Input::String(_) | Input::Json(_) => None,
        }
        // SQLite keeps no sign of a zero, so neither database is given one: -0 + 0 is 0 (IEEE 754 section 6.3).
        .map(|value| Value::Float(value + 0.0))
        .ok_or_else(|| "must be a finite number".to_owned())
    }

    fn write(&self, cell: Cell<'_>, _: Style, out: &mut Vec<u8>) -> Result<()> {
        let value = match cell {
            Cell::Real(value) => Some(value),
            Cell::Postgres(bytes) => match *bytes {
                [a, b, c, d] => Some(f32::from_be_bytes([a, b, c, d]).into()),
                _ => bytes.try_into().ok().map(f64::from_be_bytes),
            },
            Cell::Token(_) => cell.plain_text().and_then(|text| text.parse().ok()),
            Cell::Integer(value) => Some(value as f64),
            _ => None,
        };
        let value = value.ok_or_else(|| mismatch("a number", cell))?;
        // JSON has no infinity and no NaN (RFC 8259 section 6): serde_json writes null.
        serde_json::to_writer(out, &value).map_err(Error::internal)
    }

    fn sqlite_json(&self, expression: &str) -> String {
        // json_array would round to 15 digits, and SQLite's own format() misses the 17th of what is very large.
        format!("digits_of({expression})")
    }
}
