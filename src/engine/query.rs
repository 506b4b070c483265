//! A request with every name resolved and every bound checked: what `plan` makes and `authorize` completes.
//!
//! Columns are indexes into their resource, resources indexes into the catalogue. Nothing here knows SQL.

mod summary;
mod write;

pub use summary::{Aggregate, Member, MemberKind, Summary};
pub use write::{Assignment, Conflict, Insert, NewRow, Source, Taken, Target};

use super::request::{Envelope, Form, Quantifier, Slot};
use crate::{
    catalog::{
        Bucket, Operator,
        policy::Operand,
        scalar::{Cast, JsonKind, Scalar},
    },
    error::Problem,
};
use std::sync::Arc;

/// A planned request.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The resource's index.
    pub resource: usize,
    /// What to do.
    pub action: QueryAction,
    /// What is read: the list, the row, or the row that a write leaves.
    pub read: Read,
    /// How the rows are framed.
    pub envelope: Envelope,
    /// How the answer is written, and what is told beside it.
    pub form: Form,
    /// How many rows a page of the protocol may have.
    pub max_page: u64,
    /// What each slot must hold.
    pub slots: Vec<SlotKind>,
    /// What is wrong with the input whatever its values are. It is told together with what is wrong with them.
    pub defects: Defects,
}

/// What is wrong with an input whatever its values are: members that are missing, unknown or not to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defects {
    /// The fields, each with what is wrong with it.
    pub problems: Vec<Problem>,
    /// Whether one of them is no column.
    pub unknown: bool,
}

/// What a query does before it reads.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryAction {
    /// Nothing.
    Read,
    /// Adds rows.
    Create(Insert),
    /// Changes rows.
    Update(Target, Vec<Assignment>),
    /// Deletes rows; they are read before.
    Delete(Target),
}

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// The client.
    Slot(Slot),
    /// The caller's token.
    Caller,
    /// The row that the write of the same query touched; for a new row, the one that it belongs to.
    Written,
    /// The rows that the write of the same query touched, in its order.
    Each,
}

/// What is read of a resource: of a list, or of the row with a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The resource's index.
    pub resource: usize,
    /// The row, if it is one.
    pub key: Option<KeySource>,
    /// Which rows the client asks for.
    pub filter: Option<Predicate>,
    /// In which order; the last column is the key. Empty where the read is of one row.
    pub order: Vec<Sort>,
    /// Which part of them.
    pub page: Window,
    /// What to tell of each.
    pub select: Vec<Selection>,
    /// Whether its rows are told, and not only what they come to together.
    pub told: bool,
    /// Whether the list is counted.
    pub counted: bool,
    /// What is told of its rows together: one for each such part of the envelope, in its order.
    pub summaries: Vec<Summary>,
}

/// Something that a row has one value of.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// The type of its values.
    pub scalar: Scalar,
    /// Whether NULL can be one.
    pub nullable: bool,
    /// How errors and cursors call it: the same in every process.
    pub name: String,
}

/// What a row has one value of. Indexes of columns and relations are those of the row's resource.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpressionKind {
    /// A column.
    Column(usize),
    /// What a path leads to in the JSON values of a column.
    Json {
        /// The column.
        column: usize,
        /// The path's slot.
        path: Slot,
        /// As what it is asked for.
        kind: JsonKind,
    },
    /// The first day of the bucket into which a value falls.
    Bucket(Box<Expression>, Bucket),
    /// An expression of the row at the other end of a relation to one.
    One(usize, Box<Expression>),
    /// An aggregate of the rows at the other end of a relation to many.
    Many {
        /// The relation.
        relation: usize,
        /// Which of its rows.
        filter: Option<Box<Predicate>>,
        /// What of them; its column is of the relation's target.
        aggregate: Aggregate,
    },
    /// Of a group: its key with this number.
    Key(usize),
    /// Of a group: its measure with this number.
    Measure(usize),
    /// A value as one of another type: that of the expression around it.
    Cast(Box<Expression>, Cast),
    /// That there is a row.
    Present,
}

impl ExpressionKind {
    /// Whether it says no more of a related row than that it is there.
    pub fn is_presence(&self) -> bool {
        match self {
            Self::Present => true,
            Self::One(_, inner) => inner.kind.is_presence(),
            _ => false,
        }
    }

    /// Whether it is of other rows than the one that is asked about.
    pub fn leads_away(&self) -> bool {
        match self {
            Self::One(..) | Self::Many { .. } => true,
            Self::Bucket(inner, _) | Self::Cast(inner, _) => inner.kind.leads_away(),
            Self::Column(_) | Self::Json { .. } | Self::Key(_) | Self::Measure(_) | Self::Present => false,
        }
    }
}

