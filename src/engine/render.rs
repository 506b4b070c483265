//! From rows to JSON bytes: a small program per row, made once with the plan, so that an answer is written straight
//! into its buffer and no tree of values is ever built.
//!
//! In: cells of any driver, nested lists included (PostgreSQL's binary `record[]`, SQLite's JSON arrays). Out: bytes,
//! the same from both.

use super::{
    csv,
    cursor::{CursorProgram, write_node_id},
    database::{Row, Sink},
    digest::tag,
    nested,
};
use crate::{
    catalog::scalar::{Cell, Scalar, Style},
    error::{Error, Result},
};
use std::sync::Arc;

/// A step of writing a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// These bytes.
    Literal(Vec<u8>),
    /// A cell.
    Cell {
        /// Where it is in the row.
        index: usize,
        /// Its type.
        scalar: Scalar,
        /// How its protocol writes it.
        style: Style,
    },
    /// The row's global id.
    NodeId {
        /// Where the key is in the row.
        index: usize,
        /// The key's type.
        scalar: Scalar,
        /// The resource's name.
        resource: String,
    },
    /// The row's cursor.
    Cursor(CursorProgram),
    /// An object out of the same row; `null` where its key is NULL.
    One {
        /// Where its key is in the row.
        presence: usize,
        /// How it is written.
        ops: Vec<Op>,
    },
    /// A list nested in the row.
    Many {
        /// Where its rows are, if they are told.
        rows: Option<usize>,
        /// Where their number without the page is, if it is asked for.
        count: Option<usize>,
        /// How it is written.
        list: ListProgram,
    },
    /// The one row of a list that always has one.
    First {
        /// Where the list is.
        rows: usize,
        /// How the row is written.
        list: ListProgram,
    },
    /// An object of those members that are not null.
    Stripped(Vec<Member>),
    /// A field of a line of comma-separated values.
    Field(Vec<Op>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name as a JSON string.
    pub name: Vec<u8>,
    /// How its value is written.
    pub value: Vec<Op>,
}

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
    pub(super) const fn plain(parts: Vec<ListPart>, limit: u64) -> Self {
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

/// How the rows of a statement are written.
#[derive(Debug, Clone, PartialEq)]
pub enum Program {
    /// Of one row, or of none: `null`.
    Row(Vec<Op>),
    /// Of one row whose state is tagged, or of none.
    Tagged {
        /// How it is written.
        row: Vec<Op>,
        /// How all that the caller sees of it is written, of which its tag is made; none where that is the same.
        whole: Option<Vec<Op>>,
    },
    /// Of a list.
    List(ListProgram),
}

/// A written answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The JSON.
    pub bytes: Vec<u8>,
    /// How many rows of the resource are in it.
    pub rows: u64,
    /// How many rows a write has touched, whether they are in it or not.
    pub touched: u64,
    /// How many rows the list has without its page, if that was asked for.
    pub total: Option<u64>,
    /// The key of the one row that a write touched, as a text.
    pub key: Option<String>,
    /// How many rows a write has added.
    pub added: u64,
    /// The cursor of the page's last row, if that is asked for and rows follow.
    pub next: Option<String>,
    /// The tag of the row's state, if that is asked for.
    pub tag: Option<String>,
}

impl Answer {
    /// Counts a row that is in it.
    const fn count(&mut self) {
        self.rows += 1;
        self.touched += 1;
    }
}

/// Writes the rows of a statement.
#[derive(Debug)]
pub struct Renderer<P> {
    plan: P,
    answer: Answer,
    list: Option<ListState>,
}

impl<P: AsRef<Program> + Send + 'static> Renderer<P> {
    /// A renderer of the program of `plan`.
    pub fn new(plan: P) -> Self {
        let list = match plan.as_ref() {
            Program::List(list) => Some(ListState::new(list)),
            Program::Row(_) | Program::Tagged { .. } => None,
        };
        Self { plan, answer: Answer::default(), list }
    }
}

impl<P: AsRef<Program> + Send + 'static> Sink for Renderer<P> {
    type Output = Answer;

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        match (self.plan.as_ref(), &mut self.list) {
            (Program::List(program), Some(state)) => state.row(program, row),
            (Program::Row(ops), _) => {
                self.answer.count();
                write_row(ops, row, &mut self.answer)
            }
            (Program::Tagged { row: ops, whole }, _) => {
                self.answer.count();
                write_ops(ops, row, &mut self.answer.bytes)?;
                self.answer.tag = Some(match whole {
                    None => tag(&self.answer.bytes),
                    Some(whole) => {
                        let mut bytes = Vec::new();
                        write_ops(whole, row, &mut bytes)?;
                        tag(&bytes)
                    }
                });
                Ok(())
            }
            (Program::List(_), None) => Err(Error::internal("a list without its state")),
        }
    }

    fn finish(mut self, _: u64) -> Result<Answer> {
        match (self.plan.as_ref(), self.list) {
            (Program::List(program), Some(mut state)) => {
                (self.answer.rows, self.answer.touched) = (state.rows(), state.seen);
                self.answer.next = state.next();
                state.finish(program, None, &nested::EMPTY, &mut self.answer.bytes)?;
            }
            // A row was written, or there was none.
            _ if self.answer.bytes.is_empty() => self.answer.bytes.extend_from_slice(b"null"),
            _ => {}
        }
        Ok(self.answer)
    }
}

