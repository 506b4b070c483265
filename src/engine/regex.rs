//! Regular expressions that mean the same on both databases and cannot be made to run for long.
//!
//! In: a pattern as a client wrote it. Out: a [`Portable`]: the same expression in the words of the `regex` crate, which
//! SQLite's functions run in time linear in the text, and in those of PostgreSQL. Both are printed from one parsed form
//! with nothing in it but literals, explicit classes, groups, alternatives, bounded and unbounded repetition and
//! anchors; what cannot be said that way is refused.

use regex::{Regex, RegexBuilder};
use regex_syntax::{
    ast::{
        self, AssertionKind, Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet,
        ClassSetItem, Flag, Flags, FlagsItem, FlagsItemKind, Group, GroupKind,
    },
    hir::{Class, ClassUnicode, Hir, HirKind, Look, Repetition, translate::TranslatorBuilder},
};
use std::fmt::Write as _;

/// How many characters a pattern may have.
pub(crate) const MAX_PATTERN: usize = 1_000;
/// How often PostgreSQL repeats at most by one bound.
const MAX_REPEAT: u32 = 255;
/// How often bounds within bounds may repeat together.
const MAX_NESTED: u64 = 1_000;
/// How many characters and classes a pattern may have when its bounds are written out: PostgreSQL does so.
const MAX_SIZE: u64 = 2_000;
/// How many parts that may be empty a pattern may have, so written: PostgreSQL takes the third power of them.
const MAX_EMPTY: u64 = 300;
/// How much memory the compiled pattern may take.
const MAX_COMPILED: usize = 1 << 21;

/// A pattern in the words of both databases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Portable {
    /// For the `regex` crate.
    pub rust: String,
    /// An advanced regular expression of PostgreSQL.
    pub postgres: String,
}

/// Reads a pattern; the error is what is wrong with it, as a sentence without a subject.
pub(crate) fn portable(pattern: &str) -> Result<Portable, String> {
    if pattern.chars().count() > MAX_PATTERN {
        return Err(format!("must have at most {MAX_PATTERN} characters"));
    }
    let wrong = |error: String| format!("is no regular expression that is understood: {error}");
    let ast = ast::parse::ParserBuilder::new().nest_limit(50).build().parse(pattern);
    let mut ast = ast.map_err(|error| wrong(error.kind().to_string()))?;
    plain(&mut ast)?;
    let hir = TranslatorBuilder::new().build().translate(pattern, &ast);
    let hir = hir.map_err(|error| wrong(error.kind().to_string()))?;
    if nested(&hir) > MAX_NESTED || size(&hir) > MAX_SIZE || empty(&hir) > MAX_EMPTY {
        return Err("repeats too much: the bounds of its repetitions multiply".to_owned());
    }
    let mut postgres = String::with_capacity(pattern.len() * 2);
    print(&hir, &mut postgres)?;
    let rust = hir.to_string();
    compile(&rust).map_err(|_| "is too large".to_owned())?;
    Ok(Portable { rust, postgres })
}

/// The compiled form of [`Portable::rust`].
pub(crate) fn compile(rust: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(rust).size_limit(MAX_COMPILED).build()
}

/// Makes `\d`, `\w`, `\s` and `\b` those of ASCII, and refuses what has no equal in PostgreSQL.
fn plain(ast: &mut Ast) -> Result<(), String> {
    let odd_anchor = || "must not have an anchor other than ^, $, \\A, \\z, \\b and \\B".to_owned();
    match ast {
        Ast::Empty(_) | Ast::Literal(_) | Ast::Dot(_) => {}
        Ast::Flags(set) => flags(&set.flags)?,
        Ast::Assertion(assertion) => match assertion.kind {
            AssertionKind::WordBoundary | AssertionKind::NotWordBoundary => {
                let span = assertion.span;
                let item = |kind| FlagsItem { span, kind };
                let items = vec![item(FlagsItemKind::Negation), item(FlagsItemKind::Flag(Flag::Unicode))];
                let kind = GroupKind::NonCapturing(Flags { span, items });
                let inner = Box::new(Ast::Assertion(assertion.clone()));
                *ast = Ast::Group(Box::new(Group { span, kind, ast: inner }));
            }
            AssertionKind::StartLine | AssertionKind::EndLine | AssertionKind::StartText | AssertionKind::EndText => {}
            _ => return Err(odd_anchor()),
        },
        Ast::ClassUnicode(_) => return Err(no_unicode_class()),
        Ast::ClassPerl(class) => {
            let kind = ClassSet::Item(ClassSetItem::Ascii(ascii(class)));
            let class = ClassBracketed { span: class.span, negated: false, kind };
            *ast = Ast::ClassBracketed(Box::new(class));
        }
        Ast::ClassBracketed(class) => set(&mut class.kind)?,
        Ast::Repetition(repetition) => plain(&mut repetition.ast)?,
        Ast::Group(group) => {
            if let GroupKind::NonCapturing(given) = &group.kind {
                flags(given)?;
            }
            plain(&mut group.ast)?;
        }
        Ast::Alternation(alternation) => alternation.asts.iter_mut().try_for_each(plain)?,
        Ast::Concat(concat) => concat.asts.iter_mut().try_for_each(plain)?,
    }
    Ok(())
}

