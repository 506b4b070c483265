//! Casts on SQLite: what PostgreSQL makes of a value, as a function in SQL.
//!
//! In: a value, the name of its type and the name of the type that it is cast to. Out: the value as that type is stored,
//! or an error that says its SQLSTATE.

mod numbers;
mod times;

use numbers::{digits, json_number, number_text, rounded, shortest, trimmed, whole_text};
use rusqlite::{
    Error,
    types::{Value, ValueRef},
};
use times::{day, instant, written};

/// A text that is none of its type.
const BAD_TEXT: &str = "22P02";
/// A number beyond its type.
const OUT_OF_RANGE: &str = "22003";
/// A text that is no time.
const BAD_TIME: &str = "22007";
/// A day or a time that there is not.
const NO_TIME: &str = "22008";
/// A JSON value of another kind.
const WRONG_KIND: &str = "22023";

/// The type of a value that is cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Integer,
    Float,
    Decimal { scale: usize, least: usize },
    Text,
    Boolean,
    Uuid,
    Date,
    Timestamp,
    Json,
}

impl From {
    /// The type that the statement names.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "integer" | "bigint" => Self::Integer,
            "double precision" => Self::Float,
            "text" => Self::Text,
            "boolean" => Self::Boolean,
            "uuid" => Self::Uuid,
            "date" => Self::Date,
            "timestamp with time zone" => Self::Timestamp,
            "json" => Self::Json,
            name => {
                let (scale, least) = name.strip_prefix("numeric ")?.split_once(' ')?;
                Self::Decimal { scale: scale.parse().ok()?, least: least.parse().ok()? }
            }
        })
    }
}

/// A value as one of the type with the name `to`; NULL stays NULL.
pub(super) fn cast(value: ValueRef<'_>, from: From, to: &str) -> Result<Value, Error> {
    if value == ValueRef::Null {
        return Ok(Value::Null);
    }
    let done = match to {
        "text" => text(value, from).map(Value::Text),
        "smallint" => whole(value, from, i16::MIN.into(), i16::MAX.into()),
        "integer" => whole(value, from, i32::MIN.into(), i32::MAX.into()),
        "bigint" => whole(value, from, i64::MIN, i64::MAX),
        "real" => float(value, from).and_then(|number| number.map_or(Ok(Value::Null), short)),
        "double precision" => float(value, from).map(|number| number.map_or(Value::Null, Value::Real)),
        "numeric" => decimal(value, from),
        "boolean" => boolean(value, from),
        "uuid" => uuid(string(value)?).map(|bytes| Value::Blob(bytes.to_vec())).ok_or(BAD_TEXT),
        "date" => date(value, from),
        "timestamp with time zone" => timestamp(value, from),
        "json" => match serde_json::from_str::<serde::de::IgnoredAny>(string(value)?) {
            Ok(_) => Ok(Value::Text(string(value)?.to_owned())),
            Err(_) => Err(BAD_TEXT),
        },
        _ => return Err(mistaken()),
    };
    done.map_err(failed)
}

/// The error of a SQLSTATE, by which it is known again.
fn failed(code: &'static str) -> Error {
    Error::UserFunctionError(format!("{}{code}", super::SQLSTATE).into())
}

/// A pair that the catalogue does not have, or a value that is not of its type.
fn mistaken() -> Error {
    Error::UserFunctionError("a cast of what the catalogue says is something else".into())
}

fn string(value: ValueRef<'_>) -> Result<&str, Error> {
    value.as_str().map_err(|_| mistaken())
}

type Cast<T> = Result<T, &'static str>;

/// The text in the cell. What is none is of no type that has one, and is no text of any.
fn inner(value: ValueRef<'_>) -> Cast<&str> {
    value.as_str().map_err(|_| BAD_TEXT)
}

fn integer(value: ValueRef<'_>) -> Cast<i64> {
    value.as_i64().map_err(|_| BAD_TEXT)
}

/// The number in the cell of a floating-point column, which SQLite may keep as an integer.
fn real(value: ValueRef<'_>) -> Cast<f64> {
    match value {
        ValueRef::Integer(value) => Ok(value as f64),
        value => value.as_f64().map_err(|_| BAD_TEXT),
    }
}

fn text(value: ValueRef<'_>, from: From) -> Cast<String> {
    Ok(match from {
        From::Integer => integer(value)?.to_string(),
        From::Float => shortest(real(value)?),
        From::Decimal { scale, least } => digits(integer(value)?, scale, least),
        From::Boolean => (integer(value)? != 0).to_string(),
        From::Uuid => match value {
            ValueRef::Blob(bytes) => uuid::Uuid::from_slice(bytes).map_err(|_| BAD_TEXT)?.hyphenated().to_string(),
            value => inner(value)?.to_owned(),
        },
        From::Timestamp => written(instant(inner(value)?)?),
        From::Text | From::Date | From::Json => inner(value)?.to_owned(),
    })
}

