//! What is told of a list beside the rows of its page: how many rows it has, and where it goes on.
//!
//! In: the page of a list, or of its groups. Out: the statement that tells the page, with the number of rows in it where
//! that is counted, so that both are of one moment; the statement that asks the planner what it expects; and, for a page
//! that may be too long to be held, what is to be known before its first row is told.

use super::{
    Bind, Compiler, Statement,
    select::{Cells, Nesting, Page},
};
use crate::{
    catalog::{
        Catalog,
        scalar::{Scalar, Style},
    },
    engine::{
        authorize::Authorized,
        cursor::{CursorProgram, fingerprint},
        database::Dialect,
        query::{Query, QueryAction, Summary},
        render::{ListProgram, Op, Program},
        request::{Count, Envelope},
    },
};

/// How many rows of a page are held until the last one is known; a longer one is told as its rows come.
pub const HELD: u64 = 1_000;

/// What is asked before a page is told that may be too long to be held.
#[derive(Debug, Clone, PartialEq)]
pub struct Ahead {
    /// How many rows the page and one behind it have, and, if the list is counted, how many it has.
    pub count: Statement,
    /// Whether it is counted.
    pub counted: bool,
    /// How many rows the page has at most.
    pub limit: u64,
    /// The cursor of the row that fills the page, if it is asked for.
    pub last: Option<(Statement, CursorProgram)>,
}

impl Compiler<'_> {
    /// The statement of a page, with the number of rows that the list has without it, if that is asked for.
    pub(super) fn told(&mut self, query: &Query, page: Page, list: ListProgram) -> (String, Program) {
        let total = if is_long(query, self.style) { None } else { self.total(query) };
        let Some(total) = total else {
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
            // Nothing of the page: what is bound for it alone would be bound for nothing.
            let summary = Summary { order: Vec::new(), offset: None, ..summary.clone() };
            let (page, _) = self.groups(read, &summary, true, None);
            return page.source();
        }
        let alias = self.alias();
        let conditions = self.conditions(read, &alias, None);
        self.rows_of(query, &alias, conditions)
    }

    /// The rows of a list that hold conditions.
    fn rows_of(&self, query: &Query, alias: &str, conditions: Vec<String>) -> String {
        let from = format!("{} {alias}", super::identifier(&self.catalog.at(query.read.resource).name));
        Page { cells: Cells::default(), from, conditions, tail: String::new() }.source()
    }

    /// The rows or groups from the beginning of the page on.
    fn behind_cursor(&mut self, query: &Query, alias: &str) -> String {
        let read = &query.read;
        let Some(position) = read.page.after else { return self.whole(query) };
        let mut conditions = self.conditions(read, alias, None);
        conditions.push(self.behind(read.resource, alias, &read.order, position, false));
        self.rows_of(query, alias, conditions)
    }

    /// How many rows are left out, and `more`.
    fn offset(&mut self, query: &Query, more: u64) -> String {
        let offset = query.read.summaries.first().map_or(query.read.page.offset, |summary| summary.offset);
        match offset {
            Some(slot) => format!(" offset {} + {more}", self.bind(Bind::Slot(slot), &Scalar::BigInt)),
            None if more > 0 => format!(" offset {more}"),
            None => String::new(),
        }
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

/// How many rows the page of a list has at most; none where the query is of something else.
fn limit(query: &Query) -> Option<u64> {
    let read = &query.read;
    match (&query.envelope, read.summaries.as_slice()) {
        _ if query.action != QueryAction::Read || read.key.is_some() => None,
        (Envelope::Groups(_), [summary]) => Some(summary.limit),
        (Envelope::Array, _) => Some(read.page.limit),
        _ => None,
    }
}

fn is_long(query: &Query, style: Style) -> bool {
    style == Style::Rest && limit(query).is_some_and(|limit| limit > HELD)
}

/// What is asked before a page is told, if it may be too long to be held.
pub(super) fn ahead(catalog: &Catalog, query: &Authorized<Query>, dialect: Dialect, style: Style) -> Option<Ahead> {
    let limit = limit(query).filter(|_| is_long(query, style))?;
    let new = || Compiler::new(catalog, query, dialect, style);
    let mut compiler = new();
    let alias = compiler.alias();
    let rows = compiler.behind_cursor(query, &alias);
    let offset = compiler.offset(query, 0);
    let mut sql =
        format!("select (select count(*) from (select 1 {rows} limit {}{offset}) p)", limit.saturating_add(1));
    let total = compiler.total(query);
    let counted = total.is_some();
    if let Some(total) = total {
        sql.push_str(", ");
        sql.push_str(&total);
    }
    let count = compiler.finish(sql);
    let last = (query.form.next && query.envelope == Envelope::Array).then(|| {
        let (mut compiler, read) = (new(), &query.read);
        let alias = compiler.alias();
        let mut cells = Vec::with_capacity(read.order.len());
        let mut columns = Vec::with_capacity(read.order.len());
        for sort in &read.order {
            columns.push((cells.len(), sort.expression.scalar.clone()));
            let sql = compiler.expression(read.resource, &alias, &sort.expression);
            cells.push(compiler.told_as(sql, &sort.expression.scalar));
        }
        let order: Vec<_> = read.order.iter().map(|sort| compiler.sort(read.resource, &alias, sort, false)).collect();
        let rows = match read.page.after {
            Some(_) => compiler.behind_cursor(query, &alias),
            None => {
                let conditions = compiler.conditions(read, &alias, None);
                compiler.rows_of(query, &alias, conditions)
            }
        };
        let offset = compiler.offset(query, limit - 1);
        let sql = format!("select {} {rows} order by {} limit 1{offset}", cells.join(", "), order.join(", "));
        let fingerprint = fingerprint(catalog.at(read.resource), &read.order);
        (compiler.finish(sql), CursorProgram { fingerprint, columns })
    });
    Some(Ahead { count, counted, limit, last })
}
