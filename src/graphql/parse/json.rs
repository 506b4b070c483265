//! Filters of what is inside of JSON values: the member `at` of a JSON column's filter.

use super::{
    super::tree::{Leaf, Tree},
    Parser,
};
use crate::{
    catalog::scalar::JsonKind,
    engine::{
        bind::Argument,
        request::{Filter, Term},
    },
    error::{Error, Result},
};

impl Parser<'_> {
    /// Adds the conditions of `at` to `all`.
    pub(super) fn json(&mut self, column: &str, field: &str, at: &Tree, all: &mut Vec<Filter>) -> Result<()> {
        let items = match at {
            Tree::List(items) => items.as_slice(),
            one @ Tree::Object(_) => std::slice::from_ref(one),
            _ => return Err(Error::bad_value(format!("{field}.at must not be null")).field(field)),
        };
        for item in items {
            let Tree::Object(members) = item else { continue };
            let path = members.iter().find_map(|(name, tree)| match tree {
                Tree::Leaf(leaf) if name == "path" => Some(leaf),
                _ => None,
            });
            let path = path.ok_or_else(|| Error::internal("a path is required"))?;
            let path = self.slot(path);
            for (name, tree) in members.iter().filter(|(name, _)| name != "path") {
                let kind = match name.as_str() {
                    "text" => JsonKind::Text,
                    "number" => JsonKind::Number,
                    "boolean" => JsonKind::Boolean,
                    _ => JsonKind::Value,
                };
                let term = Term::Json { column: column.to_owned(), path, kind };
                match tree {
                    Tree::Leaf(Leaf { value: Argument::Bool(null), .. }) => {
                        all.push(Filter::IsNull { term, null: *null });
                    }
                    tree => self.comparisons(term, field, tree, all)?,
                }
            }
        }
        Ok(())
    }
}
