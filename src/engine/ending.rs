//! How a write ends: what a protocol may ask of it beyond its plan, before it is made to stay.
//!
//! In: closures of the protocol over an [`Answer`] or a tag. Out: an [`Ended`] write: its answer, or what was told when
//! the same request came first.

use super::render::Answer;
use crate::error::Result;

/// Whether a row may be written whose state has this tag.
pub type State<'e> = &'e (dyn Fn(&str) -> bool + Send + Sync);

/// Whether a write may stay that has this answer; the error tells why it may not.
pub type Judge<'e> = &'e (dyn Fn(&Answer) -> Result<()> + Send + Sync);

/// What is kept of an answer.
pub type Keep<'e> = &'e (dyn Fn(&Answer) -> Result<String> + Send + Sync);

/// What is asked of a write beyond its plan.
#[derive(Clone, Copy, Default)]
pub struct Ending<'e> {
    /// Whether it is undone when its answer is made.
    pub undone: bool,
    /// In which states the one row may be that is written; in any without. The plan must tell its tag.
    pub state: Option<State<'e>>,
    /// Judges the answer; an error undoes the write.
    pub accept: Option<Judge<'e>>,
    /// What makes it happen once, however often it is asked for.
    pub once: Option<Once<'e>>,
}

impl std::fmt::Debug for Ending<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ending").field("undone", &self.undone).finish_non_exhaustive()
    }
}

impl Ending<'_> {
    /// Whether nothing is asked.
    pub(super) const fn is_plain(&self) -> bool {
        !self.undone && self.state.is_none() && self.accept.is_none() && self.once.is_none()
    }
}

/// What makes a write happen once: the same caller's key for the same place, for a day.
#[derive(Clone, Copy)]
pub struct Once<'e> {
    /// The caller's key.
    pub key: &'e str,
    /// Where it was sent to.
    pub place: &'e str,
    /// What was sent: under a key that is known, nothing else may be.
    pub body: &'e [u8],
    /// What is kept of the answer, for when the request comes again.
    pub keep: Keep<'e>,
}

/// A write that has ended.
#[derive(Debug)]
pub enum Ended {
    /// It was run, and this is its answer.
    Now(Answer),
    /// It was run before, and this was kept of its answer.
    Before(String),
}
