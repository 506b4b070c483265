//! The documents that are kept, so that one that was seen before is not parsed and validated again.
//!
//! In: documents that were found valid, by anybody. Out: the same, by their text and the operation's name, in bounded
//! memory.

use super::Document;
use quick_cache::{Equivalent, Weighter, sync::Cache};
use std::sync::Arc;

/// How many documents are kept.
const DOCUMENTS: usize = 1_000;
/// How many bytes of their texts are kept: what is parsed and planned of a text takes some fifty times as much memory, and
/// anybody may send documents.
const MAX_BYTES: u64 = 2 * 1024 * 1024;
/// What a document counts for at least, so that many small ones are bounded in number as well.
const LEAST_WEIGHT: u64 = MAX_BYTES / DOCUMENTS as u64;
/// The longest document that is kept, in bytes.
const MAX_DOCUMENT: usize = 64 * 1024;

/// The documents that are kept.
pub(super) struct Kept(Cache<Key, Arc<Document>, Weight>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    query: String,
    name: Option<String>,
}

/// A [`Key`] that is only looked up; it hashes alike.
#[derive(Hash)]
struct KeyRef<'a> {
    query: &'a str,
    name: Option<&'a str>,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.query == key.query && self.name == key.name.as_deref()
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Document>> for Weight {
    fn weight(&self, key: &Key, _: &Arc<Document>) -> u64 {
        (key.query.len() as u64).max(LEAST_WEIGHT)
    }
}

impl Kept {
    /// No documents yet.
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(DOCUMENTS, MAX_BYTES, Weight))
    }

    /// The document of this text, whose operation `name` runs.
    pub(super) fn get(&self, text: &str, name: Option<&str>) -> Option<Arc<Document>> {
        self.0.get(&KeyRef { query: text, name })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps a document, unless it is very long.
    pub(super) fn insert(&self, text: &str, name: Option<&str>, document: &Arc<Document>) {
        if text.len() <= MAX_DOCUMENT {
            let key = Key { query: text.to_owned(), name: name.map(str::to_owned) };
            self.0.insert(key, Arc::clone(document));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::select, *};

    #[test]
    fn documents_are_bounded_in_number_and_in_bytes() {
        let document = async_graphql_parser::parse_query("{ __typename }").unwrap();
        let operation = select(&document, None).ok().unwrap();
        let (deciding, variables) = (Vec::new(), Vec::new());
        let told = crate::telemetry::record::Operation { name: None, kind: "query" };
        let document = Document { id: 0, size: 0, introspects: false, document, operation, told, deciding, variables };
        let (kept, document) = (Kept::new(), Arc::new(document));
        (0..2 * DOCUMENTS).for_each(|number| kept.insert(&format!("{{ t{number} }}"), None, &document));
        assert!(kept.0.len() <= DOCUMENTS, "{}", kept.0.len());
        (0..100).for_each(|number| kept.insert(&format!("{{ t{number} }} #{}", "x".repeat(60_000)), None, &document));
        let held: usize = kept.0.iter().map(|(key, _)| key.query.len()).sum();
        assert!(held as u64 <= MAX_BYTES, "{held}");
        kept.insert(&"#".repeat(MAX_DOCUMENT + 1), None, &document);
        assert!(kept.0.iter().all(|(key, _)| key.query.len() <= MAX_DOCUMENT));
    }
}
