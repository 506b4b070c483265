//! A table that the API serves: its columns, its relations, its policy.

use super::{
    column::{Column, Fill},
    hooks::Hooks,
    naming::Names,
    policy::Policy,
    relation::Relation,
    scalar::Scalar,
};
use crate::error::{Error, Result, nearest};

/// A table that the API serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The table's name: the path in REST.
    pub name: String,
    /// The names in GraphQL.
    pub names: Names,
    /// The columns that exist for callers, in the order of the table. Hidden ones are not among them.
    pub columns: Vec<Column>,
    /// The index of the key column.
    pub key: usize,
    /// The sets of columns whose values no two rows share, each in the table's order; the key is the first.
    pub unique: Vec<Vec<usize>>,
    /// The relations to other resources.
    pub relations: Vec<Relation>,
    /// Who may do what with which rows.
    pub policy: Policy,
    /// The order of a list whose request names none: column indexes, and whether descending.
    pub default_order: Vec<(usize, bool)>,
    /// How its rows are written where the entity has hooks; by plain statements without.
    pub hooks: Option<Hooks>,
    /// Whether its rows are the callers: `me` is the one whose key is the token's subject.
    pub principals: bool,
    /// What the resource is, for the generated documentation.
    pub description: String,
}

impl Resource {
    /// The key column.
    pub fn key_column(&self) -> &Column {
        &self.columns[self.key]
    }

    /// The index of the column `name`.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The index of the column `name`, or the error that a client gets for asking after it.
    ///
    /// # Errors
    /// `42703`, with the nearest name as hint.
    pub fn find(&self, name: &str) -> Result<usize> {
        self.column(name).ok_or_else(|| {
            let table = &self.name;
            let error = Error::bad_request(format!("column {table}.{name} does not exist")).code("42703");
            match nearest(name, self.column_names()) {
                Some(near) => error.hint(format!("Perhaps you meant to reference the column \"{table}.{near}\".")),
                None => error,
            }
        })
    }

    /// The column that every update writes the time to.
    pub fn touched(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.touch == Some(Fill::Now) && column.scalar == Scalar::Timestamp)
    }

    /// Whether the server numbers its rows, so that no client may choose a key.
    pub fn is_counted(&self) -> bool {
        self.key_column().default == Some(Fill::Database)
    }

    /// The relation `name`.
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }

    /// The names of its columns.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}
