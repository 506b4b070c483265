//! New rows as SQL, with what becomes of them where their values are taken.

use super::{Compiler, Constraints, Setting, Statement, identifier, write};
use crate::{
    catalog::{Hooks, Operator, Resource, policy::Operand, scalar::Scalar},
    engine::{
        authorize::Authorized,
        database::Dialect,
        query::{Assignment, Conflict, Insert, NewRow, Predicate, Query, Source, Taken},
        render::Program,
    },
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// How rows are added.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatePlan {
    /// Where they are added; first the query's own resource.
    pub tables: Vec<TablePlan>,
    /// The rows, each before those that belong to it.
    pub rows: Vec<RowPlan>,
    /// What becomes of those whose values are taken.
    pub conflict: Option<ConflictPlan>,
    /// The one statement that adds the row and tells of it, where nothing else needs to be asked.
    pub direct: Option<Direct>,
}

/// A table to which rows are added.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePlan {
    /// The resource's name, for errors.
    pub resource: String,
    /// The key's type.
    pub key: Scalar,
    /// The entity's hooks, where it has some.
    pub hooks: Option<Hooks>,
    /// How many of the new rows are ones that the policy permits, where it does not permit all.
    pub check: Option<Statement>,
    /// What is told of a constraint that a row violates.
    pub constraints: Constraints,
}

/// A row that is added.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPlan {
    /// Its table's place among the tables.
    pub table: usize,
    /// The row that it belongs to, by its place among the rows.
    pub parent: Option<usize>,
    /// Which row of the input it is, as the beginning of a field's name.
    pub path: Arc<str>,
    /// The INSERT; it returns the key, and, if the row's values can be taken, whether it has added one.
    pub statement: Statement,
    /// The columns that are set.
    pub settings: Vec<Setting>,
    /// What becomes of it if its values are taken; none where they cannot be.
    pub taken: Option<TakenPlan>,
}

/// What becomes of a row whose values are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenPlan {
    /// Finds the row that has them: its key, whether the caller sees it, whether it may be written, and what hooks
    /// write to the columns that every update touches.
    pub find: Statement,
    /// Writes to the row that was found.
    pub update: Statement,
    /// The columns that are set then.
    pub settings: Vec<Setting>,
    /// Whether there must be one.
    pub must: bool,
}

/// What becomes of rows whose values are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictPlan {
    /// The columns whose values are taken.
    pub columns: Vec<String>,
    /// Nothing is written to the row that is there.
    pub ignores: bool,
    /// Whether the answer has a row that is there and that nothing was written to.
    pub told: bool,
    /// Whether the row that is there is looked for before, and not by the INSERT itself.
    pub steps: bool,
    /// The types of what the look for it tells.
    pub cells: Arc<[Scalar]>,
    /// How many of the rows that were written to are ones that the policy permits, where that could have changed.
    pub check: Option<Statement>,
    /// How many rows the policy lets one write change.
    pub cap: Option<u64>,
}

/// An INSERT that tells of its row.
#[derive(Debug, Clone, PartialEq)]
pub struct Direct {
    /// The statement.
    pub statement: Statement,
    /// How the row is written.
    pub program: Arc<Program>,
    /// Which cell is the key.
    pub key: usize,
}

pub(super) fn compile<'c>(new: impl Fn() -> Compiler<'c>, query: &Authorized<Query>, insert: &Insert) -> CreatePlan {
    let Compiler { catalog, dialect, .. } = new();
    let checks = std::iter::once((query.resource, &query.check));
    let checks: Vec<_> = checks.chain(query.nested.iter().map(|(index, check)| (*index, check))).collect();
    let tables = checks.iter().map(|(index, check)| {
        let resource = catalog.at(*index);
        TablePlan {
            resource: resource.name.clone(),
            key: resource.key_column().scalar.clone(),
            hooks: resource.hooks,
            check: new().holding(*index, check),
            constraints: write::constraints(catalog, dialect, resource),
        }
    });
    let tables: Vec<_> = tables.collect();
    let root = catalog.at(query.resource);
    let conflict = insert.conflict.as_ref().map(|conflict| {
        // SQLite does not say whether it has added a row, and a look for it costs no round trip.
        let steps = dialect == Dialect::Sqlite || root.hooks.is_some();
        let set = insert.rows.iter().find_map(|row| row.taken.as_ref()).map(|taken| taken.set.as_slice());
        let touched = if root.hooks.is_some() { write::touched(root, set.unwrap_or_default()) } else { Vec::new() };
        let cells = [root.key_column().scalar.clone(), Scalar::Integer, Scalar::Integer];
        ConflictPlan {
            columns: conflict.target.iter().map(|column| root.columns[*column].name.clone()).collect(),
            ignores: conflict.ignores,
            told: conflict.told,
            steps,
            cells: cells.into_iter().chain(touched).collect(),
            check: new().holding(query.resource, &query.merging.check),
            cap: query.merging.cap,
        }
    });
    // Rows with the same columns have the same statement, which is prepared once.
    let mut texts: HashSet<Arc<str>> = HashSet::new();
    let places: HashMap<usize, usize> = checks.iter().enumerate().map(|(place, (index, _))| (*index, place)).collect();
    let rows = insert.rows.iter().map(|row| {
        let resource = catalog.at(row.resource);
        let table = places.get(&row.resource).copied().unwrap_or_default();
        let conflict = insert.conflict.as_ref().zip(conflict.as_ref());
        let upsert = conflict.filter(|(_, plan)| !plan.steps).zip(row.taken.as_ref());
        let mut statement = new().insert(query, resource, row, upsert.map(|((conflict, _), taken)| (conflict, taken)));
        match texts.get(&statement.sql) {
            Some(sql) => statement.sql = Arc::clone(sql),
            None => drop(texts.insert(Arc::clone(&statement.sql))),
        }
        let wanted = resource.hooks.is_some() || !tables[table].constraints.references.is_empty();
        let taken = conflict.zip(row.taken.as_ref()).map(|((conflict, plan), taken)| TakenPlan {
            find: new().find_taken(query, conflict, plan.steps, &row.set, taken),
            update: new().update_taken(query, &taken.set),
            settings: if wanted { write::settings(resource, &taken.set) } else { Vec::new() },
            must: taken.must,
        });
        let settings = if wanted { write::settings(resource, &row.set) } else { Vec::new() };
        RowPlan { table, parent: row.parent, path: Arc::clone(&row.path), statement, settings, taken }
    });
    let rows = rows.collect();
    let direct = match insert.rows.as_slice() {
        [row]
            if query.check == Predicate::Constant(true)
                && insert.conflict.is_none()
                && root.hooks.is_none()
                && query.read.key != Some(crate::engine::query::KeySource::Each)
                && implied(&query.access[query.resource].visible, &row.set) =>
        {
            new().direct(query, root, row)
        }
        _ => None,
    };
    CreatePlan { tables, rows, conflict, direct }
}

