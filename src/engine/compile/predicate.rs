//! Conditions as SQL, the same on both databases: filters, policies, and the place of a cursor in an order.

use super::{Bind, Compiler, identifier};
use crate::{
    catalog::{Column, Resource, scalar::Scalar},
    engine::{
        database::Dialect,
        query::{Predicate, Sort},
        request::JsonCondition,
    },
};

/// A cursor as a condition: its slot, and which of its values are NULL.
pub(super) type Position = (usize, u32);

impl Compiler<'_> {
    /// The condition on the rows of `resource`, whose columns are those of the table `alias`.
    pub(super) fn predicate(&mut self, resource: &Resource, alias: &str, predicate: &Predicate) -> String {
        let join = |compiler: &mut Self, all: &[Predicate], word: &str, empty: &str| {
            if all.is_empty() {
                return empty.to_owned();
            }
            let all: Vec<_> = all.iter().map(|one| compiler.predicate(resource, alias, one)).collect();
            joined(&all, word)
        };
        match predicate {
            Predicate::Constant(true) => "1 = 1".to_owned(),
            Predicate::Constant(false) => "1 = 0".to_owned(),
            Predicate::And(all) => join(self, all, " and ", "1 = 1"),
            Predicate::Or(all) => join(self, all, " or ", "1 = 0"),
            Predicate::Not(one) => {
                let outer = std::mem::replace(&mut self.negated, true);
                let one = self.predicate(resource, alias, one);
                self.negated = outer;
                format!("(not {one})")
            }
            Predicate::IsNull { column, null } => {
                let not = if *null { "" } else { "not " };
                format!("{} is {not}null", column_of(resource, *column, alias))
            }
            Predicate::Equals { column, operand } => {
                let placeholder = self.operand(operand, &resource.columns[*column].scalar);
                format!("{} = {placeholder}", column_of(resource, *column, alias))
            }
            Predicate::Compare { column, operator, slot } => {
                let side = self.side(resource, *column, alias);
                self.comparison(&side, *operator, *slot)
            }
            Predicate::Json { column, path, kind, condition } => {
                let side = self.json_side(&column_of(resource, *column, alias), *path, *kind);
                match condition {
                    JsonCondition::Compare(operator, slot) => self.comparison(&side, *operator, *slot),
                    JsonCondition::IsNull(null) => {
                        format!("{} is {}null", side.plain, if *null { "" } else { "not " })
                    }
                }
            }
        }
    }

    /// A column where its order counts: texts by code point, as SQLite has them.
    pub(super) fn ordered(&self, column: &Column, alias: &str) -> String {
        let plain = format!("{alias}.{}", identifier(&column.name));
        match (self.dialect, &column.scalar) {
            (Dialect::Postgres, Scalar::Text) => format!("{plain} collate \"C\""),
            (Dialect::Postgres, Scalar::Enum(_)) => format!("{plain}::text collate \"C\""),
            _ => plain,
        }
    }

    /// The rows that stand behind a cursor in `order`; with `reverse`, before it.
    pub(super) fn behind(
        &mut self,
        resource: &Resource,
        alias: &str,
        order: &[Sort],
        position: Position,
        reverse: bool,
    ) -> String {
        let (slot, nulls) = position;
        let steps: Vec<Step> = order
            .iter()
            .enumerate()
            .map(|(index, sort)| {
                let column = &resource.columns[sort.column];
                let scalar = match &column.scalar {
                    Scalar::Enum(_) => &Scalar::Text,
                    scalar => scalar,
                };
                let null = nulls >> index & 1 == 1;
                Step {
                    column: self.ordered(column, alias),
                    value: (!null).then(|| self.bind(Bind::Position(slot, index), scalar)),
                    nullable: column.nullable,
                    descending: sort.descending != reverse,
                    nulls_first: sort.nulls_first != reverse,
                }
            })
            .collect();
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

/// A column of the table `alias`.
pub(super) fn column_of(resource: &Resource, index: usize, alias: &str) -> String {
    format!("{alias}.{}", identifier(&resource.columns[index].name))
}