/// A condition on the columns of one resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Always, or never.
    Constant(bool),
    /// All of them.
    And(Vec<Predicate>),
    /// Any of them.
    Or(Vec<Predicate>),
    /// Not this.
    Not(Box<Predicate>),
    /// A value of the row compared with the client's.
    Compare {
        /// What of the row.
        expression: Expression,
        /// How.
        operator: Operator,
        /// With what.
        slot: Slot,
    },
    /// A value of the row that is, or is not, NULL.
    IsNull {
        /// What of the row.
        expression: Expression,
        /// Whether it must be NULL.
        null: bool,
    },
    /// Related rows that exist for the caller and of which a condition holds.
    Related {
        /// The relation.
        relation: usize,
        /// Of how many of them.
        quantifier: Quantifier,
        /// What must hold of them.
        predicate: Box<Predicate>,
    },
    /// What a policy says of a column, as it is stored.
    Policy {
        /// The column's index.
        column: usize,
        /// How it compares; none if it must be NULL.
        comparison: Option<(Operator, Operand)>,
    },
    /// What a policy says of a related row, whoever may see it.
    PolicyRelated {
        /// The relation.
        relation: usize,
        /// What must hold of the row.
        predicate: Box<Predicate>,
    },
}

impl Predicate {
    /// Whether it is about other rows than the one that is asked about.
    pub fn leads_away(&self) -> bool {
        match self {
            Self::Constant(_) | Self::Policy { .. } => false,
            Self::And(all) | Self::Or(all) => all.iter().any(Self::leads_away),
            Self::Not(one) => one.leads_away(),
            Self::Compare { expression, .. } | Self::IsNull { expression, .. } => expression.kind.leads_away(),
            Self::Related { .. } | Self::PolicyRelated { .. } => true,
        }
    }

    /// Both, without what is always true.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant(true), other) | (other, Self::Constant(true)) => other,
            (Self::Constant(false), _) | (_, Self::Constant(false)) => Self::Constant(false),
            (one, other) => Self::And(vec![one, other]),
        }
    }
}

/// One step of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// By what.
    pub expression: Expression,
    /// Greatest first.
    pub descending: bool,
    /// Where the NULLs are.
    pub nulls_first: bool,
}

/// Which part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// How many rows at most.
    pub limit: u64,
    /// Whether they are counted from the end.
    pub backward: bool,
    /// How many to leave out.
    pub offset: Option<Slot>,
    /// Only rows behind this cursor: its slot, and which of its values are NULL.
    pub after: Option<(Slot, u32)>,
    /// Only rows before this cursor.
    pub before: Option<(Slot, u32)>,
}

/// What to tell of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    /// A column, under a name.
    Column {
        /// The name in the answer.
        alias: String,
        /// The column's index.
        column: usize,
    },
    /// The global id, under a name.
    NodeId {
        /// The name in the answer.
        alias: String,
    },
    /// The GraphQL type, under a name.
    TypeName {
        /// The name in the answer.
        alias: String,
    },
    /// A value of the row, under a name.
    Value {
        /// The name in the answer.
        alias: String,
        /// What of the row.
        expression: Expression,
    },
    /// The row at the other end of a relation.
    One {
        /// The name in the answer.
        alias: String,
        /// The relation's index.
        relation: usize,
        /// What is read there.
        read: Box<Read>,
        /// Whether its members stand among those of the row around it.
        spread: bool,
    },
    /// The rows at the other end of a relation.
    Many {
        /// The name in the answer.
        alias: String,
        /// The relation's index.
        relation: usize,
        /// What is read there.
        read: Box<Read>,
        /// How they are framed.
        envelope: Envelope,
        /// Whether each of their members stands as an array among those of the row around them.
        spread: bool,
    },
}

/// What a slot must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum SlotKind {
    /// Nothing uses it.
    Unused,
    /// A value for a filter on a column.
    Operand {
        /// The column's name, for errors.
        column: String,
        /// Its type.
        scalar: Scalar,
    },
    /// A list of such values.
    Operands {
        /// The column's name, for errors.
        column: String,
        /// The type of each.
        scalar: Scalar,
    },
    /// A text that an operator reads in its own way: a pattern, the words of a search.
    Text {
        /// The column's name, for errors.
        column: String,
        /// The operator.
        operator: Operator,
    },
    /// A path into the JSON values of a column.
    Path {
        /// The column's name, for errors.
        column: String,
    },
    /// A key.
    Key {
        /// The resource's index.
        resource: usize,
        /// Its type.
        scalar: Scalar,
        /// Whether it is a global node id.
        node: bool,
    },
    /// A value that is written to a column, under its rules.
    Input {
        /// The resource's index.
        resource: usize,
        /// The column's index.
        column: usize,
        /// Which row of the input it is in, as the beginning of the field's name.
        path: Arc<str>,
    },
    /// A cursor into a list of the resource in this order.
    Cursor {
        /// The resource's index.
        resource: usize,
        /// The order.
        order: Vec<Sort>,
        /// The argument that it is given as.
        field: &'static str,
    },
    /// How many rows to leave out.
    Offset,
    /// The last day of a series of buckets, which begins at the day in another slot.
    Series {
        /// The slot of the first day, which is bound before.
        from: Slot,
        /// The length of each.
        bucket: Bucket,
    },
}
