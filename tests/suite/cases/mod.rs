//! The cases: a request, a caller, an answer; each on both databases, and in both protocols where both can say it.

mod accounts;
mod bad_bytes;
mod bad_input;
mod budgets;
mod concurrency;
mod cursors;
mod documents;
mod expenses;
mod filters;
mod introspection;
mod ledger;
mod money;
mod mutations;
mod nesting;
mod order;
mod ownership;
mod pages;
mod patterns;
mod rules;
mod tokens;
mod transport;
mod trees;
mod variables;