fn flags(flags: &Flags) -> Result<(), String> {
    let taken = flags.items.iter().all(|item| {
        matches!(
            item.kind,
            FlagsItemKind::Negation
                | FlagsItemKind::Flag(Flag::CaseInsensitive)
                | FlagsItemKind::Flag(Flag::DotMatchesNewLine)
        )
    });
    if taken { Ok(()) } else { Err("must not have a flag other than i and s".to_owned()) }
}

fn no_unicode_class() -> String {
    "must not have a class of Unicode like \\pL: write its ranges".to_owned()
}

fn no_characters() -> String {
    "must not have a class without characters".to_owned()
}

fn ascii(class: &ClassPerl) -> ClassAscii {
    let kind = match class.kind {
        ClassPerlKind::Digit => ClassAsciiKind::Digit,
        ClassPerlKind::Space => ClassAsciiKind::Space,
        ClassPerlKind::Word => ClassAsciiKind::Word,
    };
    ClassAscii { span: class.span, kind, negated: class.negated }
}

fn set(set: &mut ClassSet) -> Result<(), String> {
    match set {
        ClassSet::Item(one) => item(one),
        ClassSet::BinaryOp(_) => Err("must not have &&, -- or ~~ in a class".to_owned()),
    }
}

fn item(one: &mut ClassSetItem) -> Result<(), String> {
    match one {
        ClassSetItem::Perl(class) => *one = ClassSetItem::Ascii(ascii(class)),
        ClassSetItem::Unicode(_) => return Err(no_unicode_class()),
        ClassSetItem::Bracketed(class) => set(&mut class.kind)?,
        ClassSetItem::Union(union) => union.items.iter_mut().try_for_each(item)?,
        _ => {}
    }
    Ok(())
}

/// The greatest product of bounds, one within the other.
fn nested(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Repetition(repetition) => times(repetition).saturating_mul(nested(&repetition.sub)),
        HirKind::Capture(capture) => nested(&capture.sub),
        HirKind::Concat(all) | HirKind::Alternation(all) => all.iter().map(nested).max().unwrap_or(1),
        _ => 1,
    }
}

fn times(repetition: &Repetition) -> u64 {
    u64::from(repetition.max.unwrap_or(repetition.min).max(1))
}

/// How many characters and classes there are with the bounds written out.
fn size(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Repetition(repetition) => {
            let more = u64::from(repetition.max.is_none() && repetition.min > 1);
            (times(repetition) + more).saturating_mul(size(&repetition.sub))
        }
        HirKind::Capture(capture) => size(&capture.sub),
        HirKind::Concat(all) | HirKind::Alternation(all) => all.iter().map(size).fold(0, u64::saturating_add),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => 1,
    }
}

/// How many parts may be empty with the bounds written out.
fn empty(hir: &Hir) -> u64 {
    let own = u64::from(hir.properties().minimum_len() == Some(0));
    match hir.kind() {
        HirKind::Repetition(repetition) => times(repetition).saturating_mul(empty(&repetition.sub)) + own,
        HirKind::Capture(capture) => empty(&capture.sub),
        HirKind::Concat(all) | HirKind::Alternation(all) => all.iter().map(empty).fold(0, u64::saturating_add),
        // An anchor is a place, and no part.
        HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => 0,
        HirKind::Empty => own,
    }
}

/// Prints an expression for PostgreSQL. Every part is an atom, so that no two can be read as one.
fn print(hir: &Hir, out: &mut String) -> Result<(), String> {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| "must be UTF-8".to_owned())?;
            for character in text.chars() {
                if character == '\0' {
                    return Err("must not contain the NUL character".to_owned());
                }
                write_character(character, out);
            }
        }
        HirKind::Class(Class::Unicode(class)) => write_class(class, out)?,
        // What is left of a class without characters.
        HirKind::Class(Class::Bytes(_)) => return Err(no_characters()),
        HirKind::Look(look) => out.push_str(match look {
            Look::Start => "\\A",
            Look::End => "\\Z",
            Look::WordAscii => "\\y",
            Look::WordAsciiNegate => "\\Y",
            _ => return Err("must not have an anchor other than ^, $, \\A, \\z, \\b and \\B".to_owned()),
        }),
        HirKind::Repetition(repetition) => {
            let (least, most) = (repetition.min, repetition.max);
            if least > MAX_REPEAT || most.is_some_and(|most| most > MAX_REPEAT) {
                return Err(format!("must not repeat more than {MAX_REPEAT} times by one bound"));
            }
            out.push_str("(?:");
            print(&repetition.sub, out)?;
            out.push(')');
            // Writing into a String cannot fail.
            let _ = match (least, most) {
                (0, None) => write!(out, "*"),
                (1, None) => write!(out, "+"),
                (0, Some(1)) => write!(out, "?"),
                (least, None) => write!(out, "{{{least},}}"),
                (least, Some(most)) => write!(out, "{{{least},{most}}}"),
            };
        }
        HirKind::Capture(capture) => {
            out.push_str("(?:");
            print(&capture.sub, out)?;
            out.push(')');
        }
        HirKind::Concat(all) => {
            for one in all {
                print(one, out)?;
            }
        }
        HirKind::Alternation(all) => {
            out.push_str("(?:");
            for (index, one) in all.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                print(one, out)?;
            }
            out.push(')');
        }
    }
    Ok(())
}

