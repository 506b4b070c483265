//! A write with every name resolved: which rows it touches, and what it writes to their columns.

use super::{KeySource, Predicate};
use crate::{
    catalog::{Fill, policy::Operand},
    engine::request::Slot,
};
use std::sync::Arc;

/// Which rows a write changes or deletes.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The one with a key.
    Row {
        /// Its key.
        key: KeySource,
        /// When it must have been written last: the column that tells, and the slot.
        written: Option<(usize, Slot)>,
    },
    /// Those that the caller sees and that match.
    Matching {
        /// The client's condition.
        filter: Predicate,
        /// How many they may be.
        at_most: u64,
        /// How many can be told, where they are told and the protocol has a bound.
        told: Option<u64>,
    },
}

/// Rows that are added, each before those that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The rows.
    pub rows: Vec<NewRow>,
    /// What becomes of those of the query's resource whose values are taken.
    pub conflict: Option<Conflict>,
}

impl Insert {
    /// How many rows of `resource` are added.
    pub fn of(&self, resource: usize) -> usize {
        self.rows.iter().filter(|row| row.resource == resource).count()
    }
}

/// A row that is added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRow {
    /// The resource's index.
    pub resource: usize,
    /// The row that it belongs to, by its place among the rows.
    pub parent: Option<usize>,
    /// Which row of the input it is, as the beginning of a field's name; empty for a single one.
    pub path: Arc<str>,
    /// Its columns.
    pub set: Vec<Assignment>,
    /// What is written where its values are taken; none where they cannot be.
    pub taken: Option<Taken>,
}

/// What becomes of a row whose values are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// What is written to the row that is there.
    pub set: Vec<Assignment>,
    /// Whether there must be one, since no client may choose the key of a new row.
    pub must: bool,
}

/// What becomes of new rows whose values are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The columns whose values are taken.
    pub target: Vec<usize>,
    /// Nothing is written to the row that is there.
    pub ignores: bool,
    /// Whether the answer has a row that is there and that nothing was written to.
    pub told: bool,
    /// Whether the row that is there is replaced, and does not keep what the new one leaves out.
    pub replaces: bool,
}

/// A column that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The column's index.
    pub column: usize,
    /// What is written.
    pub source: Source,
}

/// Where a written value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The client.
    Slot(Slot),
    /// The column's default.
    Fill(Fill),
    /// What every update writes to the column: later than what is there.
    Touch(Fill),
    /// The key of the row that the new one belongs to.
    Parent,
    /// The policy's preset.
    Preset(Operand),
    /// Nowhere: NULL.
    Null,
}
