//! The declarations: one file a resource. This list is all that the rest of the program knows of them.

#![expect(clippy::disallowed_methods, reason = "SeaORM's macros write the queries that the engine stands in for")]
#![expect(missing_docs, reason = "what SeaORM's macros make has no docs, and a column's name says what it is")]

pub mod budgets;
pub mod credentials;
pub mod expenses;
pub mod identities;
pub mod sessions;
pub mod trees;
pub mod users;

use crate::catalog::Builder;

/// The resources that this program serves.
pub fn resources() -> Builder {
    Builder::default().add::<trees::Entity>().add::<users::Entity>().add::<expenses::Entity>().add::<budgets::Entity>()
}
