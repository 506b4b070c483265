//! From a plan and values to bytes: the only stage that talks to the database.
//!
//! In: a [`Plan`] and [`Bound`] values. Out: an [`Answer`]. A write and the read of what it left are one transaction.

mod change;
mod create;
pub(super) mod once;
mod page;

pub(super) use create::direct;
pub(super) use page::{long_page, page};

use change::Change;

use super::{
    bind::Bound,
    compile::{Constraints, From, Plan, Setting, Statement, WriteAction, WritePlan},
    database::{Connection, Row, Sink, Transaction, error_of, orm_value},
    ending::State,
    render::{Answer, Renderer, Shared},
};
use crate::{
    catalog::{
        Columns,
        scalar::{Scalar, Value},
    },
    error::{Error, Kind, Problem, Result},
};
use sea_orm::DbErr;
use std::sync::Arc;

/// Runs the read of a plan; `written` is the key of the row that its write touched, or the list of their keys.
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

/// Runs the write of a plan and reads what it left, or, for a deletion, what was there. A row that is changed must be in
/// a state of which `state` says that it may be.
pub(super) async fn write(
    transaction: &Transaction,
    write: &WritePlan,
    plan: &Plan,
    bound: &Bound,
    state: Option<State<'_>>,
) -> Result<Answer> {
    match &write.action {
        WriteAction::Create(create) => create::run(transaction, create, plan, bound).await,
        WriteAction::Change(change) => Change { transaction, write, change, plan, bound }.run(state).await,
    }
}

/// Reads the rows with these keys, which the caller must see: who may write rows that it may not see would learn
/// nothing but that they are there.
async fn read_each(
    connection: &Connection,
    resource: &str,
    plan: &Plan,
    bound: &Bound,
    keys: Vec<Value>,
) -> Result<Answer> {
    let count = keys.len() as u64;
    let answer = read(connection, plan, bound, Some(&Value::List(keys))).await?;
    if answer.touched == count { Ok(answer) } else { Err(forbidden(resource)) }
}

/// The same of one row.
async fn read_one(connection: &Connection, resource: &str, plan: &Plan, bound: &Bound, key: &Value) -> Result<Answer> {
    let mut answer = read(connection, plan, bound, Some(key)).await?;
    if answer.rows == 0 {
        return Err(forbidden(resource));
    }
    answer.key = Some(text(key));
    Ok(answer)
}

/// Refuses rows that a write has left in a state that the policy does not permit.
async fn hold(
    connection: &Connection,
    resource: &str,
    check: Option<&Statement>,
    bound: &Bound,
    mut keys: Vec<Value>,
) -> Result<()> {
    let Some(check) = check else { return Ok(()) };
    // The same row may have been written twice.
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(text(key)));
    if keys.is_empty() {
        return Ok(());
    }
    let count = keys.len();
    let rows = rows(connection, check, bound, Some(&Value::List(keys)), &Arc::from([Scalar::BigInt])).await?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Int(held)) if usize::try_from(*held) == Ok(count) => Ok(()),
        _ => Err(forbidden(resource)),
    }
}

fn text(key: &Value) -> String {
    let mut text = String::new();
    key.write_text(&mut text);
    text
}

fn absent(resource: &str) -> Error {
    Error::not_found(format!("There is no such row in {resource}"))
}

fn forbidden(resource: &str) -> Error {
    Error::forbidden(format!("You may see this row of {resource}, and not change it"))
}

/// What another transaction did in the meantime, so that a second try would find something else.
fn overtaken() -> Error {
    Error::new(Kind::Unavailable, "Others were writing the same rows; try again").code("40001")
}

/// The rows of a statement, as values of these types.
async fn rows(
    connection: &Connection,
    statement: &Statement,
    bound: &Bound,
    written: Option<&Value>,
    cells: &Arc<[Scalar]>,
) -> Result<Vec<Vec<Value>>> {
    let values = bound.values(&statement.binds, written);
    let cells = Arc::clone(cells);
    connection.run(&statement.sql, &values, move || Rows::new(&cells)).await
}

async fn exists(connection: &Connection, statement: &Statement, bound: &Bound) -> Result<bool> {
    Ok(!rows(connection, statement, bound, None, &Arc::from([Scalar::BigInt])).await?.is_empty())
}

/// The columns that are set, as hooks take them; `found` is what was found with the row.
fn columns(settings: &[Setting], bound: &Bound, written: Option<&Value>, found: &[Value]) -> Columns {
    let value = |setting: &Setting| match &setting.from {
        From::Bind(bind) => bound.value(bind, written),
        From::Found(index) => found.get(*index).cloned().unwrap_or(Value::Null),
    };
    settings.iter().map(|setting| (setting.column.clone(), orm_value(&value(setting), &setting.scalar))).collect()
}

/// What a hook says, it says to the caller.
fn hook_error(error: DbErr) -> Error {
    match error {
        DbErr::Custom(message) => Error::bad_request(message).code("P0001"),
        error => error_of(error),
    }
}

/// An error with the columns that the client can do something about: of a taken set without those that the policy sets,
/// of a check the one that its name tells, of a reference the one that refers to nothing, which SQLite does not tell.
async fn explained(
    connection: &Connection,
    mut error: Error,
    constraints: &Constraints,
    settings: &[Setting],
    bound: &Bound,
    written: Option<&Value>,
) -> Error {
    match &*error.code {
        "23505" => return given(error, constraints),
        "23514" => {
            let known = |problem: &&Problem| constraints.columns.contains(&problem.field);
            let problems = error.problems.iter().filter(known).cloned().collect();
            error.details = None;
            return error.about(problems);
        }
        _ => {}
    }
    if error.code != "23503" || !error.problems.is_empty() {
        return error;
    }
    for (column, sql) in &constraints.references {
        let setting = settings.iter().find(|setting| setting.column == *column);
        let Some(Setting { from: From::Bind(bind), .. }) = setting else { continue };
        let value = bound.value(bind, written);
        if value == Value::Null {
            continue;
        }
        let found = connection.run(sql, &Arc::from([value]), || Rows::new(&Arc::from([Scalar::BigInt]))).await;
        if found.is_ok_and(|rows| rows.is_empty()) {
            let message = super::database::NO_REFERENCE.to_owned();
            return error.about(vec![Problem { field: column.clone(), message }]);
        }
    }
    error
}

/// An error about a taken set of values, of which the caller has not given those that the policy sets.
fn given(error: Error, constraints: &Constraints) -> Error {
    let own = |problem: &&Problem| !constraints.presets.contains(&problem.field);
    let problems: Vec<_> = error.problems.iter().filter(own).cloned().collect();
    if problems.is_empty() { error } else { error.about(problems) }
}

/// Keeps the rows of a statement as values.
struct Rows {
    cells: Arc<[Scalar]>,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    fn new(cells: &Arc<[Scalar]>) -> Self {
        Self { cells: Arc::clone(cells), rows: Vec::new() }
    }
}

impl Sink for Rows {
    type Output = Vec<Vec<Value>>;

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        let cells = self.cells.iter().enumerate();
        let cells = cells.map(|(index, scalar)| scalar.read(row.cell(index)?));
        self.rows.push(cells.collect::<Result<_>>()?);
        Ok(())
    }

    fn finish(self, _: u64) -> Result<Self::Output> {
        Ok(self.rows)
    }
}