fn write_class(class: &ClassUnicode, out: &mut String) -> Result<(), String> {
    let mut others = class.clone();
    others.negate();
    if class.ranges().is_empty() {
        return Err(no_characters());
    }
    if others.ranges().is_empty() {
        out.push('.');
        return Ok(());
    }
    let negated = others.ranges().len() < class.ranges().len();
    out.push_str(if negated { "[^" } else { "[" });
    let length = out.len();
    for range in if negated { others.ranges() } else { class.ranges() } {
        // No text has a NUL, and PostgreSQL's characters begin behind it.
        let (start, end) = (range.start().max('\u{1}'), range.end());
        if end < start {
            continue;
        }
        write_character(start, out);
        if end > start {
            out.push('-');
            write_character(end, out);
        }
    }
    if out.len() == length {
        return Err("must not contain the NUL character".to_owned());
    }
    out.push(']');
    Ok(())
}

/// A character that means itself, in a class and outside of one.
fn write_character(character: char, out: &mut String) {
    // Writing into a String cannot fail.
    let _ = match u32::from(character) {
        _ if character.is_ascii_alphanumeric() => write!(out, "{character}"),
        code @ ..=0xffff => write!(out, "\\u{code:04x}"),
        code => write!(out, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(pattern: &str) -> String {
        portable(pattern).unwrap_or_else(|error| panic!("{pattern} {error}")).postgres
    }

    #[test]
    fn a_pattern_is_printed_for_postgresql_with_nothing_left_to_it() {
        for (pattern, printed) in [
            ("", "(?:)"),
            ("abc", "abc"),
            ("a.c", "a[^\\u000a]c"),
            ("(?s)a.c", "a.c"),
            ("^a|b$", "(?:\\Aa|b\\Z)"),
            (r"\d\b", "[0-9]\\y"),
            (r"[^\s]", "[^\\u0009-\\u000d\\u0020]"),
            ("(a*)*b", "(?:(?:(?:a)*))*b"),
            ("x{2,3}?", "(?:x){2,3}"),
            (r"\.\*", "\\u002e\\u002a"),
            ("🌳", "\\U0001f333"),
            ("(?i)é", "[\\u00c9\\u00e9]"),
        ] {
            assert_eq!(postgres(pattern), printed, "{pattern}");
        }
    }

    #[test]
    fn classes_are_of_ascii_and_letters_are_not() {
        let matches = |pattern: &str, text: &str| compile(&portable(pattern).unwrap().rust).unwrap().is_match(text);
        assert!(!matches(r"^\w+$", "é") && matches(r"^\W$", "é") && matches(r"\bx", "éx"));
        assert!(!matches(r"\d", "٣") && !matches(r"\s", "\u{a0}") && matches("(?i)É", "é"));
        assert!(matches(r"\Bx", "ax") && !matches(r"\Bx", "éx"));
    }

    #[test]
    fn what_has_no_equal_or_costs_too_much_is_refused() {
        for (pattern, says) in [
            ("(?=a)", "look-around"),
            (r"(a)\1", "backreferences"),
            ("(?m)^a", "flag"),
            ("(?x) a", "flag"),
            ("(?-u:a)", "flag"),
            (r"\pL", "class of Unicode"),
            (r"[\p{Greek}]", "class of Unicode"),
            ("[a-z&&b]", "in a class"),
            (r"\b{start}a", "anchor"),
            ("a{256}", "255"),
            ("a{300,}", "255"),
            ("((a{20}){20}){20}", "repeats too much"),
            ("(.{255}){13}", "repeats too much"),
            ("(a?b?c?d?){100}", "repeats too much"),
            ("((a?){30}){30}", "repeats too much"),
            ("[", "no regular expression"),
            ("a**{", "no regular expression"),
            (r"\x00", "NUL"),
            (r"[\x00]", "NUL"),
            (r"[^\x00-\x{10ffff}]", "without characters"),
            (&"(".repeat(60), "no regular expression"),
            (&"a".repeat(1_001), "at most 1000"),
        ] {
            let error = portable(pattern).expect_err(pattern);
            assert!(error.contains(says), "{pattern}: {error}");
        }
        assert!(portable(&"a".repeat(1_000)).is_ok() && portable("((((((((((((a*)*)*)*)*)*)*)*)*)*)*)*)*").is_ok());
    }
}
