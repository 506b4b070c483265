//! Columns that no table has: a SQL expression over the row's columns and over other tables, declared beside the model.
//!
//! In: a type and an expression a database. Out: a [`Computed`] that the engine writes wherever the column is selected,
//! filtered, sorted or aggregated. The expression is the declaration's own: no value of a client is ever in it, and what
//! it reads of other tables is read under no policy but its own words.

use super::scalar::Scalar;

/// A column's expression. `{name}` stands for a column of the row, computed ones included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The type of its values.
    pub scalar: Scalar,
    /// Whether NULL can be one.
    pub nullable: bool,
    postgres: Vec<Piece>,
    sqlite: Vec<Piece>,
}

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// SQL.
    Text(String),
    /// A column of the row, by its name.
    Column(String),
}

impl Computed {
    /// An expression that both databases understand, and that is never NULL.
    pub fn new(scalar: Scalar, sql: &str) -> Self {
        Self { scalar, nullable: false, postgres: pieces(sql), sqlite: pieces(sql) }
    }

    /// With other words for SQLite.
    #[must_use]
    pub fn sqlite(self, sql: &str) -> Self {
        Self { sqlite: pieces(sql), ..self }
    }

    /// It can be NULL.
    #[must_use]
    pub fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// The expression for PostgreSQL, or for SQLite.
    pub(crate) fn pieces(&self, postgres: bool) -> &[Piece] {
        if postgres { &self.postgres } else { &self.sqlite }
    }

    /// The columns that it names, on either database.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.postgres.iter().chain(&self.sqlite).filter_map(|piece| match piece {
            Piece::Column(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }
}

fn pieces(sql: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    while let Some((text, (name, after))) =
        rest.split_once('{').and_then(|(text, inner)| Some((text, inner.split_once('}')?)))
    {
        pieces.push(Piece::Text(text.to_owned()));
        pieces.push(Piece::Column(name.to_owned()));
        rest = after;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}
