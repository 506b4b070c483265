//! What a running server tells of itself: lines of a log, metrics that are asked for, and traces that are sent away.
//!
//! In: what layers notice. Out: nothing that they would have to know of. A request has one [`record`], which layers fill
//! and the layer around all of them tells: to the log, to [`metrics`] if there are any, and to [`traces`] if somebody
//! takes them. What nobody asked for costs a look.
//!
//! No value that a client sends is told anywhere. The one text of a client that is, is the name of a GraphQL operation
//! of a document that was found valid: a name of at most 64 letters, digits and underscores.

mod log;
pub mod metrics;
mod process;
pub mod record;
pub mod traces;

pub use self::log::{AUDIT, init};
