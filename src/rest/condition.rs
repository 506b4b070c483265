//! A condition on one value in PostgREST's spelling: `op.value`, `not.op.value`, `op(any).{…}`.
//!
//! In: the left side of a pair of the query string and its right side. Out: a [`Filter`] without values, and the values.

use super::{
    filter::{Filters, list},
    left::Left,
};
use crate::{
    catalog::{Operator, scalar::JsonKind},
    engine::{
        bind::Argument,
        request::{Filter, Term},
    },
    error::{Error, Result, nearest},
};

/// PostgREST's names of the operators. Some are another one's in other words.
pub(super) const OPERATORS: [(&str, Operator); 16] = [
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
    ("fts", Operator::Search),
    ("plfts", Operator::Search),
    ("wfts", Operator::Search),
    ("is", Operator::IsNull),
    ("isdistinct", Operator::Neq),
];

/// The operators that can be asked of any or all of a list: `eq(any).{1,2}`.
pub(super) const QUANTIFIED: [&str; 9] = ["eq", "like", "ilike", "gt", "gte", "lt", "lte", "match", "imatch"];

/// The operator that a word names.
pub(super) fn operator(word: &str) -> Option<Operator> {
    OPERATORS.iter().find(|(name, _)| *name == word).map(|(_, operator)| *operator)
}

impl Filters<'_> {
    pub(super) fn slot(&mut self, argument: Argument) -> usize {
        self.arguments.push(argument);
        self.arguments.len() - 1
    }

    /// `op.value` or `not.op.value` of a column.
    pub(super) fn comparison(&mut self, column: &str, text: &str) -> Result<Filter> {
        if let Some(negated) = text.strip_prefix("not.") {
            // As many as a client writes would be as deep a filter.
            if negated.starts_with("not.") {
                return Err(Error::bad_request(format!("\"{column}={text}\" is not understood"))
                    .details("unexpected \"not\" behind \"not\""));
            }
            return Ok(Filter::Not(Box::new(self.comparison(column, negated)?)));
        }
        let left = Left::of(self.resource, column)?;
        let unknown = |word: &str, names: &[&'static str]| {
            let error = Error::bad_request(format!("\"{column}={text}\" is not understood"))
                .details(format!("\"{word}\" is no operator"));
            match nearest(word, names.iter().copied()) {
                Some(near) => error.hint(format!("Did you mean \"{near}\"?")),
                None => error.hint(format!("A filter is column=operator.value with {}", names.join(", "))),
            }
        };
        let names: Vec<_> = OPERATORS.iter().map(|(name, _)| *name).chain(["not"]).collect();
        let Some((word, value)) = text.split_once('.') else { return Err(unknown(text, &names)) };
        if let Some((word, quantifier)) = word.strip_suffix(')').and_then(|word| word.split_once('(')) {
            if !QUANTIFIED.contains(&word) {
                return Err(unknown(word, &QUANTIFIED).details(format!("\"{word}\" takes no any or all")));
            }
            let any = match quantifier {
                "any" => true,
                "all" => false,
                _ => return Err(unknown(quantifier, &["any", "all"])),
            };
            let items = list(value, ['{', '}']).ok_or_else(|| {
                Error::bad_request(format!("\"{column}={text}\" is not understood"))
                    .hint(format!("{word}({quantifier}) takes a list: {word}({quantifier}).{{a,\"b,c\"}}"))
            })?;
            let items = items.into_iter().map(|item| self.single(&left, word, item)).collect::<Result<Vec<_>>>()?;
            return Ok(if any { Filter::Or(items) } else { Filter::And(items) });
        }
        match word {
            "is" => self.is(&left, value),
            "in" => {
                let items = list(value, ['(', ')']).ok_or_else(|| {
                    Error::bad_request(format!("\"in.{value}\" is not understood"))
                        .hint("in takes a list: in.(1,2) or in.(\"a,b\",c)")
                })?;
                let left = left.typed(&items)?;
                let argument = Argument::List(items.into_iter().map(Argument::Text).collect());
                Ok(self.compare(&left, Operator::In, argument))
            }
            // A phrase needs the order of the words, which are looked for without it.
            "phfts" => Err(Error::bad_request(format!("\"{column}={text}\" is not understood"))
                .details("phrases cannot be searched for")
                .hint("fts finds all words in any order")),
            "isdistinct" => {
                let left = left.typed(std::slice::from_ref(&value.to_owned()))?;
                let differs = self.compare(&left, Operator::Neq, Argument::Text(value.to_owned()));
                Ok(Filter::Or(vec![differs, self.null(&left, true)]))
            }
            word if operator(word).is_some() => self.single(&left, word, value.to_owned()),
            word => Err(unknown(word, &names)),
        }
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

    fn is(&mut self, left: &Left, value: &str) -> Result<Filter> {
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
                return Err(Error::bad_request(format!("\"is.{value}\" is not understood"))
                    .hint("is takes null, not_null, true, false and unknown")
                    .nearest(&word, words));
            }
        })
    }
}
