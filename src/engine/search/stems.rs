//! What a language makes of words, as PostgreSQL's configuration of its name does, for SQLite.
//!
//! In: a word. Out: its stem, or nothing for a word that is everywhere and says nothing. Both databases have the
//! stemmers of Snowball and lists of words of one origin, which have been corrected here and there since: see [`MORE`].

use crate::catalog::Language;
use rust_stemmers::{Algorithm, Stemmer};
use std::{borrow::Cow, collections::HashSet};

/// Words that PostgreSQL's list has and the other has not.
const MORE: [(Language, &[&str]); 3] = [
    (Language::German, &["unse", "unsem", "unsen", "unses"]),
    (Language::Spanish, &["vosostras", "vosostros"]),
    (Language::Hungarian, &["első", "elő", "először", "előtt", "ő", "ők", "őket"]),
];

/// Words that the other list has and PostgreSQL's has not.
const LESS: [(Language, &[&str]); 5] = [
    (
        Language::English,
        &[
            "ain", "aren", "couldn", "d", "didn", "doesn", "hadn", "hasn", "haven", "isn", "ll", "m", "ma", "mightn",
            "mustn", "needn", "o", "re", "shan", "shouldn", "ve", "wasn", "weren", "won", "wouldn", "y",
        ],
    ),
    (Language::French, &["ils", "les"]),
    (Language::German, &["dass", "unsere", "unserem", "unseren", "unseres"]),
    (Language::Spanish, &["vosotras", "vosotros"]),
    (Language::Portuguese, &["estar", "haver", "ser", "é"]),
];

/// A language's stemmer, and its words that say nothing.
pub(super) struct Stems {
    stemmer: Option<Stemmer>,
    silent: HashSet<&'static str>,
    /// The language of words in Latin letters, where the language itself has none.
    latin: Option<Box<Stems>>,
}

impl Stems {
    pub(super) fn of(language: Language) -> Self {
        let (algorithm, list) = match language {
            Language::Simple => return Self { stemmer: None, silent: HashSet::new(), latin: None },
            Language::Arabic => (Algorithm::Arabic, None),
            Language::Danish => (Algorithm::Danish, Some("da")),
            Language::Dutch => (Algorithm::Dutch, Some("nl")),
            Language::English => (Algorithm::English, Some("en")),
            Language::Finnish => (Algorithm::Finnish, Some("fi")),
            Language::French => (Algorithm::French, Some("fr")),
            Language::German => (Algorithm::German, Some("de")),
            Language::Greek => (Algorithm::Greek, None),
            Language::Hungarian => (Algorithm::Hungarian, Some("hu")),
            Language::Italian => (Algorithm::Italian, Some("it")),
            Language::Norwegian => (Algorithm::Norwegian, Some("no")),
            Language::Portuguese => (Algorithm::Portuguese, Some("pt")),
            Language::Romanian => (Algorithm::Romanian, None),
            Language::Russian => (Algorithm::Russian, Some("ru")),
            Language::Spanish => (Algorithm::Spanish, Some("es")),
            Language::Swedish => (Algorithm::Swedish, Some("sv")),
            Language::Tamil => (Algorithm::Tamil, None),
            Language::Turkish => (Algorithm::Turkish, Some("tr")),
        };
        let listed = list.and_then(stop_words::lookup).unwrap_or_default();
        let mut silent: HashSet<_> = listed.iter().copied().collect();
        for (_, words) in MORE.iter().filter(|(of, _)| *of == language) {
            silent.extend(*words);
        }
        for (_, words) in LESS.iter().filter(|(of, _)| *of == language) {
            words.iter().for_each(|word| _ = silent.remove(word));
        }
        let latin = (language == Language::Russian).then(|| Box::new(Self::of(Language::English)));
        Self { stemmer: Some(Stemmer::create(algorithm)), silent, latin }
    }

    /// What a word is looked for as; nothing for one that says nothing. What has digits in it is of no language.
    pub(super) fn stem<'w>(&self, word: &'w str) -> Option<Cow<'w, str>> {
        if let Some(latin) = self.latin.as_ref().filter(|_| word.is_ascii()) {
            return latin.stem(word);
        }
        match &self.stemmer {
            Some(_) if self.silent.contains(word) => None,
            Some(stemmer) if !word.bytes().any(|byte| byte.is_ascii_digit()) => Some(stemmer.stem(word)),
            _ => Some(Cow::Borrowed(word)),
        }
    }
}
