//! Reads as SQL, nested relations included, in one statement.
//!
//! A row to one is a LEFT JOIN with its policy in the ON clause. Rows to many are an array in a cell of their parent:
//! PostgreSQL's binary `record[]`, which costs no JSON on either side, and a JSON array on SQLite. A list that is
//! counted is nested in a row of its own, so that its number and its page are one statement even if the page is empty.

use super::{Compiler, list::connection, operator::element};
use crate::{
    catalog::{Relation, scalar::Scalar},
    engine::{
        cursor::{CursorProgram, fingerprint},
        database::Dialect,
        query::{Expression, KeySource, Query, Read, Selection, Sort, Window},
        render::{ListPart, ListProgram, Op, Program},
        request::{Cut, Envelope},
    },
};
use std::fmt::Write as _;

/// The cells of a row that is being selected.
#[derive(Default)]
pub(super) struct Cells {
    /// The expressions, and how SQLite's JSON takes each.
    pub(super) expressions: Vec<(String, Nesting)>,
    /// The joins that they need.
    pub(super) joins: String,
}

#[derive(Clone)]
pub(super) enum Nesting {
    Scalar(Scalar),
    List,
    Count,
}

impl Cells {
    /// The index of a column's cell; the same column is selected once.
    pub(super) fn scalar(&mut self, expression: String, scalar: &Scalar) -> usize {
        if let Some(index) = self.expressions.iter().position(|(other, _)| *other == expression) {
            return index;
        }
        self.push(expression, Nesting::Scalar(scalar.clone()))
    }

    pub(super) fn push(&mut self, expression: String, nesting: Nesting) -> usize {
        self.expressions.push((expression, nesting));
        self.expressions.len() - 1
    }
}

