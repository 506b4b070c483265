//! How an answer is framed and written: as an object, an array, a connection or groups; in which form; and what is told
//! beside it.

use super::{Filter, Measure, Order, Slot, Term};
use crate::catalog::{Bucket, scalar::Cast};
use std::ops::Range;

/// How the rows of an answer are framed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Envelope {
    /// One object, or `null`.
    Object,
    /// An array of objects.
    Array,
    /// A Relay connection with these fields, in this order.
    Connection(Vec<Part>),
    /// An array of the groups of the rows.
    Groups(Box<Groups>),
}

/// The groups of a list's rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Groups {
    /// What rows of one group have in common.
    pub by: Vec<GroupKey>,
    /// Which groups; all without.
    pub having: Option<Filter>,
    /// In which order; the keys break ties.
    pub order: Vec<Order>,
    /// How many at most; the protocol's bound without.
    pub limit: Option<u64>,
    /// Which of them to leave out.
    pub offset: Option<Slot>,
    /// The first and the last day between which no bucket is left out, though no row falls into it.
    pub fill: Option<(Slot, Slot)>,
    /// What to tell of each.
    pub parts: Vec<SummaryPart>,
}

/// What rows of one group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupKey {
    /// The value of each row.
    pub term: Term,
    /// The stretch of time into which its value falls; the value itself without.
    pub bucket: Option<Bucket>,
}

/// A member of what is told of several rows together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SummaryPart {
    /// The name under which the answer has it.
    pub alias: String,
    /// What it is.
    pub kind: SummaryKind,
}

/// What a member of a summary is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SummaryKind {
    /// The group's key with this number.
    Key(usize),
    /// An aggregate.
    Measure(Measure),
    /// A member as a value of another type.
    Cast(Box<SummaryKind>, Cast),
    /// An object of such members.
    Object(Vec<SummaryPart>),
    /// The same of a related row.
    Row {
        /// The number of the key that is NULL where there is no such row: `null` is told then.
        present: usize,
        /// The members.
        parts: Vec<SummaryPart>,
    },
    /// A constant, for `__typename`.
    TypeName(String),
}

/// A field of a connection, with the name under which the answer has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// The name under which the answer has it.
    pub alias: String,
    /// What it is.
    pub kind: PartKind,
}

/// What a field of a connection is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// The rows, as objects with these of the selected fields.
    Nodes(Range<usize>),
    /// The rows as edges.
    Edges(Vec<EdgePart>),
    /// Where the page stands in the list.
    PageInfo(Vec<PageInfoPart>),
    /// How many rows the list has.
    TotalCount,
    /// Aggregates of the list's rows, whatever the page.
    Aggregate(Vec<SummaryPart>),
    /// The groups of the list's rows, whatever the page.
    Groups(Box<Groups>),
    /// How many rows a write has touched.
    Affected,
    /// A constant, for `__typename`.
    TypeName(String),
}

/// A field of an edge, with the name under which the answer has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EdgePart {
    /// The name under which the answer has it.
    pub alias: String,
    /// What it is.
    pub kind: EdgeKind,
}

/// What a field of an edge is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// The row, with these of the selected fields.
    Node(Range<usize>),
    /// Where it stands.
    Cursor,
    /// A constant, for `__typename`.
    TypeName(String),
}

/// A field of a page's info, with the name under which the answer has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageInfoPart {
    /// The name under which the answer has it.
    pub alias: String,
    /// What it is.
    pub kind: PageInfoKind,
}

/// What a field of a page's info is (Relay Cursor Connections, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PageInfoKind {
    /// Whether rows follow.
    HasNextPage,
    /// Whether rows come before.
    HasPreviousPage,
    /// The cursor of the first row.
    StartCursor,
    /// The cursor of the last row.
    EndCursor,
    /// A constant, for `__typename`.
    TypeName(String),
}

/// How an answer is written, and what is told beside its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Form {
    /// How it is written.
    pub format: Format,
    /// How the rows that a list has without its page are counted, if they are.
    pub counted: Option<Count>,
    /// Whether the cursor of the page's last row is told, if rows follow.
    pub next: bool,
    /// Whether the tag of the row's state is told.
    pub tagged: bool,
    /// Which of the rows that a write has touched are told, where they are a list; all without.
    pub cut: Option<Cut>,
}

/// A part that is cut out of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cut {
    /// How many come before it.
    pub before: u64,
    /// How many it has at most.
    pub limit: u64,
}

/// How the rows that a list has without its page are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// One by one.
    Exact,
    /// As many as the planner of the database expects; one by one where it expects nothing, or knows of rows that the caller
    /// may not see.
    Planned,
    /// One by one up to the most rows that a page has, beyond that by what the planner expects.
    Estimated,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// As JSON.
    #[default]
    Json,
    /// As JSON, without the members that are null.
    Stripped,
    /// As lines of comma-separated values under a line of names (RFC 4180).
    Csv,
}
