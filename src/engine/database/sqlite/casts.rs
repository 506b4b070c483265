//! Casts on SQLite: what PostgreSQL makes of a value, as a function in SQL.
//!
//! In: a value, the name of its type and the name of the type that it is cast to. Out: the value as that type is stored,
//! or an error that says its SQLSTATE.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use rusqlite::{
    Error,
    types::{Value, ValueRef},
};

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

/// Units of a decimal in digits, without the zeros beyond the places that are written at least.
fn digits(units: i64, scale: usize, least: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let padded = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let kept = fraction.trim_end_matches('0').len().max(least.min(scale));
    let point = if kept > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{}", &fraction[..kept])
}

/// A double in the fewest digits that tell it from every other, as PostgreSQL lays them out.
fn shortest(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..15).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        // Without an exponent, and without a point where there is nothing behind it.
        _ => format!("{number}"),
    }
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

/// A whole number in digits, with spaces around it.
fn whole_text(text: &str) -> Cast<i128> {
    let text = trimmed(text);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BAD_TEXT);
    }
    text.parse().map_err(|_| OUT_OF_RANGE)
}

/// A number as it is written, with spaces around it.
fn number_text(text: &str) -> Cast<&str> {
    let text = trimmed(text);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, "0"), |(one, other)| (one, other));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let some = !before.is_empty() || !behind.is_empty();
    if some && digits(before) && digits(behind) && digits(exponent) && (1..=3).contains(&exponent.len()) {
        Ok(text)
    } else {
        Err(BAD_TEXT)
    }
}

/// How many digits PostgreSQL's numbers have at most, before the point and behind it.
const MOST_DIGITS: (i64, i64) = (131_072, 16_383);

/// What JSON has as a number; none for `null`. One of more digits than PostgreSQL's numbers have is no number there.
fn json_number(json: &str) -> Cast<Option<&str>> {
    let json = json.trim();
    match json.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => {
            let (before, behind, exponent) = parts(json.trim_start_matches('-'));
            let length = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX);
            let zero = !before.bytes().chain(behind.bytes()).any(|digit| digit != b'0');
            let whole = if zero { 0 } else { length(before).saturating_add(exponent) };
            let fraction = length(behind).saturating_sub(exponent);
            if whole > MOST_DIGITS.0 || fraction > MOST_DIGITS.1 { Err(OUT_OF_RANGE) } else { Ok(Some(json)) }
        }
        Some(b'n') => Ok(None),
        _ => Err(WRONG_KIND),
    }
}

/// The spaces of C's `isspace`.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}'])
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

/// The units of a number in digits, with so many places behind the point, rounded half away from zero; none beyond 38
/// digits.
fn rounded(number: &str, places: usize) -> Option<i128> {
    let (negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (before, behind, exponent) = parts(number);
    let mut digits = before.bytes().chain(behind.bytes()).map(|digit| digit - b'0');
    let kept = i64::try_from(before.len()).ok()?.checked_add(exponent)?.checked_add(i64::try_from(places).ok()?)?;
    let mut units = 0i128;
    let mut taken = 0;
    while taken < kept {
        let digit = match digits.next() {
            Some(digit) => digit,
            // Zero has no more digits however many follow.
            None if units == 0 => return Some(0),
            None => 0,
        };
        units = units.checked_mul(10)?.checked_add(digit.into())?;
        taken += 1;
    }
    if kept >= 0 && digits.next().is_some_and(|digit| digit >= 5) {
        units = units.checked_add(1)?;
    }
    Some(if negative { -units } else { units })
}

/// The digits of a number before the point and behind it, and its exponent, which in JSON may have any length.
fn parts(number: &str) -> (&str, &str, i64) {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let small = exponent.starts_with('-');
    (before, behind, exponent.parse().unwrap_or(if small { i64::MIN / 2 } else { i64::MAX / 2 }))
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

/// A day of ISO 8601.
fn day(text: &str) -> Cast<NaiveDate> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?
    };
    let hyphens = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    let (Some(year), Some(month), Some(day), true) = (number(0..4), number(5..7), number(8..10), hyphens) else {
        return Err(BAD_TIME);
    };
    let day = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    day.filter(|day| day.year() > 0).ok_or(NO_TIME)
}

/// An instant of RFC 3339, of which the time, its seconds and the zone may be missing.
fn instant(text: &str) -> Cast<DateTime<Utc>> {
    let (date, time) = text.split_at_checked(10).ok_or(BAD_TIME)?;
    let (time, offset) = match time.strip_prefix(['T', ' ']) {
        None if time.is_empty() => (NaiveTime::MIN, TimeDelta::zero()),
        None => return Err(BAD_TIME),
        Some(time) => zoned(time).ok_or(BAD_TIME)?,
    };
    let instant = NaiveDateTime::new(day(date)?, time).checked_sub_signed(offset).ok_or(NO_TIME)?;
    Ok(instant.and_utc())
}

/// A time of the day, and how far its zone is ahead of UTC.
fn zoned(text: &str) -> Option<(NaiveTime, TimeDelta)> {
    let end = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = text.split_at(end);
    let two = |text: &str, below: u32| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| digits && *number < below)
    };
    let (hour, rest) = time.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "00"));
    let (second, fraction) = match second.split_once('.') {
        Some((second, fraction)) if (1..=6).contains(&fraction.len()) => (second, fraction),
        Some(_) => return None,
        None => (second, "0"),
    };
    let micros: u32 =
        fraction.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{fraction:0<6}").parse().ok())??;
    let time = NaiveTime::from_hms_micro_opt(two(hour, 24)?, two(minute, 60)?, two(second, 60)?, micros)?;
    let ahead = match zone.as_bytes().first() {
        None => 0,
        Some(b'Z') if zone.len() == 1 => 0,
        Some(sign @ (b'+' | b'-')) => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let minutes = i64::from(two(hours, 15)? * 60 + two(minutes, 60)?);
            if *sign == b'-' { -minutes } else { minutes }
        }
        Some(_) => return None,
    };
    Some((time, TimeDelta::minutes(ahead)))
}

/// An instant as the tables hold it.
fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_laid_out_as_postgresql_does() {
        for (number, text) in [
            (0.0, "0"),
            (100.0, "100"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(shortest(number), text);
        }
    }

    #[test]
    fn numbers_are_rounded_half_away_from_zero() {
        for (number, places, units) in [
            ("2.5", 0, Some(3)),
            ("-2.5", 0, Some(-3)),
            ("2.49999", 0, Some(2)),
            ("0.5e1", 0, Some(5)),
            ("5e-1", 0, Some(1)),
            ("5e-2", 0, Some(0)),
            ("0.0000005", 6, Some(1)),
            ("12", 6, Some(12_000_000)),
            ("1e400", 0, None),
            ("0e99999999999999999999", 0, Some(0)),
            ("1e-99999999999999999999", 6, Some(0)),
        ] {
            assert_eq!(rounded(number, places), units, "{number}");
        }
    }

    #[test]
    fn decimals_keep_their_digits() {
        for (units, scale, least, text) in [
            (4558, 2, 2, "45.58"),
            (-1, 2, 2, "-0.01"),
            (4500, 2, 2, "45.00"),
            (2_500_000, 6, 0, "2.5"),
            (7, 0, 0, "7"),
        ] {
            assert_eq!(digits(units, scale, least), text);
        }
    }
}
