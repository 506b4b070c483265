//! Requests in the abstract: what both protocols can say, and what one of them can.

use super::value::Value;

/// Which rows. A row is in a list if this is true of it, and neither false nor unknown.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// All of these tests hold of the column.
    Column(usize, Vec<Test>),
    /// There is a related row for the caller, and the filter is true of it.
    One(usize, Box<Filter>),
    /// The filter is true of one of the related rows, of none, of each.
    Many(usize, Count, Box<Filter>),
    /// What is measured of the related rows for which the filter is true; of all without one.
    Measured(usize, Option<Box<Filter>>, Measure, Vec<Test>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Some,
    None,
    Every,
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Compare(Sign, Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    /// A pattern; with `true` without regard to case.
    Like(String, bool),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    /// A regular expression; with `true` without regard to case.
    Match(String, bool),
    /// Words that all occur.
    Search(String),
    Null(bool),
    /// Not equal, where NULL differs from every value: only REST says this.
    Distinct(Value),
    /// One test with any, or with all, of a list: only REST says this.
    Each(Sign, bool, Vec<Value>),
    /// Of what is found at a path of a JSON value.
    Path(Vec<String>, Leaf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// What is asked of a place in a JSON value.
#[derive(Debug, Clone)]
pub(super) enum Leaf {
    Text(Box<Test>),
    Number(Sign, f64),
    Boolean(bool),
    Null(bool),
}

/// What is measured of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Count,
    CountDistinct(usize),
    Sum(usize),
    Avg(usize),
    Min(usize),
    Max(usize),
}

/// By what a list is ordered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Column(usize),
    One(usize, Box<Key>),
    Many(usize, Measure),
}

/// A direction, and where NULLs are: behind what ascends and before what descends, unless told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) descending: bool,
    pub(super) nulls_first: Option<bool>,
}

/// A part of a list.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    pub(super) first: Option<usize>,
    pub(super) last: Option<usize>,
    pub(super) offset: usize,
}

/// A list: which rows, in which order, which part.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) table: usize,
    pub(super) filter: Option<Filter>,
    pub(super) order: Vec<(Key, Way)>,
    pub(super) page: Page,
}

/// A list and what is told of it, each part under a name of its own.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) list: List,
    pub(super) parts: Vec<(String, Part)>,
}

#[derive(Debug, Clone)]
pub(super) enum Part {
    TotalCount,
    TypeName,
    Nodes(Vec<(String, Field)>),
    /// The nodes in their edges.
    Edges(Vec<(String, Field)>),
    /// `hasNextPage`, then `hasPreviousPage`.
    PageInfo,
    Aggregate(Vec<Measure>),
    Groups(Groups),
}

/// A field of a row.
#[derive(Debug, Clone)]
pub(super) enum Field {
    Column(usize),
    NodeId,
    TypeName,
    One(usize, Vec<(String, Field)>),
    Many(usize, Connection),
}

/// A root field.
#[derive(Debug, Clone)]
pub(super) enum Root {
    List(Connection),
    /// The row of a table with a key.
    Row(usize, Value, Vec<(String, Field)>),
    /// The same by its global id.
    Node(usize, Value, Vec<(String, Field)>),
    /// The caller.
    Me(Vec<(String, Field)>),
}

/// Part of a day's column by which rows are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bucket {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// A list in groups.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    pub(super) by: Vec<(usize, Option<Bucket>)>,
    pub(super) having: Option<Having>,
    pub(super) order: Vec<(GroupKey, Way)>,
    pub(super) first: Option<usize>,
    pub(super) fill: Option<(Value, Value)>,
    /// The measures that are told behind the key.
    pub(super) tell: Vec<Measure>,
}

#[derive(Debug, Clone)]
pub(super) enum Having {
    And(Vec<Having>),
    Or(Vec<Having>),
    Not(Box<Having>),
    Measured(Measure, Vec<Test>),
}

/// By what groups are ordered.
#[derive(Debug, Clone, Copy)]
pub(super) enum GroupKey {
    /// The position in `by`.
    Key(usize),
    Measure(Measure),
}
