//! Exact decimals of a fixed scale. Both databases store minor units in a 64-bit integer, so sums, order and filters
//! are exact on both, and no amount passes through binary floating point.

use super::{Cell, Input, ScalarType, Style, Value, mismatch};
use crate::{catalog::operator::Operator, error::Result};
use sea_orm::DeriveValueType;

/// An amount of money in minor units (cents): the Rust type of an entity's `Decimal` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct Money(pub i64);

/// The shape of an exact decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// How many digits at most, 18 or fewer.
    pub precision: u32,
    /// How many of them stand behind the point; not more than `precision`.
    pub scale: u32,
    /// How many of those are written at least; zeros beyond them are not.
    pub least: u32,
}

impl ScalarType for Decimal {
    fn graphql(&self) -> &str {
        "Decimal"
    }

    fn description(&self) -> Option<&'static str> {
        Some("An exact decimal number, written as a string.")
    }

    fn specified_by(&self) -> Option<&'static str> {
        Some("https://spec.graphql.org/draft/#sec-Scalars.Custom-Scalars")
    }

    fn json_schema(&self) -> serde_json::Value {
        // No multipleOf: 0.07 is no multiple of 0.01 in the binary numbers by which validators divide.
        serde_json::json!({ "type": "number" })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::ORDERED
    }

    fn postgres_type(&self) -> String {
        "int8".to_owned()
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        match input {
            Input::Number(text) | Input::String(text) | Input::Text(text) => self.minor_units(text),
            Input::Bool(_) | Input::Json(_) => None,
        }
        .map(Value::Int)
        .ok_or_else(|| {
            let whole = self.precision - self.scale;
            format!(
                "must be a decimal number with at most {whole} digits before the point and {} behind it",
                self.scale
            )
        })
    }

    fn write(&self, cell: Cell<'_>, style: Style, out: &mut Vec<u8>) -> Result<()> {
        let units = cell.integer().ok_or_else(|| mismatch("minor units", cell))?;
        let quote = style == Style::GraphQl;
        if quote {
            out.push(b'"');
        }
        if units < 0 {
            out.push(b'-');
        }
        let one = 10u64.pow(self.scale);
        let (whole, fraction) = (units.unsigned_abs() / one, units.unsigned_abs() % one);
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
        if self.scale > 0 {
            let point = out.len();
            out.push(b'.');
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(fraction);
            out.extend(std::iter::repeat_n(b'0', self.scale as usize - digits.len()));
            out.extend_from_slice(digits.as_bytes());
            while out.len() > point + 1 + self.least as usize && out.last() == Some(&b'0') {
                out.pop();
            }
            if out.len() == point + 1 {
                out.pop();
            }
        }
        if quote {
            out.push(b'"');
        }
        Ok(())
    }
}

impl Decimal {
    /// A decimal that is written with every place.
    pub const fn new(precision: u32, scale: u32) -> Self {
        Self { precision, scale, least: scale }
    }

    /// The minor units of a decimal text; none if it is no decimal, or has more digits than the column.
    /// An exponent is taken, as JSON numbers may have one; zeros behind the last place count for nothing.
    fn minor_units(&self, text: &str) -> Option<i64> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.as_bytes().first()? {
            b'-' => (true, &mantissa[1..]),
            b'+' => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = whole.bytes().chain(fraction.bytes());
        if whole.is_empty() || mantissa.ends_with('.') || !digits.clone().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        // The number is 0.d1d2d3… × 10^point.
        let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
        let mut units: i64 = 0;
        let mut place = point;
        for digit in digits {
            place = place.checked_sub(1)?;
            let digit = i64::from(digit - b'0');
            if digit == 0 && units == 0 {
                continue;
            }
            if place < -(self.scale as i32) {
                if digit != 0 {
                    return None;
                }
                continue;
            }
            units = units.checked_mul(10)?.checked_add(digit)?;
        }
        let missing = place.checked_add(self.scale as i32)?;
        if units != 0 && missing > 0 {
            units = units.checked_mul(10i64.checked_pow(u32::try_from(missing).ok()?)?)?;
        }
        let bound = 10i64.checked_pow(self.precision)?;
        (units < bound).then_some(if negative { -units } else { units })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<i64> {
        Decimal::new(14, 2).minor_units(text)
    }

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        for (text, units) in [
            ("45.58", 4558),
            ("45.580", 4558),
            ("45", 4500),
            ("-0.01", -1),
            ("0.1", 10),
            ("4.558e1", 4558),
            ("4558e-2", 4558),
            ("1e3", 100_000),
            ("0", 0),
            ("-0", 0),
            ("0e99", 0),
            ("000.10", 10),
            ("999999999999.99", 99_999_999_999_999),
        ] {
            assert_eq!(parse(text), Some(units), "{text}");
        }
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1.234",
            "1e-3",
            "1000000000000",
            "1e12",
            "1e400",
            "NaN",
            "0x10",
            "1_000",
            "１",
            "1 ",
            "--1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_written_with_every_place() {
        for (units, text) in [(4558, "45.58"), (-1, "-0.01"), (10, "0.10"), (0, "0.00"), (100_000, "1000.00")] {
            let mut out = Vec::new();
            Decimal::new(14, 2).write(Cell::Integer(units), Style::Rest, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn a_mean_has_no_zeros_beyond_its_columns_places() {
        let mean = |least| Decimal { precision: 18, scale: 6, least };
        for (units, least, text) in
            [(20_000_000, 2, "20.00"), (3_333_333, 2, "3.333333"), (2_500_000, 0, "2.5"), (2_000_000, 0, "2")]
        {
            let mut out = Vec::new();
            mean(least).write(Cell::Integer(units), Style::Rest, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
