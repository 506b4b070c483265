//! Reads as SQL, nested relations included, in one statement.
//!
//! A row to one is a LEFT JOIN with its policy in the ON clause. Rows to many are an array in a cell of their parent:
//! PostgreSQL's binary `record[]`, which costs no JSON on either side, and a JSON array on SQLite. A list that is
//! counted is nested in a row of its own, so that its number and its page are one statement even if the page is empty.

use super::{Compiler, list::connection, predicate::column_of};
use crate::{
    catalog::{
        Cardinality, Relation,
        scalar::{Scalar, Style},
    },
    engine::{
        cursor::{CursorProgram, fingerprint},
        database::Dialect,
        query::{KeySource, Read, Selection, Sort, Window},
        render::{Op, Program},
        request::Envelope,
    },
};
use std::fmt::Write as _;

/// The cells of a row that is being selected.
#[derive(Default)]
pub(super) struct Cells {
    /// The expressions, and how SQLite's JSON takes each.
    expressions: Vec<(String, Nesting)>,
    /// The joins that they need.
    joins: String,
}

#[derive(Clone)]
enum Nesting {
    Scalar(Scalar),
    List,
    Count,
}

impl Cells {
    /// The index of a column's cell; the same column is selected once.
    fn scalar(&mut self, expression: String, scalar: &Scalar) -> usize {
        if let Some(index) = self.expressions.iter().position(|(other, _)| *other == expression) {
            return index;
        }
        self.push(expression, Nesting::Scalar(scalar.clone()))
    }

    fn push(&mut self, expression: String, nesting: Nesting) -> usize {
        self.expressions.push((expression, nesting));
        self.expressions.len() - 1
    }
}

