//! HTTP: which path is whose, what surrounds every request, and the pages.
//!
//! In: the protocols' routes. Out: one router, the same for the program and its tests.

mod arrival;
mod health;
mod layers;
mod pages;
mod router;

pub use health::Readiness;
pub use router::{Parts, router};
