//! Conditions as SQL, the same on both databases: filters, policies, and the place of a cursor in an order.

use super::{Bind, Compiler, identifier};
use crate::{
    catalog::{Operator, scalar::Scalar},
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
            format!("({})", all.join(word))
        };
        match predicate {
            Predicate::Constant(true) => "1 = 1".to_owned(),
            Predicate::Constant(false) => "1 = 0".to_owned(),
            Predicate::And(all) => join(self, all, " and ", "1 = 1"),
            Predicate::Or(all) => join(self, all, " or ", "1 = 0"),
            Predicate::Not(one) => format!("(not {})", self.predicate(of, alias, one)),
            Predicate::IsNull { expression, null } => {
                let not = if *null { "" } else { "not " };
                format!("{} is {not}null", self.expression(of, alias, expression))
            }
            Predicate::Compare { expression, operator, slot } => {
                let sql = self.expression(of, alias, expression);
                self.comparison(sql, &expression.scalar, *operator, *slot)
            }
            Predicate::Related { relation, quantifier, predicate } => {
                let relation = &self.catalog.at(of).relations[*relation];
                let (from, joined) = self.related(of, relation, alias);
                let held = self.predicate(relation.target, &joined, predicate);
                match quantifier {
                    Quantifier::Some => format!("exists (select 1 {from} and {held})"),
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
                let sign = sign(*operator).unwrap_or("=");
                let left = if matches!(sign, "=" | "<>") { stored } else { self.ordered(stored, scalar) };
                format!("{left} {sign} {placeholder}")
            }
            Predicate::PolicyRelated { relation, predicate } => {
                let relation = &self.catalog.at(of).relations[*relation];
                let (on, joined) = self.joined(of, relation, alias);
                let held = self.predicate(relation.target, &joined, predicate);
                let table = identifier(&self.catalog.at(relation.target).name);
                format!("exists (select 1 from {table} {joined} where {on} and {held})")
            }
        }
    }

    fn comparison(&mut self, plain: String, scalar: &Scalar, operator: Operator, slot: usize) -> String {
        let Some(sign) = sign(operator) else {
            return match operator {
                Operator::In | Operator::NotIn => self.membership(&plain, scalar, operator, slot),
                Operator::Like | Operator::Ilike => self.pattern(&plain, operator, slot),
                _ => format!("{plain} is null"),
            };
        };
        let left = match operator {
            Operator::Eq | Operator::Neq => plain,
            _ => self.ordered(plain, scalar),
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

/// The sign of an operator that compares two values.
const fn sign(operator: Operator) -> Option<&'static str> {
    Some(match operator {
        Operator::Eq => "=",
        Operator::Neq => "<>",
        Operator::Lt => "<",
        Operator::Lte => "<=",
        Operator::Gt => ">",
        Operator::Gte => ">=",
        _ => return None,
    })
}
