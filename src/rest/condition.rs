//! A condition on one value in PostgREST's spelling: `op.value`, `not.op.value`, `op(any).{…}`, `fts(english).…`.
//!
//! In: the left side of a pair of the query string and its right side. Out: a [`Filter`] without values, and the values.

use super::{
    filter::{Filters, list},
    left::Left,
};
use crate::{
    catalog::{Language, Operator, Syntax, scalar::JsonKind},
    engine::{
        bind::Argument,
        request::{Filter, Term},
    },
    error::{Error, Result, nearest},
};

/// PostgREST's names of the operators. Some are another one's in other words.
pub(super) const OPERATORS: [(&str, Operator); 17] = [
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
    ("in", Operator::In),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("like", Operator::Like),
    ("ilike", Operator::Ilike),
    ("match", Operator::Match),
    ("imatch", Operator::Match),
    ("fts", Operator::FullText(Syntax::Query, None)),
    ("plfts", Operator::Search),
    ("phfts", Operator::FullText(Syntax::Phrase, None)),
    ("wfts", Operator::FullText(Syntax::Web, None)),
    ("is", Operator::IsNull),
    ("isdistinct", Operator::Neq),
];

/// The operators that can be asked of any or all of a list: `eq(any).{1,2}`.
pub(super) const QUANTIFIED: [&str; 9] = ["eq", "like", "ilike", "gt", "gte", "lt", "lte", "match", "imatch"];

/// The operators of searches, with their syntax: the only ones that take a language.
const SEARCHES: [(&str, Syntax); 4] =
    [("fts", Syntax::Query), ("plfts", Syntax::Plain), ("phfts", Syntax::Phrase), ("wfts", Syntax::Web)];

/// PostgREST's operators of types that no column has: arrays and ranges.
const OF_OTHER_TYPES: [&str; 8] = ["cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"];

/// The operator that a word names.
pub(super) fn operator(word: &str) -> Option<Operator> {
    OPERATORS.iter().find(|(name, _)| *name == word).map(|(_, operator)| *operator)
}

/// The error of a condition that cannot be read, from the byte `at` on.
pub(super) fn unreadable(text: &str, at: usize, expecting: &str) -> Error {
    let unexpected = match text.get(at..).and_then(|rest| rest.chars().next()) {
        Some(character) => format!("\"{character}\""),
        None => "end of input".to_owned(),
    };
    let column = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
    Error::bad_request(format!("\"failed to parse filter ({text})\" (line 1, column {column})"))
        .details(format!("unexpected {unexpected} expecting {expecting}"))
}

/// The error of a word where an operator must stand.
fn no_operator(text: &str, at: usize, word: &str) -> Error {
    let names = || OPERATORS.iter().map(|(name, _)| *name).chain(["not"]);
    let error = unreadable(text, at, "\"not\" or operator (eq, gt, ...)");
    match nearest(word, names()) {
        Some(near) => error.hint(format!("Did you mean \"{near}\"?")),
        None => {
            error.hint(format!("A filter is column=operator.value with {}", names().collect::<Vec<_>>().join(", ")))
        }
    }
}

