//! What a column is: its type, whether it may be empty, what fills it, and the rules for what is written to it.

use super::{
    computed::Computed,
    scalar::{Scalar, Value},
};
use crate::error::Problem;

/// A column of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name in the database and in REST.
    pub name: String,
    /// The name in GraphQL.
    pub field: String,
    /// The type of its values.
    pub scalar: Scalar,
    /// Whether NULL is a value of it.
    pub nullable: bool,
    /// What a new row gets where the input says nothing.
    pub default: Option<Fill>,
    /// What every update writes to it.
    pub touch: Option<Fill>,
    /// What an input must keep to, beyond the type.
    pub rules: Vec<Rule>,
    /// Where its values come from, if no table has them.
    pub computed: Option<Computed>,
    /// Whether the policy hides its value from some callers, who read NULL.
    pub masked: bool,
}

impl Column {
    /// Whether a new row must be told its value.
    pub const fn required(&self) -> bool {
        !self.nullable && self.default.is_none()
    }

    /// Whether a caller may read NULL in it.
    pub const fn optional(&self) -> bool {
        self.nullable || self.masked
    }

    /// Checks a value against the rules; the problems name the column.
    pub fn check(&self, value: &Value, problems: &mut Vec<Problem>) {
        let messages = self.rules.iter().filter_map(|rule| rule.check(value));
        problems.extend(messages.map(|message| Problem { field: self.name.clone(), message }));
    }
}

/// What fills a column that the input leaves out.
#[derive(Debug, Clone, PartialEq)]
pub enum Fill {
    /// Always the same value.
    Value(Value),
    /// The time of the request, in microseconds.
    Now,
    /// The day of the request, in UTC.
    Today,
    /// A new time-ordered UUID (RFC 9562 section 5.7).
    UuidV7,
    /// The database's own counter.
    Database,
}

/// A rule for what is written to a column; both protocols enforce it with the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A text's length in Unicode characters, from the first bound to the second. Leading and trailing white space
    /// alone is not a text.
    Length(usize, usize),
    /// One of a few texts.
    OneOf(Vec<String>),
    /// An ISO 4217 code: three upper-case letters.
    Currency,
}

impl Rule {
    /// What is wrong with `value`, if something is, as a sentence without a subject.
    fn check(&self, value: &Value) -> Option<String> {
        let Value::Text(text) = value else { return None };
        match self {
            Self::Length(least, most) => {
                let length = text.chars().count();
                if *least > 0 && text.trim().is_empty() {
                    return Some("must not be empty".to_owned());
                }
                (length < *least || length > *most).then(|| format!("must be {least} to {most} characters long"))
            }
            Self::OneOf(texts) => {
                (!texts.iter().any(|one| one == text)).then(|| format!("must be one of {}", texts.join(", ")))
            }
            Self::Currency => (text.len() != 3 || !text.bytes().all(|byte| byte.is_ascii_uppercase()))
                .then(|| "must be an ISO 4217 code like USD".to_owned()),
        }
    }

    /// Adds the rule to the JSON Schema of its column.
    pub fn describe(&self, schema: &mut serde_json::Map<String, serde_json::Value>) {
        match self {
            Self::Length(least, most) => {
                schema.insert("minLength".into(), (*least).into());
                schema.insert("maxLength".into(), (*most).into());
            }
            Self::OneOf(texts) => {
                schema.insert("enum".into(), texts.clone().into());
            }
            Self::Currency => {
                schema.insert("pattern".into(), "^[A-Z]{3}$".into());
            }
        }
    }
}
