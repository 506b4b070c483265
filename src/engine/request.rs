//! What a client asks for, in the catalogue's names and in no protocol's: the first value that both protocols share.
//!
//! In: a parsed GraphQL operation or REST URL and body. Out: a [`Request`] without values in it. Each value that the
//! client wrote has a numbered *slot*, and the values travel beside the request, so that the request is the shape of
//! the question: equal shapes share a plan.

use crate::catalog::{Operator, scalar::JsonKind};
use std::ops::Range;

/// The number of a value that the client gives beside the request.
pub type Slot = usize;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// The resource's name.
    pub resource: String,
    /// What to do with it.
    pub action: Action,
    /// What to tell of each row. An [`Envelope`] says how the rows are framed.
    pub select: Vec<Field>,
}

/// What to do with a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read the rows of a list.
    List(List),
    /// Read one row.
    Get(Key),
    /// Add a row.
    Create(Vec<(String, Slot)>),
    /// Change one row.
    Update(Key, Vec<(String, Slot)>),
    /// Replace one row: what the input leaves out is empty, or what a new row would get.
    Replace(Key, Vec<(String, Slot)>),
    /// Delete one row; the answer is the row that was.
    Delete(Key),
}

impl Action {
    /// Whether it changes anything.
    pub const fn is_write(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Get(_))
    }
}

/// Which row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// The one whose key is in the slot.
    Slot(Slot),
    /// The one whose key is in the slot as a global node id.
    Node(Slot),
    /// The caller's own, by the subject of its token.
    Caller,
}

/// Which rows, in which order, and which part of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct List {
    /// Which rows; all without.
    pub filter: Option<Filter>,
    /// In which order; the resource's own without. The key breaks ties.
    pub order: Vec<Order>,
    /// Which part of them.
    pub page: Page,
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// All of them; true if there is none.
    And(Vec<Filter>),
    /// Any of them; false if there is none.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// A column compared with a value.
    Compare {
        /// The column's name.
        column: String,
        /// How.
        operator: Operator,
        /// With what.
        slot: Slot,
    },
    /// A column that is, or is not, NULL.
    IsNull {
        /// The column's name.
        column: String,
        /// Whether it must be NULL.
        null: bool,
    },
    /// What a path leads to in the JSON value of a column.
    Json {
        /// The column's name.
        column: String,
        /// The path: a list of names and indexes.
        path: Slot,
        /// As what it is asked for.
        kind: JsonKind,
        /// What must hold of it.
        condition: JsonCondition,
    },
}

/// What must hold of a value out of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonCondition {
    /// A comparison with the value in the slot.
    Compare(Operator, Slot),
    /// It is not of its kind, `null`, or not there; with `false`, it is there.
    IsNull(bool),
}

/// One column of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// The column's name.
    pub column: String,
    /// Greatest first.
    pub descending: bool,
    /// Whether NULLs come first; by default last ascending and first descending.
    pub nulls_first: Option<bool>,
}

/// Which part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Page {
    /// How many rows at most; the protocol's default without.
    pub limit: Option<u64>,
    /// Whether the rows are counted from the end of the list. They are told in its order all the same.
    pub backward: bool,
    /// How many rows to leave out.
    pub offset: Option<Slot>,
    /// Only rows behind this cursor.
    pub after: Option<Position>,
    /// Only rows before this cursor.
    pub before: Option<Position>,
}

/// A cursor that the client gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Its text.
    pub slot: Slot,
    /// Which of its values are NULL, a bit each: a comparison with NULL is another statement.
    pub nulls: u32,
}

/// What to tell of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// A column.
    Column {
        /// The name under which the answer has it; the protocol's own without.
        alias: Option<String>,
        /// The column's name.
        name: String,
    },
    /// The row's global id.
    NodeId {
        /// The name under which the answer has it.
        alias: String,
    },
    /// The name of the row's GraphQL type.
    TypeName {
        /// The name under which the answer has it.
        alias: String,
    },
    /// The row at the other end of a relation to one.
    One {
        /// The name under which the answer has it; the protocol's own without.
        alias: Option<String>,
        /// The relation's name.
        relation: String,
        /// What to tell of that row.
        select: Vec<Field>,
    },
    /// The rows at the other end of a relation to many.
    Many {
        /// The name under which the answer has it; the protocol's own without.
        alias: Option<String>,
        /// The relation's name.
        relation: String,
        /// Which of them.
        list: List,
        /// What to tell of each.
        select: Vec<Field>,
        /// How they are framed.
        envelope: Envelope,
    },
}

/// How the rows of an answer are framed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Envelope {
    /// One object, or `null`.
    Object,
    /// An array of objects.
    Array,
    /// A Relay connection with these fields, in this order.
    Connection(Vec<Part>),
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

/// A request, and where its answer goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// What is asked.
    pub request: Request,
    /// How the rows are framed.
    pub envelope: Envelope,
}
