//! What is told of several rows together, as SQL and as a program: aggregates of a list, and of its groups.
//!
//! In: a [`Summary`] of a [`Read`]. Out: a select whose rows are groups (of all rows together: one), and how each is
//! written. The groups are a table of their own, `k0, k1, … m0, m1, …`, so that a condition, an order and a member name
//! an aggregate without saying it again.

use super::{
    Bind, Compiler,
    row::{append, key, literal},
    select::{Cells, Page},
};
use crate::{
    catalog::{
        Function, Relation,
        scalar::{Scalar, write_string},
    },
    engine::{
        database::Dialect,
        query::{Member, MemberKind, Read, Summary},
        render::{ListPart, ListProgram, Op},
    },
};
use std::fmt::Write as _;

impl Compiler<'_> {
    /// The groups of a list's rows; of a relation's, if there is a parent. They are told as a list, or as the one that
    /// there is.
    pub(super) fn groups(
        &mut self,
        read: &Read,
        summary: &Summary,
        listed: bool,
        parent: Option<(&Relation, &str, usize)>,
    ) -> (Page, ListProgram) {
        let grouped = self.grouped(read, summary, parent);
        let alias = self.alias();
        let mut cells = Cells::default();
        let ops = self.members(&mut cells, read.resource, &alias, &summary.parts);
        let having = summary.having.as_ref().map(|having| self.predicate(read.resource, &alias, having));
        let order: Vec<_> = summary.order.iter().map(|sort| self.sort(read.resource, &alias, sort, false)).collect();
        let order = if order.is_empty() { String::new() } else { format!(" order by {}", order.join(", ")) };
        let mut tail = format!("{order} limit {}", summary.limit);
        if let Some(slot) = summary.offset {
            // Writing into a String cannot fail.
            let _ = write!(tail, " offset {}", self.bind(Bind::Slot(slot), &Scalar::BigInt));
        }
        let page = Page { cells, from: format!("({grouped}) {alias}"), conditions: having.into_iter().collect(), tail };
        let mut parts = vec![ListPart::Rows(ops)];
        if listed {
            parts.insert(0, ListPart::Literal(b"[".to_vec()));
            parts.push(ListPart::Literal(b"]".to_vec()));
        }
        (page, ListProgram::plain(parts, summary.limit))
    }

    /// The table of the groups.
    fn grouped(&mut self, read: &Read, summary: &Summary, parent: Option<(&Relation, &str, usize)>) -> String {
        let alias = self.alias();
        let mut columns = Vec::with_capacity(summary.keys.len() + summary.measures.len());
        for (number, expression) in summary.keys.iter().enumerate() {
            let mut sql = self.expression(read.resource, &alias, expression);
            // PostgreSQL has no equality of JSON: two values are one if they are written alike.
            if self.dialect == Dialect::Postgres && expression.scalar == Scalar::Json {
                sql = format!("({sql})::text");
            }
            columns.push(format!("{sql} as k{number}"));
        }
        for (number, aggregate) in summary.measures.iter().enumerate() {
            columns.push(format!("{} as m{number}", self.aggregate(read.resource, &alias, aggregate)));
        }
        if columns.is_empty() {
            columns.push("count(*) as m0".to_owned());
        }
        let conditions = self.conditions(read, &alias, parent).join(" and ");
        let table = super::identifier(&self.catalog.at(read.resource).name);
        let mut sql = format!("select {} from {table} {alias} where {conditions}", columns.join(", "));
        if !summary.keys.is_empty() {
            let keys: Vec<_> = (1..=summary.keys.len()).map(|number| number.to_string()).collect();
            let _ = write!(sql, " group by {}", keys.join(", "));
        }
        match summary.fill {
            Some((filled, series)) => self.filled(&sql, summary, filled, series),
            None => sql,
        }
    }

    /// The groups, and an empty one for each bucket of the series and each combination of the other keys that has none.
    fn filled(&mut self, groups: &str, summary: &Summary, filled: usize, series: usize) -> String {
        let number = self.number(Bind::Slot(series));
        let (days, same) = match self.dialect {
            Dialect::Postgres => (format!("select unnest(${number}::date[])"), "is not distinct from"),
            Dialect::Sqlite => (format!("select value from json_each(?{number})"), "is"),
        };
        let others: Vec<_> = (0..summary.keys.len()).filter(|key| *key != filled).collect();
        let mut columns = Vec::with_capacity(summary.keys.len() + summary.measures.len());
        let mut on = vec![format!("g.k{filled} = s.day")];
        for key in 0..summary.keys.len() {
            let table = if key == filled { "s.day".to_owned() } else { format!("o.k{key}") };
            columns.push(format!("{table} as k{key}"));
            if key != filled {
                on.push(format!("g.k{key} {same} o.k{key}"));
            }
        }
        for (number, measure) in summary.measures.iter().enumerate() {
            columns.push(match measure.function {
                Function::Count | Function::CountDistinct => format!("coalesce(g.m{number}, 0) as m{number}"),
                _ => format!("g.m{number} as m{number}"),
            });
        }
        let (mut with, mut from) = (String::new(), "s".to_owned());
        if !others.is_empty() {
            let keys: Vec<_> = others.iter().map(|key| format!("k{key}")).collect();
            let _ = write!(with, ", o as (select distinct {} from g)", keys.join(", "));
            from.push_str(" cross join o");
        }
        // And those that fall into no bucket of the series.
        format!(
            "with g as ({groups}), s(day) as ({days}){with} select {} from {from} left join g on {} \
             union all select g.* from g where not exists (select 1 from s where s.day = g.k{filled})",
            columns.join(", "),
            on.join(" and ")
        )
    }

    fn members(&mut self, cells: &mut Cells, of: usize, alias: &str, members: &[Member]) -> Vec<Op> {
        let mut ops = Vec::new();
        literal(&mut ops, b"{");
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                literal(&mut ops, b",");
            }
            key(&mut ops, &member.alias);
            match &member.kind {
                MemberKind::Value(value) => {
                    let sql = self.expression(of, alias, value);
                    let index = cells.scalar(self.told_as(sql, &value.scalar), &value.scalar);
                    ops.push(Op::Cell { index, scalar: value.scalar.clone(), style: self.style });
                }
                MemberKind::Object(members) => append(&mut ops, self.members(cells, of, alias, members)),
                MemberKind::Row(present, members) => {
                    let presence = cells.scalar(self.expression(of, alias, present), &present.scalar);
                    ops.push(Op::One { presence, ops: self.members(cells, of, alias, members) });
                }
                MemberKind::TypeName(name) => {
                    let mut bytes = Vec::new();
                    write_string(name, &mut bytes);
                    literal(&mut ops, &bytes);
                }
            }
        }
        literal(&mut ops, b"}");
        ops
    }
}
