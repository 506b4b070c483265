//! Writes as SQL. The policy's condition is in the statement itself, so that no row it forbids can be touched, however
//! the write was come by.

use super::{Bind, ChangePlan, Compiler, CreatePlan, Statement, change, identifier, insert, operator::element};
use crate::{
    catalog::{
        Cardinality, Catalog, Fill, Resource,
        policy::Operand,
        scalar::{Scalar, Style, Value},
    },
    engine::{
        authorize::Authorized,
        database::Dialect,
        query::{Assignment, Predicate, Query, QueryAction, Source},
    },
};
use std::sync::Arc;

/// How a write runs.
#[derive(Debug, Clone, PartialEq)]
pub struct WritePlan {
    /// The resource's name, for errors.
    pub resource: String,
    /// The key's type.
    pub key: Scalar,
    /// What it does.
    pub action: WriteAction,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteAction {
    /// Adds rows.
    Create(Box<CreatePlan>),
    /// Changes or deletes rows.
    Change(Box<ChangePlan>),
}

/// A column that is written, where the statement alone does not tell: for hooks, and for what a failure was about.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The column's name.
    pub column: String,
    /// Its type.
    pub scalar: Scalar,
    /// What is written.
    pub from: From,
}

/// Where a written value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum From {
    /// The values of the request.
    Bind(Bind),
    /// What was found with the row: one of the columns that every update touches.
    Found(usize),
}

pub(super) fn compile(
    catalog: &Catalog,
    query: &Authorized<Query>,
    dialect: Dialect,
    style: Style,
) -> Option<WritePlan> {
    let resource = catalog.at(query.resource);
    let new = || Compiler { form: query.form, ..Compiler::new(catalog, query, dialect, style) };
    let action = match &query.action {
        QueryAction::Read => return None,
        QueryAction::Create(rows) => WriteAction::Create(Box::new(insert::compile(new, query, rows))),
        QueryAction::Update(target, set) => {
            WriteAction::Change(Box::new(change::compile(new, query, target, Some(set))))
        }
        QueryAction::Delete(target) => WriteAction::Change(Box::new(change::compile(new, query, target, None))),
    };
    Some(WritePlan { resource: resource.name.clone(), key: resource.key_column().scalar.clone(), action })
}

/// What is told of a violated constraint beyond what the database says.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraints {
    /// The columns that there are: the name of a constraint may tell of something else.
    pub columns: Vec<String>,
    /// The columns that the policy sets: no client could give them another value.
    pub presets: Vec<String>,
    /// The relations by which SQLite, which does not say which one it was, is asked what a row refers to in vain: the
    /// column, and the statement that finds the row at the other end.
    pub references: Vec<(String, Arc<str>)>,
}

pub(super) fn constraints(catalog: &Catalog, dialect: Dialect, resource: &Resource) -> Constraints {
    let policy = &resource.policy;
    let presets = policy.create.presets.iter().chain(&policy.update.presets).map(|(name, _)| name.clone()).collect();
    let columns = resource.column_names().map(str::to_owned).collect();
    Constraints { columns, presets, references: references(catalog, dialect, resource) }
}

fn references(catalog: &Catalog, dialect: Dialect, resource: &Resource) -> Vec<(String, Arc<str>)> {
    if dialect == Dialect::Postgres {
        return Vec::new();
    }
    let one = resource.relations.iter().filter(|relation| relation.cardinality == Cardinality::One);
    one.map(|relation| {
        let target = catalog.at(relation.target);
        let (table, column) = (identifier(&target.name), identifier(&target.columns[relation.foreign].name));
        let sql = format!("select 1 from {table} where {column} = ?1");
        (resource.columns[relation.local].name.clone(), Arc::from(sql))
    })
    .collect()
}

/// The columns that are written, as hooks take them.
pub(super) fn settings(resource: &Resource, set: &[Assignment]) -> Vec<Setting> {
    let mut found = 0..;
    set.iter()
        .map(|assignment| {
            let column = &resource.columns[assignment.column];
            let from = match &assignment.source {
                Source::Slot(slot) => From::Bind(Bind::Slot(*slot)),
                Source::Preset(Operand::Claim(claim)) => From::Bind(Bind::Claim(*claim)),
                Source::Preset(Operand::Value(value)) => From::Bind(Bind::Value(value.clone())),
                Source::Fill(fill) => From::Bind(Bind::Fill(fill.clone())),
                Source::Parent => From::Bind(Bind::Written),
                Source::Touch(_) => From::Found(found.next().unwrap_or_default()),
                Source::Null => From::Bind(Bind::Value(Value::Null)),
            };
            Setting { column: column.name.clone(), scalar: column.scalar.clone(), from }
        })
        .collect()
}

