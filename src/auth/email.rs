//! E-mail addresses, as accounts are named by.
//!
//! In: what somebody typed. Out: an [`Email`] of a sane shape, or what would be right.

use std::fmt;

use crate::error::{Error, Problem, Result};

/// The longest address that SMTP carries (RFC 5321).
const LONGEST: usize = 254;

/// An address of a sane shape: trimmed, ASCII, `local@domain.tld`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// The address that `text` is, less the white space around it.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(refused(&format!("must be at most {LONGEST} characters long")));
        }
        if !is_address(text) {
            return Err(refused("must be an e-mail address, as name@example.com"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The address as its owner spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two spellings of one address are equal.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refused(message: &str) -> Error {
    Error::invalid(vec![Problem { field: "email".into(), message: message.into() }])
}

/// The shape that HTML's `input type=email` accepts, with a dot in the domain. ASCII alone, because the databases agree
/// on letter case in no other characters, and two accounts would share an address on one of them.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_byte = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (1..=64).contains(&local.len())
        && local.bytes().all(local_byte)
        && domain.contains('.')
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_keep_their_spelling() {
        let email = Email::parse("  Ada.Lovelace+x@Example.com\n").unwrap();
        assert_eq!(
            (email.as_str(), email.folded().as_str()),
            ("Ada.Lovelace+x@Example.com", "ada.lovelace+x@example.com")
        );
    }

    #[test]
    fn what_is_no_address_is_refused_by_field() {
        let long = format!("a@{}.com", "b".repeat(250));
        for bad in [
            "",
            "ada",
            "@a.com",
            "ada@",
            "ada@localhost",
            "a b@c.com",
            "a@b@c.com",
            "a@-b.com",
            "a@b..com",
            "ä@b.com",
            "a@b.com\0",
            &long,
        ] {
            let error = Email::parse(bad).unwrap_err();
            assert_eq!(error.problems[0].field, "email", "{bad}");
        }
    }
}
