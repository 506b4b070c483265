//! Conditions as SQL, the same on both databases: filters, policies, and the place of a cursor in an order.

use super::{Bind, Compiler, identifier, operator::sign};
use crate::{
    catalog::scalar::Scalar,
    engine::{
        database::Dialect,
        query::{Predicate, Sort},
        request::Quantifier,
    },
};

/// A cursor as a condition: its slot, and which of its values are NULL.
pub(super) type Position = (usize, u32);

impl Compiler<'_> {
    /// The condition on the rows of the resource with the index `of`, whose columns are those of the table `alias`.
    pub(super) fn predicate(&mut self, of: usize, alias: &str, predicate: &Predicate) -> String {
        let join = |compiler: &mut Self, all: &[Predicate], word: &str, empty: &str| {
            if all.is_empty() {
                return empty.to_owned();
            }
            let all: Vec<_> = all.iter().map(|one| compiler.predicate(of, alias, one)).collect();
            joined(&all, word)
        };
        match predicate {
            Predicate::Constant(true) => "1 = 1".to_owned(),
            Predicate::Constant(false) => "1 = 0".to_owned(),
            Predicate::And(all) => join(self, all, " and ", "1 = 1"),
            Predicate::Or(all) => join(self, all, " or ", "1 = 0"),
            Predicate::Not(one) => {
                let outer = std::mem::replace(&mut self.negated, true);
                let one = self.predicate(of, alias, one);
                self.negated = outer;
                format!("(not {one})")
            }
            Predicate::IsNull { expression, null } => {
                let not = if *null { "" } else { "not " };
                format!("{} is {not}null", self.expression(of, alias, expression))
            }
            Predicate::Compare { expression, operator, slot } => {
                let side = self.side(of, alias, expression);
                self.comparison(&side, *operator, *slot)
            }
            Predicate::Related { relation, quantifier, predicate } => {
                let relation = &self.catalog.at(of).relations[*relation];
                let (from, joined) = self.related(of, relation, alias);
                let held = self.predicate(relation.target, &joined, predicate);
                match quantifier {
                    Quantifier::Some => self.exists(&format!("{from} and {held}")),
                    Quantifier::None => format!("not exists (select 1 {from} and {held})"),
                    Quantifier::Every => format!("not exists (select 1 {from} and ({held}) is not true)"),
                }
            }
            Predicate::Policy { column, comparison } => {
                let resource = self.catalog.at(of);
                let stored = self.stored(resource, *column, alias);
                let Some((operator, operand)) = comparison else { return format!("{stored} is null") };
                let scalar = &resource.columns[*column].scalar;
                let placeholder = self.operand(operand, scalar);
                // The catalogue takes no policy with another operator.
                let sign = sign(*operator).unwrap_or("=");
                let left = if matches!(sign, "=" | "<>") { stored } else { self.ordered(stored, scalar) };
                format!("{left} {sign} {placeholder}")
            }
            Predicate::PolicyRelated { relation, predicate } => {
                let (resource, joined) = (self.catalog.at(of), self.alias());
                let relation = &resource.relations[*relation];
                let target = self.catalog.at(relation.target);
                let foreign = self.stored(target, relation.foreign, &joined);
                let local = self.stored(resource, relation.local, alias);
                let held = self.predicate(relation.target, &joined, predicate);
                let table = identifier(&target.name);
                self.exists(&format!("from {table} {joined} where {foreign} = {local} and {held}"))
            }
        }
    }

    /// Whether there are such rows.
    fn exists(&self, rows: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("exists (select 1 {rows})"),
            // Without a limit, SQLite 3.51 joins the rows instead, and an OFFSET counts a row once for each of them.
            Dialect::Sqlite => format!("exists (select 1 {rows} limit 1)"),
        }
    }

    /// The rows that stand behind a cursor in `order`; with `reverse`, before it.
    pub(super) fn behind(
        &mut self,
        of: usize,
        alias: &str,
        order: &[Sort],
        position: Position,
        reverse: bool,
    ) -> String {
        let (slot, nulls) = position;
        let mut steps = Vec::with_capacity(order.len());
        for (index, sort) in order.iter().enumerate() {
            let expression = &sort.expression;
            let scalar = match &expression.scalar {
                Scalar::Enum(_) => &Scalar::Text,
                scalar => scalar,
            };
            let null = nulls >> index & 1 == 1;
            let sql = self.expression(of, alias, expression);
            steps.push(Step {
                column: self.ordered(sql, &expression.scalar),
                value: (!null).then(|| self.bind(Bind::Position(slot, index), scalar)),
                nullable: expression.nullable,
                descending: sort.descending != reverse,
                nulls_first: sort.nulls_first != reverse,
            });
        }
        let uniform = steps.iter().all(|step| step.descending == steps[0].descending && !step.nullable);
        if uniform {
            // One comparison of rows, for which a database can seek in an index.
            let sign = if steps[0].descending { "<" } else { ">" };
            let columns: Vec<_> = steps.iter().map(|step| step.column.as_str()).collect();
            let values: Vec<_> = steps.iter().filter_map(|step| step.value.as_deref()).collect();
            return format!("({}) {sign} ({})", columns.join(", "), values.join(", "));
        }
        steps.iter().rev().fold("1 = 0".to_owned(), |rest, step| step.chain(&rest))
    }
}

/// Conditions with a word between them. Very many stand in a tree: SQLite reads a chain as one as deep as it is long, and
/// takes no tree deeper than 1000.
fn joined(all: &[String], word: &str) -> String {
    if all.len() <= 50 {
        return format!("({})", all.join(word));
    }
    let (left, right) = all.split_at(all.len() / 2);
    format!("({}{word}{})", joined(left, word), joined(right, word))
}

/// A column of an order at a cursor.
struct Step {
    column: String,
    value: Option<String>,
    nullable: bool,
    descending: bool,
    nulls_first: bool,
}

impl Step {
    /// Behind the cursor by this column, or level with it and behind by `rest`.
    fn chain(&self, rest: &str) -> String {
        let column = &self.column;
        match &self.value {
            None if self.nulls_first => format!("({column} is not null or ({column} is null and {rest}))"),
            None => format!("({column} is null and {rest})"),
            Some(value) => {
                let sign = if self.descending { "<" } else { ">" };
                if self.nullable && !self.nulls_first {
                    return format!("({column} {sign} {value} or {column} is null or ({column} = {value} and {rest}))");
                }
                // The first part is what an index can seek by.
                format!("({column} {sign}= {value} and ({column} {sign} {value} or {rest}))")
            }
        }
    }
}
