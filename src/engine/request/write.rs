//! What a write is asked to do: which rows it changes or deletes, which it adds, and what becomes of those whose values
//! are taken.

use super::{Columns, Filter, Key, Order, Slot};

/// Which rows a write changes or deletes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// The one with a key.
    Row {
        /// Its key.
        key: Key,
        /// When it must have been written last; any time without.
        written: Option<Slot>,
    },
    /// Those that the caller sees and that match.
    Matching {
        /// The condition; all without.
        filter: Option<Filter>,
        /// How many they may be.
        at_most: u64,
        /// In which order they are told; in that of their keys without.
        order: Vec<Order>,
    },
}

impl From<Key> for Target {
    fn from(key: Key) -> Self {
        Self::Row { key, written: None }
    }
}

/// Rows to add.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Create {
    /// The rows, each with its own slots.
    pub rows: Vec<NewRow>,
    /// Whether they are a list, so that errors tell which row they are about.
    pub many: bool,
    /// What becomes of a row whose values are taken; an error without.
    pub conflict: Option<Conflict>,
    /// In which order rows of a list are told; in that of the list without.
    pub order: Vec<Order>,
}

impl From<NewRow> for Create {
    fn from(row: NewRow) -> Self {
        Self { rows: vec![row], many: false, conflict: None, order: Vec::new() }
    }
}

/// A row to add.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NewRow {
    /// Its columns.
    pub columns: Columns,
    /// Rows that belong to it, by the names of relations.
    pub children: Vec<(String, Vec<NewRow>)>,
}

impl From<Columns> for NewRow {
    fn from(columns: Columns) -> Self {
        Self { columns, children: Vec::new() }
    }
}

impl NewRow {
    /// How many rows belong to it, and to those.
    pub fn below(&self) -> usize {
        self.children.iter().flat_map(|(_, rows)| rows).map(|row| 1 + row.below()).sum()
    }
}

/// What becomes of a new row where there is one with the same values already.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Conflict {
    /// The columns whose values are the same; the key without.
    pub target: Option<Vec<String>>,
    /// What becomes of it.
    pub action: OnTaken,
}

/// What becomes of a new row whose values are taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OnTaken {
    /// The row that is there gets its values: those of these columns, or all that an update may write.
    Update(Option<Vec<String>>),
    /// The row that is there is replaced: what the new one leaves out is empty, or what a new row would get.
    Replace,
    /// Nothing. The answer has the row that is there, if `told`.
    Ignore {
        /// Whether the answer has the row that is there.
        told: bool,
    },
}
