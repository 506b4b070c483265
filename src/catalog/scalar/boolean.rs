//! True and false; SQLite keeps them as 1 and 0.

use super::{Cell, Input, ScalarType, Style, Value, mismatch};
use crate::{catalog::operator::Operator, error::Result};

pub(super) struct Boolean;

impl ScalarType for Boolean {
    fn graphql(&self) -> &'static str {
        "Boolean"
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "boolean" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::EQUALITY
    }

    fn postgres_type(&self) -> String {
        "bool".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        match input {
            Input::Bool(value) => Ok(Value::Bool(*value)),
            Input::Text("true") => Ok(Value::Bool(true)),
            Input::Text("false") => Ok(Value::Bool(false)),
            _ => Err("must be true or false".to_owned()),
        }
    }

    fn write(&self, cell: Cell<'_>, _: Style, out: &mut Vec<u8>) -> Result<()> {
        let value = match cell {
            Cell::Postgres([byte]) => *byte != 0,
            Cell::Integer(_) | Cell::Token(_) => cell.integer().ok_or_else(|| mismatch("a boolean", cell))? != 0,
            _ => return Err(mismatch("a boolean", cell)),
        };
        out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }
}
