//! Updates and deletions: of one row, or of all that match.

use super::{
    State, absent, columns, exists, explained, forbidden, hold, hook_error, overtaken, read, read_each, read_one, rows,
    text,
};
use crate::{
    catalog::{
        Hooks,
        scalar::{Scalar, Value},
    },
    engine::{
        authorize::capped,
        bind::Bound,
        compile::{ChangePlan, Plan, RowTarget, RowsTarget, TargetPlan, WritePlan},
        database::{Transaction, orm_value},
        render::Answer,
    },
    error::{Error, Kind, Result},
};
use std::sync::Arc;

/// A change that is under way.
#[derive(Clone, Copy)]
pub(super) struct Change<'p> {
    pub(super) transaction: &'p Transaction,
    pub(super) write: &'p WritePlan,
    pub(super) change: &'p ChangePlan,
    pub(super) plan: &'p Plan,
    pub(super) bound: &'p Bound,
}

impl Change<'_> {
    /// Writes the rows, if they are one and `state` has something against it, only in the state that it asks for.
    pub(super) async fn run(self, state: Option<State<'_>>) -> Result<Answer> {
        match (&self.change.target, state) {
            (TargetPlan::Row(target), state) => self.one(target, state).await,
            (TargetPlan::Matching(target), None) => self.matching(target).await,
            (TargetPlan::Matching(_), Some(_)) => Err(Error::internal("the state of many rows")),
        }
    }

    async fn one(self, target: &RowTarget, state: Option<State<'_>>) -> Result<Answer> {
        let Self { transaction, write, change, plan, bound } = self;
        if let Some(state) = state {
            self.agree(target, state).await?;
        }
        let mut before = Answer::default();
        if change.deletes {
            before = read(transaction, plan, bound, None).await?;
            if before.rows == 0 {
                return Err(absent(&write.resource));
            }
        }
        let touched = match rows(transaction, &target.statement, bound, None, &target.cells).await {
            Ok(rows) => rows.into_iter().next(),
            Err(error) => return Err(self.explained(error).await),
        };
        let Some(touched) = touched else { return Err(self.untouched(target).await?) };
        let Some((key, found)) = touched.split_first() else {
            return Err(Error::internal("a write that tells no key"));
        };
        if let Some(hooks) = change.hooks {
            self.through(hooks, key, found).await?;
        }
        if change.deletes {
            before.key = Some(text(key));
            return Ok(before);
        }
        hold(transaction, &write.resource, change.check.as_ref(), bound, vec![key.clone()]).await?;
        read_one(transaction, &write.resource, plan, bound, key).await
    }

    /// Locks the row, and refuses to write it if it is not in the state that is asked for: from here on, nobody else
    /// can change what was compared.
    async fn agree(self, target: &RowTarget, state: State<'_>) -> Result<()> {
        let Self { transaction, write, plan, bound, .. } = self;
        let Some(lock) = &target.lock else { return Err(Error::internal("a state that is not told")) };
        let found = rows(transaction, lock, bound, None, &Arc::from([write.key.clone()])).await?;
        let Some(key) = found.first().and_then(|row| row.first()) else { return Err(self.untouched(target).await?) };
        let now = read(transaction, plan, bound, Some(key)).await?;
        if now.tag.is_some_and(|tag| state(&tag)) {
            return Ok(());
        }
        Err(Error::new(Kind::PreconditionFailed, format!("The row of {} is in another state", write.resource))
            .hint("Read it again, and decide again"))
    }

    /// Why the row was not found: it is not there, is not to be written, or is in another state.
    async fn untouched(self, target: &RowTarget) -> Result<Error> {
        let Self { transaction, write, bound, .. } = self;
        Ok(if !exists(transaction, &target.visible, bound).await? {
            absent(&write.resource)
        } else if let Some(permitted) = &target.permitted
            && exists(transaction, permitted, bound).await?
        {
            changed(&write.resource)
        } else {
            forbidden(&write.resource)
        })
    }

    /// Writes one row through the hooks of its entity.
    async fn through(self, hooks: Hooks, key: &Value, found: &[Value]) -> Result<()> {
        let (orm, row) = (self.transaction.as_orm(), orm_value(key, &self.write.key));
        let done = if self.change.deletes {
            (hooks.delete)(orm, row).await
        } else {
            (hooks.update)(orm, row, columns(&self.change.settings, self.bound, None, found)).await
        };
        match done {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explained(hook_error(error)).await),
        }
    }

    async fn matching(self, target: &RowsTarget) -> Result<Answer> {
        let Self { transaction, write, change, plan, bound } = self;
        let found = rows(transaction, &target.find, bound, None, &target.cells).await?;
        self.bounded(target, found.len() as u64).await?;
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
                    self.through(hooks, key, found).await?;
                }
            } else {
                self.write_each(target, &keys).await?;
            }
        }
        if let Some(before) = before {
            return Ok(before);
        }
        hold(transaction, &write.resource, change.check.as_ref(), bound, keys.clone()).await?;
        read_each(transaction, &write.resource, plan, bound, keys).await
    }

    /// Refuses more rows than the policy, the caller or the size of an answer lets the write have.
    async fn bounded(self, target: &RowsTarget, count: u64) -> Result<()> {
        let (resource, at_most) = (&self.write.resource, target.at_most);
        if let Some(cap) = target.cap.filter(|cap| *cap < at_most && count > *cap) {
            return Err(capped(resource, cap));
        }
        if count > at_most {
            let message = format!("More rows of {resource} match than may be written, which is {at_most}");
            let details = match &target.count {
                None => format!("The query affects more than {at_most} rows"),
                Some(statement) => {
                    let cells = Arc::from([Scalar::BigInt]);
                    let counted = rows(self.transaction, statement, self.bound, None, &cells).await?;
                    match counted.first().and_then(|row| row.first()) {
                        Some(Value::Int(count)) => format!("The query affects {count} rows"),
                        _ => return Err(Error::internal("a count that is none")),
                    }
                }
            };
            return Err(Error::new(Kind::Conflict, message)
                .code("PGRST124")
                .details(details)
                .hint("Nothing has changed. Ask for fewer rows, or allow for more"));
        }
        match target.told.filter(|told| count > *told) {
            Some(told) => {
                Err(Error::new(Kind::CostLimit, format!("An answer has at most {told} rows, and more of them match"))
                    .hint("Nothing has changed. Write fewer rows, or have nothing told of them"))
            }
            None => Ok(()),
        }
    }

    async fn write_each(self, target: &RowsTarget, keys: &[Value]) -> Result<()> {
        let cells: Arc<[Scalar]> = Arc::from([self.write.key.clone()]);
        let keyed = Value::List(keys.to_vec());
        match rows(self.transaction, &target.statement, self.bound, Some(&keyed), &cells).await {
            Ok(written) if written.len() == keys.len() => Ok(()),
            // The rows are locked: one that is gone went with another one of them, to which it belonged.
            Ok(_) if self.change.deletes => Ok(()),
            Ok(_) => Err(overtaken()),
            Err(error) => Err(self.explained(error).await),
        }
    }

    async fn explained(self, error: Error) -> Error {
        explained(self.transaction, error, &self.change.constraints, &self.change.settings, self.bound, None).await
    }
}

/// The row is not what it was when the client last saw it.
fn changed(resource: &str) -> Error {
    Error::new(Kind::Conflict, format!("The row of {resource} has changed meanwhile"))
        .code("55000")
        .hint("Read it again, and decide again")
}
