//! Full text: a query in any of its syntaxes as one tree, and the tree as each database takes it.
//!
//! In: what the client wrote, its syntax and its language. Out: the operand that is bound. PostgreSQL is given a
//! `tsquery`, which [`parse`] reads back on SQLite, where [`found`] looks whether a text has what it says. Words are what
//! [`words`] says, whatever the language: it only stems them, and leaves out those that say nothing.

mod found;
mod parse;
mod stems;

pub(crate) use found::Wants;

use super::words::{self, Wanted};
use crate::catalog::{Language, Syntax, scalar::Value};

/// How deep a query of SQLite's index may be nested: its parser takes some 30 parentheses.
const MAX_INDEXED: usize = 20;

/// What a text must have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tree {
    /// What has no words, and says nothing.
    Nothing,
    /// A word.
    Word {
        /// The word, and whether a longer one that begins so will do.
        wanted: Wanted,
        /// Of a weight that no word of a column has: it is never there.
        never: bool,
    },
    /// Not this.
    Not(Box<Tree>),
    /// All of them.
    And(Vec<Tree>),
    /// Any of them.
    Or(Vec<Tree>),
    /// One, and so many words on, the other.
    Phrase(Box<Tree>, u32, Box<Tree>),
}

/// A tree without what says nothing, and how many words of it have been left out on either side.
#[derive(Default)]
struct Cleaned {
    tree: Option<Tree>,
    before: u32,
    behind: u32,
}

impl Tree {
    /// The words of a text one after the other, as neighbours.
    fn neighbours(text: &str, prefix: bool, never: bool) -> Self {
        let words = words::plain(text).into_iter().map(|wanted| Self::Word { wanted: wanted.or_prefix(prefix), never });
        words.reduce(|left, right| Self::Phrase(Box::new(left), 1, Box::new(right))).unwrap_or(Self::Nothing)
    }

    /// Several as one; of one, itself.
    fn all(mut trees: Vec<Self>, of: fn(Vec<Self>) -> Self) -> Self {
        match trees.len() {
            0 => Self::Nothing,
            1 => trees.remove(0),
            _ => of(trees),
        }
    }

    /// The same without what says nothing; none if that is all of it. A phrase keeps the distance of what is left.
    fn cleaned(self) -> Cleaned {
        match self {
            Self::Nothing => Cleaned::default(),
            Self::Word { .. } => Cleaned { tree: Some(self), ..Cleaned::default() },
            Self::Not(inner) => {
                let cleaned = inner.cleaned();
                // Twice not is not at all, and PostgreSQL reads no more than 32 signs in a row.
                let not = |tree| if let Self::Not(tree) = tree { *tree } else { Self::Not(Box::new(tree)) };
                Cleaned { tree: cleaned.tree.map(not), ..cleaned }
            }
            Self::And(all) => together(all, Self::And),
            Self::Or(all) => together(all, Self::Or),
            Self::Phrase(left, distance, right) => {
                let (left, right) = (left.cleaned(), right.cleaned());
                match (left.tree, right.tree) {
                    (None, None) => {
                        let gap = left.before + distance + right.behind;
                        Cleaned { tree: None, before: gap, behind: gap }
                    }
                    (None, Some(tree)) => Cleaned {
                        tree: Some(tree),
                        before: left.before + distance + right.before,
                        behind: right.behind,
                    },
                    (Some(tree), None) => {
                        Cleaned { tree: Some(tree), before: left.before, behind: left.behind + distance + right.behind }
                    }
                    (Some(one), Some(other)) => {
                        let distance = distance + left.behind + right.before;
                        let tree = Self::Phrase(Box::new(one), distance, Box::new(other));
                        Cleaned { tree: Some(tree), before: left.before, behind: right.behind }
                    }
                }
            }
        }
    }

