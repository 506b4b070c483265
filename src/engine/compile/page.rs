//! What is told of a list beside the rows of its page: how many rows it has.
//!
//! In: the page of a list, or of its groups. Out: the statement that tells the page, with the number of rows in it where
//! that is counted, so that both are of one moment; and the statement that asks the planner what it expects.

use super::{
    Compiler, Statement,
    select::{Cells, Nesting, Page},
};
use crate::{
    catalog::{Catalog, scalar::Style},
    engine::{
        authorize::Authorized,
        database::Dialect,
        query::{Query, QueryAction},
        render::{ListProgram, Op, Program},
        request::{Count, Envelope},
    },
};

impl Compiler<'_> {
    /// The statement of a page, with the number of rows that the list has without it, if that is asked for.
    pub(super) fn told(&mut self, query: &Query, page: Page, list: ListProgram) -> (String, Program) {
        let Some(total) = self.total(query) else {
            let sql = page.into_sql(|index, (expression, _)| format!("{expression} as c{index}"));
            return (sql, Program::List(list));
        };
        let mut cells = Cells::default();
        let rows = Some(self.cell(&mut cells, page));
        let count = Some(cells.push(total, Nesting::Count));
        let cells: Vec<_> = cells.expressions.into_iter().map(|(expression, _)| expression).collect();
        (format!("select {}", cells.join(", ")), Program::Row(vec![Op::Many { rows, count, list }]))
    }

    /// How many rows or groups the list has without its page, if they are counted one by one.
    fn total(&mut self, query: &Query) -> Option<String> {
        let whole = match query.form.counted? {
            // SQLite's planner tells nobody what it expects.
            Count::Planned if self.dialect == Dialect::Postgres => return None,
            Count::Estimated if self.dialect == Dialect::Postgres => {
                // One more than it is exact to tells that the planner is to be asked.
                format!("(select 1 {} limit {}) w", self.whole(query), query.max_page.saturating_add(1))
            }
            _ => return Some(format!("(select count(*) {})", self.whole(query))),
        };
        Some(format!("(select count(*) from {whole})"))
    }

    /// The rows or groups that a list has without its page.
    fn whole(&mut self, query: &Query) -> String {
        let read = &query.read;
        if let (Envelope::Groups(_), [summary]) = (&query.envelope, read.summaries.as_slice()) {
            let (page, _) = self.groups(read, summary, true, None);
            return page.source();
        }
        let alias = self.alias();
        let conditions = self.conditions(read, &alias, None);
        let from = format!("{} {alias}", super::identifier(&self.catalog.at(read.resource).name));
        Page { cells: Cells::default(), from, conditions, tail: String::new() }.source()
    }
}

impl Page {
    /// Where the rows come from, in whatever order and however many.
    fn source(&self) -> String {
        let Self { from, conditions, .. } = self;
        if conditions.is_empty() {
            format!("from {from}")
        } else {
            format!("from {from} where {}", conditions.join(" and "))
        }
    }
}

/// What the planner is asked of a list, and up to which number the rows are counted instead.
pub(super) fn expected(
    catalog: &Catalog,
    query: &Authorized<Query>,
    dialect: Dialect,
    style: Style,
) -> Option<(Statement, u64)> {
    let up_to = match query.form.counted? {
        Count::Planned => 0,
        Count::Estimated => query.max_page,
        Count::Exact => return None,
    };
    if dialect == Dialect::Sqlite || query.action != QueryAction::Read {
        return None;
    }
    let mut compiler = Compiler::new(catalog, query, dialect, style);
    let sql = format!("explain (format json) select 1 {}", compiler.whole(query));
    Some((compiler.finish(sql), up_to))
}
