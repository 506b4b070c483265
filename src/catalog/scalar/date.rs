//! Days of the proleptic Gregorian calendar, `YYYY-MM-DD`, years 0001 to 9999.

use super::{Cell, Input, ScalarType, Style, Value, mismatch};
use crate::{catalog::operator::Operator, error::Result};
use chrono::{Datelike, Days, NaiveDate};
use std::io::Write as _;

/// The day from which PostgreSQL counts.
const POSTGRES_EPOCH: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

pub(super) struct Date;

impl ScalarType for Date {
    fn graphql(&self) -> &'static str {
        "Date"
    }

    fn description(&self) -> Option<&'static str> {
        Some("A day of the Gregorian calendar: YYYY-MM-DD.")
    }

    fn specified_by(&self) -> Option<&'static str> {
        Some("https://www.rfc-editor.org/rfc/rfc3339#section-5.6")
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string", "format": "date" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::ORDERED
    }

    fn postgres_type(&self) -> String {
        "date".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        match input {
            Input::String(text) | Input::Text(text) if text.len() == 10 => {
                NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| (1..=9999).contains(&day.year()))
            }
            _ => None,
        }
        .map(Value::Date)
        .ok_or_else(|| "must be a date like 2026-01-31".to_owned())
    }

    fn write(&self, cell: Cell<'_>, _: Style, out: &mut Vec<u8>) -> Result<()> {
        let text = match cell {
            Cell::Postgres(bytes) => {
                let days = bytes.try_into().ok().map(i32::from_be_bytes).ok_or_else(|| mismatch("a date", cell))?;
                let offset = Days::new(days.unsigned_abs().into());
                let day = if days < 0 {
                    POSTGRES_EPOCH.checked_sub_days(offset)
                } else {
                    POSTGRES_EPOCH.checked_add_days(offset)
                };
                let day = day.ok_or_else(|| mismatch("a date", cell))?;
                // Writing into a Vec cannot fail.
                let _ = write!(out, "\"{day}\"");
                return Ok(());
            }
            _ => cell.plain_text().ok_or_else(|| mismatch("a date", cell))?,
        };
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        Ok(())
    }
}
