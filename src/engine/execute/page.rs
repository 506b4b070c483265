//! A page of a list, with how many rows the whole list has, where that is asked for; one that is too long to be held is
//! told as its rows come.
//!
//! In: a [`Plan`] that reads, and its values. Out: an [`Answer`] with its total, and the [`Long`] page that it is of.

use super::{read, rows};
use crate::{
    catalog::scalar::{Scalar, Style, Value},
    engine::{
        bind::Bound,
        compile::{Ahead, HELD, Plan, Statement},
        cursor::CursorProgram,
        database::{Connection, Database, Row, Sink},
        flow::Long,
        render::Answer,
    },
    error::{Error, Result},
};
use serde::Deserialize;
use std::sync::Arc;

/// Reads a page.
pub(in super::super) async fn page(connection: &Connection, plan: &Plan, bound: &Bound) -> Result<Answer> {
    let mut answer = read(connection, plan, bound, None).await?;
    answer.total = total(connection, plan, bound, answer.total).await?;
    Ok(answer)
}

/// Reads a page that may be too long to be held: what is told of it is told beforehand then, out of the same snapshot.
pub(in super::super) async fn long_page(
    database: &Database,
    plan: &Arc<Plan>,
    ahead: &Ahead,
    bound: Bound,
) -> Result<(Answer, Option<Long>)> {
    let begun = database.viewing(async |snapshot| begin(snapshot, plan, ahead, &bound).await).await?;
    let ((answer, goes_on), snapshot) = begun;
    if goes_on {
        return Ok((answer, Some(Long::new(snapshot, Arc::clone(plan), bound))));
    }
    snapshot.commit().await?;
    Ok((answer, None))
}

/// What is told of the page, and whether its rows are still to come.
async fn begin(connection: &Connection, plan: &Plan, ahead: &Ahead, bound: &Bound) -> Result<(Answer, bool)> {
    let cells = Arc::from(vec![Scalar::BigInt; if ahead.counted { 2 } else { 1 }]);
    let counts = rows(connection, &ahead.count, bound, None, &cells).await?;
    let count = |index: usize| match counts.first().and_then(|row| row.get(index)) {
        Some(Value::Int(count)) => u64::try_from(*count).ok(),
        _ => None,
    };
    let seen = count(0).ok_or_else(|| Error::internal("a count without a number"))?;
    let total = total(connection, plan, bound, count(1)).await?;
    if seen <= HELD {
        return Ok((Answer { total, ..read(connection, plan, bound, None).await? }, false));
    }
    let next = match &ahead.last {
        Some((statement, program)) if seen > ahead.limit => last(connection, statement, program, bound).await?,
        _ => None,
    };
    Ok((Answer { rows: seen.min(ahead.limit), total, next, ..Answer::default() }, true))
}

/// How many rows the list has: counted, or, from as many on as that is exact to, what the planner expects.
async fn total(connection: &Connection, plan: &Plan, bound: &Bound, counted: Option<u64>) -> Result<Option<u64>> {
    match &plan.expected {
        Some((statement, up_to)) if counted.is_none_or(|counted| counted > *up_to) => {
            let expected = expected(connection, statement, bound).await?;
            // What was seen is there, whatever the planner expects.
            Ok(Some(expected.max(counted.unwrap_or_default())))
        }
        _ => Ok(counted),
    }
}

/// The cursor of the row that fills a page.
async fn last(
    connection: &Connection,
    statement: &Statement,
    program: &CursorProgram,
    bound: &Bound,
) -> Result<Option<String>> {
    let (values, program) = (bound.values(&statement.binds, None), program.clone());
    let sink = move || Last { program: program.clone(), cursor: None };
    connection.run(&statement.sql, &values, sink).await
}

/// Keeps the cursor of a row.
struct Last {
    program: CursorProgram,
    cursor: Option<String>,
}

impl Sink for Last {
    type Output = Option<String>;

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        self.cursor = Some(self.program.text(row)?);
        Ok(())
    }

    fn finish(self, _: u64) -> Result<Self::Output> {
        Ok(self.cursor)
    }
}

/// How many rows the planner expects.
async fn expected(connection: &Connection, statement: &Statement, bound: &Bound) -> Result<u64> {
    let values = bound.values(&statement.binds, None);
    let plan = connection.run(&statement.sql, &values, Explained::default).await?;
    let plan: [Explanation; 1] = serde_json::from_slice(&plan).map_err(Error::internal)?;
    Ok(plan[0].plan.rows)
}

/// What EXPLAIN tells.
#[derive(Deserialize)]
struct Explanation {
    #[serde(rename = "Plan")]
    plan: Node,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "Plan Rows")]
    rows: u64,
}

/// Keeps the JSON of the one row.
#[derive(Default)]
struct Explained(Vec<u8>);

impl Sink for Explained {
    type Output = Vec<u8>;

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        Scalar::Json.write(row.cell(0)?, Style::Rest, &mut self.0)
    }

    fn finish(self, _: u64) -> Result<Vec<u8>> {
        Ok(self.0)
    }
}
