//! The media type of an answer: what the client accepts (RFC 9110 section 12.5.1), and what of it there is.
//!
//! In: the headers of a request. Out: a [`Media`], which says in which form the engine writes the answer, which
//! `Content-Type` it has, and whether it must hold exactly one row.

use crate::{
    accept::{Accept, Range},
    engine::{
        render::Answer,
        request::{Form, Format},
    },
    error::{Error, Kind, Result},
};
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;

/// A media type that answers are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// JSON: an array of rows, or on the path of an item its object.
    Json,
    /// Comma-separated values.
    Csv,
    /// The object of the only row, with its nulls or without them.
    Object {
        /// Whether members that are null are left out.
        stripped: bool,
    },
    /// An array without members that are null.
    StrippedArray,
}

impl Media {
    /// What a client that takes anything is given first.
    const OFFERED: [Self; 5] =
        [Self::Json, Self::Csv, Self::Object { stripped: false }, Self::Object { stripped: true }, Self::StrippedArray];

    /// The media type of the answer to a request.
    ///
    /// # Errors
    /// `PGRST107` if the client accepts none that there is.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let mut values = headers.get_all(header::ACCEPT).iter();
        let Some(first) = values.next() else { return Ok(Self::Json) };
        // What nearly every client sends.
        if matches!(first.as_bytes(), b"*/*" | b"application/json") && values.next().is_none() {
            return Ok(Self::Json);
        }
        let accept = Accept::of(headers);
        if accept.is_empty() {
            return Ok(Self::Json);
        }
        accept.best(Self::OFFERED, |range, media| media.is_in(range)).ok_or_else(|| {
            let written: Vec<_> = accept.ranges().map(Range::written).collect();
            Error::new(Kind::NotAcceptable, format!("None of these media types are available: {}", written.join(", ")))
        })
    }

    /// Whether a range has this type in it. A vendor's type is given to who asks for it.
    fn is_in(self, range: &Range<'_>) -> bool {
        let stripped = range.parameter("nulls").is_some_and(|nulls| nulls.eq_ignore_ascii_case("stripped"));
        let array = || range.is("application/vnd.pgrst.array+json") || range.is("application/vnd.pgrst.array");
        match self {
            // An array with its nulls is plain JSON.
            Self::Json => range.covers("application/json") || array() && !stripped,
            Self::Csv => range.covers("text/csv"),
            Self::Object { stripped: without } => {
                (range.is("application/vnd.pgrst.object+json") || range.is("application/vnd.pgrst.object"))
                    && without == stripped
            }
            Self::StrippedArray => array() && stripped,
        }
    }

    /// How the engine writes the answer.
    pub(super) fn form(self) -> Form {
        let format = match self {
            Self::Json | Self::Object { stripped: false } => Format::Json,
            Self::Csv => Format::Csv,
            Self::Object { stripped: true } | Self::StrippedArray => Format::Stripped,
        };
        Form { format, ..Form::default() }
    }

    /// What the answer says that it is.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Object { stripped: false } => "application/vnd.pgrst.object+json; charset=utf-8",
            Self::Object { stripped: true } => "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8",
            Self::StrippedArray => "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
        })
    }

    /// Whether the answer must hold exactly one row.
    pub(super) const fn is_of_one(self) -> bool {
        matches!(self, Self::Object { .. })
    }

    /// Whether an answer with so many rows may be given. A write asks before it is committed.
    ///
    /// # Errors
    /// `PGRST116` if exactly one is asked for, and there are others.
    pub(super) fn admits(self, rows: u64) -> Result<()> {
        if rows == 1 || !self.is_of_one() {
            return Ok(());
        }
        Err(Error::new(Kind::NotAcceptable, "Cannot coerce the result to a single JSON object")
            .code("PGRST116")
            .details(format!("The result contains {rows} rows")))
    }

    /// The body of an answer that was asked for as an array.
    ///
    /// # Errors
    /// Those of [`Media::admits`].
    pub(super) fn of_list(self, answer: &mut Answer) -> Result<Bytes> {
        self.admits(answer.rows)?;
        let bytes = Bytes::from(std::mem::take(&mut answer.bytes));
        // Of an array of one, what is between the brackets.
        Ok(match self {
            Self::Object { .. } if bytes.len() > 2 => bytes.slice(1..bytes.len() - 1),
            _ => bytes,
        })
    }

    /// The body of an answer that was asked for as an object, and that there is.
    pub(super) fn of_row(self, answer: &mut Answer) -> Bytes {
        let mut bytes = std::mem::take(&mut answer.bytes);
        if self == Self::StrippedArray {
            bytes.insert(0, b'[');
            bytes.push(b']');
        }
        Bytes::from(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: Media = Media::Object { stripped: false };

    fn of(accept: &'static str) -> Result<Media> {
        Media::of(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn the_best_that_there_is_is_chosen() {
        for (accept, media) in [
            ("*/*", Media::Json),
            ("", Media::Json),
            ("APPLICATION/JSON", Media::Json),
            ("application/json; charset=utf-8", Media::Json),
            ("application/*", Media::Json),
            ("text/*", Media::Csv),
            ("Text/CSV", Media::Csv),
            ("*/*, text/csv", Media::Csv),
            ("text/html, text/csv;q=0.5, application/json;q=0.4", Media::Csv),
            ("text/csv;q=0.5, application/json", Media::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Media::Json),
            ("application/json;q=0, */*", Media::Csv),
            ("application/json;q=0.000, text/csv;q=0.001", Media::Csv),
            ("application/vnd.pgrst.object+json", OBJECT),
            ("application/vnd.PGRST.object", OBJECT),
            ("application/vnd.pgrst.object+json; nulls=stripped", Media::Object { stripped: true }),
            ("application/vnd.pgrst.array+json;nulls=stripped", Media::StrippedArray),
            ("application/vnd.pgrst.array+json", Media::Json),
            (r#"application/vnd.pgrst.plan+json; for="text/csv, text/xml", text/csv"#, Media::Csv),
        ] {
            assert_eq!(of(accept).unwrap(), media, "{accept}");
        }
    }

    #[test]
    fn what_there_is_not_is_named() {
        for (accept, named) in [
            ("text/html, image/png;q=0.5", "text/html, image/png"),
            ("application/geo+json", "application/geo+json"),
            ("application/vnd.pgrst.plan+text; options=analyze", "application/vnd.pgrst.plan+text;options=analyze"),
            ("application/json;q=0", "application/json"),
        ] {
            let error = of(accept).unwrap_err();
            assert_eq!(error.message, format!("None of these media types are available: {named}"));
            assert_eq!((error.kind, &*error.code), (Kind::NotAcceptable, "PGRST107"));
        }
    }

    #[test]
    fn one_row_is_one_object() {
        let answer = |rows, text: &str| Answer { rows, bytes: text.as_bytes().to_vec(), ..Answer::default() };
        assert_eq!(OBJECT.of_list(&mut answer(1, r#"[{"a":1}]"#)).unwrap(), r#"{"a":1}"#);
        assert_eq!(Media::Json.of_list(&mut answer(0, "[]")).unwrap(), "[]");
        assert_eq!(Media::StrippedArray.of_row(&mut answer(1, "{}")), "[{}]");
        let error = OBJECT.of_list(&mut answer(2, "[{},{}]")).unwrap_err();
        assert_eq!(error.details.as_deref(), Some("The result contains 2 rows"));
        assert_eq!((error.kind, &*error.code), (Kind::NotAcceptable, "PGRST116"));
    }
}
