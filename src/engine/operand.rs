//! Operands that are more than a value of their column: patterns, expressions, searches, paths, long lists.
//!
//! In: what the client wrote, and the operator that reads it. Out: the value that each database is given.

use super::{
    bind::Argument,
    regex::{self, Portable},
    search, words,
};
use crate::{
    catalog::{Operator, scalar::Value},
    error::{Error, Result},
};

/// How many elements a list may have.
pub(super) const MAX_LIST: usize = 10_000;
/// How many elements a path into JSON may have.
const MAX_PATH: usize = 10;
/// How many characters each of them may have.
const MAX_STEP: usize = 200;

/// The error of a list that is too long.
pub(super) fn too_long(column: &str, length: usize) -> Error {
    Error::bad_request(format!("A list for \"{column}\" has at most {MAX_LIST} elements, and this one has {length}"))
        .code("54000")
        .field(column.to_owned())
}

/// The text of an operand as its operator reads it.
pub(super) fn read(column: &str, operator: Operator, text: String) -> Result<Value> {
    Ok(match operator {
        Operator::Like | Operator::Ilike if ends_in_escape(&text) => {
            return Err(Error::bad_value(format!(
                "A pattern for \"{column}\" must not end with its escape character \\"
            ))
            .code("22025")
            .field(column.to_owned()));
        }
        Operator::StartsWith => Value::Each { postgres: format!("{}%", escaped(&text)), sqlite: text },
        Operator::EndsWith => Value::Text(format!("%{}", escaped(&text))),
        Operator::Contains => Value::Each { postgres: format!("%{}%", escaped(&text)), sqlite: text },
        Operator::Match => {
            let Portable { postgres, rust } = regex::portable(&text).map_err(|message| {
                Error::bad_value(format!("A pattern for \"{column}\" {message}")).code("2201B").field(column.to_owned())
            })?;
            Value::Each { postgres, sqlite: rust }
        }
        Operator::Search | Operator::FullText(..) if text.chars().count() > words::MAX_QUERY => {
            let message = format!("A search in \"{column}\" must have at most {} characters", words::MAX_QUERY);
            return Err(Error::bad_value(message).field(column.to_owned()));
        }
        Operator::FullText(syntax, language) => search::operand(syntax, language, &text)
            .map_err(|message| Error::bad_request(message).code("42601").field(column.to_owned()))?,
        Operator::Search => {
            let wanted = words::wanted(&text);
            Value::Each { postgres: words::tsquery(&wanted), sqlite: words::fts5(&wanted) }
        }
        _ => Value::Text(text),
    })
}

/// A path into JSON: names of members, and indexes of elements, from 0.
pub(super) fn path(column: &str, argument: &Argument) -> Result<Value> {
    let wrong =
        |message: String| Error::bad_value(format!("A path into \"{column}\" {message}")).field(column.to_owned());
    let one = std::slice::from_ref(argument);
    let steps = if let Argument::List(steps) = argument { steps.as_slice() } else { one };
    if steps.len() > MAX_PATH {
        return Err(wrong(format!("must have at most {MAX_PATH} elements")));
    }
    let steps = steps.iter().map(|step| {
        let text = step.text().ok_or_else(|| wrong("must be a list of texts".to_owned()))?;
        if text.chars().count() > MAX_STEP {
            return Err(wrong(format!("must have elements of at most {MAX_STEP} characters")));
        }
        if text.contains('\0') {
            return Err(wrong("must not contain the NUL character".to_owned()));
        }
        // PostgreSQL would read it as an index, counted from the end or with digits to spare.
        if is_odd_index(text) {
            return Err(wrong(format!("must not have \"{text}\": an index is written in digits, and counts from 0")));
        }
        Ok(Value::Text(text.to_owned()))
    });
    Ok(Value::List(steps.collect::<Result<_>>()?))
}

/// Whether a text is a number to PostgreSQL, and not one in plain digits.
fn is_odd_index(text: &str) -> bool {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number && (digits.len() != text.len() || (digits.len() > 1 && digits.starts_with('0')))
}

/// A text as a LIKE pattern that it alone matches.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

fn ends_in_escape(pattern: &str) -> bool {
    pattern.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_pattern() {
        assert_eq!(escaped(r"100%_\x"), r"100\%\_\\x");
    }

    #[test]
    fn an_index_is_digits() {
        for (text, odd) in [
            ("0", false),
            ("12", false),
            ("a1", false),
            ("", false),
            ("-", false),
            ("1 2", false),
            ("-1", true),
            ("+1", true),
            ("01", true),
            (" 1", true),
            ("1\n", true),
        ] {
            assert_eq!(is_odd_index(text), odd, "{text:?}");
        }
    }
}
