//! Which part of a list a read asks for, and which part of it the answer holds.
//!
//! In: `limit` and `offset` of a query string, and the `Range` header in items, as PostgREST takes it. Out: the window
//! of both, and the status and `Content-Range` of the answer.

use crate::error::{Error, Kind, Result};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

/// A part of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// How many rows are left out.
    pub(super) offset: u64,
    /// How many rows it has at most.
    pub(super) limit: Option<u64>,
}

impl Window {
    /// The rows that the `Range` header names; all, if there is none or it is malformed.
    ///
    /// # Errors
    /// `PGRST103` if it ends before it begins.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(range) = headers.get(header::RANGE).and_then(|range| range.to_str().ok()) else { return Ok(None) };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let Some((first, last)) = range.trim().split_once('-') else { return Ok(None) };
        if first.is_empty() || !digits(first) || !digits(last) {
            return Ok(None);
        }
        // More than can be counted is beyond the end of every list.
        let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs());
        let offset = number(first);
        if last.is_empty() {
            return Ok(Some(Self { offset, limit: None }));
        }
        match number(last).checked_sub(offset) {
            Some(length) => Ok(Some(Self { offset, limit: Some(length + 1) })),
            None => Err(unsatisfiable(
                "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
            )),
        }
    }

    /// The rows that are in both.
    ///
    /// # Errors
    /// `PGRST103` if there can be none, although neither asks for none.
    pub(super) fn and(self, other: Self) -> Result<Self> {
        let offset = self.offset.max(other.offset);
        let end = |window: Self| window.limit.map(|limit| window.offset.saturating_add(limit));
        let limit = match (end(self), end(other)) {
            (None, None) => return Ok(Self { offset, limit: None }),
            (Some(end), None) | (None, Some(end)) => end.saturating_sub(offset),
            (Some(one), Some(other)) => one.min(other).saturating_sub(offset),
        };
        if limit == 0 && self.limit != Some(0) && other.limit != Some(0) {
            return Err(unsatisfiable("The Range header and the limit and offset of the URL have no row in common."));
        }
        Ok(Self { offset, limit: Some(limit) })
    }

    /// The status of an answer with so many rows of this window, and its `Content-Range`.
    ///
    /// # Errors
    /// `PGRST103` if the list, whose length is known, ends before the window begins.
    pub(super) fn told(self, rows: u64, total: Option<u64>) -> Result<(StatusCode, HeaderValue)> {
        // What is seen is there, whatever an estimate says.
        let total = total.map(|total| if rows > 0 { total.max(self.offset.saturating_add(rows)) } else { total });
        if let Some(total) = total.filter(|total| self.offset > *total) {
            let offset = self.offset;
            return Err(unsatisfiable(format!(
                "An offset of {offset} was requested, but there are only {total} rows."
            )));
        }
        let mut text = String::with_capacity(24);
        let mut buffer = itoa::Buffer::new();
        if rows == 0 {
            text.push('*');
        } else {
            text.push_str(buffer.format(self.offset));
            text.push('-');
            text.push_str(buffer.format(self.offset + rows - 1));
        }
        text.push('/');
        match total {
            Some(total) => text.push_str(buffer.format(total)),
            None => text.push('*'),
        }
        let status = if total.is_some_and(|total| rows < total) { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        // Digits and three other characters are a header's value.
        Ok((status, HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("*/*"))))
    }
}

/// The error of a range that no answer can hold.
pub(super) fn unsatisfiable(details: impl Into<String>) -> Error {
    Error::new(Kind::RangeNotSatisfiable, "Requested range not satisfiable").details(details)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: &'static str) -> Option<Window> {
        Window::of(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))])).unwrap()
    }

    const fn window(offset: u64, limit: Option<u64>) -> Window {
        Window { offset, limit }
    }

    #[test]
    fn a_range_is_two_places_in_a_list() {
        assert_eq!(of("0-24"), Some(window(0, Some(25))));
        assert_eq!(of("5-5"), Some(window(5, Some(1))));
        assert_eq!(of("100-"), Some(window(100, None)));
        assert_eq!(of("0-99999999999999999999"), Some(window(0, Some(i64::MAX.unsigned_abs() + 1))));
        for malformed in ["", "-5", "a-b", "bytes=0-5", "1-2-3", "1", "+1-2"] {
            assert_eq!(of(malformed), None, "{malformed}");
        }
        let reversed = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static("5-3"))]);
        assert_eq!(&*Window::of(&reversed).unwrap_err().code, "PGRST103");
    }

    #[test]
    fn of_two_windows_the_common_part_counts() {
        for (one, other, both) in [
            (window(0, Some(10)), window(5, None), window(5, Some(5))),
            (window(0, Some(10)), window(2, Some(3)), window(2, Some(3))),
            (window(3, None), window(5, None), window(5, None)),
            (window(0, Some(0)), window(5, None), window(5, Some(0))),
        ] {
            assert_eq!(one.and(other).unwrap(), both);
            assert_eq!(other.and(one).unwrap(), both);
        }
        assert!(window(0, Some(2)).and(window(5, Some(5))).is_err());
    }

    #[test]
    fn a_page_says_what_it_is_of_the_list() {
        for (offset, rows, total, status, range) in [
            (0, 4, None, 200, "0-3/*"),
            (10, 0, None, 200, "*/*"),
            (0, 4, Some(4), 200, "0-3/4"),
            (1, 2, Some(4), 206, "1-2/4"),
            (0, 0, Some(0), 200, "*/0"),
            (4, 0, Some(4), 206, "*/4"),
            (1, 3, Some(2), 206, "1-3/4"),
        ] {
            let (told, header) = window(offset, None).told(rows, total).unwrap();
            assert_eq!((told.as_u16(), header.to_str().unwrap()), (status, range));
        }
        let error = window(100, None).told(0, Some(4)).unwrap_err();
        assert_eq!(error.details.as_deref(), Some("An offset of 100 was requested, but there are only 4 rows."));
    }
}
