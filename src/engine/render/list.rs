//! Lists: a page is written while its rows come, and what is told around them when all have come.
//!
//! In: the rows of a statement, or those of a cell. Out: bytes, how many rows are in them, and the cursor of the last.

use super::{Op, write_ops};
use crate::{
    catalog::scalar::Cell,
    engine::{cursor::CursorProgram, database::Row, nested},
    error::Result,
};

/// How a list is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ListProgram {
    /// Its parts, in order.
    pub parts: Vec<ListPart>,
    /// How many rows the page has at most; one row more tells that others follow.
    pub limit: u64,
    /// Whether the rows come from the end of the list, in reverse.
    pub backward: bool,
    /// How many of the statement's rows come before the page.
    pub before: u64,
    /// Whether the page begins behind a cursor or an offset.
    pub begins_within: bool,
    /// Whether the page ends before a cursor.
    pub ends_within: bool,
    /// How a cursor is written, where the page's info needs one.
    pub cursor: Option<CursorProgram>,
    /// How the cursor of the page's last row is written, where it is told beside the answer.
    pub next: Option<CursorProgram>,
}

impl ListProgram {
    /// A list of at most `limit` rows that tells of nothing but these parts.
    pub(in crate::engine) const fn plain(parts: Vec<ListPart>, limit: u64) -> Self {
        Self {
            parts,
            limit,
            backward: false,
            before: 0,
            begins_within: false,
            ends_within: false,
            cursor: None,
            next: None,
        }
    }
}

/// A part of a written list.
#[derive(Debug, Clone, PartialEq)]
pub enum ListPart {
    /// These bytes.
    Literal(Vec<u8>),
    /// The rows, with commas between.
    Rows(Vec<Op>),
    /// The rows, each on a new line.
    Lines(Vec<Op>),
    /// Whether rows follow the page.
    HasNextPage,
    /// Whether rows come before the page.
    HasPreviousPage,
    /// The first row's cursor.
    StartCursor,
    /// The last row's cursor.
    EndCursor,
    /// How many rows the list has without the page.
    Count,
    /// Something out of the row around the list.
    Beside(Op),
    /// How many rows are written.
    Length,
}

/// What is known of a list while its rows come.
#[derive(Debug)]
pub(super) struct ListState {
    /// The rows of each `Rows` part, in the order in which they came.
    written: Vec<Written>,
    pub(super) seen: u64,
    before: u64,
    limit: u64,
    first: Vec<u8>,
    last: Vec<u8>,
    /// The cursor of the row that fills the page.
    next: Option<String>,
}

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    /// Where each row ends, for lists that come in reverse.
    ends: Vec<usize>,
}

impl ListState {
    pub(super) fn new(program: &ListProgram) -> Self {
        let parts = program.parts.iter().filter(|part| matches!(part, ListPart::Rows(_) | ListPart::Lines(_))).count();
        Self {
            written: std::iter::repeat_with(Written::default).take(parts).collect(),
            seen: 0,
            before: program.before,
            limit: program.limit,
            first: Vec::new(),
            last: Vec::new(),
            next: None,
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.seen.saturating_sub(self.before).min(self.limit)
    }

    pub(super) fn row<R: Row>(&mut self, program: &ListProgram, row: &R) -> Result<()> {
        self.seen += 1;
        let place = self.seen.saturating_sub(self.before);
        if place == 0 || place > self.limit {
            return Ok(());
        }
        let mut written = self.written.iter_mut();
        for part in &program.parts {
            let (ListPart::Rows(ops) | ListPart::Lines(ops)) = part else { continue };
            let Some(written) = written.next() else { continue };
            match part {
                ListPart::Lines(_) => written.bytes.push(b'\n'),
                _ if place > 1 && !program.backward => written.bytes.push(b','),
                _ => {}
            }
            write_ops(ops, row, &mut written.bytes)?;
            if program.backward {
                written.ends.push(written.bytes.len());
            }
        }
        if let Some(cursor) = &program.cursor {
            if place == 1 {
                cursor.write(row, &mut self.first)?;
            }
            self.last.clear();
            cursor.write(row, &mut self.last)?;
        }
        if place == self.limit
            && let Some(next) = &program.next
        {
            self.next = Some(next.text(row)?);
        }
        Ok(())
    }

    /// The cursor of the page's last row, if rows follow and it is asked for.
    pub(super) fn next(&mut self) -> Option<String> {
        self.next.take().filter(|_| self.seen > self.limit)
    }

    /// Writes the list; `around` is the row that it is nested in.
    pub(super) fn finish<R: Row>(
        self,
        program: &ListProgram,
        total: Option<u64>,
        around: &R,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let more = self.seen > self.limit;
        let (next, previous) = if program.backward {
            (program.ends_within, more || program.begins_within)
        } else {
            (more || program.ends_within, program.begins_within)
        };
        let (start, end) = if program.backward { (&self.last, &self.first) } else { (&self.first, &self.last) };
        let cursor = |cursor: &Vec<u8>, out: &mut Vec<u8>| {
            out.extend_from_slice(if cursor.is_empty() { b"null" } else { cursor });
        };
        let boolean = |value: bool, out: &mut Vec<u8>| out.extend_from_slice(if value { b"true" } else { b"false" });
        let mut written = self.written.iter();
        for part in &program.parts {
            match part {
                ListPart::Literal(bytes) => out.extend_from_slice(bytes),
                ListPart::Rows(_) | ListPart::Lines(_) => {
                    if let Some(written) = written.next() {
                        written.copy(program.backward, out);
                    }
                }
                ListPart::HasNextPage => boolean(next, out),
                ListPart::HasPreviousPage => boolean(previous, out),
                ListPart::StartCursor => cursor(start, out),
                ListPart::EndCursor => cursor(end, out),
                ListPart::Length => {
                    out.extend_from_slice(itoa::Buffer::new().format(self.rows()).as_bytes());
                }
                ListPart::Count => {
                    out.extend_from_slice(itoa::Buffer::new().format(total.unwrap_or_default()).as_bytes());
                }
                ListPart::Beside(op) => write_ops(std::slice::from_ref(op), around, out)?,
            }
        }
        Ok(())
    }
}

impl Written {
    fn copy(&self, backward: bool, out: &mut Vec<u8>) {
        if !backward {
            out.extend_from_slice(&self.bytes);
            return;
        }
        for (index, &end) in self.ends.iter().enumerate().rev() {
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            out.extend_from_slice(&self.bytes[start..end]);
            if index > 0 {
                out.push(b',');
            }
        }
    }
}

/// Writes a nested list, and tells how many rows it has, and the cursor of the last one as [`ListState::next`] does.
pub(super) fn write_many<R: Row>(
    program: &ListProgram,
    rows: Option<usize>,
    total: Option<u64>,
    around: &R,
    out: &mut Vec<u8>,
) -> Result<(u64, Option<String>)> {
    let mut state = ListState::new(program);
    let rows = rows.map_or(Ok(Cell::Null), |rows| around.cell(rows))?;
    nested::each(rows, |row| state.row(program, row))?;
    let (count, next) = (state.rows(), state.next());
    state.finish(program, total, around, out)?;
    Ok((count, next))
}
