//! What a client asks for, in the catalogue's names and in no protocol's: the first value that both protocols share.
//!
//! In: a parsed GraphQL operation or REST URL and body. Out: a [`Request`] without values in it. Each value that the
//! client wrote has a numbered *slot*, and the values travel beside the request, so that the request is the shape of
//! the question: equal shapes share a plan.

mod envelope;
mod write;

pub use envelope::{
    Count, Cut, EdgeKind, EdgePart, Envelope, Form, Format, GroupKey, Groups, PageInfoKind, PageInfoPart, Part,
    PartKind, SummaryKind, SummaryPart,
};
pub use write::{Conflict, Create, NewRow, OnTaken, Target};

use crate::catalog::{
    Function, Operator,
    scalar::{Cast, JsonKind},
};

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
    /// Add rows.
    Create(Create),
    /// Change rows.
    Update(Target, Columns),
    /// Replace one row: what the input leaves out is empty, or what a new row would get.
    Replace(Key, Columns),
    /// Delete rows; the answer is what they were.
    Delete(Target),
}

/// The columns that an input names, each with the slot of its value.
pub type Columns = Vec<(String, Slot)>;

impl Action {
    /// In which order the rows that a write has touched are told; empty where that is the write's own.
    pub fn told_in(&self) -> &[Order] {
        match self {
            Self::Create(Create { order, .. })
            | Self::Update(Target::Matching { order, .. }, _)
            | Self::Delete(Target::Matching { order, .. }) => order,
            _ => &[],
        }
    }

    /// Whether it is about one row, of which it tells an object.
    pub const fn is_of_one(&self) -> bool {
        match self {
            Self::List(_) => false,
            Self::Get(_) | Self::Replace(..) => true,
            Self::Create(create) => !create.many,
            Self::Update(target, _) | Self::Delete(target) => matches!(target, Target::Row { .. }),
        }
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
    /// A value of the row compared with the client's.
    Compare {
        /// What of the row.
        term: Term,
        /// How.
        operator: Operator,
        /// With what.
        slot: Slot,
    },
    /// A value of the row that is, or is not, NULL.
    IsNull {
        /// What of the row.
        term: Term,
        /// Whether it must be NULL.
        null: bool,
    },
    /// Related rows of which a condition holds.
    Related {
        /// The relation's name.
        relation: String,
        /// Of how many of them; of a relation to one, [`Quantifier::Some`].
        quantifier: Quantifier,
        /// What must hold of them.
        filter: Box<Filter>,
    },
}

/// Of how many related rows a condition must hold; only those count that exist for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// Of one at least.
    Some,
    /// Of none.
    None,
    /// Of each; it must be true of them, not unknown.
    Every,
}

/// What a row has one value of, by which it can be compared and ordered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// A column.
    Column(String),
    /// What a path leads to in the JSON value of a column.
    Json {
        /// The column's name.
        column: String,
        /// The path: a list of names and indexes.
        path: Slot,
        /// As what it is asked for.
        kind: JsonKind,
    },
    /// Something of the row at the other end of a relation to one; NULL where there is none for the caller.
    One(String, Box<Term>),
    /// An aggregate of the rows at the other end of a relation to many, or of those of them that match.
    Many {
        /// The relation's name.
        relation: String,
        /// Which of its rows.
        filter: Option<Box<Filter>>,
        /// What of them.
        measure: Measure,
    },
    /// Of a group: its key with this number.
    Key(usize),
    /// Of a group: an aggregate of its rows.
    Measure(Measure),
    /// A value as one of another type.
    Cast(Box<Term>, Cast),
    /// The same as the term, with a mark of what its slots hold: a cursor of an order by one path is none by another.
    Marked(Box<Term>, u32),
    /// That there is a row: `true`, or NULL at the end of a relation to one where there is none.
    Present,
}

impl Term {
    /// The column `name`.
    pub fn column(name: impl Into<String>) -> Self {
        Self::Column(name.into())
    }
}

/// An aggregate of rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Measure {
    /// The function.
    pub function: Function,
    /// Of which value of each row; of the rows themselves without.
    pub of: Option<Box<Term>>,
}

impl Measure {
    /// How many rows.
    pub const COUNT: Self = Self { function: Function::Count, of: None };

    /// An aggregate of the column `name`.
    pub fn of_column(function: Function, name: impl Into<String>) -> Self {
        Self { function, of: Some(Box::new(Term::column(name))) }
    }
}

/// One step of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// By what.
    pub term: Term,
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
    /// A value of the row.
    Term {
        /// The name under which the answer has it.
        alias: String,
        /// What of the row.
        term: Term,
    },
    /// The row at the other end of a relation to one.
    One {
        /// The name under which the answer has it; the protocol's own without.
        alias: Option<String>,
        /// The relation's name.
        relation: String,
        /// What must hold of that row: there is none without.
        filter: Option<Filter>,
        /// Whether its members stand among those of the row around it, and not in an object.
        spread: bool,
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
        list: Box<List>,
        /// What to tell of each.
        select: Vec<Field>,
        /// How they are framed.
        envelope: Envelope,
        /// Whether each of their members stands as an array among those of the row around them.
        spread: bool,
    },
}

/// A request, and where its answer goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// What is asked.
    pub request: Request,
    /// How the rows are framed.
    pub envelope: Envelope,
    /// How the answer is written, and what is told beside it.
    pub form: Form,
}
