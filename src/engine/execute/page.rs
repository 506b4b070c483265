//! A page of a list, with what the planner of the database expects the whole list to be, where that is asked for.
//!
//! In: a [`Plan`] that reads, and its values. Out: an [`Answer`] with its total.

use super::read;
use crate::{
    catalog::scalar::{Scalar, Style},
    engine::{
        bind::Bound,
        compile::{Plan, Statement},
        database::{Connection, Row, Sink},
        render::Answer,
    },
    error::{Error, Result},
};
use serde::Deserialize;

/// Reads a page.
pub(in super::super) async fn page(connection: &Connection, plan: &Plan, bound: &Bound) -> Result<Answer> {
    let mut answer = read(connection, plan, bound, None).await?;
    if let Some((statement, up_to)) = &plan.expected
        && answer.total.is_none_or(|counted| counted > *up_to)
    {
        let expected = expected(connection, statement, bound).await?;
        // What was seen is there, whatever the planner expects.
        answer.total = Some(expected.max(answer.total.unwrap_or_default()));
    }
    Ok(answer)
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
