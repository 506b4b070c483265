//! Conditions as SQL, the same on both databases: filters, policies, and the place of a cursor in an order.

use super::{Bind, Compiler, identifier};
use crate::{
    catalog::{Column, Operator, Resource, scalar::Scalar},
    engine::{
        database::Dialect,
        query::{Predicate, Sort},
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
            format!("({})", all.join(word))
        };
        match predicate {
            Predicate::Constant(true) => "1 = 1".to_owned(),
            Predicate::Constant(false) => "1 = 0".to_owned(),
            Predicate::And(all) => join(self, all, " and ", "1 = 1"),
            Predicate::Or(all) => join(self, all, " or ", "1 = 0"),
            Predicate::Not(one) => format!("(not {})", self.predicate(resource, alias, one)),
            Predicate::IsNull { column, null } => {
                let not = if *null { "" } else { "not " };
                format!("{} is {not}null", column_of(resource, *column, alias))
            }
            Predicate::Equals { column, operand } => {
                let placeholder = self.operand(operand, &resource.columns[*column].scalar);
                format!("{} = {placeholder}", column_of(resource, *column, alias))
            }
            Predicate::Compare { column, operator, slot } => {
                self.comparison(&resource.columns[*column], alias, *operator, *slot)
            }
        }
    }

    fn comparison(&mut self, column: &Column, alias: &str, operator: Operator, slot: usize) -> String {
        let scalar = &column.scalar;
        let plain = format!("{alias}.{}", identifier(&column.name));
        let sign = match operator {
            Operator::Eq => "=",
            Operator::Neq => "<>",
            Operator::Lt => "<",
            Operator::Lte => "<=",
            Operator::Gt => ">",
            Operator::Gte => ">=",
            Operator::In | Operator::NotIn => return self.membership(&plain, scalar, operator, slot),
            Operator::Like | Operator::Ilike => return self.pattern(&plain, operator, slot),
            Operator::IsNull => return format!("{plain} is null"),
        };
        let left = match operator {
            Operator::Eq | Operator::Neq => plain,
            _ => self.ordered(column, alias),
        };
        format!("{left} {sign} {}", self.bind(Bind::Slot(slot), scalar))
    }

    /// One placeholder for the whole list, so that the statement's text does not depend on its length.
    fn membership(&mut self, column: &str, scalar: &Scalar, operator: Operator, slot: usize) -> String {
        let number = self.number(Bind::Slot(slot));
        let not = operator == Operator::NotIn;
        match self.dialect {
            Dialect::Postgres => {
                let (sign, any) = if not { ("<>", "all") } else { ("=", "any") };
                format!("{column} {sign} {any}(${number}::{}[])", scalar.postgres_type())
            }
            Dialect::Sqlite => {
                // A UUID is a BLOB, which JSON cannot hold.
                let value = if *scalar == Scalar::Uuid { "unhex(value)" } else { "value" };
                let not = if not { "not " } else { "" };
                format!("{column} {not}in (select {value} from json_each(?{number}))")
            }
        }
    }

    fn pattern(&mut self, column: &str, operator: Operator, slot: usize) -> String {
        let placeholder = self.bind(Bind::Slot(slot), &Scalar::Text);
        match (self.dialect, operator) {
            (Dialect::Sqlite, Operator::Ilike) => format!("matches_ilike({column}, {placeholder})"),
            (Dialect::Sqlite, _) => format!("matches_like({column}, {placeholder})"),
            // Collation "C" folds ASCII alone: letters of all languages need another one.
            (Dialect::Postgres, Operator::Ilike) => format!("{column} collate \"und-x-icu\" ilike {placeholder}"),
            (Dialect::Postgres, _) => format!("{column} like {placeholder}"),
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
