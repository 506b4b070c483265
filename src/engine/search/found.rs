//! Whether a text has what a tree says, for SQLite.
//!
//! In: a `tsquery` as [`super::operand`] writes it, a language, a text. Out: whether it is there. A phrase is judged by the
//! places where its parts are; PostgreSQL keeps the first 256 of a word, up to 16383, and so does this.

use super::{Tree, parse, stems::Stems};
use crate::{catalog::Language, engine::words};
use std::{borrow::Cow, collections::BTreeSet};

/// How many places of a word count.
const MOST: usize = 256;
/// The last place that is told from those behind it.
const LAST: u32 = 16_383;

/// What texts are asked for.
pub(crate) struct Wants {
    /// None finds nothing.
    tree: Option<Tree>,
    stems: Option<Stems>,
}

/// The words of a text with their places, in order.
struct Text<'t>(Vec<(Cow<'t, str>, u32)>);

/// The places where something ends that is so many words wide, or all others.
#[derive(Default)]
struct Places {
    at: BTreeSet<u32>,
    others: bool,
    width: u32,
}

impl Wants {
    /// Reads the query that is bound for a search by the words as they are written.
    pub(crate) fn as_written(operand: &str) -> Result<Self, String> {
        let parts: Vec<Option<String>> = serde_json::from_str(operand).map_err(|error| error.to_string())?;
        let mut parts = parts.into_iter();
        let least = parts.next().flatten().unwrap_or_default();
        let whole = parts.next().flatten().unwrap_or(least);
        Ok(Self { tree: parse::read_back(&whole)?.cleaned().tree, stems: None })
    }

    /// Reads the query that is bound for a search by the words of a language.
    pub(crate) fn in_language(operand: &str, language: Language) -> Result<Self, String> {
        let stems = Stems::of(language);
        let tree = parse::read_back(operand)?.stemmed(&stems).cleaned().tree;
        Ok(Self { tree, stems: Some(stems) })
    }

    /// Whether a text has it.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        let Some(tree) = &self.tree else { return false };
        let text = words::folded(text);
        let mut found = Vec::new();
        for (place, word) in (1..).zip(words::of(&text)) {
            let word = match &self.stems {
                Some(stems) => stems.stem(word),
                None => Some(Cow::Borrowed(word)),
            };
            if let Some(word) = word {
                found.push((word, LAST.min(place)));
            }
        }
        found.sort_unstable();
        Text(found).has(tree)
    }
}

impl Tree {
    fn stemmed(self, stems: &Stems) -> Self {
        let each = |all: Vec<Self>| all.into_iter().map(|one| one.stemmed(stems)).collect();
        match self {
            Self::Nothing => Self::Nothing,
            Self::Word { wanted, never } => match wanted.changed(|word| stems.stem(word)) {
                Some(wanted) => Self::Word { wanted, never },
                None => Self::Nothing,
            },
            Self::Not(one) => Self::Not(Box::new(one.stemmed(stems))),
            Self::And(all) => Self::And(each(all)),
            Self::Or(all) => Self::Or(each(all)),
            Self::Phrase(left, distance, right) => {
                Self::Phrase(Box::new(left.stemmed(stems)), distance, Box::new(right.stemmed(stems)))
            }
        }
    }
}

