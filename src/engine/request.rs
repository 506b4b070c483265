//! What a client asks for, in the catalogue's names and in no protocol's: the first value that both protocols share.
//!
//! In: a parsed GraphQL operation or REST URL and body. Out: a [`Request`] without values in it. Each value that the
//! client wrote has a numbered *slot*, and the values travel beside the request, so that the request is the shape of
//! the question: equal shapes share a plan.

use crate::catalog::{
    Bucket, Function, Operator,
    scalar::{Cast, JsonKind},
};
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

    /// Whether it changes anything.
    pub const fn is_write(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Get(_))
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
    /// As many as the planner of the database expects; one by one where it expects nothing.
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
