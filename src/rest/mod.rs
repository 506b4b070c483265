//! REST: PostgREST's spelling and classic CRUD over every resource, by the same requests as GraphQL.
//!
//! In: a path, a query string, headers, a JSON body. Out: rows as the columns have them, or the four members of an error.

mod body;
mod condition;
mod embed;
mod etag;
mod filter;
#[cfg(fuzzing)]
pub mod fuzzing;
mod handler;
mod headers;
mod idempotency;
mod left;
mod media;
pub mod openapi;
mod order;
mod prefer;
mod query;
mod range;
mod read;
mod relation;
mod select;
mod value;
mod write;

pub use handler::{Rest, routes};
pub use query::{Parsed, parse_list};
