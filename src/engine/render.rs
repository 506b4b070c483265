//! From rows to JSON bytes: a small program per row, made once with the plan, so that an answer is written straight
//! into its buffer and no tree of values is ever built.
//!
//! In: cells of any driver, nested lists included (PostgreSQL's binary `record[]`, SQLite's JSON arrays). Out: bytes,
//! the same from both.

mod list;
mod size;

pub use list::{ListPart, ListProgram};
use list::{ListState, write_many};

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

/// A program that a renderer can hold beside others.
#[derive(Debug, Clone)]
pub struct Shared(pub Arc<Program>);

impl AsRef<Program> for Shared {
    fn as_ref(&self) -> &Program {
        &self.0
    }
}
