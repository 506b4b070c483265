//! The input types of the schema as plain values, for coercing variables and arguments without the schema's help.
//!
//! In: the types that `schema` registers. Out: what a name in a document means.

use async_graphql_parser::types::Type;
use std::collections::HashMap;

/// The input types of a schema.
#[derive(Debug, Clone, Default)]
pub(super) struct InputTypes(HashMap<String, InputType>);

/// What an input type takes.
#[derive(Debug, Clone)]
pub(super) enum InputType {
    /// `Int`.
    Int,
    /// `Float`.
    Float,
    /// `String`.
    String,
    /// `Boolean`.
    Boolean,
    /// `ID`.
    Id,
    /// A scalar of the catalogue: any JSON value, which the column's type reads.
    Scalar,
    /// One of a few names.
    Enum(Vec<String>),
    /// An object with these members.
    Object {
        /// The members and their types.
        fields: Vec<(String, Type)>,
        /// Whether exactly one member must be given.
        one_of: bool,
    },
}

impl InputTypes {
    /// The types that every schema has.
    pub(super) fn new() -> Self {
        let named = [
            ("Int", InputType::Int),
            ("Float", InputType::Float),
            ("String", InputType::String),
            ("Boolean", InputType::Boolean),
            ("ID", InputType::Id),
        ];
        Self(named.into_iter().map(|(name, input)| (name.to_owned(), input)).collect())
    }

    /// Adds a type.
    pub(super) fn insert(&mut self, name: &str, input: InputType) {
        self.0.insert(name.to_owned(), input);
    }

    /// The type `name`, if it is an input type.
    pub(super) fn get(&self, name: &str) -> Option<&InputType> {
        self.0.get(name)
    }
}
