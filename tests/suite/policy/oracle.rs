//! What a policy means, worked out from its declaration and a whole row, without the engine; and values for rows.

use rootstock::catalog::{
    Column, Operator, Rule,
    policy::{Claim, Condition, Operand},
    scalar::{self, Scalar},
};
use serde_json::{Map, Value, json};

use crate::support::Person;

/// Whether a condition holds for a caller and a row; none if the row does not tell.
pub(super) fn holds(condition: &Condition, person: Option<&Person>, row: &Map<String, Value>) -> Option<bool> {
    match condition {
        Condition::Always => Some(true),
        Condition::Never => Some(false),
        Condition::Authenticated => Some(person.is_some()),
        Condition::Role(role) => Some(person.is_some_and(|person| person.role == *role)),
        Condition::Compare { column, operator: Operator::Eq, operand } => {
            let expected = match operand {
                Operand::Claim(Claim::Sub) => json!(person?.id),
                Operand::Claim(Claim::Role) => json!(person?.role),
                Operand::Value(value) => plain(value),
            };
            Some(*row.get(column)? == expected)
        }
        Condition::IsNull { column } => Some(row.get(column)?.is_null()),
        // Of a related row this row tells nothing; and no declaration compares otherwise so far.
        Condition::Related { .. } | Condition::Compare { .. } => None,
        // Of several conditions, one can decide though another is not known.
        Condition::And(all) => decide(all, person, row, false),
        Condition::Or(all) => decide(all, person, row, true),
        Condition::Not(one) => holds(one, person, row).map(|held| !held),
    }
}

fn decide(all: &[Condition], person: Option<&Person>, row: &Map<String, Value>, by: bool) -> Option<bool> {
    let held: Vec<_> = all.iter().map(|one| holds(one, person, row)).collect();
    if held.contains(&Some(by)) {
        return Some(by);
    }
    (!held.contains(&None)).then_some(!by)
}

fn plain(value: &scalar::Value) -> Value {
    match value {
        scalar::Value::Bool(value) => json!(value),
        scalar::Value::Int(value) => json!(value),
        scalar::Value::Text(value) => json!(value),
        other => panic!("a policy compares with {other:?}: say here how REST writes it"),
    }
}

/// A value for a column, another one for each `number`.
pub(crate) fn sample(column: &Column, number: usize) -> Value {
    let text = format!("{}{number} of {}", ['k', 'q', 'v', 'w', 'z'][number % 5], column.name);
    for rule in &column.rules {
        match rule {
            Rule::OneOf(texts) => return json!(texts[number % texts.len()]),
            Rule::Currency => return json!(["USD", "EUR", "NPR", "JPY", "CHF"][number % 5]),
            Rule::FirstOfMonth => return json!(format!("2026-{:02}-01", number + 1)),
            Rule::Length(..) => {}
        }
    }
    match &column.scalar {
        Scalar::Integer | Scalar::BigInt => json!(7_000 + number),
        Scalar::Float => json!(0.5 + number as f64),
        Scalar::Text => json!(text),
        Scalar::Boolean => json!(number % 5 == 1),
        Scalar::Uuid => json!(format!("c56a4180-65aa-42ec-a945-5fd21dec053{number}")),
        Scalar::Date => json!(format!("2026-03-{:02}", number + 1)),
        Scalar::Timestamp => json!(format!("2026-03-{:02}T10:00:00.000000Z", number + 1)),
        Scalar::Decimal(_) => json!(format!("{number}.25")),
        Scalar::Json => json!({ "canary": text }),
        Scalar::Enum(enumeration) => {
            let texts: Vec<_> = enumeration.members().map(|(_, text)| text).collect();
            json!(texts[number % texts.len()])
        }
    }
}
