//! Instants: microseconds, UTC, RFC 3339. SQLite keeps them as a text of fixed width, so that text order is time order.

use super::{Cell, Input, ScalarType, Style, Value, mismatch};
use crate::{catalog::operator::Operator, error::Result};
use chrono::{DateTime, Datelike, SecondsFormat, Utc};

/// Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

pub(super) struct Timestamp;

impl ScalarType for Timestamp {
    fn graphql(&self) -> &'static str {
        "DateTime"
    }

    fn description(&self) -> Option<&'static str> {
        Some("An instant: RFC 3339, in UTC, with microseconds.")
    }

    fn specified_by(&self) -> Option<&'static str> {
        Some("https://scalars.graphql.org/andimarek/date-time")
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string", "format": "date-time" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::ORDERED
    }

    fn postgres_type(&self) -> String {
        "timestamptz".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        match input {
            Input::String(text) | Input::Text(text) => DateTime::parse_from_rfc3339(text).ok(),
            Input::Bool(_) | Input::Number(_) | Input::Json(_) => None,
        }
        // A leap second is the one behind it, as PostgreSQL takes it, and microseconds count.
        .and_then(|instant| DateTime::from_timestamp_micros(instant.timestamp_micros()))
        .filter(|instant| (1..=9999).contains(&instant.year()))
        .map(Value::Timestamp)
        .ok_or_else(|| "must be an RFC 3339 time with a zone like 2026-01-31T12:00:00Z".to_owned())
    }

    fn write(&self, cell: Cell<'_>, _: Style, out: &mut Vec<u8>) -> Result<()> {
        let instant = match cell {
            Cell::Postgres(bytes) => bytes
                .try_into()
                .ok()
                .and_then(|bytes| i64::from_be_bytes(bytes).checked_add(POSTGRES_EPOCH))
                .and_then(DateTime::from_timestamp_micros),
            _ => match cell.plain_text() {
                Some(text) if text.len() == 27 && text.ends_with('Z') => {
                    out.push(b'"');
                    out.extend_from_slice(text.as_bytes());
                    out.push(b'"');
                    return Ok(());
                }
                text => {
                    text.and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|time| time.with_timezone(&Utc))
                }
            },
        };
        let instant = instant.ok_or_else(|| mismatch("a timestamp", cell))?;
        out.push(b'"');
        out.extend_from_slice(instant.to_rfc3339_opts(SecondsFormat::Micros, true).as_bytes());
        out.push(b'"');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_second_is_the_one_behind_it() {
        for (text, read) in [
            ("2016-12-31T23:59:60Z", Some("2017-01-01T00:00:00.000000Z")),
            ("2016-12-31T23:59:60.9999999Z", Some("2017-01-01T00:00:00.999999Z")),
            ("2016-12-31T23:59:59.9999999Z", Some("2016-12-31T23:59:59.999999Z")),
            ("9999-12-31T23:59:60Z", None),
        ] {
            let value = Timestamp.parse(&Input::Text(text)).ok();
            let told = value.map(|value| {
                let mut told = String::new();
                value.write_text(&mut told);
                told
            });
            assert_eq!(told.as_deref(), read, "{text}");
        }
    }
}
