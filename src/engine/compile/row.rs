//! How a row is written: a member for each selected field, those of related rows to one included, whose joins it asks
//! for.

use super::{Compiler, identifier, list::column_list, select::Cells};
use crate::{
    catalog::{
        Cardinality,
        scalar::{Scalar, Style},
    },
    engine::{
        query::{Read, Selection},
        render::{Op, Program},
    },
};
use std::fmt::Write as _;

impl Compiler<'_> {
    /// How each selected field of a row is written, with its name.
    pub(super) fn selections(&mut self, cells: &mut Cells, read: &Read, alias: &str) -> Vec<Vec<Op>> {
        self.row_members(cells, read, alias).into_iter().map(Member::named).collect()
    }

    /// How a row is written, and, if it is asked for, what its tag is made of.
    pub(super) fn program(&mut self, cells: &mut Cells, read: &Read, alias: &str) -> Program {
        let row = self.object(cells, read, alias);
        if !self.form.tagged {
            return Program::Row(row);
        }
        let whole = self.state(cells, read, alias);
        Program::Tagged { whole: (whole != row).then_some(whole), row }
    }

    /// The object of all that the caller sees of a row.
    fn state(&mut self, cells: &mut Cells, read: &Read, alias: &str) -> Vec<Op> {
        let columns = self.catalog.at(read.resource).columns.iter().enumerate();
        let select = columns.map(|(column, of)| Selection::Column { alias: of.name.clone(), column }).collect();
        self.object(cells, &Read { select, ..read.clone() }, alias)
    }

    /// The object of a row.
    pub(super) fn object(&mut self, cells: &mut Cells, read: &Read, alias: &str) -> Vec<Op> {
        let mut ops = Vec::with_capacity(read.select.len() * 2 + 2);
        literal(&mut ops, b"{");
        for (index, member) in self.selections(cells, read, alias).into_iter().enumerate() {
            if index > 0 {
                literal(&mut ops, b",");
            }
            append(&mut ops, member);
        }
        literal(&mut ops, b"}");
        ops
    }

    /// The members of a row's object: one a selected field, or as many as a related row has that is spread.
    fn row_members(&mut self, cells: &mut Cells, read: &Read, alias: &str) -> Vec<Member> {
        let mut members = Vec::with_capacity(read.select.len());
        for selection in &read.select {
            match selection {
                Selection::One { relation, read: nested, spread: true, .. } => {
                    members.extend(self.spread_one(cells, read.resource, *relation, nested, alias));
                }
                Selection::Many { relation, read: nested, spread: true, .. } => {
                    members.extend(self.spread_many(cells, read.resource, *relation, nested, alias));
                }
                selection => members.push(self.member(cells, read.resource, alias, selection)),
            }
        }
        members
    }

    /// A member of a row's object.
    fn member(&mut self, cells: &mut Cells, parent: usize, alias: &str, selection: &Selection) -> Member {
        let resource = self.catalog.at(parent);
        let mut ops = Vec::with_capacity(3);
        let name = match selection {
            Selection::Column { alias: name, column: index } => {
                let column = &resource.columns[*index];
                let sql = self.column(parent, *index, alias);
                let cell = cells.scalar(self.told_as(sql, &column.scalar), &column.scalar);
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
                name
            }
            Selection::NodeId { alias: name } => {
                let column = resource.key_column();
                let index = cells.scalar(self.stored(resource, resource.key, alias), &column.scalar);
                ops.push(Op::NodeId { index, scalar: column.scalar.clone(), resource: resource.name.clone() });
                name
            }
            Selection::TypeName { alias: name } => {
                literal(&mut ops, format!("\"{}\"", resource.names.type_name).as_bytes());
                name
            }
            Selection::Value { alias: name, expression } => {
                let scalar = expression.scalar.clone();
                let sql = self.expression(parent, alias, expression);
                let index = cells.scalar(self.told_as(sql, &scalar), &scalar);
                ops.push(Op::Cell { index, scalar, style: self.style });
                name
            }
            Selection::One { alias: name, relation, read, .. } => {
                let (joined, presence) = self.join(cells, parent, *relation, read, alias);
                let object = self.object(cells, read, &joined);
                ops.push(Op::One { presence, ops: object });
                name
            }
            Selection::Many { alias: name, relation, read: nested, envelope, .. } => {
                let relation = &resource.relations[*relation];
                debug_assert_eq!(relation.cardinality, Cardinality::Many);
                ops.push(self.nested(cells, nested, envelope, Some((relation, alias, parent))));
                name
            }
        };
        Member { name: name.clone(), value: ops }
    }

    /// Joins the row at the other end of a relation to one: its alias, and the cell that tells whether there is one.
    fn join(&mut self, cells: &mut Cells, parent: usize, relation: usize, read: &Read, alias: &str) -> (String, usize) {
        let (relation, target) = (&self.catalog.at(parent).relations[relation], self.catalog.at(read.resource));
        let (on, joined) = self.joined(parent, relation, alias);
        // In the ON clause: a row that is hidden or does not match is no row, and must not take its parent with it.
        let visible = self.visible(read.resource, &joined);
        let table = identifier(&target.name);
        // Writing into a String cannot fail.
        let _ = write!(cells.joins, " left join {table} {joined} on {on} and {visible}");
        if let Some(filter) = &read.filter {
            let matches = self.predicate(read.resource, &joined, filter);
            let _ = write!(cells.joins, " and {matches}");
        }
        let presence = cells.scalar(self.stored(target, target.key, &joined), &target.key_column().scalar);
        (joined, presence)
    }

    /// The members of a related row, beside those of the row around it; NULL where there is none, whatever is computed
    /// of no row, and no rows where they are lists.
    fn spread_one(
        &mut self,
        cells: &mut Cells,
        parent: usize,
        relation: usize,
        read: &Read,
        alias: &str,
    ) -> Vec<Member> {
        let (joined, presence) = self.join(cells, parent, relation, read, alias);
        let mut members = self.row_members(cells, read, &joined);
        for member in &mut members {
            if !matches!(member.value.as_slice(), [Op::Many { .. }]) {
                member.value = vec![Op::One { presence, ops: std::mem::take(&mut member.value) }];
            }
        }
        members
    }

    /// The members of related rows, each as an array, beside those of the row around them. All arrays come from one
    /// cell, so that they have the same rows in the same order.
    fn spread_many(
        &mut self,
        cells: &mut Cells,
        parent: usize,
        relation: usize,
        read: &Read,
        alias: &str,
    ) -> Vec<Member> {
        let (relation, joined) = (&self.catalog.at(parent).relations[relation], self.alias());
        let mut own = Cells::default();
        let mut members = self.row_members(&mut own, read, &joined);
        let page = self.paged(read, &joined, own, Some((relation, alias, parent)));
        let rows = self.cell(cells, page);
        for member in &mut members {
            let list = column_list(std::mem::take(&mut member.value), &read.page);
            member.value = vec![Op::Many { rows: Some(rows), count: None, list }];
        }
        members
    }
}

/// A member of a row's object.
struct Member {
    name: String,
    value: Vec<Op>,
}

impl Member {
    /// Its name and its value.
    fn named(self) -> Vec<Op> {
        let mut ops = Vec::with_capacity(self.value.len() + 1);
        key(&mut ops, &self.name);
        append(&mut ops, self.value);
        ops
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
pub(super) fn key(ops: &mut Vec<Op>, name: &str) {
    let mut bytes = Vec::with_capacity(name.len() + 3);
    crate::catalog::scalar::write_string(name, &mut bytes);
    bytes.push(b':');
    literal(ops, &bytes);
}