impl Compiler<'_> {
    /// The statement of a root read, and the program of its rows.
    pub(super) fn root(&mut self, read: &Read, envelope: &Envelope) -> (String, Program) {
        if read.key == Some(KeySource::Each) {
            return self.each(read, envelope);
        }
        if read.key.is_some() {
            let (sql, ops) = self.single(read);
            return (sql, Program::Row(ops));
        }
        if read.counted {
            let mut cells = Cells::default();
            let op = self.nested(&mut cells, read, envelope, None);
            let cells: Vec<_> = cells.expressions.into_iter().map(|(expression, _)| expression).collect();
            return (format!("select {}", cells.join(", ")), Program::Row(vec![op]));
        }
        let (page, list) = self.page(read, envelope, None);
        (page.into_sql(|index, (expression, _)| format!("{expression} as c{index}")), Program::List(list))
    }

    /// The statement of a read of the rows that a write has touched, in the order of the list of keys that is bound.
    fn each(&mut self, read: &Read, envelope: &Envelope) -> (String, Program) {
        let resource = self.catalog.at(read.resource);
        let alias = self.alias();
        let mut cells = Cells::default();
        let mut rows = Vec::with_capacity(read.select.len());
        for selection in &read.select {
            rows.push(self.selection(&mut cells, read, &alias, selection));
        }
        let cursor = CursorProgram { fingerprint: fingerprint(resource, &[]), columns: Vec::new() };
        let whole = Window { limit: u64::MAX, ..Window::default() };
        let list = connection(envelope, rows, cursor, &whole, |_| {});
        let visible = self.predicate(resource, &alias, &read.visible);
        let (number, key) = (self.number(super::Bind::Written), resource.key_column());
        let (keys, value) = match self.dialect {
            Dialect::Postgres => (
                format!("unnest(${number}::{}[]) with ordinality as k(value, key)", key.scalar.postgres_type()),
                "k.value",
            ),
            // A UUID is a BLOB, which JSON cannot hold.
            Dialect::Sqlite if key.scalar == Scalar::Uuid => (format!("json_each(?{number}) as k"), "unhex(k.value)"),
            Dialect::Sqlite => (format!("json_each(?{number}) as k"), "k.value"),
        };
        let table = format!("{keys} join {}", super::identifier(&resource.name));
        let alias = format!("{alias} on {} = {value}", column_of(resource, resource.key, &alias));
        let page = Page { cells, table, alias, conditions: vec![visible], tail: " order by k.key".to_owned() };
        (page.into_sql(|index, (expression, _)| format!("{expression} as c{index}")), Program::List(list))
    }

    /// What an INSERT returns of its row: the expressions, how they are written, and which of them is the key. None
    /// where something is told that is not in the row itself.
    pub(super) fn returned(&mut self, read: &Read) -> Option<(Vec<String>, Vec<Op>, usize)> {
        if read.select.iter().any(|field| matches!(field, Selection::One { .. } | Selection::Many { .. })) {
            return None;
        }
        let resource = self.catalog.at(read.resource);
        let table = super::identifier(&resource.name);
        let mut cells = Cells::default();
        let ops = self.object(&mut cells, read, &table);
        let key = cells.scalar(column_of(resource, resource.key, &table), &resource.key_column().scalar);
        Some((cells.expressions.into_iter().map(|(expression, _)| expression).collect(), ops, key))
    }

    /// The statement of a read of one row.
    fn single(&mut self, read: &Read) -> (String, Vec<Op>) {
        let resource = self.catalog.at(read.resource);
        let alias = self.alias();
        let mut cells = Cells::default();
        let ops = self.object(&mut cells, read, &alias);
        let visible = self.predicate(resource, &alias, &read.visible);
        let mut conditions = vec![visible];
        if let Some(key) = read.key {
            let placeholder = self.key(key, &resource.key_column().scalar);
            conditions.insert(0, format!("{} = {placeholder}", column_of(resource, resource.key, &alias)));
        }
        let page = Page { cells, table: super::identifier(&resource.name), alias, conditions, tail: String::new() };
        (page.into_sql(|_, (expression, _)| expression), ops)
    }

    /// A page of a list: of a relation's rows, if there is a parent.
    fn page(
        &mut self,
        read: &Read,
        envelope: &Envelope,
        parent: Option<(&Relation, &str, usize)>,
    ) -> (Page, super::super::render::ListProgram) {
        let resource = self.catalog.at(read.resource);
        let alias = self.alias();
        let mut cells = Cells::default();
        let mut rows = Vec::with_capacity(read.select.len());
        for selection in &read.select {
            rows.push(self.selection(&mut cells, read, &alias, selection));
        }
        let cursor = CursorProgram {
            fingerprint: fingerprint(resource, &read.order),
            columns: Vec::with_capacity(read.order.len()),
        };
        let list = connection(envelope, rows, cursor, &read.page, |cursor| {
            for sort in &read.order {
                let column = &resource.columns[sort.column];
                let index = cells.scalar(column_of(resource, sort.column, &alias), &column.scalar);
                cursor.columns.push((index, column.scalar.clone()));
            }
        });
        let mut conditions = self.conditions(read, &alias, parent);
        let window = &read.page;
        if let Some(position) = window.after {
            conditions.push(self.behind(resource, &alias, &read.order, position, false));
        }
        if let Some(position) = window.before {
            conditions.push(self.behind(resource, &alias, &read.order, position, true));
        }
        let order: Vec<_> = read
            .order
            .iter()
            .map(|sort| self.sort(&resource.columns[sort.column], &alias, *sort, window.backward))
            .collect();
        let mut tail = format!(" order by {} limit {}", order.join(", "), window.limit.saturating_add(1));
        if let Some(slot) = window.offset {
            let placeholder = self.bind(super::Bind::Slot(slot), &Scalar::BigInt);
            // Writing into a String cannot fail.
            let _ = write!(tail, " offset {placeholder}");
        }
        (Page { cells, table: super::identifier(&resource.name), alias, conditions, tail }, list)
    }

    /// Which rows a list has, without its page.
    fn conditions(&mut self, read: &Read, alias: &str, parent: Option<(&Relation, &str, usize)>) -> Vec<String> {
        let resource = self.catalog.at(read.resource);
        let mut conditions = Vec::with_capacity(4);
        if let Some((relation, parent, of)) = parent {
            let parent = column_of(self.catalog.at(of), relation.local, parent);
            conditions.push(format!("{} = {parent}", column_of(resource, relation.foreign, alias)));
        }
        conditions.push(self.predicate(resource, alias, &read.visible));
        if let Some(filter) = &read.filter {
            conditions.push(self.predicate(resource, alias, filter));
        }
        conditions
    }

    fn sort(&self, column: &crate::catalog::Column, alias: &str, sort: Sort, reverse: bool) -> String {
        let descending = sort.descending != reverse;
        let nulls_first = sort.nulls_first != reverse;
        let mut sql = self.ordered(column, alias);
        if descending {
            sql.push_str(" desc");
        }
        // The two databases differ in where NULLs are by default; said only where it is needed, so that indexes serve.
        let default = match self.dialect {
            Dialect::Postgres => descending,
            Dialect::Sqlite => !descending,
        };
        if column.nullable && nulls_first != default {
            sql.push_str(if nulls_first { " nulls first" } else { " nulls last" });
        }
        sql
    }

    /// The object of a row.
    fn object(&mut self, cells: &mut Cells, read: &Read, alias: &str) -> Vec<Op> {
        let mut ops = Vec::with_capacity(read.select.len() * 2 + 2);
        literal(&mut ops, b"{");
        for (index, selection) in read.select.iter().enumerate() {
            if index > 0 {
                literal(&mut ops, b",");
            }
            append(&mut ops, self.selection(cells, read, alias, selection));
        }
        literal(&mut ops, b"}");
        ops
    }

    /// A member of a row's object, with its name.
    fn selection(&mut self, cells: &mut Cells, read: &Read, alias: &str, selection: &Selection) -> Vec<Op> {
        let resource = self.catalog.at(read.resource);
        let mut ops = Vec::with_capacity(3);
        match selection {
            Selection::Column { alias: name, column: index } => {
                let column = &resource.columns[*index];
                key(&mut ops, name);
                let cell = cells.scalar(column_of(resource, *index, alias), &column.scalar);
                let op = Op::Cell { index: cell, scalar: column.scalar.clone(), style: self.style };
                // GraphQL's ID is a string, whatever the key's type.
                let quoted = *index == resource.key && column.scalar == Scalar::Integer && self.style == Style::GraphQl;
                if quoted {
                    literal(&mut ops, b"\"");
                }
                ops.push(op);
                if quoted {
                    literal(&mut ops, b"\"");
                }
            }
            Selection::NodeId { alias: name } => {
                key(&mut ops, name);
                let column = resource.key_column();
                let index = cells.scalar(column_of(resource, resource.key, alias), &column.scalar);
                ops.push(Op::NodeId { index, scalar: column.scalar.clone(), resource: resource.name.clone() });
            }
            Selection::TypeName { alias: name } => {
                key(&mut ops, name);
                literal(&mut ops, format!("\"{}\"", resource.names.type_name).as_bytes());
            }
            Selection::One { alias: name, relation, read } => {
                key(&mut ops, name);
                let relation = &resource.relations[*relation];
                let target = self.catalog.at(read.resource);
                let joined = self.alias();
                let on = format!(
                    "{} = {}",
                    column_of(target, relation.foreign, &joined),
                    column_of(resource, relation.local, alias)
                );
                // In the ON clause: a hidden row is no row, and must not take its parent with it.
                let visible = self.predicate(target, &joined, &read.visible);
                let _ = write!(
                    cells.joins,
                    " left join {} {joined} on {on} and {visible}",
                    super::identifier(&target.name)
                );
                let presence = cells.scalar(column_of(target, target.key, &joined), &target.key_column().scalar);
                let object = self.object(cells, read, &joined);
                ops.push(Op::One { presence, ops: object });
            }
            Selection::Many { alias: name, relation, read: nested, envelope } => {
                key(&mut ops, name);
                let relation = &resource.relations[*relation];
                debug_assert_eq!(relation.cardinality, Cardinality::Many);
                ops.push(self.nested(cells, nested, envelope, Some((relation, alias, read.resource))));
            }
        }
        ops
    }

    /// A list in a cell of its parent, and its number in another if it is counted.
    fn nested(
        &mut self,
        cells: &mut Cells,
        read: &Read,
        envelope: &Envelope,
        parent: Option<(&Relation, &str, usize)>,
    ) -> Op {
        let (page, list) = self.page(read, envelope, parent);
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
        let rows = cells.push(rows, Nesting::List);
        let count = read.counted.then(|| {
            let resource = self.catalog.at(read.resource);
            let alias = self.alias();
            let conditions = self.conditions(read, &alias, parent).join(" and ");
            let table = super::identifier(&resource.name);
            cells.push(format!("(select count(*) from {table} {alias} where {conditions})"), Nesting::Count)
        });
        Op::Many { rows, count, list }
    }
}

