//! Rows that are nested in a cell: PostgreSQL's binary `record[]`, and a JSON array of arrays on SQLite.
//!
//! In: such a cell. Out: its rows, one after the other, each of cells that are borrowed from it.

use super::database::Row;
use crate::{
    catalog::scalar::Cell,
    error::{Error, Result},
};
use serde_json::value::RawValue;

/// Hands over each row of a nested list; there is none in NULL.
pub(super) fn each<'a>(list: Cell<'a>, mut take: impl FnMut(&Nested<'_, 'a>) -> Result<()>) -> Result<()> {
    let mut record = Vec::new();
    match list {
        Cell::Null => {}
        Cell::Postgres(array) => {
            let mut reader = Reader(array);
            for _ in 0..reader.array_header()? {
                reader.record(&mut record)?;
                take(&Nested(&record))?;
            }
        }
        Cell::Text(json) | Cell::Token(json) => {
            let array: Vec<Vec<&'a RawValue>> = serde_json::from_str(json).map_err(Error::internal)?;
            for row in array {
                record.clear();
                record.extend(row.into_iter().map(|token| match token.get() {
                    "null" => Cell::Null,
                    token => Cell::Token(token),
                }));
                take(&Nested(&record))?;
            }
        }
        _ => return Err(Error::internal(format!("{list:?} is no nested list"))),
    }
    Ok(())
}

/// A row of a nested list.
pub(super) struct Nested<'c, 'a>(&'c [Cell<'a>]);

/// A row without cells.
pub(super) const EMPTY: Nested<'static, 'static> = Nested(&[]);

impl Row for Nested<'_, '_> {
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        self.0.get(index).copied().ok_or_else(|| Error::internal("a nested row is too short"))
    }
}

/// Reads PostgreSQL's binary formats of arrays and records (`array_send`, `record_send`): big-endian 32-bit lengths.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) =
            self.0.split_at_checked(length).ok_or_else(|| Error::internal("a nested list is cut off"))?;
        self.0 = rest;
        Ok(head)
    }

    fn int(&mut self) -> Result<i32> {
        let bytes = self.take(4)?;
        Ok(bytes.try_into().map(i32::from_be_bytes).unwrap_or_default())
    }

    /// The number of elements of a one-dimensional array.
    fn array_header(&mut self) -> Result<i32> {
        let dimensions = self.int()?;
        let (_has_null, _element_type) = (self.int()?, self.int()?);
        if dimensions == 0 {
            return Ok(0);
        }
        let (length, _lower_bound) = (self.int()?, self.int()?);
        Ok(length)
    }

    /// The cells of the next element, which is a record.
    fn record(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<()> {
        cells.clear();
        let _length = self.int()?;
        for _ in 0..self.int()? {
            let _type = self.int()?;
            let cell = match usize::try_from(self.int()?) {
                Ok(length) => Cell::Postgres(self.take(length)?),
                Err(_) => Cell::Null,
            };
            cells.push(cell);
        }
        Ok(())
    }
}
