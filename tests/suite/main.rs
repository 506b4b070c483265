//! The tests of the program as a whole: one binary, so that one PostgreSQL cluster serves all of them.

mod audit;
mod browser;
mod cases;
mod clients;
mod command;
mod drift;
mod graft;
mod hooks;
mod indexes;
mod layers;
mod lines;
mod logs;
mod matrix;
mod metrics;
mod migrations;
mod model;
mod parity;
mod policy;
mod program;
mod schemathesis;
mod seeds;
mod spelling;
mod support;
mod timing;
mod traces;
mod vocabulary;
