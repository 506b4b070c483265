//! 64-bit integers: numbers in REST, strings in GraphQL, whose clients' numbers end at 2^53.

use super::{
    Cell, Input, ScalarType, Style, Value,
    integer::{parse_integer, write_integer},
};
use crate::{catalog::operator::Operator, error::Result};

pub(super) struct BigInt;

impl ScalarType for BigInt {
    fn graphql(&self) -> &'static str {
        "BigInt"
    }

    fn description(&self) -> Option<&'static str> {
        Some("A 64-bit integer, written as a string of digits.")
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "integer", "format": "int64" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::ORDERED
    }

    fn postgres_type(&self) -> String {
        "int8".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        let value = match input {
            Input::String(text) => text.parse().ok(),
            other => parse_integer(other),
        };
        value.map(Value::Int).ok_or_else(|| format!("must be an integer from {} to {}", i64::MIN, i64::MAX))
    }

    fn write(&self, cell: Cell<'_>, style: Style, out: &mut Vec<u8>) -> Result<()> {
        if style == Style::Rest {
            return write_integer(cell, out);
        }
        out.push(b'"');
        write_integer(cell, out)?;
        out.push(b'"');
        Ok(())
    }
}
