//! What a word is, for searches: the one rule that both databases keep to.
//!
//! A word is a run of letters, decimal digits and combining accents (U+0300 to U+036F), as long as can be, in lower
//! case; of more than 200 characters, the first 200 count. Accents count, case does not; both forms of the small sigma
//! are one letter. In: a text, or the query of a search. Out: its words, and the query in each database's own words.
//!
//! PostgreSQL has the same rule as an expression ([`postgres`]), on which an index can be made, with the places of the
//! words ([`postgres_places`]) and with the words of a language ([`postgres_stems`]).

use crate::catalog::Language;
use regex::Regex;
use std::{borrow::Cow, sync::LazyLock};

/// How many characters a query may have.
pub(crate) const MAX_QUERY: usize = 1_000;
/// How many characters of a word count: PostgreSQL's words have at most 2 kB.
const LONGEST: usize = 200;
/// The characters of words, in PostgreSQL's regular expressions.
const CLASS: &str = r"[:alnum:]\u0300-\u036f";

static WORD: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant, which the tests compile")]
    Regex::new(r"[\p{L}\p{Nd}\u{300}-\u{36f}]+").expect("the class of words")
});

/// A word that a text must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    word: String,
    /// Whether a longer word that begins so will do.
    prefix: bool,
}

impl Wanted {
    pub(super) fn word(&self) -> &str {
        &self.word
    }

    pub(super) const fn prefix(&self) -> bool {
        self.prefix
    }

    pub(super) fn or_prefix(self, prefix: bool) -> Self {
        Self { prefix: self.prefix || prefix, ..self }
    }

    /// The same of what a language makes of the word.
    pub(super) fn changed<'w>(&'w self, change: impl FnOnce(&'w str) -> Option<Cow<'w, str>>) -> Option<Self> {
        change(&self.word).map(|word| Self { word: word.into_owned(), prefix: self.prefix })
    }

    /// Whether a word of a text is it.
    pub(super) fn is(&self, word: &str) -> bool {
        if self.prefix { word.starts_with(&self.word) } else { *word == self.word }
    }

    /// As PostgreSQL's `tsquery`. It has no character that means anything there.
    pub(super) fn tsquery(&self) -> String {
        format!("'{}'{}", self.word, if self.prefix { ":*" } else { "" })
    }

    /// As SQLite's FTS5 takes it.
    pub(super) fn fts5(&self) -> String {
        format!("\"{}\"{}", self.word, if self.prefix { "*" } else { "" })
    }
}

/// A text as its words are looked for in it.
pub(super) fn folded(text: &str) -> String {
    text.replace('İ', "i").to_lowercase().replace('ς', "σ")
}

fn cut(word: &str) -> &str {
    word.char_indices().nth(LONGEST).map_or(word, |(end, _)| &word[..end])
}

/// The words of a folded text.
pub(super) fn of(text: &str) -> impl Iterator<Item = &str> {
    WORD.find_iter(text).map(|at| cut(at.as_str()))
}

/// The words of a query in which a `*` means nothing.
pub(super) fn plain(query: &str) -> Vec<Wanted> {
    wanted(&query.replace('*', " "))
}

/// The words of a query; one with a `*` behind it, or behind its closing quote, is a prefix.
pub(crate) fn wanted(query: &str) -> Vec<Wanted> {
    let query = folded(query);
    let words = WORD.find_iter(&query);
    words
        .map(|at| {
            let word = cut(at.as_str());
            // Cut words are the same where one begins with the other, and SQLite's index has them whole.
            let behind = &query[at.end()..];
            let star = behind.strip_prefix('"').unwrap_or(behind).starts_with('*');
            let prefix = star || word.len() < at.len();
            Wanted { word: word.to_owned(), prefix }
        })
        .collect()
}

/// Whether a text has all of the words; none is in no text.
pub(crate) fn has(text: &str, wanted: &[Wanted]) -> bool {
    if wanted.is_empty() {
        return false;
    }
    let text = folded(text);
    let words: Vec<_> = of(&text).collect();
    wanted.iter().all(|one| words.iter().any(|word| one.is(word)))
}

/// The query as PostgreSQL's `tsquery`. Words have no character that means anything there.
pub(crate) fn tsquery(wanted: &[Wanted]) -> String {
    wanted.iter().map(Wanted::tsquery).collect::<Vec<_>>().join(" & ")
}