    /// Whether it takes more than which words a text has.
    fn needs_places(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Word { never, .. } => *never,
            Self::Not(inner) => inner.needs_places(),
            Self::And(all) | Self::Or(all) => all.iter().any(Self::needs_places),
            Self::Phrase(..) => true,
        }
    }

    /// What a text must have at least, whatever the places of its words; none if that can be anything.
    fn at_least(&self, in_phrase: bool) -> Option<Self> {
        match self {
            Self::Nothing => None,
            Self::Word { wanted, .. } => Some(Self::Word { wanted: wanted.clone(), never: false }),
            Self::Not(inner) => (!in_phrase && !inner.needs_places()).then(|| self.clone()),
            Self::And(all) => {
                let parts: Vec<_> = all.iter().filter_map(|one| one.at_least(in_phrase)).collect();
                (!parts.is_empty()).then(|| Self::all(parts, Self::And))
            }
            Self::Or(any) => {
                let parts = any.iter().map(|one| one.at_least(in_phrase)).collect::<Option<Vec<_>>>();
                parts.map(|parts| Self::all(parts, Self::Or))
            }
            Self::Phrase(left, _, right) => {
                let parts: Vec<_> = [left, right].into_iter().filter_map(|one| one.at_least(true)).collect();
                (!parts.is_empty()).then(|| Self::all(parts, Self::And))
            }
        }
    }

    /// As PostgreSQL's `tsquery`. Words have no character that means anything there.
    fn tsquery(&self) -> String {
        let inner = |tree: &Self| match tree {
            Self::And(_) | Self::Or(_) | Self::Phrase(..) => format!("({})", tree.tsquery()),
            _ => tree.tsquery(),
        };
        let join = |all: &[Self], sign: &str| all.iter().map(inner).collect::<Vec<_>>().join(sign);
        match self {
            Self::Nothing => String::new(),
            Self::Word { wanted, never } => format!(
                "{}{}",
                wanted.tsquery(),
                match (never, wanted.prefix()) {
                    (false, _) => "",
                    (true, true) => "A",
                    (true, false) => ":A",
                }
            ),
            Self::Not(one) => format!("!{}", inner(one)),
            Self::And(all) => join(all, " & "),
            Self::Or(all) => join(all, " | "),
            Self::Phrase(left, distance, right) => {
                // They are read from the left.
                let left = if matches!(**left, Self::Phrase(..)) { left.tsquery() } else { inner(left) };
                format!("{left} <{distance}> {}", inner(right))
            }
        }
    }

    /// As SQLite's FTS5 can look for it at least; none where that is anything, or nested deeper than `left`.
    fn fts5(&self, left: usize) -> Option<String> {
        let inner = |tree: &Self| tree.fts5(left.checked_sub(1)?);
        match self {
            Self::Nothing | Self::Not(_) => None,
            Self::Word { wanted, .. } => Some(wanted.fts5()),
            Self::And(all) => {
                let parts: Vec<_> = all.iter().filter_map(inner).collect();
                (!parts.is_empty()).then(|| format!("({})", parts.join(" AND ")))
            }
            Self::Or(any) => {
                let parts = any.iter().map(inner).collect::<Option<Vec<_>>>()?;
                Some(format!("({})", parts.join(" OR ")))
            }
            Self::Phrase(..) => self.at_least(true)?.fts5(left),
        }
    }
}

/// Several trees without what says nothing.
fn together(all: Vec<Tree>, of: fn(Vec<Tree>) -> Tree) -> Cleaned {
    let all: Vec<_> = all.into_iter().map(Tree::cleaned).collect();
    let gap = all.iter().map(|one| one.before).max().unwrap_or(0);
    let (mut trees, mut sides) = (Vec::with_capacity(all.len()), (0, 0));
    for one in all {
        if let Some(tree) = one.tree {
            trees.push(tree);
            sides = (one.before, one.behind);
        }
    }
    match trees.len() {
        0 => Cleaned { tree: None, before: gap, behind: gap },
        1 => Cleaned { tree: trees.pop(), before: sides.0, behind: sides.1 },
        _ => Cleaned { tree: Some(of(trees)), ..Cleaned::default() },
    }
}

