//! Updates and deletions: of one row, or of all that match.

use super::{
    absent, columns, exists, explained, forbidden, hold, hook_error, overtaken, read, read_each, read_one, rows, text,
};
use crate::{
    catalog::{
        Hooks,
        scalar::{Scalar, Value},
    },
    engine::{
        authorize::capped,
        bind::Bound,
        compile::{ChangePlan, Plan, Statement, TargetPlan, WritePlan},
        database::{Transaction, orm_value},
        render::Answer,
    },
    error::{Error, Kind, Result},
};
use std::sync::Arc;

pub(super) async fn run(
    transaction: &Transaction,
    write: &WritePlan,
    change: &ChangePlan,
    plan: &Plan,
    bound: &Bound,
) -> Result<Answer> {
    match &change.target {
        TargetPlan::Row { .. } => one(transaction, write, change, plan, bound).await,
        TargetPlan::Matching { .. } => matching(transaction, write, change, plan, bound).await,
    }
}

async fn one(
    transaction: &Transaction,
    write: &WritePlan,
    change: &ChangePlan,
    plan: &Plan,
    bound: &Bound,
) -> Result<Answer> {
    let TargetPlan::Row { statement, cells, visible, permitted } = &change.target else {
        return Err(Error::internal("a write of one row without it"));
    };
    let mut before = Answer::default();
    if change.deletes {
        before = read(transaction, plan, bound, None).await?;
        if before.rows == 0 {
            return Err(absent(&write.resource));
        }
    }
    let touched = match rows(transaction, statement, bound, None, cells).await {
        Ok(rows) => rows.into_iter().next(),
        Err(error) => {
            return Err(explained(transaction, error, &change.constraints, &change.settings, bound, None).await);
        }
    };
    let Some(touched) = touched else {
        return Err(if !exists(transaction, visible, bound).await? {
            absent(&write.resource)
        } else if let Some(permitted) = permitted
            && exists(transaction, permitted, bound).await?
        {
            changed(&write.resource)
        } else {
            forbidden(&write.resource)
        });
    };
    let Some((key, found)) = touched.split_first() else {
        return Err(Error::internal("a write that tells no key"));
    };
    if let Some(hooks) = change.hooks {
        through(transaction, write, change, bound, hooks, key, found).await?;
    }
    if change.deletes {
        before.key = Some(text(key));
        return Ok(before);
    }
    hold(transaction, &write.resource, change.check.as_ref(), bound, vec![key.clone()]).await?;
    read_one(transaction, &write.resource, plan, bound, key).await
}

/// Writes one row through the hooks of its entity.
async fn through(
    transaction: &Transaction,
    write: &WritePlan,
    change: &ChangePlan,
    bound: &Bound,
    hooks: Hooks,
    key: &Value,
    found: &[Value],
) -> Result<()> {
    let (orm, row) = (transaction.as_orm(), orm_value(key, &write.key));
    let done = if change.deletes {
        (hooks.delete)(orm, row).await
    } else {
        (hooks.update)(orm, row, columns(&change.settings, bound, None, found)).await
    };
    match done {
        Ok(_) => Ok(()),
        Err(error) => {
            let error = hook_error(error);
            Err(explained(transaction, error, &change.constraints, &change.settings, bound, None).await)
        }
    }
}

/// The row is not what it was when the client last saw it.
fn changed(resource: &str) -> Error {
    Error::new(Kind::Conflict, format!("The row of {resource} has changed meanwhile"))
        .code("55000")
        .hint("Read it again, and decide again")
}

async fn matching(
    transaction: &Transaction,
    write: &WritePlan,
    change: &ChangePlan,
    plan: &Plan,
    bound: &Bound,
) -> Result<Answer> {
    let TargetPlan::Matching { find, cells, statement, at_most, cap } = &change.target else {
        return Err(Error::internal("a write of the rows that match without them"));
    };
    let found = rows(transaction, find, bound, None, cells).await?;
    let count = found.len() as u64;
    if let Some(cap) = cap.filter(|cap| cap < at_most && count > *cap) {
        return Err(capped(&write.resource, cap));
    }
    if count > *at_most {
        let message = format!("More rows of {} match than may be written, which is {at_most}", write.resource);
        return Err(Error::new(Kind::Conflict, message)
            .code("PGRST124")
            .details(format!("The query affects more than {at_most} rows"))
            .hint("Nothing has changed. Ask for fewer rows, or allow for more"));
    }
    // The second cell says whether the row may be written.
    if found.iter().any(|row| row.get(1) != Some(&Value::Int(1))) {
        return Err(forbidden(&write.resource));
    }
    let keys: Vec<Value> = found.iter().filter_map(|row| row.first().cloned()).collect();
    let before = if change.deletes {
        Some(read_each(transaction, &write.resource, plan, bound, keys.clone()).await?)
    } else {
        None
    };
    if !keys.is_empty() {
        if let Some(hooks) = change.hooks {
            for row in &found {
                let [key, _, found @ ..] = row.as_slice() else {
                    return Err(Error::internal("a row without its key"));
                };
                through(transaction, write, change, bound, hooks, key, found).await?;
            }
        } else {
            write_each(transaction, write, change, statement, bound, &keys).await?;
        }
    }
    if let Some(before) = before {
        return Ok(before);
    }
    hold(transaction, &write.resource, change.check.as_ref(), bound, keys.clone()).await?;
    read_each(transaction, &write.resource, plan, bound, keys).await
}

async fn write_each(
    transaction: &Transaction,
    write: &WritePlan,
    change: &ChangePlan,
    statement: &Statement,
    bound: &Bound,
    keys: &[Value],
) -> Result<()> {
    let cells: Arc<[Scalar]> = Arc::from([write.key.clone()]);
    match rows(transaction, statement, bound, Some(&Value::List(keys.to_vec())), &cells).await {
        Ok(written) if written.len() == keys.len() => Ok(()),
        // The rows are locked: one that is gone went with another one of them, to which it belonged.
        Ok(_) if change.deletes => Ok(()),
        Ok(_) => Err(overtaken()),
        Err(error) => Err(explained(transaction, error, &change.constraints, &change.settings, bound, None).await),
    }
}
