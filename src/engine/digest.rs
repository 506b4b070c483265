//! What tells texts apart by a few characters: SHA-256, in base64url.
//!
//! In: bytes. Out: a text that is the same in every process and on both databases.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// How many characters a tag has: 132 bits, of which nobody meets two of one value by chance.
const TAG: usize = 22;

/// The digest of the parts, none of which can run into the next.
pub(super) fn of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    BASE64_URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// A short digest of what is written of a row: the tag of its state.
pub fn tag(bytes: &[u8]) -> String {
    let mut tag = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
    tag.truncate(TAG);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"a", b""]), of(&[b"a"]));
        assert_eq!(of(&[b"a", b"b"]), of(&[b"a", b"b"]));
    }

    #[test]
    fn a_tag_is_short_and_needs_no_escape() {
        let tag = tag(b"{}");
        assert_eq!(tag.len(), TAG);
        assert!(tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{tag}");
    }
}
