//! Requests that happen once: what was told of the first is kept in its own transaction, and told again.
//!
//! In: a key, which is the caller's own for a place. Out: what is kept under it, or the claim to keep something.

use super::Rows;
use crate::{
    catalog::scalar::{Scalar, Value},
    engine::{bind::Bound, compile::OnceStatements, database::Transaction, digest, ending::Once},
    error::{Error, Kind, Result},
};
use chrono::Duration;
use std::sync::Arc;

/// How long an answer is kept.
const KEPT: Duration = Duration::hours(24);

/// A key that is this request's alone until its transaction ends.
pub(in super::super) struct Claim {
    id: Value,
}

/// What a key came to.
pub(in super::super) enum Claimed {
    /// The request is the first with it.
    First(Claim),
    /// It is not, and this was kept.
    Again(String),
}

/// Takes the key for this request, or finds what is kept under it.
pub(in super::super) async fn claim(transaction: &Transaction, once: &Once<'_>, bound: &Bound) -> Result<Claimed> {
    let statements = OnceStatements::of(transaction.dialect());
    let caller = bound.subject().map(|subject| subject.into_bytes()).unwrap_or_default();
    let id = Value::Text(digest::of(&[&caller, once.place.as_bytes(), once.key.as_bytes()]));
    let body = Value::Text(digest::of(&[once.body]));
    let (now, then) = (Value::Timestamp(bound.now()), Value::Timestamp(bound.now() - KEPT));
    run(transaction, &statements.clear, vec![then.clone()], &[]).await?;
    let claimed = vec![id.clone(), body.clone(), now, then];
    if !run(transaction, &statements.claim, claimed, &[Scalar::Text]).await?.is_empty() {
        return Ok(Claimed::First(Claim { id }));
    }
    let found = run(transaction, &statements.find, vec![id], &[Scalar::Text, Scalar::Text]).await?;
    match found.first().map(Vec::as_slice) {
        Some([first, _]) if *first != body => {
            Err(Error::new(Kind::Invalid, "The idempotency key was sent before, with another body")
                .code("22023")
                .hint("A key is for one request: send another one with another body"))
        }
        Some([_, Value::Text(answer)]) => Ok(Claimed::Again(answer.clone())),
        // It was deleted in between, being old.
        _ => Err(super::overtaken()),
    }
}

impl Claim {
    /// Keeps what is told, for as long as the transaction's rows are there at least.
    pub(in super::super) async fn keep(self, transaction: &Transaction, told: String) -> Result<()> {
        let statements = OnceStatements::of(transaction.dialect());
        run(transaction, &statements.keep, vec![self.id, Value::Text(told)], &[]).await.map(drop)
    }
}

async fn run(
    transaction: &Transaction,
    sql: &Arc<str>,
    values: Vec<Value>,
    cells: &[Scalar],
) -> Result<Vec<Vec<Value>>> {
    let cells: Arc<[Scalar]> = Arc::from(cells);
    transaction.run(sql, &Arc::from(values), move || Rows::new(&cells)).await
}
