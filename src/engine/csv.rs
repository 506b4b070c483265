//! Comma-separated values (RFC 4180), out of what was written as JSON.
//!
//! In: a buffer whose end is a JSON value. Out: the same buffer, whose end is that value as a field: a string as its
//! text, NULL as nothing, which an empty string in quotes is told from, everything else as its JSON.

/// Makes the JSON value that begins at `at` a field.
pub(super) fn field_from(at: usize, out: &mut Vec<u8>) {
    let Some((b'"', inner)) = out[at..].split_first() else {
        return match &out[at..] {
            b"null" => out.truncate(at),
            _ => quote_from(at, out),
        };
    };
    if inner.contains(&b'\\') {
        // What was written is JSON.
        let text = serde_json::from_slice::<String>(&out[at..]).unwrap_or_default();
        out.truncate(at);
        out.extend_from_slice(text.as_bytes());
        quote_from(at, out);
        return;
    }
    // Without an escape, a JSON string is a quoted field already. It keeps its quotes where it needs them.
    let length = inner.len() - 1;
    if length > 0 && !inner.iter().any(|byte| needs_quotes(*byte)) {
        out.copy_within(at + 1..at + 1 + length, at);
        out.truncate(at + length);
    }
}

/// Quotes the text that begins at `at`, if a field must be quoted to hold it.
pub(super) fn quote_from(at: usize, out: &mut Vec<u8>) {
    let text = &out[at..];
    if !text.iter().any(|byte| needs_quotes(*byte) || *byte == b'"') {
        return;
    }
    let text = text.to_vec();
    out.truncate(at);
    out.push(b'"');
    for byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

const fn needs_quotes(byte: u8) -> bool {
    matches!(byte, b',' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_quoted_only_where_it_must_be() {
        for (json, field) in [
            ("null", ""),
            (r#""""#, r#""""#),
            ("true", "true"),
            ("-45.58", "-45.58"),
            (r#""Acer rubrum""#, "Acer rubrum"),
            (r#""a,b""#, r#""a,b""#),
            (r#""a\"b""#, r#""a""b""#),
            (r#""a\nb""#, "\"a\nb\""),
            (r#""a\\b""#, r"a\b"),
            (r#""null""#, "null"),
            (r#""\"""#, r#""""""#),
            ("[1]", "[1]"),
            (r#"{"a":[1,null]}"#, r#""{""a"":[1,null]}""#),
        ] {
            let mut out = b"before,".to_vec();
            out.extend_from_slice(json.as_bytes());
            field_from(7, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("before,{field}"), "{json}");
        }
    }
}
