//! What is told of several rows together: their groups, the aggregates of each, and what a group is told as.

use super::{Expression, Predicate, Sort};
use crate::{
    catalog::{Function, scalar::Scalar},
    engine::request::Slot,
};

/// What is told of several rows together.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// What rows of one group have in common; none for all rows together.
    pub keys: Vec<Expression>,
    /// The aggregates, each once.
    pub measures: Vec<Aggregate>,
    /// Which groups.
    pub having: Option<Predicate>,
    /// In which order, the keys at the end.
    pub order: Vec<Sort>,
    /// How many at most.
    pub limit: u64,
    /// How many to leave out.
    pub offset: Option<Slot>,
    /// The key that gets every bucket between two days, and where the list of them is bound.
    pub fill: Option<(usize, Slot)>,
    /// What to tell of each.
    pub parts: Vec<Member>,
}

/// An aggregate of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The function.
    pub function: Function,
    /// Of which value of each row; of the rows themselves without.
    pub of: Option<Box<Expression>>,
    /// The type of what it tells.
    pub scalar: Scalar,
}

/// A member of a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The name in the answer.
    pub alias: String,
    /// What it is.
    pub kind: MemberKind,
}

/// What a member of a summary is.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberKind {
    /// A value of the group.
    Value(Expression),
    /// An object of members.
    Object(Vec<Member>),
    /// An object of members; `null` where the value of the group is NULL.
    Row(Expression, Vec<Member>),
    /// A constant.
    TypeName(String),
}
