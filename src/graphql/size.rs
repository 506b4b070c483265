//! How much there is to a document, found before anything takes it at its word.
//!
//! In: the text of a document, then what was parsed of it. Out: the depth of its brackets, the number of its tokens, of
//! its directives and of its selections. The parser goes down the stack with every bracket, and validation follows
//! every spread of a fragment: neither asks how far that leads.

use async_graphql_parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql_value::Name;
use std::collections::HashMap;

/// How deep brackets may nest: fields, the inputs in their arguments, and lists in those. The fields that are run have a
/// lower bound of their own.
pub(super) const MAX_BRACKETS: usize = 100;

/// How many tokens a document may have: several hundred rows that are written out in a mutation have fewer.
pub(super) const MAX_TOKENS: usize = 20_000;

/// How many directives a document may have.
pub(super) const MAX_DIRECTIVES: usize = 500;

/// How deep selections may nest when fragments are written out; the schema's own bound is lower.
const MAX_SELECTIONS_DEEP: usize = 100;

/// How many selections all operations and fragments have when fragments are written out at each use.
pub(super) fn selections(document: &ExecutableDocument) -> u64 {
    let mut written_out = WrittenOut { document, known: HashMap::new() };
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    fragments.chain(operations).fold(0, |sum, set| sum.saturating_add(written_out.set(set, 0)))
}

struct WrittenOut<'d> {
    document: &'d ExecutableDocument,
    /// What fragments come to. One that spreads itself comes to nothing here: validation refuses it.
    known: HashMap<&'d Name, u64>,
}

impl<'d> WrittenOut<'d> {
    fn set(&mut self, set: &'d SelectionSet, depth: usize) -> u64 {
        if depth > MAX_SELECTIONS_DEEP {
            return u64::MAX;
        }
        let mut sum = 0u64;
        for item in &set.items {
            let inner = match &item.node {
                Selection::Field(field) => self.set(&field.node.selection_set.node, depth + 1),
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, depth + 1),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, depth + 1),
            };
            sum = sum.saturating_add(inner).saturating_add(1);
        }
        sum
    }

    fn fragment(&mut self, name: &'d Name, depth: usize) -> u64 {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let Some(fragment) = self.document.fragments.get(name) else { return 0 };
        self.known.insert(name, 0);
        let sum = self.set(&fragment.node.selection_set.node, depth);
        self.known.insert(name, sum);
        sum
    }
}

/// What a document's text comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lexed {
    /// The depth of the brackets that stand outside of strings and comments.
    pub brackets: usize,
    /// The number of tokens: names, values, and marks.
    pub tokens: usize,
    /// The number of directives.
    pub directives: usize,
}

/// Reads a document's text once.
pub(super) fn lex(document: &str) -> Lexed {
    let bytes = document.as_bytes();
    let (mut at, mut open, mut deepest, mut tokens, mut directives) = (0, 0usize, 0, 0, 0);
    let mut blocks_end = true;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'#' => {}
            // A name or a number is as many bytes as it likes; a spread is one with its name.
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') => {
                let rest = bytes[at..].iter();
                at +=
                    rest.take_while(|next| next.is_ascii_alphanumeric() || matches!(next, b'_' | b'-' | b'.')).count();
                tokens += 1;
            }
            byte if byte.is_ascii_whitespace() || *byte == b',' => {}
            _ => tokens += 1,
        }
        match byte {
            b'@' => directives += 1,
            b'{' | b'[' | b'(' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            b'#' => at += line(&bytes[at..]),
            b'"' if blocks_end && bytes[at..].starts_with(b"\"\"") => match block(&bytes[at + 2..]) {
                Some(length) => at += 2 + length,
                // The parser then reads an empty string and goes on behind it; no later block has an end either.
                None => {
                    at += 1;
                    blocks_end = false;
                }
            },
            b'"' => at += string(&bytes[at..]),
            _ => {}
        }
    }
    Lexed { brackets: deepest, tokens, directives }
}

/// The bytes up to the end of the line.
fn line(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len())
}

/// The bytes up to the end of a string, or of the line in which it must end.
fn string(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The bytes up to the end of a block string, if it ends.
fn block(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(b"\"\"\"") {
            return Some(at + 3);
        } else {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_count_once_a_use() {
        let count = |text: &str| selections(&async_graphql_parser::parse_query(text).unwrap());
        assert_eq!(count("{ a { b c } }"), 3);
        assert_eq!(count("{ a { ...F } ...F } fragment F on T { b { c } }"), 3 + 2 * 2 + 2);
        assert_eq!(count("{ ...F } fragment F on T { ...F b }"), 4 + 3);
        assert_eq!(count("{ ...Nothing }"), 1);
        let doubling: String =
            (0..70).map(|n| format!("fragment F{n} on T {{ ...F{m} ...F{m} }}", m = n + 1)).collect();
        assert_eq!(count(&format!("{{ ...F0 }} {doubling} fragment F70 on T {{ a }}")), u64::MAX);
        let chain: String = (0..20_000).map(|n| format!("fragment F{n} on T {{ ...F{} }}", n + 1)).collect();
        assert_eq!(count(&format!("{{ ...F0 }} {chain} fragment F20000 on T {{ a }}")), u64::MAX);
    }

    #[test]
    fn brackets_are_counted_where_they_are_brackets() {
        for (document, depth) in [
            ("", 0),
            ("{ me { id } }", 2),
            ("{ a(b: [{ c: [1] }]) { d } e { f } }", 5),
            ("{ a # {{{ \n { b } }", 2),
            ("{ a # {{{ \r { b } }", 2),
            (r#"{ a(b: "{{{\"{{{") { c } }"#, 2),
            (r#"{ a(b: """{{{ \""" {{{ " {{{ """) { c } }"#, 2),
            (r#"{ a(b: "\\") { c { d } } }"#, 3),
            ("}}}}{", 1),
            // What is no string to the parser hides nothing.
            (r#"{ a(b: ["""a" [[[[ "#, 7),
            ("{ a(b: \"x\n[[[[", 6),
        ] {
            assert_eq!(lex(document).brackets, depth, "{document}");
        }
    }

    #[test]
    fn tokens_and_directives_are_counted_outside_of_strings_and_comments() {
        for (document, tokens, directives) in [
            ("", 0, 0),
            ("{ me { id } }", 6, 0),
            ("query Q($a: Int = -1.5e3) { t(f: $a) { ...F @skip(if: true) } }", 29, 1),
            ("{ a # b c @d \n e }", 4, 0),
            (r#"{ a(b: "c @d e") @x @y }"#, 12, 2),
            (r#"{ a(b: """c @d "e" """) }"#, 8, 0),
        ] {
            let lexed = lex(document);
            assert_eq!((lexed.tokens, lexed.directives), (tokens, directives), "{document}");
        }
    }
}
