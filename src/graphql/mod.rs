//! GraphQL: a type system from async-graphql, execution from the engine.
//!
//! In: HTTP requests with documents and variables. Out: `{"data": …}`. A document is parsed and validated once; its
//! fields become questions to the engine, which knows nothing of GraphQL.

mod document;
mod errors;
mod execute;
#[cfg(fuzzing)]
pub mod fuzzing;
mod handler;
mod operation;
mod parse;
mod positions;
mod schema;
mod session;
mod size;
mod tree;
mod types;
mod values;

pub use document::Operation;
pub use execute::{GraphQl, Outcome};
pub use handler::routes;
pub use schema::sdl;
