//! The filter operators, with their names in both protocols.

use super::Language;

/// What a filter asks of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal; a NULL is neither equal nor unequal.
    Neq,
    /// One of a list; nothing is in an empty list.
    In,
    /// None of a list.
    NotIn,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// A pattern with `%` and `_`, case-sensitive on both databases; a backslash escapes.
    Like,
    /// The same without regard to case.
    Ilike,
    /// Begins with a text, which is no pattern.
    StartsWith,
    /// Ends with a text, which is no pattern.
    EndsWith,
    /// Has a text in it, which is no pattern.
    Contains,
    /// A regular expression is found in it.
    Match,
    /// Has all words of a query.
    Search,
    /// Has what a query in a syntax says, by the words of a language; without one, by the words as they are written.
    FullText(Syntax, Option<Language>),
    /// NULL or, with `false`, not NULL.
    IsNull,
}

/// In what a query is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// PostgreSQL's `tsquery`: `&`, `|`, `!`, `<->`, parentheses, `word:*`.
    Query,
    /// Words, all of which must be there.
    Plain,
    /// Words, which must follow one another.
    Phrase,
    /// As search engines take it: words, `"phrases"`, `or`, `-`.
    Web,
}

impl Operator {
    /// For types that can only be there or not.
    pub(crate) const PRESENCE: &'static [Self] = &[Self::IsNull];
    /// For types without an order.
    pub(crate) const EQUALITY: &'static [Self] = &[Self::Eq, Self::Neq, Self::In, Self::NotIn, Self::IsNull];
    /// For types with an order.
    pub(crate) const ORDERED: &'static [Self] =
        &[Self::Eq, Self::Neq, Self::In, Self::NotIn, Self::Lt, Self::Lte, Self::Gt, Self::Gte, Self::IsNull];
    /// For texts.
    pub(crate) const TEXT: &'static [Self] = &[
        Self::Eq,
        Self::Neq,
        Self::In,
        Self::NotIn,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::Like,
        Self::Ilike,
        Self::StartsWith,
        Self::EndsWith,
        Self::Contains,
        Self::Match,
        Self::Search,
        Self::IsNull,
    ];

    /// The member of a GraphQL filter input.
    pub const fn graphql(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Neq => "neq",
            Self::In => "in",
            Self::NotIn => "notIn",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Like => "like",
            Self::Ilike => "ilike",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Contains => "contains",
            Self::Match => "match",
            Self::Search | Self::FullText(..) => "search",
            Self::IsNull => "isNull",
        }
    }

    /// PostgREST's own name of it; none where it has none.
    pub const fn rest(self) -> Option<&'static str> {
        match self {
            Self::NotIn | Self::StartsWith | Self::EndsWith | Self::Contains => None,
            Self::Search | Self::FullText(Syntax::Plain, _) => Some("plfts"),
            Self::FullText(Syntax::Query, _) => Some("fts"),
            Self::FullText(Syntax::Phrase, _) => Some("phfts"),
            Self::FullText(Syntax::Web, _) => Some("wfts"),
            Self::IsNull => Some("is"),
            operator => Some(operator.graphql()),
        }
    }

    /// Whether its operand is a text that it reads in a way of its own, and not a value of the column.
    pub const fn reads_text(self) -> bool {
        matches!(
            self,
            Self::Like
                | Self::Ilike
                | Self::StartsWith
                | Self::EndsWith
                | Self::Contains
                | Self::Match
                | Self::Search
                | Self::FullText(..)
        )
    }

    /// Whether a type with the operators `has` has it.
    pub fn is_among(self, has: &[Self]) -> bool {
        has.contains(&if matches!(self, Self::FullText(..)) { Self::Search } else { self })
    }

    /// What it does, for the GraphQL schema.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Eq => "Equal.",
            Self::Neq => "Not equal; NULL is neither equal nor unequal.",
            Self::In => "One of the list; nothing is in an empty list.",
            Self::NotIn => "None of the list.",
            Self::Lt => "Less.",
            Self::Lte => "Less or equal.",
            Self::Gt => "Greater.",
            Self::Gte => "Greater or equal.",
            Self::Like => "Matches a pattern: % is any text, _ any character, \\ escapes; case-sensitive.",
            Self::Ilike => "Matches a pattern without regard to case.",
            Self::StartsWith => "Begins with this text; case-sensitive, and no character means anything but itself.",
            Self::EndsWith => "Ends with this text; case-sensitive, and no character means anything but itself.",
            Self::Contains => "Has this text in it; case-sensitive, and no character means anything but itself.",
            Self::Match => {
                "A regular expression is found in it: literals, classes, ., |, groups, *, +, ?, {n,m}, ^, $, \\b, \\d, \\w and \\s of ASCII; (?i) in front ignores case, with (?s) a . is a line feed too."
            }
            Self::Search => {
                "Has all these words, in any order; a word is letters and digits in a row, case does not count, and word* is any word that begins so."
            }
            Self::FullText(..) => "Has what a query says, by the words of a language.",
            Self::IsNull => "NULL if true, not NULL if false.",
        }
    }
}
