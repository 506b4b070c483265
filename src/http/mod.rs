//! HTTP: connections and their bounds, which path is whose, what surrounds every request, and the pages.
//!
//! In: the protocols' routes. Out: one router and one way to serve it, the same for the program and its tests.

mod admin;
mod arrival;
mod connection;
mod health;
mod layers;
mod line;
mod pages;
mod router;
mod serve;
mod timing;

pub use health::Readiness;
pub use router::{Parts, admin_router, router};
pub use serve::serve;
