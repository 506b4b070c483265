//! Casts: a value of one type told as one of another.
//!
//! In: the name of a type, as a URL says it. Out: a [`Cast`].

/// A type to which values can be cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cast {
    /// A text.
    Text,
    /// A 32-bit integer.
    Integer,
    /// A 64-bit integer.
    BigInt,
    /// A 64-bit binary floating-point number.
    Float,
    /// An exact decimal.
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

/// The names of the types, as PostgreSQL has them.
const NAMES: [(&str, Cast); 24] = [
    ("text", Cast::Text),
    ("varchar", Cast::Text),
    ("character varying", Cast::Text),
    ("int", Cast::Integer),
    ("int4", Cast::Integer),
    ("integer", Cast::Integer),
    ("smallint", Cast::Integer),
    ("int2", Cast::Integer),
    ("bigint", Cast::BigInt),
    ("int8", Cast::BigInt),
    ("float", Cast::Float),
    ("float8", Cast::Float),
    ("double precision", Cast::Float),
    ("real", Cast::Float),
    ("float4", Cast::Float),
    ("numeric", Cast::Decimal),
    ("decimal", Cast::Decimal),
    ("bool", Cast::Boolean),
    ("boolean", Cast::Boolean),
    ("uuid", Cast::Uuid),
    ("date", Cast::Date),
    ("timestamptz", Cast::Timestamp),
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
}
