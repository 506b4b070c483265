//! Documents that are named instead of sent: those that clients have sent before (automatic persisted queries, by
//! Apollo's protocol), and the trusted ones of this server, beside which nothing runs.
//!
//! In: what a request says of its document. Out: the document's text. This is the one way to it, whatever the transport.

use super::{
    document::{Operation, Refusal},
    errors,
    trusted::Trusted,
};
use crate::error::Error;
use quick_cache::{Weighter, sync::Cache};
use sha2::{Digest as _, Sha256};
use std::{ops::Deref, sync::Arc};

/// How many bytes of documents are kept.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// What a document counts for at least, so that many small ones are bounded in number as well.
const LEAST_WEIGHT: u64 = 4 * 1024;
/// The longest document that is kept, in bytes.
const MAX_DOCUMENT: usize = 64 * 1024;

/// The SHA-256 of a document's text.
pub type Hash = [u8; 32];

/// A document, named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// By the id of a trusted document, or as `sha256:<hex>`.
    Id(&'a str),
    /// By its hash, as Apollo's protocol has it: a document that comes along is kept under it.
    Hash(Hash),
}

/// The hash that a text spells: 64 hexadecimal digits in either case.
pub(super) fn parse_hash(text: &str) -> Option<Hash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(*high)? * 16 + digit(*low)?;
    }
    Some(hash)
}

/// The hash of a text.
pub(super) fn hash_of(text: &str) -> Hash {
    Sha256::digest(text).into()
}

/// A document's text: as it was sent, or as it is known here.
pub(super) enum Text<'a> {
    Sent(&'a str),
    Known(Arc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Sent(text) => text,
            Self::Known(text) => text,
        }
    }
}

/// The documents that can be named.
pub(super) struct Persisted {
    seen: Cache<Hash, Arc<str>, Weight>,
    trusted: Option<Trusted>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Hash, Arc<str>> for Weight {
    fn weight(&self, _: &Hash, text: &Arc<str>) -> u64 {
        (text.len() as u64).max(LEAST_WEIGHT)
    }
}

impl Persisted {
    /// No documents yet, but the trusted ones if there are such.
    pub(super) fn new(trusted: Option<Trusted>) -> Self {
        let entries = usize::try_from(MAX_BYTES / LEAST_WEIGHT).unwrap_or(usize::MAX);
        Self { seen: Cache::with_weighter(entries, MAX_BYTES, Weight), trusted }
    }

    /// The text of the document that an operation means.
    ///
    /// # Errors
    /// A name that is none of a document here, a hash that is not that of the text beside it, and beside trusted
    /// documents every other text.
    pub(super) fn text<'a>(&self, operation: &Operation<'a>) -> Result<Text<'a>, Refusal> {
        let sent = operation.query;
        match operation.reference {
            Some(Reference::Hash(hash)) if !sent.is_empty() && hash != hash_of(sent) => {
                return Err(Error::bad_request("The hash of the persisted query is not that of the document").into());
            }
            Some(reference) if sent.is_empty() => return self.named(reference).map(Text::Known).ok_or_else(unknown),
            _ => {}
        }
        if self.trusted.as_ref().is_some_and(|trusted| !trusted.has(sent)) {
            return Err(Error::forbidden("Only the trusted documents of this server are run, and this is none").into());
        }
        Ok(Text::Sent(sent))
    }

    fn named(&self, reference: Reference<'_>) -> Option<Arc<str>> {
        let by_hash = |hash: &Hash| match &self.trusted {
            Some(trusted) => trusted.by_hash(hash),
            None => self.seen.get(hash),
        };
        match reference {
            Reference::Hash(hash) => by_hash(&hash),
            Reference::Id(id) => self
                .trusted
                .as_ref()
                .and_then(|trusted| trusted.by_id(id))
                .or_else(|| by_hash(&parse_hash(id.strip_prefix("sha256:")?)?)),
        }
    }

    /// Keeps the text that was sent beside its hash, once it was found valid.
    pub(super) fn keep(&self, operation: &Operation<'_>) {
        let Some(Reference::Hash(hash)) = operation.reference else { return };
        let text = operation.query;
        if self.trusted.is_none() && (1..=MAX_DOCUMENT).contains(&text.len()) && self.seen.peek(&hash).is_none() {
            self.seen.insert(hash, text.into());
        }
    }
}

/// No such document. Clients read this message or this code, and then send the text.
fn unknown() -> Refusal {
    Refusal::Errors(vec![errors::render_document(errors::PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound", &[])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        let hash = hash_of("{ me { id } }");
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(parse_hash(&hex), Some(hash));
        assert_eq!(parse_hash(&hex.to_uppercase()), Some(hash));
        for wrong in ["", "ab", &hex[1..], &format!("{hex}00"), &hex.replace(&hex[..2], "+a"), &"é".repeat(32)] {
            assert_eq!(parse_hash(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_store_is_bounded_in_documents_and_in_bytes() {
        let persisted = Persisted::new(None);
        let keep = |text: &str| {
            let reference = Some(Reference::Hash(hash_of(text)));
            persisted.keep(&Operation { query: text, reference, ..Operation::default() });
        };
        (0..5_000).for_each(|number| keep(&format!("{{ t{number}: __typename }}")));
        assert!(persisted.seen.len() <= 1_024, "{}", persisted.seen.len());
        (0..500).for_each(|number| keep(&format!("{{ t{number}: __typename #{} }}", "x".repeat(60_000))));
        assert!(persisted.seen.weight() <= MAX_BYTES);
        let held: usize = persisted.seen.iter().map(|(_, text)| text.len()).sum();
        assert!(held as u64 <= MAX_BYTES, "{held}");
        keep(&"#".repeat(MAX_DOCUMENT + 1));
        assert!(persisted.seen.iter().all(|(_, text)| text.len() <= MAX_DOCUMENT));
    }
}
