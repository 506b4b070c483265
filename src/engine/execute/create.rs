//! New rows: each by a statement of its own, those that belong to others behind them, and one read of all.

use super::{Rows, columns, explained, forbidden, given, hold, hook_error, overtaken, read_each, read_one, rows, text};
use crate::{
    catalog::scalar::{Scalar, Value},
    engine::{
        authorize::capped,
        bind::Bound,
        compile::{ConflictPlan, CreatePlan, Direct, Plan, RowPlan, TablePlan, TakenPlan},
        database::{self, Connection, Row, Sink, Transaction, orm_value, taken},
        render::{Answer, Program, Renderer, Shared},
    },
    error::{Error, Result},
};
use std::sync::Arc;

/// What became of a row.
enum Done {
    /// It was added, under this key.
    Added(Value),
    /// Its values were written to the row with this key.
    Written(Value),
    /// The row with this key stays as it is.
    Kept(Value),
    /// There is one, of which nothing is told.
    Left,
}

impl Done {
    const fn key(&self) -> Option<&Value> {
        match self {
            Self::Added(key) | Self::Written(key) | Self::Kept(key) => Some(key),
            Self::Left => None,
        }
    }
}

pub(super) async fn run(transaction: &Transaction, create: &CreatePlan, plan: &Plan, bound: &Bound) -> Result<Answer> {
    let creation = Creation { transaction, create, bound };
    let done = creation.rows().await?;
    for (index, table) in create.tables.iter().enumerate() {
        let rows = create.rows.iter().zip(&done).filter(|(row, _)| row.table == index);
        let added = rows.filter_map(|(_, done)| if let Done::Added(key) = done { Some(key.clone()) } else { None });
        hold(transaction, &table.resource, table.check.as_ref(), bound, added.collect()).await?;
    }
    let Some(root) = create.tables.first() else { return Err(Error::internal("new rows without a table")) };
    if let Some(conflict) = &create.conflict {
        let written = done.iter();
        let written = written.filter_map(|done| if let Done::Written(key) = done { Some(key.clone()) } else { None });
        let written: Vec<_> = written.collect();
        if let Some(cap) = conflict.cap.filter(|cap| written.len() as u64 > *cap) {
            return Err(capped(&root.resource, cap));
        }
        hold(transaction, &root.resource, conflict.check.as_ref(), bound, written).await?;
    }
    let own = create.rows.iter().zip(&done).filter(|(row, _)| row.parent.is_none());
    let own: Vec<_> = own.map(|(_, done)| done).collect();
    let added = own.iter().filter(|done| matches!(done, Done::Added(_))).count() as u64;
    let mut keys = own.into_iter().filter_map(Done::key).cloned();
    let answer = match &*plan.program {
        Program::List(_) => {
            let keys: Vec<_> = keys.collect();
            let only = if let [key] = keys.as_slice() { Some(text(key)) } else { None };
            Answer { key: only, ..read_each(transaction, &root.resource, plan, bound, keys).await? }
        }
        Program::Row(_) | Program::Tagged { .. } => match keys.next() {
            Some(key) => read_one(transaction, &root.resource, plan, bound, &key).await?,
            None => Answer::default(),
        },
    };
    Ok(Answer { added, ..answer })
}

/// Adds a row by the one statement that also tells of it.
pub(in super::super) async fn direct(
    connection: &Connection,
    create: &CreatePlan,
    direct: &Direct,
    bound: &Bound,
) -> Result<Answer> {
    let (Some(table), Some(row)) = (create.tables.first(), create.rows.first()) else {
        return Err(Error::internal("a new row without a table"));
    };
    let (program, key, scalar) = (Arc::clone(&direct.program), direct.key, table.key.clone());
    let values = bound.values(&direct.statement.binds, None);
    let told = move || Told {
        renderer: Renderer::new(Shared(Arc::clone(&program))),
        index: key,
        scalar: scalar.clone(),
        key: None,
    };
    match connection.run(&direct.statement.sql, &values, told).await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(explained(connection, error, &table.constraints, &row.settings, bound, None).await),
    }
}

struct Creation<'p> {
    transaction: &'p Transaction,
    create: &'p CreatePlan,
    bound: &'p Bound,
}

