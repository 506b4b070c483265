//! What the tests stand on: the real application on a real port, over a database of the test's own.
//!
//! In: nothing, or what shall be different. Out: a [`Server`] on SQLite or on PostgreSQL, the four trees planted and
//! four people registered, and the answers of real HTTP requests to it.
//!
//! Migrating and registering happen once a database system: every test gets a copy of what they left. All servers sign
//! with one key, so that the tokens of the registration are good on every copy.

mod answer;
pub(crate) mod cluster;
pub(crate) mod collector;
pub(crate) mod faults;
mod people;
pub(crate) mod pgbouncer;
pub(crate) mod postgres;
pub(crate) mod provider;
mod server;
pub(crate) mod standby;

pub(crate) use answer::Answer;
pub(crate) use people::{Caller, PASSWORD, Person};
pub(crate) use rootstock::engine::database::Dialect;
pub(crate) use server::{KEY, Server, Setup, configuration, on_all, on_both, on_both_with, start_pooled, start_with};
