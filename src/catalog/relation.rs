//! How rows of two resources belong together.

/// How many rows stand at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// One or none.
    One,
    /// Any number.
    Many,
}

/// A relation of a resource to a resource: rows belong together where two columns are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The name in REST.
    pub name: String,
    /// The name in GraphQL.
    pub field: String,
    /// How many rows stand at the other end.
    pub cardinality: Cardinality,
    /// The index in the catalogue of the resource at the other end.
    pub target: usize,
    /// The index of the column at this end.
    pub local: usize,
    /// The index of the column at the other end.
    pub foreign: usize,
}
