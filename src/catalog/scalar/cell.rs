//! One value of one row, as a driver hands it over, borrowed from the driver's buffer.

/// A cell, in the form in which its database sends it.
#[derive(Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// PostgreSQL's binary format of the column's type.
    Postgres(&'a [u8]),
    /// SQLite's INTEGER.
    Integer(i64),
    /// SQLite's REAL.
    Real(f64),
    /// SQLite's TEXT.
    Text(&'a str),
    /// SQLite's BLOB.
    Blob(&'a [u8]),
    /// A JSON token out of SQLite's `json_array`, never `null`.
    Token(&'a str),
}

/// Its form alone: what is said of a cell that is none of its column's goes to the log, and values do not.
impl std::fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "NULL",
            Self::Postgres(_) => "a value of PostgreSQL's",
            Self::Integer(_) => "an INTEGER",
            Self::Real(_) => "a REAL",
            Self::Text(_) => "a TEXT",
            Self::Blob(_) => "a BLOB",
            Self::Token(_) => "a JSON token",
        })
    }
}

impl<'a> Cell<'a> {
    /// The integer in the cell, of whatever width PostgreSQL sends.
    pub(crate) fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(integer),
            Self::Postgres(bytes) => match *bytes {
                [a, b] => Some(i16::from_be_bytes([a, b]).into()),
                [a, b, c, d] => Some(i32::from_be_bytes([a, b, c, d]).into()),
                _ => bytes.try_into().ok().map(i64::from_be_bytes),
            },
            Self::Token(token) => token.parse().ok(),
            _ => None,
        }
    }

    /// The text in the cell; a token is not unescaped, so it does for texts without escapes only.
    pub(crate) fn plain_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Postgres(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Token(token) => token.strip_prefix('"')?.strip_suffix('"'),
            _ => None,
        }
    }
}

/// Writes `text` as a JSON string (RFC 8259 section 7), escaping only what must be.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[start..index]);
        start = index + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::write_string;

    #[test]
    fn strings_are_written_as_a_json_parser_reads_them() {
        for text in ["", "plain", "quote \" back \\ slash", "tab\tline\nbell\u{7}", "Ünïcode 🌳 \u{2028}"] {
            let mut out = Vec::new();
            write_string(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
