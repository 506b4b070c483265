//! Rootstock: declare a table once; serve it as GraphQL and as REST, on SQLite and on PostgreSQL.
//!
//! The catalogue says what exists; the engine knows how to run a request against it; the protocols only translate.
//!
//! | layer | modules | may use |
//! |---|---|---|
//! | wiring | [`app`] | all below |
//! | HTTP | [`http`] | the protocols, [`auth`], [`engine`] |
//! | protocols | [`graphql`], [`rest`] | [`auth`], [`engine`], [`catalog`]; never each other |
//! | identity | [`auth`] | [`engine`], [`catalog`], [`entities`] |
//! | data for a start | [`seed`] | [`auth`], [`engine`], [`entities`] |
//! | execution | [`engine`] | [`catalog`] |
//! | declarations | [`entities`] | [`catalog`] |
//! | vocabulary | [`catalog`] | the leaves |
//! | leaves | [`accept`], [`config`], [`error`], [`error_http`], [`telemetry`] | nothing of ours |
//!
//! A test reads the `use` lines and holds them to this table.

pub mod accept;
pub mod app;
pub mod auth;
pub mod catalog;
pub mod config;
pub mod engine;
pub mod entities;
pub mod error;
pub mod error_http;
pub mod graphql;
pub mod http;
pub mod rest;
pub mod seed;
pub mod telemetry;
