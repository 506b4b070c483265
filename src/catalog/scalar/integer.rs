//! 32-bit integers.

use super::{Cell, Input, ScalarType, Style, Value, mismatch};
use crate::{catalog::operator::Operator, error::Result};

pub(super) struct Integer;

impl ScalarType for Integer {
    fn graphql(&self) -> &'static str {
        "Int"
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "integer", "format": "int32" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::ORDERED
    }

    fn postgres_type(&self) -> String {
        // Wider than the column, so that a number outside of it compares instead of failing.
        "int8".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        parse_integer(input)
            .filter(|value| i32::try_from(*value).is_ok())
            .map(Value::Int)
            .ok_or_else(|| format!("must be an integer from {} to {}", i32::MIN, i32::MAX))
    }

    fn write(&self, cell: Cell<'_>, _: Style, out: &mut Vec<u8>) -> Result<()> {
        write_integer(cell, out)
    }
}

/// The integer that a client wrote, if it is one; `1.0` and `1e0` are not.
pub(super) fn parse_integer(input: &Input<'_>) -> Option<i64> {
    match input {
        Input::Number(text) | Input::Text(text) => text.parse().ok(),
        Input::Bool(_) | Input::String(_) | Input::Json(_) => None,
    }
}

pub(super) fn write_integer(cell: Cell<'_>, out: &mut Vec<u8>) -> Result<()> {
    let value = cell.integer().ok_or_else(|| mismatch("an integer", cell))?;
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    Ok(())
}
