//! Values as the model has them: how they compare, and how either protocol writes them.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

/// The type of a column, or of what is measured of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 32 bits.
    Int,
    /// 64 bits: a string in GraphQL.
    Big,
    Float,
    Text,
    Bool,
    Uuid,
    Date,
    Time,
    /// So many places, all of them written.
    Decimal(usize),
    /// An average of decimals with so many places, and so many more, of which zeros at the end are dropped.
    Average(usize, usize),
    Json,
    /// A conservation status.
    Status,
}

/// A status: in GraphQL, in REST and the database.
pub(super) const STATUSES: [(&str, &str); 3] =
    [("LEAST_CONCERN", "least concern"), ("ENDANGERED", "endangered"), ("EXTINCT", "extinct")];

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Float(f64),
    /// A text, a status, or a UUID in its hyphenated form.
    Text(String),
    Bool(bool),
    Date(NaiveDate),
    Time(DateTime<Utc>),
    /// Minor units, of as many places as the kind says.
    Units(i128),
    /// The text of a JSON value, without spaces between tokens.
    Json(String),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The order of two values of one kind; texts by code point, which UTF-8 keeps. NULL is not compared.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Units(a), Self::Units(b)) => a.cmp(b),
            (Self::Null, Self::Null) => Ordering::Equal,
            _ => panic!("{self:?} and {other:?} are not of one kind"),
        }
    }

    /// As REST writes it between quotes, or without: what stands in a URL.
    pub(super) fn plain(&self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Null, _) => "null".to_owned(),
            (Self::Int(number), _) => number.to_string(),
            (Self::Float(number), _) => serde_json::to_string(number).expect("a finite number"),
            (Self::Text(text) | Self::Json(text), _) => text.clone(),
            (Self::Bool(value), _) => value.to_string(),
            (Self::Date(day), _) => day.to_string(),
            (Self::Time(instant), _) => instant.to_rfc3339_opts(SecondsFormat::Micros, true),
            (Self::Units(units), Kind::Decimal(places)) => decimal(*units, places),
            (Self::Units(units), Kind::Average(places, more)) => {
                let text = decimal(*units, places + more);
                let kept = text.trim_end_matches('0').len().max(text.len() - more);
                text[..kept].trim_end_matches('.').to_owned()
            }
            (Self::Units(_), _) => panic!("{self:?} is no {kind:?}"),
        }
    }

    /// As JSON in the answer of a protocol.
    pub(super) fn json(&self, kind: Kind, graphql: bool) -> String {
        let plain = self.plain(kind);
        let quoted = match kind {
            _ if self.is_null() => false,
            Kind::Text | Kind::Uuid | Kind::Date | Kind::Time => true,
            Kind::Big | Kind::Decimal(_) | Kind::Average(..) => graphql,
            Kind::Status if graphql => {
                let member = STATUSES.iter().find(|(_, text)| *text == plain).expect("a status");
                return format!("\"{}\"", member.0);
            }
            Kind::Status => true,
            Kind::Int | Kind::Float | Kind::Bool | Kind::Json => false,
        };
        if quoted { string(&plain) } else { plain }
    }

    /// As a literal of SQL.
    pub(super) fn sql(&self, kind: Kind, sqlite: bool) -> String {
        let plain = match self {
            Self::Units(units) => units.to_string(),
            _ => self.plain(kind),
        };
        match (self, kind) {
            (Self::Null | Self::Int(_) | Self::Float(_) | Self::Bool(_) | Self::Units(_), _) => plain,
            (_, Kind::Uuid) if sqlite => format!("x'{}'", plain.replace('-', "")),
            _ => format!("'{}'", plain.replace('\'', "''")),
        }
    }
}

/// A JSON string.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn decimal(units: i128, places: usize) -> String {
    let (sign, digits) = (if units < 0 { "-" } else { "" }, format!("{:0>1$}", units.unsigned_abs(), places + 1));
    let (whole, part) = digits.split_at(digits.len() - places);
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_averages_are_written_as_people_do() {
        for (units, kind, text) in [
            (-1, Kind::Decimal(2), "-0.01"),
            (123_456, Kind::Decimal(2), "1234.56"),
            (7, Kind::Decimal(0), "7"),
            (20_000_000, Kind::Average(2, 4), "20.00"),
            (3_333_333, Kind::Average(2, 4), "3.333333"),
            (-3_500_100, Kind::Average(2, 4), "-3.5001"),
            (10_000, Kind::Average(0, 4), "1"),
        ] {
            assert_eq!(Value::Units(units).plain(kind), text);
        }
    }
}
