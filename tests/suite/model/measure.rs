//! What is measured of rows: exactly, in integers, where the column is exact.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{
    request::Measure,
    schema::{BUDGETS, COMPUTED, TABLES},
    value::{Kind, Value},
    world::Row,
};

impl Measure {
    /// The type of what is measured of a table.
    pub(super) fn kind(self, table: usize) -> Kind {
        let of = |column: usize| TABLES[table].columns[column].kind;
        match self {
            Self::Count | Self::CountDistinct(_) => Kind::Int,
            Self::Min(column) | Self::Max(column) => of(column),
            Self::Sum(column) => match of(column) {
                Kind::Int => Kind::Big,
                Kind::Big => Kind::Decimal(0),
                kind => kind,
            },
            Self::Avg(column) => match of(column) {
                Kind::Decimal(places) => Kind::Average(places, more(table, column, places)),
                _ => Kind::Float,
            },
        }
    }

    /// What it is of these rows. NULLs do not count; of no values there is a count, and nothing else.
    pub(super) fn of(self, table: usize, rows: &[&Row]) -> Value {
        let (Self::CountDistinct(column)
        | Self::Sum(column)
        | Self::Avg(column)
        | Self::Min(column)
        | Self::Max(column)) = self
        else {
            return Value::Int(rows.len() as i64);
        };
        let mut values: Vec<&Value> = rows.iter().map(|row| &row[column]).filter(|value| !value.is_null()).collect();
        values.sort_by(|a, b| a.order(b));
        let kind = TABLES[table].columns[column].kind;
        if let Self::CountDistinct(_) = self {
            values.dedup_by(|a, b| a.order(b) == Ordering::Equal);
            return Value::Int(values.len() as i64);
        }
        let (Some(first), Some(last)) = (values.first(), values.last()) else { return Value::Null };
        let floats = values.iter().fold(0.0, |sum, value| if let Value::Float(one) = value { sum + one } else { sum });
        let exact: i128 = values
            .iter()
            .map(|value| match value {
                Value::Int(one) => i128::from(*one),
                Value::Units(one) => *one,
                _ => 0,
            })
            .sum();
        let count = values.len() as i128;
        match (self, kind) {
            (Self::Min(_), _) => (*first).clone(),
            (Self::Max(_), _) => (*last).clone(),
            (Self::Sum(_), Kind::Float) => Value::Float(floats),
            (Self::Sum(_), Kind::Int) => Value::Int(i64::try_from(exact).expect("a sum of 64 bits")),
            (Self::Sum(_), _) => Value::Units(exact),
            (_, Kind::Float) => Value::Float(floats / count as f64),
            (_, Kind::Decimal(places)) => {
                Value::Units(rounded(exact * 10i128.pow(more(table, column, places) as u32), count))
            }
            _ => Value::Float(exact as f64 / count as f64),
        }
    }

    /// The columns of which it can be asked, for each measure of a column.
    pub(super) fn all(table: usize) -> Vec<Self> {
        let mut all = vec![Self::Count];
        for (index, column) in TABLES[table].columns.iter().enumerate().skip(1) {
            let number = matches!(column.kind, Kind::Int | Kind::Big | Kind::Float | Kind::Decimal(_));
            if column.kind != Kind::Json {
                all.push(Self::CountDistinct(index));
            }
            if number {
                all.extend([Self::Sum(index), Self::Avg(index)]);
            }
            if number || matches!(column.kind, Kind::Text | Kind::Uuid | Kind::Date | Kind::Time) {
                all.extend([Self::Min(index), Self::Max(index)]);
            }
        }
        all
    }

    /// The name of the measure, and the column of which it is one.
    pub(super) fn name(self) -> (&'static str, Option<usize>) {
        match self {
            Self::Count => ("count", None),
            Self::CountDistinct(column) => ("countDistinct", Some(column)),
            Self::Sum(column) => ("sum", Some(column)),
            Self::Avg(column) => ("avg", Some(column)),
            Self::Min(column) => ("min", Some(column)),
            Self::Max(column) => ("max", Some(column)),
        }
    }
}

/// How many more places an average has than the values: four, but no more than 18 digits in all. A decimal with two
/// places has 14 digits here, or 16 where it is computed of such, and one with six has 18.
const fn more(table: usize, column: usize, places: usize) -> usize {
    match places {
        2 if table == BUDGETS && column >= COMPUTED => 2,
        2 => 4,
        _ => 0,
    }
}

/// A quotient, rounded half away from zero.
fn rounded(dividend: i128, divisor: i128) -> i128 {
    let half = divisor * dividend.signum();
    (2 * dividend + half) / (2 * divisor)
}

/// Measures by their names, in the order in which each name comes first: what a document selects.
pub(super) fn by_name(measures: &[Measure]) -> Vec<(&'static str, Vec<Measure>)> {
    let names: Vec<&'static str> = measures.iter().map(|measure| measure.name().0).collect();
    let mut seen = BTreeSet::new();
    let first = names.iter().filter(|name| seen.insert(**name));
    let of = |name: &str| measures.iter().copied().filter(|measure| measure.name().0 == name).collect();
    first.map(|name| (*name, of(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        for (dividend, divisor, quotient) in [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (5, 3, 2), (-4, 3, -1), (0, 3, 0)] {
            assert_eq!(rounded(dividend, divisor), quotient, "{dividend} / {divisor}");
        }
    }
}
