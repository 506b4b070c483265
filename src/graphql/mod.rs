//! GraphQL: a type system from async-graphql, execution from the engine.
//!
//! In: HTTP requests with documents and variables. Out: `{"data": …}`. A document is parsed and validated once; its
//! fields become questions to the engine, which knows nothing of GraphQL.

mod answer;
mod concealed;
mod document;
mod errors;
mod execute;
#[cfg(fuzzing)]
pub mod fuzzing;
mod handler;
mod media;
mod operation;
mod parse;
mod persisted;
mod positions;
mod prepared;
mod request;
mod schema;
mod session;
mod size;
mod tree;
mod trusted;
mod types;
mod validation;
mod values;

pub use answer::{Outcome, Reply};
pub use document::Operation;
pub use execute::GraphQl;
pub use handler::{routes, spell_failures};
pub use persisted::{Hash, Reference};
pub use schema::sdl;
