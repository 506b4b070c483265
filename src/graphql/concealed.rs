//! Errors for those who shall not learn the schema from them.
//!
//! In: errors as everybody else is told them, and what was sent. Out: the same without what the client has not said
//! itself: no suggestions, and as few names as possible.

use serde_json::Value;

/// The codes of errors that speak of the schema.
const TELLING: [&str; 2] = [super::errors::VALIDATION_FAILED, "BAD_USER_INPUT"];

/// Takes out of errors what tells of the schema, and is not in what was sent.
pub(super) fn conceal(errors: &mut [Value], sent: &[&str]) {
    let speaking = |error: &&mut Value| TELLING.iter().any(|code| error["extensions"]["code"] == *code);
    for error in errors.iter_mut().filter(speaking) {
        if let Some(extensions) = error["extensions"].as_object_mut() {
            extensions.remove("hint");
            let named = extensions.get("field").and_then(Value::as_str);
            if named.is_some_and(|field| concealed_path(field, sent) != field) {
                extensions.remove("field");
            }
            extensions.values_mut().for_each(|value| conceal_all(value, sent));
        }
        conceal_all(&mut error["message"], sent);
    }
}

fn conceal_all(value: &mut Value, sent: &[&str]) {
    match value {
        Value::String(text) => *text = concealed(text, sent),
        Value::Array(items) => items.iter_mut().for_each(|item| conceal_all(item, sent)),
        Value::Object(members) => members.values_mut().for_each(|member| conceal_all(member, sent)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text without suggestions, without lists of what could be said, and without names that were not sent.
fn concealed(text: &str, sent: &[&str]) -> String {
    let was_sent = |name: &str| was_sent(name, sent);
    let lower = text.to_ascii_lowercase();
    let end = lower.find("did you mean").unwrap_or(text.len());
    let text = text[..end].trim_end_matches([' ', ';']);
    let text = match text.split_once(" must be one of ") {
        Some((what, _)) => format!("{what} is not one of its values"),
        None => text.to_owned(),
    };
    // What is wrong with a variable is told by the way to it, of which the end may be what is missing.
    let text = match text.split_once(' ') {
        Some((path, rest)) if path.starts_with('$') => format!("{} {rest}", concealed_path(path, sent)),
        _ => text,
    };
    let mut shown = String::with_capacity(text.len());
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            shown.push('"');
        }
        shown.push_str(if index % 2 == 1 && !was_sent(part) { "…" } else { part });
    }
    // Types are named without quotes too.
    for before in [" in type ", " of type ", " is no ", " is a "] {
        if let Some((what, rest)) = shown.clone().split_once(before) {
            let end = rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
            let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
            if name.starts_with(|first: char| first.is_ascii_uppercase()) && !was_sent(name) {
                shown = format!("{what}{before}…{rest}");
            }
        }
    }
    shown
}

/// Names with dots between them, without those that were not sent.
fn concealed_path(path: &str, sent: &[&str]) -> String {
    let is_index = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let shown = |name| if is_index(name) || was_sent(name, sent) { name } else { "…" };
    path.split('.').map(shown).collect::<Vec<_>>().join(".")
}

fn was_sent(name: &str, sent: &[&str]) -> bool {
    sent.iter().any(|sent| has_word(sent, name))
}

/// Whether a text has a word, and not only as a part of another.
fn has_word(text: &str, word: &str) -> bool {
    let of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(of_name) && !behind.starts_with(of_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_client_did_not_say_is_not_told() {
        let sent = ["query ($f: TreeFilter) { tres(filtr: $f) { colour ...F } }", r#"{"f": {"speces": 1}}"#];
        for (text, told) in [
            (r#"Unknown field "colour" on type "Tree"."#, r#"Unknown field "colour" on type "…"."#),
            (r#"Unknown field "tres" on type "Query". Did you mean "trees"?"#, r#"Unknown field "tres" on type "…"."#),
            (r#"$f has no member "speces" in type TreeFilter"#, r#"$f has no member "speces" in type TreeFilter"#),
            (r#"$f must be an object of type ExpenseFilter"#, "$f must be an object of type …"),
            ("role must be one of USER, ADMIN", "role is not one of its values"),
            (r#"names x, which is no column of users; did you mean role?"#, "names x, which is no column of users"),
            (r#"$f is no Decimal"#, "$f is no …"),
            ("$f.0.speces.eq is required", "$f.0.speces.… is required"),
            ("Syntax error: expected selection", "Syntax error: expected selection"),
        ] {
            assert_eq!(concealed(text, &sent), told);
        }
    }

    #[test]
    fn only_errors_about_the_schema_are_concealed() {
        let unauthenticated =
            json!({ "message": "Sign in", "extensions": { "code": "UNAUTHENTICATED", "hint": "Send" } });
        let unknown = json!({ "message": "Unknown field \"a\" on type \"B\"",
            "extensions": { "code": "GRAPHQL_VALIDATION_FAILED", "hint": "Did you mean \"b\"?" } });
        let missing =
            json!({ "message": "$f.b is required", "extensions": { "code": "BAD_USER_INPUT", "field": "b" } });
        let mut errors = [unauthenticated.clone(), unknown, missing];
        conceal(&mut errors, &["query ($f: F) { a }"]);
        assert_eq!(errors[0], unauthenticated);
        assert_eq!(
            errors[1],
            json!({ "message": "Unknown field \"a\" on type \"…\"",
            "extensions": { "code": "GRAPHQL_VALIDATION_FAILED" } })
        );
        assert_eq!(errors[2], json!({ "message": "$f.… is required", "extensions": { "code": "BAD_USER_INPUT" } }));
    }
}