/// Writes the row of a statement that has one; a list nested at its top tells its numbers to the answer.
fn write_row<R: Row>(ops: &[Op], row: &R, answer: &mut Answer) -> Result<()> {
    if let [Op::Many { rows, count, list }] = ops {
        let total = count.map(|index| total(row.cell(index)?)).transpose()?;
        answer.total = total;
        (answer.rows, answer.next) = write_many(list, *rows, total, row, &mut answer.bytes)?;
        return Ok(());
    }
    write_ops(ops, row, &mut answer.bytes)
}

fn total(cell: Cell<'_>) -> Result<u64> {
    cell.integer()
        .and_then(|count| u64::try_from(count).ok())
        .ok_or_else(|| Error::internal(format!("{cell:?} is no count")))
}

pub(super) fn write_ops<R: Row>(ops: &[Op], row: &R, out: &mut Vec<u8>) -> Result<()> {
    for op in ops {
        match op {
            Op::Literal(bytes) => out.extend_from_slice(bytes),
            Op::Cell { index, scalar, style } => scalar.write(row.cell(*index)?, *style, out)?,
            Op::NodeId { index, scalar, resource } => {
                let mut key = Vec::with_capacity(40);
                scalar.write(row.cell(*index)?, Style::Rest, &mut key)?;
                write_node_id(resource, &key, out);
            }
            Op::Cursor(program) => program.write(row, out)?,
            Op::One { presence, ops } => match row.cell(*presence)? {
                Cell::Null => out.extend_from_slice(b"null"),
                _ => write_ops(ops, row, out)?,
            },
            Op::Many { rows, count, list } => {
                let total = count.map(|index| total(row.cell(index)?)).transpose()?;
                write_many(list, *rows, total, row, out)?;
            }
            Op::First { rows, list } => {
                write_many(list, Some(*rows), None, row, out)?;
            }
            Op::Stripped(members) => write_stripped(members, row, out)?,
            Op::Field(value) => write_field(value, row, out)?,
        }
    }
    Ok(())
}

fn write_stripped<R: Row>(members: &[Member], row: &R, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'{');
    let first = out.len();
    for Member { name, value } in members {
        let before = out.len();
        if before > first {
            out.push(b',');
        }
        out.extend_from_slice(name);
        out.push(b':');
        let at = out.len();
        write_ops(value, row, out)?;
        if out[at..] == *b"null" {
            out.truncate(before);
        }
    }
    out.push(b'}');
    Ok(())
}

fn write_field<R: Row>(value: &[Op], row: &R, out: &mut Vec<u8>) -> Result<()> {
    let at = out.len();
    if let [Op::Cell { index, scalar: Scalar::Json, .. }] = value {
        // A JSON value that is null is a value; NULL is none.
        if matches!(row.cell(*index)?, Cell::Null) {
            return Ok(());
        }
        write_ops(value, row, out)?;
        csv::quote_from(at, out);
        return Ok(());
    }
    write_ops(value, row, out)?;
    csv::field_from(at, out);
    Ok(())
}

/// What is known of a list while its rows come.
#[derive(Debug)]
struct ListState {
    /// The rows of each `Rows` part, in the order in which they came.
    written: Vec<Written>,
    seen: u64,
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
    fn new(program: &ListProgram) -> Self {
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

    fn rows(&self) -> u64 {
        self.seen.saturating_sub(self.before).min(self.limit)
    }

    fn row<R: Row>(&mut self, program: &ListProgram, row: &R) -> Result<()> {
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
    fn next(&mut self) -> Option<String> {
        self.next.take().filter(|_| self.seen > self.limit)
    }

    /// Writes the list; `around` is the row that it is nested in.
    fn finish<R: Row>(self, program: &ListProgram, total: Option<u64>, around: &R, out: &mut Vec<u8>) -> Result<()> {
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
fn write_many<R: Row>(
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

/// A program that a renderer can hold beside others.
#[derive(Debug, Clone)]
pub struct Shared(pub Arc<Program>);

impl AsRef<Program> for Shared {
    fn as_ref(&self) -> &Program {
        &self.0
    }
}
