//! What happens when things break: real servers, real databases, and faults between them.

mod clusters;
mod crash;
mod shutdown;
mod start;