impl Compiler<'_> {
    /// The statement of a root read, and the program of its rows.
    pub(super) fn root(&mut self, query: &Query) -> (String, Program) {
        let Query { read, envelope, .. } = query;
        if read.key == Some(KeySource::Each) {
            return self.each(read, envelope);
        }
        if read.key.is_some() {
            return self.single(read);
        }
        if let (Envelope::Groups(_), [summary]) = (envelope, read.summaries.as_slice()) {
            let (page, list) = self.groups(read, summary, true, None);
            return self.told(query, page, list);
        }
        if read.counted || !read.summaries.is_empty() || !read.told {
            let mut cells = Cells::default();
            let op = self.nested(&mut cells, read, envelope, None);
            let mut cells: Vec<_> = cells.expressions.into_iter().map(|(expression, _)| expression).collect();
            if cells.is_empty() {
                // `{ trees { __typename } }` reads nothing, and answers all the same.
                cells.push("1".to_owned());
            }
            return (format!("select {}", cells.join(", ")), Program::Row(vec![op]));
        }
        let (page, list) = self.page(read, envelope, None);
        self.told(query, page, list)
    }

    /// The statement of a read of the rows that a write has touched, in the order of the list of keys that is bound if
    /// no other is asked for.
    fn each(&mut self, read: &Read, envelope: &Envelope) -> (String, Program) {
        let resource = self.catalog.at(read.resource);
        let alias = self.alias();
        let mut cells = Cells::default();
        let rows = self.selections(&mut cells, read, &alias);
        let cursor = CursorProgram { fingerprint: fingerprint(resource, &[]), columns: Vec::new() };
        let whole = Window { limit: u64::MAX, ..Window::default() };
        let mut list = connection(envelope, rows, cursor, &whole, false, |_| {});
        if let Some(Cut { before, limit }) = self.form.cut {
            (list.before, list.limit) = (before, limit);
        }
        let visible = self.visible(read.resource, &alias);
        let (number, key) = (self.number(super::Bind::Written), resource.key_column());
        let (keys, value) = match self.dialect {
            Dialect::Postgres => (
                format!("unnest(${number}::{}[]) with ordinality as k(value, key)", key.scalar.postgres_type()),
                "k.value".to_owned(),
            ),
            Dialect::Sqlite => (format!("json_each(?{number}) as k"), element(&key.scalar, "k.value")),
        };
        let (table, own) = (super::identifier(&resource.name), self.stored(resource, resource.key, &alias));
        let from = format!("{keys} join {table} {alias} on {own} = {value}");
        let mut order: Vec<_> = read.order.iter().map(|sort| self.sort(read.resource, &alias, sort, false)).collect();
        // The same row may have been written twice.
        order.push("k.key".to_owned());
        let page = Page { cells, from, conditions: vec![visible], tail: format!(" order by {}", order.join(", ")) };
        (page.into_sql(|index, (expression, _)| format!("{expression} as c{index}")), Program::List(list))
    }

    /// What an INSERT returns of its row: the expressions, how they are written, and which of them is the key. None
    /// where something is told that is not in the row itself.
    pub(super) fn returned(&mut self, read: &Read) -> Option<(Vec<String>, Program, usize)> {
        let resource = self.catalog.at(read.resource);
        let stored = |index: usize| resource.columns[index].computed.is_none() && !resource.columns[index].masked;
        let own = |field: &Selection| match field {
            Selection::Column { column, .. } => stored(*column),
            Selection::NodeId { .. } | Selection::TypeName { .. } => true,
            Selection::Value { .. } | Selection::One { .. } | Selection::Many { .. } => false,
        };
        // A tag is made of all columns.
        let tagged = !self.form.tagged || (0..resource.columns.len()).all(stored);
        if !tagged || !read.select.iter().all(own) {
            return None;
        }
        let table = super::identifier(&resource.name);
        let mut cells = Cells::default();
        let program = self.program(&mut cells, read, &table);
        let key = cells.scalar(self.stored(resource, resource.key, &table), &resource.key_column().scalar);
        Some((cells.expressions.into_iter().map(|(expression, _)| expression).collect(), program, key))
    }

    /// The statement of a read of one row.
    fn single(&mut self, read: &Read) -> (String, Program) {
        let resource = self.catalog.at(read.resource);
        let alias = self.alias();
        let mut cells = Cells::default();
        let program = self.program(&mut cells, read, &alias);
        let mut conditions = Vec::with_capacity(2);
        if let Some(key) = read.key {
            let placeholder = self.key(key, &resource.key_column().scalar);
            conditions.push(format!("{} = {placeholder}", self.stored(resource, resource.key, &alias)));
        }
        conditions.push(self.visible(read.resource, &alias));
        let from = format!("{} {alias}", super::identifier(&resource.name));
        let page = Page { cells, from, conditions, tail: String::new() };
        (page.into_sql(|_, (expression, _)| expression), program)
    }

    /// A page of a list: of a relation's rows, if there is a parent.
    fn page(
        &mut self,
        read: &Read,
        envelope: &Envelope,
        parent: Option<(&Relation, &str, usize)>,
    ) -> (Page, ListProgram) {
        let resource = self.catalog.at(read.resource);
        let alias = self.alias();
        let mut cells = Cells::default();
        let rows = self.selections(&mut cells, read, &alias);
        let cursor = CursorProgram {
            fingerprint: fingerprint(resource, &read.order),
            columns: Vec::with_capacity(read.order.len()),
        };
        let next = self.form.next && parent.is_none();
        let list = connection(envelope, rows, cursor, &read.page, next, |cursor| {
            for Sort { expression, .. } in &read.order {
                let sql = self.expression(read.resource, &alias, expression);
                let sql = self.told_as(sql, &expression.scalar);
                cursor.columns.push((cells.scalar(sql, &expression.scalar), expression.scalar.clone()));
            }
        });
        (self.paged(read, &alias, cells, parent), list)
    }

    /// The rows of a page, of which `cells` are selected.
    pub(super) fn paged(
        &mut self,
        read: &Read,
        alias: &str,
        cells: Cells,
        parent: Option<(&Relation, &str, usize)>,
    ) -> Page {
        let mut conditions = self.conditions(read, alias, parent);
        let window = &read.page;
        if let Some(position) = window.after {
            conditions.push(self.behind(read.resource, alias, &read.order, position, false));
        }
        if let Some(position) = window.before {
            conditions.push(self.behind(read.resource, alias, &read.order, position, true));
        }
        let order: Vec<_> =
            read.order.iter().map(|sort| self.sort(read.resource, alias, sort, window.backward)).collect();
        let mut tail = format!(" order by {} limit {}", order.join(", "), window.limit.saturating_add(1));
        if let Some(slot) = window.offset {
            let placeholder = self.bind(super::Bind::Slot(slot), &Scalar::BigInt);
            // Writing into a String cannot fail.
            let _ = write!(tail, " offset {placeholder}");
        }
        let from = format!("{} {alias}", super::identifier(&self.catalog.at(read.resource).name));
        Page { cells, from, conditions, tail }
    }

    /// Which rows a list has, without its page.
    pub(super) fn conditions(
        &mut self,
        read: &Read,
        alias: &str,
        parent: Option<(&Relation, &str, usize)>,
    ) -> Vec<String> {
        let mut conditions = Vec::with_capacity(4);
        if let Some((relation, parent, of)) = parent {
            let parent = self.column(of, relation.local, parent);
            let own = self.column(read.resource, relation.foreign, alias);
            conditions.push(format!("{own} = {parent}"));
        }
        conditions.push(self.visible(read.resource, alias));
        if let Some(filter) = &read.filter {
            conditions.push(self.predicate(read.resource, alias, filter));
        }
        conditions
    }

    /// A step of an order; of groups, `alias` is theirs.
    pub(super) fn sort(&mut self, of: usize, alias: &str, sort: &Sort, reverse: bool) -> String {
        let Sort { expression: Expression { scalar, nullable, .. }, .. } = sort;
        let descending = sort.descending != reverse;
        let nulls_first = sort.nulls_first != reverse;
        let sql = self.expression(of, alias, &sort.expression);
        let mut sql = self.ordered(sql, scalar);
        if descending {
            sql.push_str(" desc");
        }
        // The two databases differ in where NULLs are by default; said only where it is needed, so that indexes serve.
        let default = match self.dialect {
            Dialect::Postgres => descending,
            Dialect::Sqlite => !descending,
        };
        if *nullable && nulls_first != default {
            sql.push_str(if nulls_first { " nulls first" } else { " nulls last" });
        }
        sql
    }

    /// A list in a cell of its parent, with what is told of all its rows in others.
    pub(super) fn nested(
        &mut self,
        cells: &mut Cells,
        read: &Read,
        envelope: &Envelope,
        parent: Option<(&Relation, &str, usize)>,
    ) -> Op {
        let (rows, mut list) = if read.told {
            let (page, list) = self.page(read, envelope, parent);
            (Some(self.cell(cells, page)), list)
        } else {
            let cursor = CursorProgram { fingerprint: 0, columns: Vec::new() };
            (None, connection(envelope, Vec::new(), cursor, &read.page, false, |_| {}))
        };
        let count = read.counted.then(|| {
            let alias = self.alias();
            let conditions = self.conditions(read, &alias, parent).join(" and ");
            let table = super::identifier(&self.catalog.at(read.resource).name);
            cells.push(format!("(select count(*) from {table} {alias} where {conditions})"), Nesting::Count)
        });
        // Both are in the order of the envelope's parts.
        let parts = list.parts.iter_mut().filter_map(|part| match part {
            ListPart::Beside(op) => Some(op),
            _ => None,
        });
        for (part, summary) in parts.zip(&read.summaries) {
            // A list of groups is one also where all rows are its one group.
            let listed = !summary.keys.is_empty() || matches!(envelope, Envelope::Groups(_));
            let (page, list) = self.groups(read, summary, listed, parent);
            let rows = self.cell(cells, page);
            *part = if listed { Op::Many { rows: Some(rows), count: None, list } } else { Op::First { rows, list } };
        }
        Op::Many { rows, count, list }
    }

    /// The rows of a select as one cell of another.
    pub(super) fn cell(&self, cells: &mut Cells, page: Page) -> usize {
        let rows = match self.dialect {
            Dialect::Postgres => {
                let page = page.into_sql(|index, (expression, _)| format!("{expression} as c{index}"));
                format!("(select array_agg(r) from ({page}) r)")
            }
            Dialect::Sqlite => {
                let json: Vec<_> = page
                    .cells
                    .expressions
                    .iter()
                    .enumerate()
                    .map(|(index, (_, nesting))| match nesting {
                        Nesting::Scalar(scalar) => scalar.sqlite_json(&format!("c{index}")),
                        // json_array would take a text for a string.
                        Nesting::List => format!("json(c{index})"),
                        Nesting::Count => format!("c{index}"),
                    })
                    .collect();
                let page = page.into_sql(|index, (expression, _)| format!("{expression} as c{index}"));
                format!("(select json_group_array(json_array({})) from ({page}))", json.join(", "))
            }
        };
        cells.push(rows, Nesting::List)
    }
}

/// A select that still can be written in several ways.
pub(super) struct Page {
    pub(super) cells: Cells,
    /// What stands behind FROM.
    pub(super) from: String,
    pub(super) conditions: Vec<String>,
    /// What stands behind the conditions.
    pub(super) tail: String,
}

impl Page {
    pub(super) fn into_sql(self, cell: impl Fn(usize, (String, Nesting)) -> String) -> String {
        let Self { cells, from, conditions, tail } = self;
        let mut columns: Vec<_> =
            cells.expressions.into_iter().enumerate().map(|(index, expression)| cell(index, expression)).collect();
        if columns.is_empty() {
            // `{ trees { nodes { __typename } } }` reads rows and no column.
            columns.push("1".to_owned());
        }
        let condition = if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" and ") };
        format!("select {} from {from}{} where {condition}{tail}", columns.join(", "), cells.joins)
    }
}