/// Whether a condition holds of every row in which these columns are set, whatever the values of the request are.
fn implied(condition: &Predicate, set: &[Assignment]) -> bool {
    let preset = |column: usize, operand: &Operand| {
        set.iter().any(|one| one.column == column && matches!(&one.source, Source::Preset(preset) if preset == operand))
    };
    match condition {
        Predicate::Constant(constant) => *constant,
        Predicate::And(all) => all.iter().all(|one| implied(one, set)),
        Predicate::Or(all) => all.iter().any(|one| implied(one, set)),
        Predicate::Policy { column, comparison: Some((Operator::Eq, operand)) } => preset(*column, operand),
        _ => false,
    }
}

impl Compiler<'_> {
    fn insert(
        mut self,
        query: &Authorized<Query>,
        resource: &Resource,
        row: &NewRow,
        upsert: Option<(&Conflict, &Taken)>,
    ) -> Statement {
        let (table, values) = (identifier(&resource.name), self.values(resource, &row.set));
        let key = identifier(&resource.key_column().name);
        let Some((conflict, taken)) = upsert else {
            return self.finish(format!("insert into {table} {values} returning {key}"));
        };
        let target = conflict.target.iter().map(|column| identifier(&resource.columns[*column].name));
        let target = target.collect::<Vec<_>>().join(", ");
        let action = if conflict.ignores {
            "nothing".to_owned()
        } else {
            let set = self.assignments(resource, &taken.set);
            format!("update set {set} where {}", self.predicate(query.resource, "t", &query.merging.permitted))
        };
        // A row that the statement has added was deleted by no transaction, and locked by none.
        self.finish(format!(
            "insert into {table} as t {values} on conflict ({target}) do {action} \
             returning t.{key}, case when t.xmax = 0 then 1 else 0 end"
        ))
    }

    fn values(&mut self, resource: &Resource, set: &[Assignment]) -> String {
        if set.is_empty() {
            return "default values".to_owned();
        }
        let columns: Vec<_> =
            set.iter().map(|assignment| identifier(&resource.columns[assignment.column].name)).collect();
        let values: Vec<_> = set.iter().map(|assignment| self.source(resource, assignment)).collect();
        format!("({}) values ({})", columns.join(", "), values.join(", "))
    }

    fn direct(mut self, query: &Query, resource: &Resource, row: &NewRow) -> Option<Direct> {
        let (cells, program, key) = self.returned(&query.read)?;
        let program = super::form::shape(program, self.form.format);
        let (table, values) = (identifier(&resource.name), self.values(resource, &row.set));
        let statement = self.finish(format!("insert into {table} {values} returning {}", cells.join(", ")));
        Some(Direct { statement, program: Arc::new(program), key })
    }

    /// Finds the row that has the values of a new one.
    fn find_taken(
        mut self,
        query: &Authorized<Query>,
        conflict: &Conflict,
        steps: bool,
        set: &[Assignment],
        taken: &Taken,
    ) -> Statement {
        let resource = self.catalog.at(query.resource);
        let (table, key) = (identifier(&resource.name), self.stored(resource, resource.key, "t"));
        let visible = self.flag(query.resource, &query.access[query.resource].visible);
        let permitted = self.flag(query.resource, &query.merging.permitted);
        let touches = if resource.hooks.is_some() { self.touches(resource, &taken.set) } else { String::new() };
        let same: Vec<_> = set
            .iter()
            .filter(|assignment| conflict.target.contains(&assignment.column))
            .map(|assignment| {
                let value = self.source(resource, assignment);
                format!("{} = {value}", self.stored(resource, assignment.column, "t"))
            })
            .collect();
        let lock = if steps || taken.must { self.lock() } else { "" };
        self.finish(format!(
            "select {key}, {visible}, {permitted}{touches} from {table} as t where {}{lock}",
            same.join(" and ")
        ))
    }

    /// Writes to the row that was found.
    fn update_taken(mut self, query: &Authorized<Query>, set: &[Assignment]) -> Statement {
        let resource = self.catalog.at(query.resource);
        let (table, key) = (identifier(&resource.name), identifier(&resource.key_column().name));
        let assignments = self.assignments(resource, set);
        let written = self.key(crate::engine::query::KeySource::Written, &resource.key_column().scalar);
        let permitted = self.predicate(query.resource, "t", &query.merging.permitted);
        let at = self.stored(resource, resource.key, "t");
        self.finish(format!(
            "update {table} as t set {assignments} where {at} = {written} and {permitted} returning {key}"
        ))
    }
}