impl Text<'_> {
    fn has(&self, tree: &Tree) -> bool {
        match tree {
            Tree::Nothing => false,
            Tree::Word { wanted, never } => {
                let from = self.from(wanted.word());
                !never && self.0.get(from).is_some_and(|(word, _)| wanted.is(word))
            }
            Tree::Not(one) => !self.has(one),
            Tree::And(all) => all.iter().all(|one| self.has(one)),
            Tree::Or(any) => any.iter().any(|one| self.has(one)),
            Tree::Phrase(..) => !self.places(tree).nowhere(),
        }
    }

    /// Where the words begin that are not before `word`.
    fn from(&self, word: &str) -> usize {
        self.0.partition_point(|(other, _)| **other < *word)
    }

    fn places(&self, tree: &Tree) -> Places {
        match tree {
            Tree::Nothing => Places::default(),
            Tree::Word { never: true, .. } => Places::default(),
            Tree::Word { wanted, .. } => {
                let (mut at, mut last, mut count) = (BTreeSet::new(), "", 0);
                let words = self.0[self.from(wanted.word())..].iter();
                for (word, place) in words.take_while(|(word, _)| wanted.is(word)) {
                    count = if last == word { count + 1 } else { 1 };
                    last = word;
                    if count <= MOST {
                        at.insert(*place);
                    }
                }
                Places { at, ..Places::default() }
            }
            Tree::Not(one) => {
                let places = self.places(one);
                Places { others: !places.others, ..places }
            }
            Tree::And(all) => {
                self.joined(
                    all,
                    |one, other| {
                        if one.nowhere() || other.nowhere() { Places::default() } else { one.both(other) }
                    },
                )
            }
            Tree::Or(any) => self.joined(any, |one, other| {
                let width = |places: Places| if places.nowhere() { Places { width: 0, ..places } } else { places };
                width(one).either(width(other))
            }),
            Tree::Phrase(left, distance, right) => {
                let (left, right) = (self.places(left), self.places(right));
                if left.nowhere() || right.nowhere() {
                    return Places::default();
                }
                let width = distance + left.width + right.width;
                // Both end where the right one ends.
                let left = Places { width: right.width, ..left.moved(distance + right.width) };
                Places { width, ..left.both(right) }
            }
        }
    }

    fn joined(&self, all: &[Tree], join: impl Fn(Places, Places) -> Places) -> Places {
        all.iter().map(|one| self.places(one)).reduce(join).unwrap_or_default()
    }
}

impl Places {
    fn nowhere(&self) -> bool {
        !self.others && self.at.is_empty()
    }

    fn moved(self, by: u32) -> Self {
        Self { at: self.at.into_iter().map(|place| place + by).collect(), ..self }
    }

    /// Both moved to where the wider one ends.
    fn aligned(self, other: Self) -> (Self, Self, u32) {
        let width = self.width.max(other.width);
        let (by, other_by) = (width - self.width, width - other.width);
        (self.moved(by), other.moved(other_by), width)
    }

    fn both(self, other: Self) -> Self {
        let (one, other, width) = self.aligned(other);
        let (at, others) = match (one.others, other.others) {
            (false, false) => (&one.at & &other.at, false),
            (false, true) => (&one.at - &other.at, false),
            (true, false) => (&other.at - &one.at, false),
            (true, true) => (&one.at | &other.at, true),
        };
        Self { at, others, width }
    }

    fn either(self, other: Self) -> Self {
        let opposite = |places: Self| Self { others: !places.others, ..places };
        opposite(opposite(self).both(opposite(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::Syntax, engine::search::operand};

    fn found(text: &str, query: &str, language: Option<Language>) -> bool {
        let bound = operand(Syntax::Query, language, query).expect(query).to_sqlite();
        let rusqlite::types::Value::Text(bound) = bound else { panic!("no text: {bound:?}") };
        let wants = match language {
            Some(language) => Wants::in_language(&bound, language),
            None => Wants::as_written(&bound),
        };
        wants.expect(query).are_in(text)
    }

    #[test]
    fn a_phrase_is_where_its_parts_are() {
        for (text, query, expected) in [
            ("a b c", "a <-> b <-> c", true),
            ("a b c", "a <-> (b <-> c)", true),
            ("a x b c", "a <-> (b <-> c)", false),
            ("a x b c", "a <2> (b <-> c)", true),
            ("a b c", "(a <-> b | x) <-> c", true),
            ("a b c", "a <2> c & !(b <-> a)", true),
            ("a b", "!a <-> b", false),
            ("c b", "!a <-> b", true),
            ("a b", "!c <-> !d", true),
            ("a", "a <0> a", true),
            ("", "!a", true),
            ("", "a", false),
            ("a", "", false),
        ] {
            assert_eq!(found(text, query, None), expected, "{text}: {query}");
        }
        assert!(found("The cats of the rats", "cat <3> rat", Some(Language::English)));
        assert!(found("москва bears", "bear <-> москву | москва <-> bear", Some(Language::Russian)));
        assert!(!found("the", "the", Some(Language::English)) && found("the", "the", Some(Language::Simple)));
    }
}
