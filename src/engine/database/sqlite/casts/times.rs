//! Days and instants in ISO 8601 and RFC 3339.
//!
//! In: a text. Out: the day or the instant, as the tables hold it.

use super::{BAD_TIME, Cast, NO_TIME};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};

/// A day of ISO 8601.
pub(super) fn day(text: &str) -> Cast<NaiveDate> {
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
pub(super) fn instant(text: &str) -> Cast<DateTime<Utc>> {
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
pub(super) fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}
