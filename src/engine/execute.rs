//! From a plan and values to bytes: the only stage that talks to the database.
//!
//! In: a [`Plan`] and [`Bound`] values. Out: an [`Answer`]. A write and the read of what it left are one transaction.

use super::{
    bind::Bound,
    compile::{Plan, Statement, WriteKind, WritePlan},
    database::{self, Connection, Row, Sink, Transaction, error_of, orm_value},
    render::{Answer, Renderer, Shared},
};
use crate::{
    catalog::scalar::{Scalar, Value},
    error::{Error, Result},
};
use sea_orm::DbErr;
use std::sync::Arc;

/// Runs the read of a plan.
pub(super) async fn read(
    connection: &Connection,
    plan: &Plan,
    bound: &Bound,
    written: Option<&Value>,
) -> Result<Answer> {
    let Some(statement) = &plan.read else {
        return Ok(Answer { bytes: b"null".to_vec(), ..Answer::default() });
    };
    let program = Shared(Arc::clone(&plan.program));
    let values = bound.values(&statement.binds, written);
    connection.run(&statement.sql, &values, move || Renderer::new(program.clone())).await
}

/// Runs the write of a plan and reads what it left, or, for a deletion, what was there.
pub(super) async fn write(transaction: &Transaction, write: &WritePlan, plan: &Plan, bound: &Bound) -> Result<Answer> {
    if write.kind == WriteKind::Delete {
        let before = read(transaction, plan, bound, None).await?;
        if before.rows == 0 {
            return Err(absent(write));
        }
        return match touched(transaction, write, bound).await? {
            Some(_) => Ok(before),
            // Unless another transaction has taken it since it was read.
            None if read(transaction, plan, bound, None).await?.rows == 0 => Err(absent(write)),
            None => Err(forbidden(write)),
        };
    }
    let Some(key) = touched(transaction, write, bound).await? else {
        let visible = match &write.visible {
            Some(probe) => exists(transaction, probe, bound, None).await?,
            None => false,
        };
        return Err(if visible { forbidden(write) } else { absent(write) });
    };
    if let Some(check) = &write.check
        && !exists(transaction, check, bound, Some(&key)).await?
    {
        return Err(forbidden(write));
    }
    let mut after = read(transaction, plan, bound, Some(&key)).await?;
    // Who may write a row that it may not see would learn nothing but that it is there.
    if after.rows == 0 {
        return Err(forbidden(write));
    }
    let mut text = String::new();
    key.write_text(&mut text);
    after.key = Some(text);
    Ok(after)
}

fn absent(write: &WritePlan) -> Error {
    Error::not_found(format!("There is no such row in {}", write.resource))
}

fn forbidden(write: &WritePlan) -> Error {
    Error::forbidden(format!("You may see this row of {}, and not change it", write.resource))
}

/// Writes the row; its key, or none if there is no such row that the caller may write.
async fn touched(transaction: &Transaction, write: &WritePlan, bound: &Bound) -> Result<Option<Value>> {
    let Some(hooked) = &write.hooked else { return first_key(transaction, write, bound).await };
    let key = match write.kind {
        WriteKind::Create => None,
        WriteKind::Update | WriteKind::Delete => match first_key(transaction, write, bound).await? {
            Some(key) => Some(orm_value(&key, &write.key)),
            None => return Ok(None),
        },
    };
    let columns = hooked.columns.iter().map(|(name, scalar, bind)| {
        let value = bound.value(bind, None);
        (name.clone(), orm_value(&value, scalar))
    });
    let (hooks, orm, columns) = (hooked.hooks, transaction.as_orm(), columns.collect());
    let written = match (write.kind, key) {
        (WriteKind::Update, Some(key)) => (hooks.update)(orm, key, columns),
        (WriteKind::Delete, Some(key)) => (hooks.delete)(orm, key),
        _ => (hooks.insert)(orm, columns),
    };
    match written.await {
        Ok(key) => database::bound(key).map(Some),
        // What a hook says, it says to the caller.
        Err(DbErr::Custom(message)) => Err(Error::bad_request(message).code("P0001")),
        Err(error) => Err(error_of(error)),
    }
}

async fn first_key(transaction: &Transaction, write: &WritePlan, bound: &Bound) -> Result<Option<Value>> {
    let key = write.key.clone();
    let values = bound.values(&write.statement.binds, None);
    transaction.run(&write.statement.sql, &values, move || FirstKey { scalar: key.clone(), key: None }).await
}

async fn exists(
    connection: &Connection,
    statement: &Statement,
    bound: &Bound,
    written: Option<&Value>,
) -> Result<bool> {
    let values = bound.values(&statement.binds, written);
    let key = connection.run(&statement.sql, &values, || FirstKey { scalar: Scalar::BigInt, key: None }).await?;
    Ok(key.is_some())
}

/// Keeps the first cell of the first row.
struct FirstKey {
    scalar: Scalar,
    key: Option<Value>,
}

impl Sink for FirstKey {
    type Output = Option<Value>;

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        if self.key.is_none() {
            self.key = Some(self.scalar.read(row.cell(0)?)?);
        }
        Ok(())
    }

    fn finish(self, _: u64) -> Result<Option<Value>> {
        Ok(self.key)
    }
}