impl Filters<'_> {
    pub(super) fn slot(&mut self, argument: Argument) -> usize {
        self.arguments.push(argument);
        self.arguments.len() - 1
    }

    /// `op.value` or `not.op.value` of a column.
    pub(super) fn comparison(&mut self, column: &str, text: &str) -> Result<Filter> {
        let left = Left::of(self.resource, column)?;
        match text.strip_prefix("not.") {
            Some(_) => Ok(Filter::Not(Box::new(self.operation(&left, text, "not.".len())?))),
            None => self.operation(&left, text, 0),
        }
    }

    /// `op.value`, from the byte `at` of the text on.
    fn operation(&mut self, left: &Left, text: &str, at: usize) -> Result<Filter> {
        let rest = &text[at..];
        let end = rest.find(['.', '(']).unwrap_or(rest.len());
        let word = &rest[..end];
        let known = operator(word).is_some() || OF_OTHER_TYPES.contains(&word);
        if !known {
            return Err(no_operator(text, at, word));
        }
        let (behind, value_at) = (&rest[end..], |behind: &str| text.len() - behind.len());
        let (modifier, value) = match behind.strip_prefix('(') {
            None => (None, behind.strip_prefix('.')),
            Some(inside) => match inside.split_once(')') {
                Some((modifier, behind)) => (Some(modifier), behind.strip_prefix('.')),
                None => return Err(unreadable(text, text.len(), "\")\"")),
            },
        };
        let Some(value) = value else {
            let at = modifier.map_or(at + end, |modifier| at + end + modifier.len() + "()".len());
            return Err(unreadable(text, at, "\".\"").hint("A filter is column=operator.value"));
        };
        if OF_OTHER_TYPES.contains(&word) {
            return Err(Error::bad_request(format!(
                "operator does not exist: \"{word}\" for the column \"{}\"",
                left.column
            ))
            .code("42883")
            .details("It compares arrays or ranges, and no column holds any")
            .hint("A text is searched with like, match or fts; a list of values is asked with in"));
        }
        if let Some((_, syntax)) = SEARCHES.iter().find(|(name, _)| *name == word) {
            return self.search(left, *syntax, modifier, value);
        }
        if let Some(modifier) = modifier {
            if !QUANTIFIED.contains(&word) {
                return Err(unreadable(text, at + end, "\".\"")
                    .hint(format!("\"{word}\" takes no any or all; {} do", QUANTIFIED.join(", "))));
            }
            let any = match modifier {
                "any" => true,
                "all" => false,
                _ => return Err(unreadable(text, at + end + 1, "\"any\" or \"all\"")),
            };
            let items = list(value, ['{', '}']).ok_or_else(|| {
                unreadable(text, value_at(value), "a list in braces")
                    .hint(format!("{word}({modifier}) takes a list: {word}({modifier}).{{a,\"b,c\"}}"))
            })?;
            let items = items.into_iter().map(|item| self.single(left, word, item)).collect::<Result<Vec<_>>>()?;
            return Ok(if any { Filter::Or(items) } else { Filter::And(items) });
        }
        match word {
            "is" => self.is(left, text, value),
            "in" => {
                let items = list(value, ['(', ')']).ok_or_else(|| {
                    unreadable(text, value_at(value), "a list in parentheses")
                        .hint("in takes a list: in.(1,2) or in.(\"a,b\",c)")
                })?;
                let left = left.typed(&items)?;
                let argument = Argument::List(items.into_iter().map(Argument::Text).collect());
                Ok(self.compare(&left, Operator::In, argument))
            }
            "isdistinct" => {
                let left = left.typed(std::slice::from_ref(&value.to_owned()))?;
                let differs = self.compare(&left, Operator::Neq, Argument::Text(value.to_owned()));
                Ok(Filter::Or(vec![differs, self.null(&left, true)]))
            }
            word => self.single(left, word, value.to_owned()),
        }
    }

    /// A search in a text.
    fn search(&mut self, left: &Left, syntax: Syntax, language: Option<&str>, query: &str) -> Result<Filter> {
        let language = language.map(|name| {
            Language::named(name).ok_or_else(|| {
                let names = || Language::ALL.into_iter().map(Language::name);
                let error = Error::bad_request(format!("text search configuration \"{name}\" does not exist"))
                    .code("42704")
                    .hint(format!("There are {}", names().collect::<Vec<_>>().join(", ")));
                error.nearest(&name.to_ascii_lowercase(), names())
            })
        });
        let left = left.typed(std::slice::from_ref(&query.to_owned()))?;
        Ok(match (syntax, language.transpose()?) {
            // Where GraphQL has a prefix, PostgreSQL's plain words have nothing.
            (Syntax::Plain, None) => self.compare(&left, Operator::Search, Argument::Text(query.replace('*', " "))),
            (syntax, language) => {
                self.compare(&left, Operator::FullText(syntax, language), Argument::Text(query.to_owned()))
            }
        })
    }

    /// A comparison with one value.
    fn single(&mut self, left: &Left, word: &str, value: String) -> Result<Filter> {
        let operator = operator(word).ok_or_else(|| Error::internal(format!("{word} is no operator")))?;
        let left = left.typed(std::slice::from_ref(&value))?;
        let value = match word {
            // PostgREST takes the star for the percent sign, which a URL would have to escape.
            "like" | "ilike" => value.replace('*', "%"),
            "imatch" => format!("(?i){value}"),
            _ => value,
        };
        Ok(self.compare(&left, operator, Argument::Text(value)))
    }

    fn compare(&mut self, left: &Left, operator: Operator, argument: Argument) -> Filter {
        let term = self.term(left);
        Filter::Compare { term, operator, slot: self.slot(argument) }
    }

    fn null(&mut self, left: &Left, null: bool) -> Filter {
        Filter::IsNull { term: self.term(left), null }
    }

    fn term(&mut self, left: &Left) -> Term {
        let column = left.column.clone();
        match &left.path {
            None => Term::Column(column),
            Some((path, kind)) => Term::Json { column, path: self.slot(path.clone()), kind: *kind },
        }
    }

    fn is(&mut self, left: &Left, text: &str, value: &str) -> Result<Filter> {
        let word = value.to_ascii_lowercase();
        let boolean = || match (&left.path, left.boolean) {
            (Some((path, JsonKind::Value)), _) => {
                Ok(Left { path: Some((path.clone(), JsonKind::Boolean)), ..left.clone() })
            }
            (None, true) => Ok(left.clone()),
            _ => Err(Error::bad_request(format!(
                "\"is.{value}\" has no meaning for \"{}\": it is no boolean",
                left.column
            ))
            .code("42804")),
        };
        Ok(match word.as_str() {
            "null" => self.null(&left.present(), true),
            "not_null" => self.null(&left.present(), false),
            "unknown" => self.null(&boolean()?, true),
            // It is so or it is not: NULL is not true.
            "true" | "false" => {
                let left = boolean()?;
                let equal = self.compare(&left, Operator::Eq, Argument::Bool(word == "true"));
                Filter::And(vec![equal, self.null(&left, false)])
            }
            _ => {
                let words = ["null", "not_null", "true", "false", "unknown"];
                return Err(unreadable(text, text.len() - value.len(), &format!("isVal: ({})", words.join(", ")))
                    .hint("is takes null, not_null, true, false and unknown")
                    .nearest(&word, words));
            }
        })
    }
}
