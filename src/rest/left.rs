//! The left side of a condition in PostgREST's spelling: `column`, `column->a->0`, `column->a->>b`.
//!
//! In: the name of a pair of the query string. Out: a [`Left`], whose path into JSON is a value like any other.

use crate::{
    catalog::{
        Resource,
        scalar::{JsonKind, Scalar},
    },
    engine::bind::Argument,
    error::{Error, Result},
};

/// What a condition is about: a column, or what a path leads to in its JSON values.
#[derive(Clone)]
pub(super) struct Left {
    pub(super) column: String,
    /// The path, and as what the value there is asked for.
    pub(super) path: Option<(Argument, JsonKind)>,
    /// Whether the column holds booleans.
    pub(super) boolean: bool,
}

impl Left {
    /// `column`, `column->a->0` or `column->a->>b`.
    pub(super) fn of(resource: &Resource, text: &str) -> Result<Self> {
        let (column, path) = text.find("->").map_or((text, None), |at| (&text[..at], Some(&text[at..])));
        let index = resource.find(column)?;
        let (mut rest, mut kind, mut steps) = (path.unwrap_or_default(), JsonKind::Value, Vec::new());
        while let Some(behind) = rest.strip_prefix("->") {
            let (behind, as_text) = behind.strip_prefix('>').map_or((behind, false), |behind| (behind, true));
            let end = behind.find("->").unwrap_or(behind.len());
            // What is a text has nothing inside.
            if end == 0 || (as_text && end < behind.len()) {
                let at = text.len() - behind.len() + if as_text { end } else { 0 };
                let unexpected =
                    text[at..].chars().next().map_or("end of input".to_owned(), |next| format!("\"{next}\""));
                return Err(Error::bad_request(format!(
                    "\"failed to parse filter ({text})\" (line 1, column {})",
                    text[..at].chars().count() + 1
                ))
                .details(format!("unexpected {unexpected} expecting a member or an index"))
                .hint("A path into JSON is column->name->0->>name, with ->> only before the last"));
            }
            kind = if as_text { JsonKind::Text } else { JsonKind::Value };
            steps.push(Argument::Text(behind[..end].to_owned()));
            rest = &behind[end..];
        }
        let boolean = resource.columns[index].scalar == Scalar::Boolean;
        Ok(Self { column: column.to_owned(), path: path.map(|_| (Argument::List(steps), kind)), boolean })
    }

    /// The same as whether there is anything: what `->>` finds has a text, be it an object or an array.
    pub(super) fn present(&self) -> Self {
        let path = self.path.as_ref().map(|(path, _)| (path.clone(), JsonKind::Value));
        Self { path, ..self.clone() }
    }

    /// The same as what these values are: behind `->` they are JSON, and only numbers and booleans compare as such.
    pub(super) fn typed(&self, values: &[String]) -> Result<Self> {
        let Some((path, JsonKind::Value)) = &self.path else { return Ok(self.clone()) };
        let boolean = |value: &String| matches!(value.as_str(), "true" | "false");
        let number = |value: &String| value.parse::<f64>().is_ok_and(f64::is_finite);
        let kind = match values {
            values if values.iter().all(number) => JsonKind::Number,
            [value] if boolean(value) => JsonKind::Boolean,
            _ => {
                return Err(Error::bad_request(format!("What -> finds in \"{}\" is JSON, and no text", self.column))
                    .code("42883")
                    .hint("Behind -> compare with a number, true or false; ->> finds a text"));
            }
        };
        Ok(Self { path: Some((path.clone(), kind)), ..self.clone() })
    }
}