/// The query as SQLite's FTS5 takes it, and as [`wanted`] reads it back.
pub(crate) fn fts5(wanted: &[Wanted]) -> String {
    let query = wanted.iter().map(Wanted::fts5).collect::<Vec<_>>().join(" ");
    // A query of nothing is an error there, one of an empty phrase finds nothing.
    if query.is_empty() { "\"\"".to_owned() } else { query }
}

/// A column as PostgreSQL looks for words in it.
fn postgres_folded(column: &str) -> String {
    format!(
        "translate(regexp_replace(lower(translate({column}, 'İ', 'i') collate \"und-x-icu\"), \
         '([{CLASS}]{{{LONGEST}}})[{CLASS}]+', '\\1', 'g'), 'ς', 'σ')"
    )
}

/// The words of a column as PostgreSQL's `tsvector`: to the letter the expression of the migrations' indexes.
pub(crate) fn postgres(column: &str) -> String {
    let text = postgres_folded(column);
    format!("array_to_tsvector(array_remove(regexp_split_to_array({text}, '[^{CLASS}]+'), ''))")
}

/// The words of a column with their places; of no words, also of NULL, none.
pub(crate) fn postgres_places(column: &str) -> String {
    let text = postgres_folded(column);
    format!(
        "coalesce((select string_agg('''' || w.word || ''':' || w.place, ' ') from \
         regexp_split_to_table({text}, '[^{CLASS}]+') with ordinality as w(word, place) where w.word <> ''), '')\
         ::tsvector"
    )
}

/// The words of a column as those of a language. Its parser is given nothing but words, which it leaves whole.
pub(crate) fn postgres_stems(column: &str, language: Language) -> String {
    let text = postgres_folded(column);
    format!("to_tsvector('{}', regexp_replace({text}, '[^{CLASS}]+', ' ', 'g'))", language.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_in_a_row() {
        for (text, words) in [
            ("", ""),
            ("... --- !", ""),
            ("Coffee, milk & 2 rolls", "coffee milk 2 rolls"),
            ("under_score don't co-op", "under score don t co op"),
            ("É é ÉCOLE", "é é école"),
            ("e\u{301}t", "e\u{301}t"),
            ("Straße STRASSE ẞ", "straße strasse ß"),
            ("咖啡 と ミルク、茶", "咖啡 と ミルク 茶"),
            ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
            ("İstanbul IĞDIR", "istanbul iğdir"),
            ("x² ½ Ⅷ ٣", "x ٣"),
            ("🌳oak🌳", "oak"),
            ("a\u{0}b", "a b"),
        ] {
            let found: Vec<_> = wanted(text).into_iter().map(|one| one.word).collect();
            assert_eq!(found.join(" "), words, "{text}");
        }
    }

    #[test]
    fn all_words_of_a_query_must_be_there() {
        for (text, query, found) in [
            ("Coffee with milk", "milk COFFEE", true),
            ("Coffee with milk", "milk tea", false),
            ("Coffee with milk", "cof", false),
            ("Coffee with milk", "cof*", true),
            ("Coffee with milk", "cof* mil*", true),
            ("Coffee with milk", "cof *", false),
            ("Coffee with milk", "", false),
            ("Coffee with milk", "*", false),
            ("", "x", false),
            ("Café", "cafe", false),
            ("Café", "CAFÉ", true),
            ("ΟΔΟΣ", "οδος", true),
        ] {
            assert_eq!(has(text, &wanted(query)), found, "{text} {query}");
        }
        let long = "ab".repeat(150);
        assert!(has(&long, &wanted(&long)) && has(&long, &wanted(&long[..200])) && !has(&long, &wanted(&long[..199])));
    }

    #[test]
    fn a_query_is_read_back_and_cannot_be_broken_out_of() {
        for query in ["milk* 'coffee' \"", "a & b | !c:*", "x\\' y", "É* NEAR(a b) -c ^d AND"] {
            let words = wanted(query);
            assert_eq!(wanted(&fts5(&words)), words, "{query}");
            assert_eq!(tsquery(&words).matches('\'').count(), words.len() * 2, "{query}");
        }
        assert_eq!(tsquery(&wanted("milk* tea")), "'milk':* & 'tea'");
        assert_eq!(fts5(&wanted("milk* tea")), "\"milk\"* \"tea\"");
    }
}
