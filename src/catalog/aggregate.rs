//! The aggregate functions, with their names in both protocols, and what each makes of a column's type.

use super::scalar::{Decimal, Scalar};
use chrono::{Datelike as _, Days, Months, NaiveDate};

/// What is told of the values of several rows. NULLs are no values; of none, all but the counts are NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// How many rows; of a column, how many values.
    Count,
    /// How many different values.
    CountDistinct,
    /// Their sum, exact for exact types; an error beyond 64 bits of the column's units.
    Sum,
    /// Their mean: of decimals rounded half away from zero, else a floating-point number.
    Avg,
    /// The least, texts by code point.
    Min,
    /// The greatest.
    Max,
}

/// How many more places the mean of a decimal has than the decimal itself.
const MEAN_PLACES: u32 = 4;

impl Function {
    /// All of them that are asked of a column.
    pub const OF_COLUMNS: [Self; 5] = [Self::CountDistinct, Self::Sum, Self::Avg, Self::Min, Self::Max];

    /// The field of a GraphQL aggregate.
    pub const fn graphql(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountDistinct => "countDistinct",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    /// What it tells, for the GraphQL schema.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Count => "How many rows there are.",
            Self::CountDistinct => "How many different values there are, without NULL.",
            Self::Sum => "The sums of the values; null where there is none.",
            Self::Avg => "The means of the values; null where there is none.",
            Self::Min => "The least of the values; null where there is none.",
            Self::Max => "The greatest of the values; null where there is none.",
        }
    }

    /// The type of what it tells of values of the type `of`; none if it has no meaning for them.
    pub fn result(self, of: &Scalar) -> Option<Scalar> {
        match (self, of) {
            (Self::Count, _) => Some(Scalar::Integer),
            (Self::CountDistinct, Scalar::Json) => None,
            (Self::CountDistinct, _) => Some(Scalar::Integer),
            (Self::Sum, Scalar::Integer) => Some(Scalar::BigInt),
            // A sum has more digits than its parts.
            (Self::Sum, Scalar::BigInt) => Some(Scalar::Decimal(Decimal::new(19, 0))),
            (Self::Sum, Scalar::Decimal(decimal)) => Some(Scalar::Decimal(Decimal { precision: 19, ..*decimal })),
            (Self::Sum, Scalar::Float) => Some(Scalar::Float),
            (Self::Avg, Scalar::Integer | Scalar::BigInt | Scalar::Float) => Some(Scalar::Float),
            // A mean is no greater than the values, so all the digits that are left may stand behind the point.
            (Self::Avg, Scalar::Decimal(decimal)) => {
                let left = 18u32.saturating_sub(decimal.precision - decimal.scale);
                let scale = (decimal.scale + MEAN_PLACES).min(left).max(decimal.scale);
                Some(Scalar::Decimal(Decimal { precision: 18, scale, least: decimal.least }))
            }
            (
                Self::Min | Self::Max,
                Scalar::Integer
                | Scalar::BigInt
                | Scalar::Float
                | Scalar::Decimal(_)
                | Scalar::Text
                | Scalar::Uuid
                | Scalar::Date
                | Scalar::Timestamp,
            ) => Some(of.clone()),
            _ => None,
        }
    }
}

/// A stretch of time into which dates and instants are grouped, by its first day; instants in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// The day itself.
    Day,
    /// Monday to Sunday (ISO 8601).
    Week,
    /// A month of the calendar.
    Month,
    /// Three months, from January on.
    Quarter,
    /// A year of the calendar.
    Year,
}

impl Bucket {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// The word at the end of a name in GraphQL, and PostgreSQL's field of `date_trunc`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The first day of the bucket into which a day falls.
    pub(crate) fn first_day(self, day: NaiveDate) -> NaiveDate {
        let (year, month) = (day.year(), day.month());
        let first = match self {
            Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
            Self::Month => NaiveDate::from_ymd_opt(year, month, 1),
            Self::Quarter => NaiveDate::from_ymd_opt(year, (month - 1) / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(year, 1, 1),
        };
        // Each is a day of the calendar; the year 1 begins with a Monday.
        first.unwrap_or(day)
    }

    /// The first day of the bucket behind that of `first`; none at the end of the calendar.
    pub(crate) fn next(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Quarter => first.checked_add_months(Months::new(3)),
            Self::Year => first.checked_add_months(Months::new(12)),
        }
    }

    /// Whether values of the type fall into buckets.
    pub const fn applies(of: &Scalar) -> bool {
        matches!(of, Scalar::Date | Scalar::Timestamp)
    }
}