/// The operand of a search in a syntax. With a language it is one `tsquery`. Without, it is a list: a `tsquery` that needs
/// no places of words, for an index; the whole one, if that is another; and what SQLite's index can be asked at least.
///
/// # Errors
/// What PostgreSQL says of a query that has no meaning.
pub(super) fn operand(syntax: Syntax, language: Option<Language>, query: &str) -> Result<Value, String> {
    let tree = parse::parse(syntax, query)?.cleaned().tree;
    let whole = tree.as_ref().map(Tree::tsquery).unwrap_or_default();
    if language.is_some() {
        return Ok(Value::Text(whole));
    }
    let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    // A query of nothing finds nothing, which is what an empty phrase says in FTS5.
    let Some(tree) = tree else {
        return Ok(Value::List(vec![Value::Text(whole), Value::Null, Value::Text("\"\"".to_owned())]));
    };
    let fts5 = text(tree.fts5(MAX_INDEXED));
    Ok(Value::List(if tree.needs_places() {
        // No word has a space in it.
        let least = tree.at_least(false).map_or_else(|| "!' '".to_owned(), |least| least.tsquery());
        vec![Value::Text(least), Value::Text(whole), fts5]
    } else {
        vec![Value::Text(whole), Value::Null, fts5]
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tsquery(syntax: Syntax, query: &str) -> String {
        parse::parse(syntax, query).expect(query).cleaned().tree.map_or_else(String::new, |tree| tree.tsquery())
    }

    #[test]
    fn every_syntax_is_one_tree() {
        use Syntax::{Phrase, Plain, Query, Web};
        for (syntax, query, expected) in [
            (Query, "", ""),
            (Query, "Cat", "'cat'"),
            (Query, "cat & !dog | 'fat rat':*", "('cat' & !'dog') | ('fat':* <1> 'rat':*)"),
            (Query, "a<->b <2> c", "'a' <1> 'b' <2> 'c'"),
            (Query, "a <-> (b <-> c)", "'a' <1> ('b' <1> 'c')"),
            (Query, "!!a & !(b)", "'a' & !'b'"),
            (Query, "a <-> '--' <-> b", "'a' <2> 'b'"),
            (Query, "a & '--'", "'a'"),
            (Query, "!'--'", ""),
            (Query, "cat:AD & dog:bc & e:*c", "'cat' & 'dog':A & 'e':*A"),
            (Query, "cof* & it''s & a\\ b", "'cof' & ('it' <1> 's') & ('a' <1> 'b')"),
            (Plain, "the cat's | !hat:*", "'the' & 'cat' & 's' & 'hat'"),
            (Plain, " -- ", ""),
            (Phrase, "Fat cats, rats", "'fat' <1> 'cats' <1> 'rats'"),
            (Web, "a - b", "'a' & !'b'"),
            (Web, "or a", "'or' & 'a'"),
            (Web, "a or", "'a' & 'or'"),
            (Web, "a or or b", "'a' | ('or' & 'b')"),
            (Web, "a OR b c", "'a' | ('b' & 'c')"),
            (Web, "\"a b\" -\"c d\" e", "('a' <1> 'b') & !('c' <1> 'd') & 'e'"),
            (Web, "\"a b", "'a' <1> 'b'"),
            (Web, "a\"b c\"d", "'a' & ('b' <1> 'c') & 'd'"),
            (Web, "a & b | !c", "'a' & 'b' & 'c'"),
            (Web, "--a", "'a'"),
            (Web, "a -", "'a'"),
            (Web, "a orb or-b", "'a' & 'orb' & ('or' <1> 'b')"),
            (Web, "a or (b", "'a' | 'b'"),
            (Web, "\"\" a", "'a'"),
            (Web, "a:b <-> c", "'a' & 'b' & 'c'"),
        ] {
            assert_eq!(tsquery(syntax, query), expected, "{query}");
            let printed = tsquery(Query, expected);
            assert_eq!(printed, expected, "read back");
        }
    }

    #[test]
    fn a_query_without_meaning_is_refused_in_postgresqls_words() {
        for query in ["a b", "a<b", "a <x> b", "()", "a)", "(a", "& a", "a:*:*", "a : *", "'' & a", "a <-1> b", "'a"] {
            let error = parse::parse(Syntax::Query, query).expect_err(query);
            assert_eq!(error, format!("syntax error in tsquery: \"{query}\""));
        }
        assert_eq!(parse::parse(Syntax::Query, "a &"), Err("no operand in tsquery: \"a &\"".to_owned()));
        assert!(parse::parse(Syntax::Query, "a <16385> b").is_err_and(|error| error.starts_with("distance")));
        let deep = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse::parse(Syntax::Query, &deep(50)).is_ok() && parse::parse(Syntax::Query, &deep(51)).is_err());
        assert_eq!(tsquery(Syntax::Query, &format!("{}a", "!".repeat(999))), "!'a'");
    }

    #[test]
    fn an_index_is_asked_for_what_must_be_there() {
        let parts = |query: &str| match operand(Syntax::Query, None, query) {
            Ok(Value::List(parts)) => parts
                .into_iter()
                .map(|part| match part {
                    Value::Text(text) => text,
                    _ => "-".to_owned(),
                })
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        for (query, expected) in [
            ("a & b:*", ["'a' & 'b':*", "-", "(\"a\" AND \"b\"*)"]),
            ("a & !b", ["'a' & !'b'", "-", "(\"a\")"]),
            ("a | !b", ["'a' | !'b'", "-", "-"]),
            ("a <-> b | c", ["('a' & 'b') | 'c'", "('a' <1> 'b') | 'c'", "((\"a\" AND \"b\") OR \"c\")"]),
            ("!a <-> b", ["'b'", "!'a' <1> 'b'", "\"b\""]),
            ("!(a <-> b)", ["!' '", "!('a' <1> 'b')", "-"]),
            ("a:A & b", ["'a' & 'b'", "'a':A & 'b'", "(\"a\" AND \"b\")"]),
            ("", ["", "-", "\"\""]),
        ] {
            assert_eq!(parts(query), expected, "{query}");
        }
    }
}
