//! `order` in PostgREST's grammar: `column.desc.nullslast,column->>path,relation(column)`.
//!
//! In: the value of the parameter. Out: its [`Step`]s, and of each, once its relation is known, an [`Order`].

use super::{filter::element, value::order_terms};
use crate::{
    catalog::{Relation, Resource},
    engine::{
        bind::Argument,
        request::{Order, Term},
    },
    error::{Error, Result},
};

/// A step of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The relation to one whose row has the column.
    pub(super) relation: Option<String>,
    /// The column, with its path into JSON.
    column: String,
    descending: bool,
    nulls_first: Option<bool>,
}

/// The steps of an order.
///
/// # Errors
/// `PGRST100` for what the grammar does not have.
pub(super) fn parse(text: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut parser = Parser { whole: text, rest: text.trim() };
    while !parser.rest.is_empty() {
        steps.push(parser.step()?);
        parser.rest = parser.rest.trim_start();
        if !parser.rest.is_empty() {
            parser.eat(",")?;
        }
        parser.rest = parser.rest.trim_start();
    }
    Ok(steps)
}

struct Parser<'t> {
    whole: &'t str,
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn unexpected(&self, found: &str) -> Error {
        let found =
            if found.is_empty() { "unexpected end of input".to_owned() } else { format!("unexpected \"{found}\"") };
        Error::bad_request(format!("failed to parse order ({})", self.whole))
            .details(found)
            .hint("order takes column, column.desc, column.asc.nullsfirst, column->>path, relation(column) and so on")
    }

    fn eat(&mut self, token: &str) -> Result<()> {
        self.rest = self.rest.strip_prefix(token).ok_or_else(|| {
            let found = self.rest.chars().next().map(String::from).unwrap_or_default();
            self.unexpected(&found)
        })?;
        Ok(())
    }

    /// A column or a relation, plain or in quotes, with the path behind it if it has one.
    fn name(&mut self) -> Result<String> {
        let (mut name, rest) = element(self.rest, &['.', ',', '(', ')']).ok_or_else(|| self.unexpected(self.rest))?;
        self.rest = rest;
        if rest.starts_with("->") {
            let end = rest.find(['.', ',', '(', ')']).unwrap_or(rest.len());
            name.push_str(&rest[..end]);
            self.rest = &rest[end..];
        }
        let name = name.trim();
        if name.is_empty() {
            let found = self.rest.chars().next().map(String::from).unwrap_or_default();
            return Err(self.unexpected(&found));
        }
        Ok(name.to_owned())
    }

    fn step(&mut self) -> Result<Step> {
        let (mut relation, mut column) = (None, self.name()?);
        if self.rest.starts_with('(') {
            self.eat("(")?;
            relation = Some(std::mem::replace(&mut column, self.name()?));
            self.eat(")")?;
        }
        let mut step = Step { relation, column, descending: false, nulls_first: None };
        let mut index = 0;
        while let Some(rest) = self.rest.strip_prefix('.') {
            let end = rest.find(['.', ',']).unwrap_or(rest.len());
            let (word, rest) = rest.split_at(end);
            self.rest = rest;
            match (index, word.trim_end()) {
                (0, "asc") => {}
                (0, "desc") => step.descending = true,
                (0 | 1, "nullsfirst") if step.nulls_first.is_none() => step.nulls_first = Some(true),
                (0 | 1, "nullslast") if step.nulls_first.is_none() => step.nulls_first = Some(false),
                _ => return Err(self.unexpected(word)),
            }
            index += 1;
        }
        Ok(step)
    }
}

impl Step {
    /// The step by what its column is another name of.
    pub(super) fn renamed<'n>(mut self, of: impl FnOnce(&str) -> Option<&'n str>) -> Self {
        if let Some(column) = of(&self.column) {
            column.clone_into(&mut self.column);
        }
        self
    }

    /// The step as those of an order of rows: by a column of `target`, which is at the other end of the relation, if
    /// there is one.
    ///
    /// # Errors
    /// `42703` for an unknown column, `PGRST100` for a path that leads nowhere by its form.
    pub(super) fn of(
        &self,
        target: &Resource,
        relation: Option<&Relation>,
        arguments: &mut Vec<Argument>,
    ) -> Result<Vec<Order>> {
        let order = |term| {
            let term = match relation {
                Some(relation) => Term::One(relation.name.clone(), Box::new(term)),
                None => term,
            };
            Order { term, descending: self.descending, nulls_first: self.nulls_first }
        };
        Ok(order_terms(target, &self.column, arguments)?.into_iter().map(order).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_has_paths_relations_and_where_nulls_are() {
        let step = |column: &str, descending, nulls_first| Step {
            relation: None,
            column: column.to_owned(),
            descending,
            nulls_first,
        };
        let related = Step { relation: Some("user".to_owned()), ..step("meta->>a", true, Some(false)) };
        let parsed = parse(r#"id, name.desc,"a.b".asc.nullsfirst, user(meta->>a).desc.nullslast,m->a->>0.nullsfirst,"#);
        let expected = [
            step("id", false, None),
            step("name", true, None),
            step("a.b", false, Some(true)),
            related,
            step("m->a->>0", false, Some(true)),
        ];
        assert_eq!(parsed.unwrap(), expected);
        for wrong in [
            "id.up",
            "id.desc.desc",
            "id.nullsfirst.desc",
            "id.asc.nullslast.x",
            "a(",
            "a(b",
            "a(b)c",
            ",",
            "a,,b",
            ".asc",
            "\"a",
        ] {
            assert_eq!(parse(wrong).unwrap_err().code, "PGRST100", "{wrong}");
        }
    }
}
