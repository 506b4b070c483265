//! REST: PostgREST's spelling and classic CRUD over every resource, by the same requests as GraphQL.
//!
//! In: a path, a query string, headers, a JSON body. Out: rows as the columns have them, or the four members of an error.

mod body;
mod condition;
mod etag;
mod filter;
mod handler;
mod idempotency;
mod left;
pub mod openapi;
mod prefer;
mod query;
mod select;
mod summary;
mod write;

pub use handler::{Rest, routes};
pub use query::{Parsed, parse_list};
