//! A caller's view of the world: which rows there are for it, in which order, and which part of them.

use std::cmp::Ordering;

use super::{
    request::{Key, List, Way},
    schema::{TABLES, visible},
    value::Value,
    world::{Row, World},
};
use crate::support::Caller;

/// How many rows a page has that names no number, and how many it may have.
pub(super) const PAGE: usize = 20;

/// The world as one caller sees it.
#[derive(Clone, Copy)]
pub(super) struct View<'w> {
    pub(super) world: &'w World,
    pub(super) caller: Caller,
}

/// A part of a list, and what is around it.
pub(super) struct Cut<'w> {
    pub(super) rows: Vec<&'w Row>,
    pub(super) before: bool,
    pub(super) behind: bool,
}

impl Way {
    /// The order of two values, NULLs included.
    pub(super) fn order(self, a: &Value, b: &Value) -> Ordering {
        let nulls = if self.nulls_first.unwrap_or(self.descending) { Ordering::Less } else { Ordering::Greater };
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => nulls,
            (false, true) => nulls.reverse(),
            (false, false) if self.descending => b.order(a),
            (false, false) => a.order(b),
        }
    }
}

impl<'w> View<'w> {
    /// The rows of a table that there are for the caller.
    pub(super) fn rows(&self, table: usize) -> Vec<&'w Row> {
        let me = self.world.me(self.caller);
        self.world.tables[table].iter().filter(|row| visible(self.caller, me, table, row)).collect()
    }

    /// The rows that a relation leads to from a row.
    pub(super) fn related(&self, table: usize, row: &Row, relation: usize) -> Vec<&'w Row> {
        let relation = &TABLES[table].relations[relation];
        let local = &row[relation.local];
        let mut rows = self.rows(relation.target);
        rows.retain(|row| !local.is_null() && row[relation.remote] == *local);
        rows
    }

    /// Of rows, those that a list has, in its order.
    pub(super) fn list(&self, list: &List, mut rows: Vec<&'w Row>) -> Vec<&'w Row> {
        let table = list.table;
        if let Some(filter) = &list.filter {
            rows.retain(|row| self.is(table, row, filter));
        }
        // What an earlier mention has decided, a later one cannot: it is not there.
        let mut order: Vec<(Key, Way)> = Vec::new();
        for (key, way) in &list.order {
            if order.iter().all(|(known, _)| known != key) {
                order.push((key.clone(), *way));
            }
        }
        if let (true, Some((column, descending))) = (order.is_empty(), TABLES[table].order) {
            order.push((Key::Column(column), Way { descending, nulls_first: None }));
        }
        // The key breaks ties, and runs the way of what is before it.
        let descending = order.last().is_some_and(|(_, way)| way.descending);
        order.push((Key::Column(0), Way { descending, nulls_first: None }));
        let mut keyed: Vec<(Vec<Value>, &Row)> = rows
            .into_iter()
            .map(|row| (order.iter().map(|(key, _)| self.key(table, row, key)).collect(), row))
            .collect();
        keyed.sort_by(|(a, _), (b, _)| {
            let compared = order.iter().zip(a.iter().zip(b)).map(|((_, way), (a, b))| way.order(a, b));
            compared.fold(Ordering::Equal, Ordering::then)
        });
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    fn key(&self, table: usize, row: &Row, key: &Key) -> Value {
        match key {
            Key::Column(column) => row[*column].clone(),
            Key::One(relation, key) => {
                let target = TABLES[table].relations[*relation].target;
                let related = self.related(table, row, *relation);
                related.first().map_or(Value::Null, |row| self.key(target, row, key))
            }
            Key::Many(relation, measure) => {
                measure.of(TABLES[table].relations[*relation].target, &self.related(table, row, *relation))
            }
        }
    }

    /// The part of a list that its page names.
    pub(super) fn cut(&self, list: &List, rows: &[&'w Row]) -> Cut<'w> {
        let page = &list.page;
        if let Some(last) = page.last {
            let start = rows.len().saturating_sub(last);
            return Cut { rows: rows[start..].to_vec(), before: start > 0, behind: false };
        }
        let start = page.offset.min(rows.len());
        let end = (start + page.first.unwrap_or(PAGE)).min(rows.len());
        // Whatever an offset leaves out is taken to be there.
        Cut { rows: rows[start..end].to_vec(), before: page.offset > 0, behind: end < rows.len() }
    }
}
