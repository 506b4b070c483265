//! What is kept of an operation: its plans, by what decides them.
//!
//! In: an operation that was translated and planned. Out: a [`Prepared`], found again by document, role and the shape of
//! the variables.

use super::{
    answer::FieldAnswer,
    document::Document,
    operation::{SessionField, Source},
};
use crate::{
    engine::{authorize::Who, bind::Argument, compile::Plan},
    error::Result,
};
use async_graphql_parser::{Positioned, types::Field};
use quick_cache::{Equivalent, Weighter, sync::Cache};
use std::sync::Arc;

/// How many operations are kept: documents, times roles, times shapes of variables.
const OPERATIONS: usize = 2_000;
/// How much of them is kept, as [`Prepared::size`] counts it: a few of the largest are as much as all of the usual ones.
const MAX_SIZE: u64 = 8 * 1024 * 1024;

/// The operations that are kept.
pub(super) type Operations = Cache<OperationKey, Arc<Prepared>, Weight>;

/// No operations yet.
pub(super) fn operations() -> Operations {
    Cache::with_weighter(OPERATIONS, MAX_SIZE, Weight)
}

/// Weighs what is kept.
#[derive(Clone)]
pub(super) struct Weight;

impl Weighter<OperationKey, Arc<Prepared>> for Weight {
    fn weight(&self, key: &OperationKey, prepared: &Arc<Prepared>) -> u64 {
        prepared.size.saturating_add(key.shape.len() as u64).max(1)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct OperationKey {
    pub(super) document: u64,
    pub(super) who: Who,
    pub(super) shape: Vec<u8>,
}

/// An [`OperationKey`] that is only looked up; it hashes alike.
#[derive(Hash)]
pub(super) struct OperationRef<'a> {
    pub(super) document: u64,
    pub(super) who: &'a Who,
    pub(super) shape: &'a [u8],
}

impl Equivalent<OperationKey> for OperationRef<'_> {
    fn equivalent(&self, key: &OperationKey) -> bool {
        self.document == key.document && *self.who == key.who && self.shape == key.shape
    }
}

/// An operation with its plans.
pub(super) struct Prepared {
    pub(super) mutation: bool,
    pub(super) cost: u64,
    /// How much there is to it: the text of its document, and its plans.
    pub(super) size: u64,
    pub(super) roots: Vec<PreparedRoot>,
}

pub(super) struct PreparedRoot {
    pub(super) key: String,
    pub(super) nullable: bool,
    /// An error that does not depend on values is found here, and kept: it is the same the next time.
    pub(super) kind: Result<PreparedKind>,
}

pub(super) enum PreparedKind {
    TypeName(&'static str),
    Planned(Planned),
    Node(Source, Vec<(usize, Planned)>),
    Session(SessionField),
    Logout(Source),
    Introspection(Box<Positioned<Field>>),
}

pub(super) struct Planned {
    pub(super) plan: Arc<Plan>,
    pub(super) sources: Vec<Source>,
}

/// All that an operation needs to run.
pub(super) struct Ready {
    pub(super) document: Arc<Document>,
    pub(super) prepared: Arc<Prepared>,
    pub(super) leaves: Vec<Argument>,
}

impl PreparedRoot {
    /// How much its plans come to.
    pub(super) fn size(&self) -> u64 {
        match &self.kind {
            Ok(PreparedKind::Planned(planned)) => planned.plan.size(),
            Ok(PreparedKind::Node(_, planned)) => planned.iter().map(|(_, planned)| planned.plan.size()).sum(),
            _ => 0,
        }
    }
}

impl Prepared {
    /// How many values its questions have.
    pub(super) fn values(&self) -> usize {
        let planned = self.roots.iter().map(|root| match &root.kind {
            Ok(PreparedKind::Planned(planned)) => planned.sources.len(),
            _ => 0,
        });
        planned.sum()
    }

    /// The fields that cannot be planned, if one of them leaves no answer whatever the others would say.
    pub(super) fn spoilt(&self) -> Option<Vec<FieldAnswer>> {
        let failed = |root: &PreparedRoot| match &root.kind {
            Err(error) => Some((root.key.clone(), root.nullable, Err(error.repeated()))),
            Ok(_) => None,
        };
        let spoilt = self.roots.iter().any(|root| root.kind.is_err() && (self.mutation || !root.nullable));
        spoilt.then(|| self.roots.iter().filter_map(failed).collect())
    }
}