/// A select that still can be written in several ways.
struct Page {
    cells: Cells,
    table: String,
    alias: String,
    conditions: Vec<String>,
    tail: String,
}

impl Page {
    fn into_sql(self, cell: impl Fn(usize, (String, Nesting)) -> String) -> String {
        let Self { cells, table, alias, conditions, tail } = self;
        let mut columns: Vec<_> =
            cells.expressions.into_iter().enumerate().map(|(index, expression)| cell(index, expression)).collect();
        if columns.is_empty() {
            // `{ trees { nodes { __typename } } }` reads rows and no column.
            columns.push("1".to_owned());
        }
        format!(
            "select {} from {table} {alias}{} where {}{tail}",
            columns.join(", "),
            cells.joins,
            conditions.join(" and ")
        )
    }
}

/// Adds bytes, to the literal before them if there is one.
pub(super) fn literal(ops: &mut Vec<Op>, bytes: &[u8]) {
    match ops.last_mut() {
        Some(Op::Literal(before)) => before.extend_from_slice(bytes),
        _ => ops.push(Op::Literal(bytes.to_vec())),
    }
}

/// Adds steps, joining literals that meet.
pub(super) fn append(ops: &mut Vec<Op>, more: Vec<Op>) {
    for op in more {
        match op {
            Op::Literal(bytes) => literal(ops, &bytes),
            op => ops.push(op),
        }
    }
}

/// Adds a member's name.
fn key(ops: &mut Vec<Op>, name: &str) {
    let mut bytes = Vec::with_capacity(name.len() + 3);
    crate::catalog::scalar::write_string(name, &mut bytes);
    bytes.push(b':');
    literal(ops, &bytes);
}
