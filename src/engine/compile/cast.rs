//! Casts as SQL: what PostgreSQL's own casts and SQLite's function `cast_to` make of a value is the same, and so are their
//! errors.
//!
//! In: an expression, its type, and the type that it is cast to. Out: SQL text for one dialect.

use crate::{
    catalog::scalar::{Cast, Decimal, Scalar},
    engine::database::Dialect,
};

/// A whole number in digits, with spaces around: PostgreSQL reads more, by its version.
const WHOLE: &str = r"^\s*[-+]?[0-9]+\s*$";
/// A number, without the words for those that are none.
const NUMBER: &str = r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?\s*$";
/// A day of ISO 8601.
const DAY: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
/// An instant as RFC 3339 has it, of which the time, its seconds and the zone may be missing.
const INSTANT: &str = concat!(
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}",
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[-+](0[0-9]|1[0-4]):[0-5][0-9])?)?$"
);

/// `sql`, a value of the type `from`, as one of another type; the pair is one that [`Cast::result`] knows.
pub(super) fn cast(dialect: Dialect, sql: &str, from: &Scalar, to: Cast) -> String {
    match dialect {
        Dialect::Sqlite => format!("cast_to({sql}, '{}', '{}')", described(from), to.name()),
        Dialect::Postgres => postgres(sql, from, to),
    }
}

/// The type as SQLite's function is told of it: of a decimal also its places, and how many are written at least.
fn described(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Decimal(Decimal { scale, least, .. }) => format!("numeric {scale} {least}"),
        // Any text has a cast to text.
        Scalar::Enum(_) => Scalar::Text.postgres_name().to_owned(),
        scalar => scalar.postgres_name().to_owned(),
    }
}

fn postgres(sql: &str, from: &Scalar, to: Cast) -> String {
    // The units of a decimal with the places of the target.
    let units = |numeric: &str| match to.result(from) {
        Some(Scalar::Decimal(Decimal { scale, .. })) => {
            format!("(round({numeric}, {scale}) * {})::int8", 10u64.pow(scale))
        }
        _ => format!("({numeric})::int8"),
    };
    match (from, to) {
        (Scalar::Decimal(decimal), to) => {
            let number = exactly(sql, decimal);
            match to {
                Cast::Text if decimal.least < decimal.scale => {
                    format!("round({number}, greatest(min_scale({number}), {}))::text", decimal.least)
                }
                to => named(&number, to),
            }
        }
        (Scalar::Integer, Cast::Boolean) => format!("(({sql}) <> 0)"),
        (Scalar::Integer | Scalar::BigInt, Cast::Decimal) => format!("({sql})::int8"),
        (Scalar::Float, Cast::Decimal) => units(&format!("({sql})::numeric")),
        (Scalar::Text, Cast::SmallInt | Cast::Integer | Cast::BigInt) => named(&like(sql, WHOLE), to),
        // SQLite keeps no sign of a zero.
        (Scalar::Text, Cast::Real | Cast::Float) => format!("({} + 0)", named(&like(sql, NUMBER), to)),
        (Scalar::Text, Cast::Decimal) => units(&format!("({})::numeric", like(sql, NUMBER))),
        (Scalar::Text, Cast::Date) => named(&like(sql, DAY), to),
        (Scalar::Text, Cast::Timestamp) => named(&like(sql, INSTANT), to),
        (Scalar::Date, Cast::Text) => format!("to_char({sql}, 'YYYY-MM-DD')"),
        (Scalar::Date, Cast::Timestamp) => format!("(({sql})::timestamp at time zone 'UTC')"),
        (Scalar::Timestamp, Cast::Text) => {
            format!("to_char(({sql}) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        }
        (Scalar::Timestamp, Cast::Date) => format!("(({sql}) at time zone 'UTC')::date"),
        (Scalar::Json, Cast::Text) => format!("({sql})::text"),
        (Scalar::Json, to) => {
            // `null` is no value, and would be an error.
            let value = format!("(case when json_typeof(({sql})::json) <> 'null' then ({sql})::jsonb end)");
            if to == Cast::Decimal { units(&format!("{value}::numeric")) } else { named(&value, to) }
        }
        (_, to) => named(sql, to),
    }
}

/// The number that units of a decimal are: a product has all its digits, which a quotient may not.
fn exactly(sql: &str, decimal: &Decimal) -> String {
    match decimal.scale {
        0 => format!("({sql})::numeric"),
        scale => format!("(({sql}) * 0.{:0>width$})", 1, width = scale as usize),
    }
}

/// PostgreSQL's own cast. A short number is told with the digits that tell it, as it is alone.
fn named(sql: &str, to: Cast) -> String {
    match to {
        Cast::Real => format!("(({sql})::float8::float4::text::float8)"),
        to => format!("(({sql})::{})", to.name()),
    }
}

/// A text, or one that is an error to every cast: what it must be like is less than PostgreSQL reads.
fn like(sql: &str, pattern: &str) -> String {
    format!("(case when ({sql}) !~ '{pattern}' then '?' else {sql} end)")
}
