//! Casts: a value of one type told as one of another.
//!
//! In: the name of a type, as a URL says it, and the type that is cast. Out: a [`Cast`], and the type that it makes; none
//! for a pair that PostgreSQL does not know either.

use super::{Decimal, Scalar};

/// A type to which values can be cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cast {
    /// A text.
    Text,
    /// A 16-bit integer.
    SmallInt,
    /// A 32-bit integer.
    Integer,
    /// A 64-bit integer.
    BigInt,
    /// A 32-bit binary floating-point number.
    Real,
    /// A 64-bit binary floating-point number.
    Float,
    /// An exact decimal. What has no scale of its own gets six places, rounded half away from zero.
    Decimal,
    /// True or false.
    Boolean,
    /// A UUID.
    Uuid,
    /// A day.
    Date,
    /// An instant.
    Timestamp,
    /// A JSON value.
    Json,
}

/// How many places a decimal has behind the point that is made of a text, of JSON or of a binary number.
const PLACES: u32 = 6;

/// The names of the types, as PostgreSQL has them.
const NAMES: [(&str, Cast); 25] = [
    ("text", Cast::Text),
    ("varchar", Cast::Text),
    ("character varying", Cast::Text),
    ("int", Cast::Integer),
    ("int4", Cast::Integer),
    ("integer", Cast::Integer),
    ("smallint", Cast::SmallInt),
    ("int2", Cast::SmallInt),
    ("bigint", Cast::BigInt),
    ("int8", Cast::BigInt),
    ("float", Cast::Float),
    ("float8", Cast::Float),
    ("double precision", Cast::Float),
    ("real", Cast::Real),
    ("float4", Cast::Real),
    ("numeric", Cast::Decimal),
    ("decimal", Cast::Decimal),
    ("bool", Cast::Boolean),
    ("boolean", Cast::Boolean),
    ("uuid", Cast::Uuid),
    ("date", Cast::Date),
    ("timestamptz", Cast::Timestamp),
    ("timestamp with time zone", Cast::Timestamp),
    ("json", Cast::Json),
    ("jsonb", Cast::Json),
];

impl Cast {
    /// The type that a name of PostgreSQL's means; none for one that there is not.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, cast)| *cast)
    }

    /// The names that are known.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Its name in PostgreSQL's errors, and in SQLite's function.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::SmallInt => "smallint",
            Self::Integer => "integer",
            Self::BigInt => "bigint",
            Self::Real => "real",
            Self::Float => "double precision",
            Self::Decimal => "numeric",
            Self::Boolean => "boolean",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Timestamp => "timestamp with time zone",
            Self::Json => "json",
        }
    }

    /// What a value of the type `from` is when it is cast; none where PostgreSQL has no such cast.
    pub fn result(self, from: &Scalar) -> Option<Scalar> {
        use Scalar as S;
        let whole = matches!(from, S::Integer | S::BigInt);
        let number = whole || matches!(from, S::Float | S::Decimal(_));
        // What a text or a JSON value is, only each value tells.
        let open = matches!(from, S::Text | S::Json);
        let text = *from == S::Text;
        match self {
            Self::Text => Some(S::Text),
            Self::SmallInt => (number || open).then_some(S::Integer),
            Self::Integer => (number || open || *from == S::Boolean).then_some(S::Integer),
            Self::BigInt => (number || open).then_some(S::BigInt),
            Self::Real | Self::Float => (number || open).then_some(S::Float),
            Self::Decimal => match from {
                S::Integer | S::BigInt => Some(S::Decimal(Decimal::new(19, 0))),
                S::Decimal(_) => Some(from.clone()),
                S::Float | S::Text | S::Json => Some(S::Decimal(Decimal { precision: 18, scale: PLACES, least: 0 })),
                _ => None,
            },
            Self::Boolean => (open || matches!(from, S::Integer | S::Boolean)).then_some(S::Boolean),
            Self::Uuid => (text || *from == S::Uuid).then_some(S::Uuid),
            Self::Date => (text || matches!(from, S::Date | S::Timestamp)).then_some(S::Date),
            Self::Timestamp => (text || matches!(from, S::Date | S::Timestamp)).then_some(S::Timestamp),
            Self::Json => open.then_some(S::Json),
        }
    }

    /// Whether a value of the type `from` is one of this type already.
    pub fn is_idle(self, from: &Scalar) -> bool {
        !matches!(self, Self::SmallInt | Self::Real) && self.result(from).as_ref() == Some(from)
    }
}
