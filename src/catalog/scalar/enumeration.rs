//! Texts of which a column holds one of a few: a GraphQL enum in `UPPER_CASE`, the text itself in REST.

use super::{Cell, Input, ScalarType, Style, Value, mismatch, write_string};
use crate::{catalog::operator::Operator, error::Result};
use heck::ToShoutySnakeCase as _;

/// The members of an enumerated column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Enumeration {
    graphql: String,
    postgres: String,
    members: Vec<(String, String)>,
}

impl Enumeration {
    /// An enumeration with the GraphQL name `graphql`, the PostgreSQL type `postgres`, and the texts of its members.
    pub fn new(graphql: String, postgres: String, texts: impl IntoIterator<Item = String>) -> Self {
        let members = texts.into_iter().map(|text| (member_name(&text), text)).collect();
        Self { graphql, postgres, members }
    }

    /// The name of its type in PostgreSQL.
    pub(super) fn postgres_name(&self) -> &str {
        &self.postgres
    }

    /// The members: the GraphQL name and the text of each.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

/// A GraphQL name for a text: `in progress` is `IN_PROGRESS`; a digit cannot come first.
fn member_name(text: &str) -> String {
    let name = text.to_shouty_snake_case();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("_{name}") }
}

impl ScalarType for Enumeration {
    fn graphql(&self) -> &str {
        &self.graphql
    }

    fn json_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string", "enum": self.members.iter().map(|(_, text)| text).collect::<Vec<_>>() })
    }

    fn operators(&self) -> &'static [Operator] {
        Operator::EQUALITY
    }

    fn postgres_type(&self) -> String {
        format!("\"{}\"", self.postgres)
    }

    fn parse(&self, input: &Input<'_>) -> Result<Value, String> {
        match input {
            Input::String(given) | Input::Text(given) => {
                self.members.iter().find(|(name, text)| name == given || text == given)
            }
            Input::Bool(_) | Input::Number(_) | Input::Json(_) => None,
        }
        .map(|(_, text)| Value::Text(text.clone()))
        .ok_or_else(|| {
            let texts: Vec<_> = self.members.iter().map(|(_, text)| text.as_str()).collect();
            format!("must be one of {}", texts.join(", "))
        })
    }

    fn write(&self, cell: Cell<'_>, style: Style, out: &mut Vec<u8>) -> Result<()> {
        let text = cell.plain_text().ok_or_else(|| mismatch("a text", cell))?;
        let member =
            self.members.iter().find(|(_, member)| member == text).ok_or_else(|| mismatch("a member", cell))?;
        write_string(if style == Style::GraphQl { &member.0 } else { text }, out);
        Ok(())
    }
}
