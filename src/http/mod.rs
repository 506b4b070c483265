//! HTTP: connections and their bounds, which path is whose, what surrounds every request, and the pages.
//!
//! In: the protocols' routes. Out: one router and one way to serve it, the same for the program and its tests.

mod arrival;
mod connection;
mod health;
mod layers;
mod pages;
mod router;
mod serve;

pub use health::Readiness;
pub use router::{Parts, router};
pub use serve::serve;