fn whole(value: ValueRef<'_>, from: From, least: i64, greatest: i64) -> Cast<Value> {
    let number = match from {
        From::Float => {
            let rounded = real(value)?.round_ties_even();
            // The greatest is no double, and the one behind it is no integer.
            if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
                return Err(OUT_OF_RANGE);
            }
            Some(rounded as i128)
        }
        From::Decimal { scale, .. } => Some(rounded(&digits(integer(value)?, scale, scale), 0).ok_or(OUT_OF_RANGE)?),
        From::Text => Some(whole_text(inner(value)?)?),
        From::Json => match json_number(inner(value)?)? {
            Some(number) => Some(rounded(number, 0).ok_or(OUT_OF_RANGE)?),
            None => None,
        },
        _ => Some(integer(value)?.into()),
    };
    let Some(number) = number else { return Ok(Value::Null) };
    let number = i64::try_from(number).map_err(|_| OUT_OF_RANGE)?;
    if (least..=greatest).contains(&number) { Ok(Value::Integer(number)) } else { Err(OUT_OF_RANGE) }
}

fn float(value: ValueRef<'_>, from: From) -> Cast<Option<f64>> {
    let parsed = |text: &str| {
        let number: f64 = text.parse().map_err(|_| BAD_TEXT)?;
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        let zero = !mantissa.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
        // No sign of a zero, as in what a client writes.
        if number.is_finite() && (number != 0.0 || zero) { Ok(Some(number + 0.0)) } else { Err(OUT_OF_RANGE) }
    };
    match from {
        From::Float => real(value).map(Some),
        From::Decimal { scale, .. } => parsed(&digits(integer(value)?, scale, scale)),
        From::Text => parsed(number_text(inner(value)?)?),
        From::Json => json_number(inner(value)?)?.map_or(Ok(None), parsed),
        _ => Ok(Some(integer(value)? as f64)),
    }
}

/// A double as the short number that is nearest, with the digits that tell it.
fn short(number: f64) -> Cast<Value> {
    let short = number as f32;
    if !short.is_finite() || (short == 0.0 && number != 0.0) {
        return Err(OUT_OF_RANGE);
    }
    short.to_string().parse().map(Value::Real).map_err(|_| BAD_TEXT)
}

/// How many places a decimal gets that had none of its own; as the catalogue says.
const PLACES: usize = 6;

fn decimal(value: ValueRef<'_>, from: From) -> Cast<Value> {
    let units = match from {
        // A double has fifteen digits that are its own.
        From::Float => rounded(&format!("{:.14e}", real(value)?), PLACES),
        From::Text => rounded(number_text(inner(value)?)?, PLACES),
        From::Json => match json_number(inner(value)?)? {
            Some(number) => rounded(number, PLACES),
            None => return Ok(Value::Null),
        },
        _ => Some(integer(value)?.into()),
    };
    units.and_then(|units| i64::try_from(units).ok()).map(Value::Integer).ok_or(OUT_OF_RANGE)
}

fn boolean(value: ValueRef<'_>, from: From) -> Cast<Value> {
    let held = match from {
        From::Text => {
            let word = trimmed(inner(value)?).to_ascii_lowercase();
            let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
            if begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1" {
                true
            } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
                false
            } else {
                return Err(BAD_TEXT);
            }
        }
        From::Json => match inner(value)?.trim().as_bytes().first() {
            Some(b't') => true,
            Some(b'f') => false,
            Some(b'n') => return Ok(Value::Null),
            // What is no number is out of its range first.
            Some(b'-' | b'0'..=b'9') => return json_number(inner(value)?).and(Err(WRONG_KIND)),
            _ => return Err(WRONG_KIND),
        },
        _ => integer(value)? != 0,
    };
    Ok(Value::Integer(held.into()))
}

/// A UUID as PostgreSQL reads it: in braces or not, with a hyphen behind any four digits or not.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let text = match text.strip_prefix('{') {
        Some(text) => text.strip_suffix('}')?,
        None => text,
    };
    let mut rest = text.as_bytes();
    let mut bytes = [0; 16];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let (digits, behind) = rest.split_at_checked(2)?;
        let digit = |digit: u8| (digit as char).to_digit(16);
        *byte = u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?;
        rest = match behind {
            [b'-', behind @ ..] if index % 2 == 1 && index < 15 => behind,
            behind => behind,
        };
    }
    rest.is_empty().then_some(bytes)
}

fn date(value: ValueRef<'_>, from: From) -> Cast<Value> {
    Ok(Value::Text(match from {
        From::Text => day(inner(value)?)?.to_string(),
        From::Timestamp => instant(inner(value)?)?.date_naive().to_string(),
        _ => inner(value)?.to_owned(),
    }))
}

fn timestamp(value: ValueRef<'_>, from: From) -> Cast<Value> {
    Ok(Value::Text(match from {
        From::Date => format!("{}T00:00:00.000000Z", inner(value)?),
        _ => written(instant(inner(value)?)?),
    }))
}
