//! Filters in PostgREST's spelling: `column=op.value`, `and=(…)`, `or=(…)`, `not.` before any.
//!
//! In: the pairs of a query string that are no reserved word. Out: a [`Filter`] without values, and the values.

use super::{condition::operator, embed::Embed};
use crate::{
    catalog::{Operator, Resource},
    engine::{bind::Argument, request::Filter},
    error::{Error, Result},
};

/// How deep logic may be nested: deeper than a request may, so that there is one answer to both.
const MAX_DEPTH: usize = 40;

/// Collects the filters of the rows of one resource.
pub(super) struct Filters<'r> {
    pub(super) resource: &'r Resource,
    /// The relations that are embedded in the rows: a row can be asked whether it has any such.
    pub(super) embeds: Vec<Embed<'r>>,
    given: Vec<(usize, String, String)>,
    pub(super) arguments: Vec<Argument>,
}

impl<'r> Filters<'r> {
    /// Filters whose values come behind `arguments`.
    pub(super) const fn new(resource: &'r Resource, embeds: Vec<Embed<'r>>, arguments: Vec<Argument>) -> Self {
        Self { resource, embeds, given: Vec::new(), arguments }
    }

    /// Adds a pair of the query string.
    pub(super) fn add(&mut self, name: String, value: String) {
        // In the order in which GraphQL coerces the members of a filter and of a column's, so that the order of a URL's
        // pairs makes no other plan.
        let rank = match (name.as_str(), value.split_once('.')) {
            ("and", _) => 0,
            ("or", _) => 1,
            ("not.and" | "not.or", _) | (_, Some(("not", _))) => 2,
            (column, operator) => {
                let word = operator.map_or("", |(word, _)| word.split('(').next().unwrap_or_default());
                let operator = self::operator(word);
                let operator = Operator::TEXT.iter().position(|one| Some(*one) == operator);
                let column = column.split("->").next().unwrap_or_default();
                let column = self.resource.column(column).unwrap_or(self.resource.columns.len());
                3 + column * (Operator::TEXT.len() + 1) + operator.unwrap_or(Operator::TEXT.len())
            }
        };
        self.given.push((rank, name, value));
    }

    /// All filters, and with them what was given to be used.
    pub(super) fn finish(mut self) -> Result<(Vec<Filter>, Vec<Embed<'r>>, Vec<Argument>)> {
        let mut given = std::mem::take(&mut self.given);
        given.sort_by_key(|(rank, ..)| *rank);
        let mut filters = Vec::with_capacity(given.len());
        for (_, name, value) in given {
            let (negated, word) = match name.strip_prefix("not.") {
                Some(word) if matches!(word, "and" | "or") => (true, word),
                _ => (false, name.as_str()),
            };
            let filter = if matches!(word, "and" | "or") {
                let mut parser = Tree { filters: &mut self, rest: &value, whole: &value };
                let items = parser.list(1)?;
                if !parser.rest.is_empty() {
                    return Err(parser.unexpected());
                }
                logic(word, items)
            } else {
                self.condition(word, &value)?
            };
            filters.push(if negated { Filter::Not(Box::new(filter)) } else { filter });
        }
        Ok((filters, self.embeds, self.arguments))
    }
}

fn logic(word: &str, items: Vec<Filter>) -> Filter {
    if word == "or" { Filter::Or(items) } else { Filter::And(items) }
}

/// The elements of `(a,b,"c,d")`, or of one in other brackets.
pub(super) fn list(text: &str, [open, close]: [char; 2]) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix(open)?.strip_suffix(close)?;
    let mut items = Vec::new();
    if rest.is_empty() {
        return Some(items);
    }
    loop {
        let (item, after) = element(rest, &[','])?;
        items.push(item);
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return after.is_empty().then_some(items),
        }
    }
}

/// A plain or a double-quoted element, and what follows it. Inside quotes a backslash escapes.
pub(super) fn element<'t>(text: &'t str, ends: &[char]) -> Option<(String, &'t str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(ends).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut item = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((item, &quoted[at + 1..])),
            '\\' => item.push(characters.next()?.1),
            other => item.push(other),
        }
    }
    None
}

/// Parses `(a.eq.1,not.or(b.lt.2,c.is.null))`.
struct Tree<'f, 'r, 't> {
    filters: &'f mut Filters<'r>,
    rest: &'t str,
    whole: &'t str,
}

impl Tree<'_, '_, '_> {
    fn unexpected(&self) -> Error {
        let at = self.whole.len() - self.rest.len();
        Error::bad_request(format!("\"{}\" is not understood", self.whole))
            .details(format!("unexpected \"{}\" at position {at}", self.rest))
            .hint("A condition is a list: (column.operator.value,or(…,…))")
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Filter>> {
        if depth > MAX_DEPTH {
            return Err(Error::bad_request(format!("Conditions are nested deeper than {MAX_DEPTH}")));
        }
        self.rest = self.rest.strip_prefix('(').ok_or_else(|| self.unexpected())?;
        let mut items = Vec::new();
        loop {
            items.push(self.item(depth)?);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                return Ok(items);
            } else {
                return Err(self.unexpected());
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<Filter> {
        for (prefix, word, negated) in
            [("and(", "and", false), ("or(", "or", false), ("not.and(", "and", true), ("not.or(", "or", true)]
        {
            if self.rest.starts_with(prefix) {
                self.rest = &self.rest[prefix.len() - 1..];
                let filter = logic(word, self.list(depth + 1)?);
                return Ok(if negated { Filter::Not(Box::new(filter)) } else { filter });
            }
        }
        let (column, rest) = element(self.rest, &['.', ',', '(', ')']).ok_or_else(|| self.unexpected())?;
        let rest = rest.strip_prefix('.').ok_or_else(|| self.unexpected())?;
        let end = condition_end(rest).ok_or_else(|| self.unexpected())?;
        let (condition, rest) = rest.split_at(end);
        self.rest = rest;
        self.filters.condition(&column, &unquoted(condition))
    }
}

/// Where a condition inside a tree ends: at a comma or parenthesis that is neither in quotes nor in a list's own.
fn condition_end(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped, mut open, mut braced) = (false, false, 0usize, false);
    for (at, character) in text.char_indices() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '"' => quoted = true,
            '{' => braced = braced || text[..at].ends_with("(any).") || text[..at].ends_with("(all)."),
            '}' => braced = false,
            _ if braced => {}
            '(' => open += 1,
            ')' | ',' if open == 0 => return Some(at),
            ')' => open -= 1,
            _ => {}
        }
    }
    None
}

/// A condition whose whole value is quoted, without the quotes; a list keeps those of its elements.
fn unquoted(condition: &str) -> String {
    let Some((head, value)) = condition.split_once(".\"") else { return condition.to_owned() };
    if head.ends_with("(any)") || head.ends_with("(all)") {
        return condition.to_owned();
    }
    match element(&format!("\"{value}"), &[]) {
        Some((value, "")) => format!("{head}.{value}"),
        _ => condition.to_owned(),
    }
}