impl Creation<'_> {
    /// Adds the rows, level by level: those that belong to others need their keys.
    async fn rows(&self) -> Result<Vec<Done>> {
        let rows = &self.create.rows;
        let mut depths = Vec::with_capacity(rows.len());
        for row in rows {
            depths.push(row.parent.and_then(|parent| depths.get(parent)).map_or(0, |depth: &usize| depth + 1));
        }
        let mut done: Vec<Option<Done>> = std::iter::repeat_with(|| None).take(rows.len()).collect();
        for depth in 0..=depths.iter().copied().max().unwrap_or_default() {
            let mut together = Vec::new();
            for index in (0..rows.len()).filter(|index| depths[*index] == depth) {
                if self.stands_alone(&rows[index]) {
                    self.add_together(&mut together, &mut done).await?;
                    let (row, parent) = (&rows[index], self.parent(index, &done));
                    let outcome = self.add(row, parent.as_ref()).await;
                    done[index] = Some(outcome.map_err(|error| error.within(&row.path))?);
                } else {
                    together.push(index);
                }
            }
            self.add_together(&mut together, &mut done).await?;
        }
        Ok(done.into_iter().map(|done| done.unwrap_or(Done::Left)).collect())
    }

    fn table(&self, row: &RowPlan) -> &TablePlan {
        &self.create.tables[row.table]
    }

    /// The key of the row that a row belongs to.
    fn parent(&self, index: usize, done: &[Option<Done>]) -> Option<Value> {
        let parent = self.create.rows[index].parent?;
        done[parent].as_ref().and_then(Done::key).cloned()
    }

    /// What becomes of a row whose values are taken, if they can be.
    fn conflict<'r>(&'r self, row: &'r RowPlan) -> Option<(&'r ConflictPlan, &'r TakenPlan)> {
        self.create.conflict.as_ref().zip(row.taken.as_ref())
    }

    /// Whether adding the row takes more than its statement.
    fn stands_alone(&self, row: &RowPlan) -> bool {
        self.table(row).hooks.is_some()
            || self.conflict(row).is_some_and(|(conflict, taken)| conflict.steps || taken.must)
    }

    /// Adds rows that take one statement each, all of which are on their way at once.
    async fn add_together(&self, indexes: &mut Vec<usize>, done: &mut [Option<Done>]) -> Result<()> {
        let indexes = std::mem::take(indexes);
        let statements = indexes.iter().map(|index| {
            let row = &self.create.rows[*index];
            let key = self.table(row).key.clone();
            let cells: Arc<[Scalar]> =
                if row.taken.is_some() { Arc::from([key, Scalar::Integer]) } else { Arc::from([key]) };
            let values = self.bound.values(&row.statement.binds, self.parent(*index, done).as_ref());
            (Arc::clone(&row.statement.sql), values, Rows::new(&cells))
        });
        let told = match self.transaction.run_each(statements.collect()).await {
            Ok(told) => told,
            Err((failed, error)) => {
                let index = indexes[failed];
                let parent = self.parent(index, done);
                let row = &self.create.rows[index];
                return Err(self.failed(row, error, parent.as_ref()).await.within(&row.path));
            }
        };
        for (index, told) in indexes.into_iter().zip(told) {
            let row = &self.create.rows[index];
            let outcome = match told.into_iter().next().as_deref() {
                Some([key]) => Ok(Done::Added(key.clone())),
                Some([key, added]) if *added == Value::Int(1) => Ok(Done::Added(key.clone())),
                Some([key, ..]) => Ok(Done::Written(key.clone())),
                _ => self.untouched(row).await,
            };
            done[index] = Some(outcome.map_err(|error| error.within(&row.path))?);
        }
        Ok(())
    }

    async fn failed(&self, row: &RowPlan, error: Error, parent: Option<&Value>) -> Error {
        explained(self.transaction, error, &self.table(row).constraints, &row.settings, self.bound, parent).await
    }

    /// Why a statement has neither added the row nor written to the one that is there.
    async fn untouched(&self, row: &RowPlan) -> Result<Done> {
        let Some((conflict, taken)) = self.conflict(row) else { return Err(Error::internal("a row was not added")) };
        match self.find(conflict, taken).await? {
            Some(found) => match self.stays(row, conflict, &found)? {
                Some(done) => Ok(done),
                // It may be written now, and could not be then.
                None => Err(overtaken()),
            },
            None => Err(overtaken()),
        }
    }

    async fn find(&self, conflict: &ConflictPlan, taken: &TakenPlan) -> Result<Option<Vec<Value>>> {
        let found = rows(self.transaction, &taken.find, self.bound, None, &conflict.cells).await?;
        Ok(found.into_iter().next())
    }

    /// What becomes of a row whose values are taken, unless it is written to: the found row's key, whether the caller
    /// sees it, whether it may be written.
    fn stays(&self, row: &RowPlan, conflict: &ConflictPlan, found: &[Value]) -> Result<Option<Done>> {
        let [key, visible, permitted, ..] = found else { return Err(Error::internal("a row without its key")) };
        let holds = |flag: &Value| *flag == Value::Int(1);
        match (conflict.ignores, holds(visible), holds(permitted)) {
            (true, ..) if !conflict.told => Ok(Some(Done::Left)),
            (_, false, _) => Err(given(taken(conflict.columns.clone()), &self.table(row).constraints)),
            (true, ..) => Ok(Some(Done::Kept(key.clone()))),
            (false, true, false) => Err(forbidden(&self.table(row).resource)),
            (false, true, true) => Ok(None),
        }
    }

    /// Adds a row for which more than a statement is needed.
    async fn add(&self, row: &RowPlan, parent: Option<&Value>) -> Result<Done> {
        if let Some((conflict, taken)) = self.conflict(row) {
            if let Some(found) = self.find(conflict, taken).await? {
                return match self.stays(row, conflict, &found)? {
                    Some(done) => Ok(done),
                    None => self.overwrite(row, taken, &found).await,
                };
            }
            if taken.must {
                let key = conflict.columns.first().cloned().unwrap_or_default();
                let message = "There is no row with this key, and the server gives new ones theirs";
                return Err(Error::bad_value(message).field(key));
            }
        }
        let table = self.table(row);
        let Some(hooks) = table.hooks else {
            let cells = Arc::from([table.key.clone()]);
            let added = rows(self.transaction, &row.statement, self.bound, parent, &cells).await;
            return match added {
                Ok(added) => match added.into_iter().next().and_then(|row| row.into_iter().next()) {
                    Some(key) => Ok(Done::Added(key)),
                    None => Err(Error::internal("a row was not added")),
                },
                Err(error) => Err(self.failed(row, error, parent).await),
            };
        };
        let columns = columns(&row.settings, self.bound, parent, &[]);
        match (hooks.insert)(self.transaction.as_orm(), columns).await {
            Ok(key) => database::bound(key).map(Done::Added),
            Err(error) => Err(self.failed(row, hook_error(error), parent).await),
        }
    }

    /// Writes the values of a new row to the row that has been found.
    async fn overwrite(&self, row: &RowPlan, taken: &TakenPlan, found: &[Value]) -> Result<Done> {
        let [key, _, _, touched @ ..] = found else { return Err(Error::internal("a row without its key")) };
        let table = self.table(row);
        let outcome = if let Some(hooks) = table.hooks {
            let columns = columns(&taken.settings, self.bound, Some(key), touched);
            let updated = (hooks.update)(self.transaction.as_orm(), orm_value(key, &table.key), columns).await;
            updated.map(|_| true).map_err(hook_error)
        } else {
            let cells = Arc::from([table.key.clone()]);
            let updated = rows(self.transaction, &taken.update, self.bound, Some(key), &cells).await;
            updated.map(|rows| !rows.is_empty())
        };
        match outcome {
            Ok(true) => Ok(Done::Written(key.clone())),
            Ok(false) => Err(overtaken()),
            Err(error) => {
                let constraints = &table.constraints;
                Err(explained(self.transaction, error, constraints, &taken.settings, self.bound, None).await)
            }
        }
    }
}

/// Writes a row, and keeps its key.
struct Told {
    renderer: Renderer<Shared>,
    index: usize,
    scalar: Scalar,
    key: Option<String>,
}

impl Sink for Told {
    type Output = Answer;

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        self.key = Some(text(&self.scalar.read(row.cell(self.index)?)?));
        self.renderer.row(row)
    }

    fn finish(self, affected: u64) -> Result<Answer> {
        let answer = self.renderer.finish(affected)?;
        Ok(Answer { key: self.key, added: answer.rows, ..answer })
    }
}
