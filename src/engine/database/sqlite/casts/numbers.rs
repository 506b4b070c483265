//! Numbers as PostgreSQL writes them in digits, and reads them.
//!
//! In: the units of a decimal, a double, or a text. Out: digits, units, or the SQLSTATE that says what is wrong.

use super::{BAD_TEXT, Cast, OUT_OF_RANGE, WRONG_KIND};

/// Units of a decimal in digits, without the zeros beyond the places that are written at least.
pub(super) fn digits(units: i64, scale: usize, least: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let padded = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let kept = fraction.trim_end_matches('0').len().max(least.min(scale));
    let point = if kept > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{}", &fraction[..kept])
}

/// A double in the fewest digits that tell it from every other, as PostgreSQL lays them out.
pub(super) fn shortest(number: f64) -> String {
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

/// A whole number in digits, with spaces around it.
pub(super) fn whole_text(text: &str) -> Cast<i128> {
    let text = trimmed(text);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BAD_TEXT);
    }
    text.parse().map_err(|_| OUT_OF_RANGE)
}

/// A number as it is written, with spaces around it.
pub(super) fn number_text(text: &str) -> Cast<&str> {
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
pub(super) fn json_number(json: &str) -> Cast<Option<&str>> {
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
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}'])
}

/// The units of a number in digits, with so many places behind the point, rounded half away from zero; none beyond 38
/// digits.
pub(super) fn rounded(number: &str, places: usize) -> Option<i128> {
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
