//! The same condition in the words of both protocols.

use rootstock::catalog::{Column, Operator, scalar::Scalar};
use serde_json::{Value, json};

/// A filter on a column that compares it with a value, which is written as REST writes it: the pair of a URL, and
/// GraphQL's filter.
pub(crate) fn comparison(column: &Column, operator: Operator, value: &Value) -> (String, Value) {
    let (name, field) = (&column.name, column.field.clone());
    let plain = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let encoded: String = url::form_urlencoded::byte_serialize(plain.as_bytes()).collect();
    let quoted: String = url::form_urlencoded::byte_serialize(format!("\"{plain}\"").as_bytes()).collect();
    let word = operator.graphql();
    // GraphQL reads an enumerated text by its name, and decimals and big integers as strings.
    let given = match &column.scalar {
        Scalar::Enum(enumeration) => {
            json!(enumeration.members().find(|(_, text)| *text == plain).map(|(name, _)| name))
        }
        Scalar::Decimal(_) | Scalar::BigInt => json!(plain),
        _ => value.clone(),
    };
    match operator {
        Operator::IsNull => (format!("{name}=not.is.null"), json!({ field: { word: false } })),
        Operator::In => (format!("{name}=in.({quoted})"), json!({ field: { word: [given] } })),
        Operator::NotIn => (format!("{name}=not.in.({quoted})"), json!({ field: { word: [given] } })),
        Operator::Like | Operator::Ilike => {
            let pattern = format!("{}%", plain.chars().next().unwrap_or('%'));
            (format!("{name}={word}.{}*", &encoded[..1]), json!({ field: { word: pattern } }))
        }
        // A URL has no words for these, and patterns that mean the same.
        Operator::StartsWith | Operator::EndsWith | Operator::Contains => {
            let first = &plain[..plain.chars().next().map_or(0, char::len_utf8)];
            let pattern = match operator {
                Operator::StartsWith => "A*",
                Operator::EndsWith => "*A",
                _ => "*A*",
            };
            (format!("{name}=like.{}", pattern.replace('A', first)), json!({ field: { word: first } }))
        }
        Operator::Search => (format!("{name}=plfts.{encoded}"), json!({ field: { word: given } })),
        _ => (format!("{name}={word}.{encoded}"), json!({ field: { word: given } })),
    }
}