/// The types of the touched columns, in the order in which [`Compiler::touches`] selects them.
pub(super) fn touched(resource: &Resource, set: &[Assignment]) -> Vec<Scalar> {
    let touched = set.iter().filter(|assignment| matches!(assignment.source, Source::Touch(_)));
    touched.map(|assignment| resource.columns[assignment.column].scalar.clone()).collect()
}

impl Compiler<'_> {
    /// What is written to the columns of the row `t`, as a SET clause has it.
    pub(super) fn assignments(&mut self, resource: &Resource, set: &[Assignment]) -> String {
        let assignments: Vec<_> = set
            .iter()
            .map(|assignment| {
                let column = identifier(&resource.columns[assignment.column].name);
                format!("{column} = {}", self.source(resource, assignment))
            })
            .collect();
        if !assignments.is_empty() {
            return assignments.join(", ");
        }
        // An input that names no column still must find its row, and be allowed to write it.
        format!("{} = {}", identifier(&resource.key_column().name), self.stored(resource, resource.key, "t"))
    }

    pub(super) fn source(&mut self, resource: &Resource, assignment: &Assignment) -> String {
        let scalar = &resource.columns[assignment.column].scalar;
        match &assignment.source {
            Source::Slot(slot) => self.bind(Bind::Slot(*slot), scalar),
            Source::Preset(operand) => self.operand(operand, scalar),
            Source::Fill(fill) => self.bind(Bind::Fill(fill.clone()), scalar),
            Source::Parent => self.bind(Bind::Written, scalar),
            Source::Touch(fill) => self.touch(resource, assignment.column, fill),
            Source::Null => "null".to_owned(),
        }
    }

    /// What an update writes to a column that it touches: never the same twice, however fast updates follow.
    fn touch(&mut self, resource: &Resource, index: usize, fill: &Fill) -> String {
        let (scalar, old) = (&resource.columns[index].scalar, self.stored(resource, index, "t"));
        let new = self.bind(Bind::Fill(fill.clone()), scalar);
        match (self.dialect, scalar) {
            (Dialect::Postgres, Scalar::Timestamp) => format!("greatest({new}, {old} + interval '1 microsecond')"),
            (Dialect::Sqlite, Scalar::Timestamp) => format!("later({new}, {old})"),
            _ => new,
        }
    }

    /// The values of the touched columns of the row `t`, each behind a comma, for hooks to write.
    pub(super) fn touches(&mut self, resource: &Resource, set: &[Assignment]) -> String {
        let touched = set.iter().filter(|assignment| matches!(assignment.source, Source::Touch(_)));
        touched.fold(String::new(), |sql, assignment| sql + ", " + &self.source(resource, assignment))
    }

    /// Whether a condition holds of the row `t`, as a number: what is unknown does not.
    pub(super) fn flag(&mut self, of: usize, predicate: &Predicate) -> String {
        format!("case when {} then 1 else 0 end", self.predicate(of, "t", predicate))
    }

    /// That the key of `t` is in the list of keys that is bound.
    pub(super) fn written(&mut self, resource: &Resource) -> String {
        let (column, scalar) = (self.stored(resource, resource.key, "t"), &resource.key_column().scalar);
        let number = self.number(Bind::Written);
        match self.dialect {
            Dialect::Postgres => format!("{column} = any(${number}::{}[])", scalar.postgres_type()),
            Dialect::Sqlite => format!("{column} in (select {} from json_each(?{number}))", element(scalar, "value")),
        }
    }

    /// How many of the written rows a condition holds of; none where it always does.
    pub(super) fn holding(mut self, of: usize, check: &Predicate) -> Option<Statement> {
        if *check == Predicate::Constant(true) {
            return None;
        }
        let resource = self.catalog.at(of);
        let (table, keys) = (identifier(&resource.name), self.written(resource));
        let check = self.predicate(of, "t", check);
        Some(self.finish(format!("select count(*) from {table} as t where {keys} and {check}")))
    }

    /// Keeps others from writing the rows that were found until the transaction ends; on SQLite nobody else can.
    pub(super) const fn lock(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => " for update of t",
            Dialect::Sqlite => "",
        }
    }
}
