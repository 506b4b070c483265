//! Writes as SQL. The policy's condition is in the statement itself, so that no row it forbids can be touched, however
//! the write was come by.

use super::{Bind, Compiler, Statement, identifier};
use crate::{
    catalog::{
        Catalog, Hooks, Resource,
        policy::Operand,
        scalar::{Scalar, Style, Value},
    },
    engine::{
        authorize::Authorized,
        database::Dialect,
        query::{Assignment, KeySource, Predicate, Query, QueryAction, Source},
    },
};

/// How a write runs.
#[derive(Debug, Clone, PartialEq)]
pub struct WritePlan {
    /// What it does.
    pub kind: WriteKind,
    /// The statement; it returns the key of the row that it touched. Where there are hooks, it finds and locks the row.
    pub statement: Statement,
    /// The write through the entity's hooks, where it has some.
    pub hooked: Option<Hooked>,
    /// The key's type.
    pub key: Scalar,
    /// The resource's name, for errors.
    pub resource: String,
    /// Whether the row is visible to the caller: what tells «not allowed» from «not there».
    pub visible: Option<Statement>,
    /// Whether the written row is one that the policy permits, where the statement could have changed that.
    pub check: Option<Statement>,
}

/// A write through the hooks of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Hooked {
    /// The hooks.
    pub hooks: Hooks,
    /// The columns that are set: name, type, and where the value comes from.
    pub columns: Vec<(String, Scalar, Bind)>,
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// Adds a row.
    Create,
    /// Changes a row.
    Update,
    /// Deletes a row, after it was read.
    Delete,
}

pub(super) fn compile(catalog: &Catalog, query: &Authorized<Query>, dialect: Dialect, style: Style) -> WritePlan {
    let resource = catalog.at(query.resource);
    let new = || Compiler::new(catalog, query, dialect, style);
    let hooked = resource.hooks.map(|hooks| {
        let set = match &query.action {
            QueryAction::Create(set) | QueryAction::Update(_, set) => set.as_slice(),
            QueryAction::Read | QueryAction::Delete(_) => &[],
        };
        Hooked { hooks, columns: set.iter().map(|assignment| hooked_column(resource, assignment)).collect() }
    });
    let (kind, statement, key) = match &query.action {
        QueryAction::Create(set) => (WriteKind::Create, new().insert(query, set), None),
        QueryAction::Update(key, _) if hooked.is_some() => (WriteKind::Update, new().lock(query, *key), Some(*key)),
        QueryAction::Delete(key) if hooked.is_some() => (WriteKind::Delete, new().lock(query, *key), Some(*key)),
        QueryAction::Update(key, set) => (WriteKind::Update, new().update(query, *key, set), Some(*key)),
        QueryAction::Delete(key) => (WriteKind::Delete, new().delete(query, *key), Some(*key)),
        QueryAction::Read => (WriteKind::Create, new().finish(String::new()), None),
    };
    let probe = |key: KeySource, predicate: &Predicate| new().probe(query, key, predicate);
    WritePlan {
        kind,
        statement,
        hooked,
        key: resource.key_column().scalar.clone(),
        resource: resource.name.clone(),
        visible: key.map(|key| probe(key, &query.access[query.resource].visible)),
        check: (query.check != Predicate::Constant(true)).then(|| probe(KeySource::Written, &query.check)),
    }
}

impl Compiler<'_> {
    fn insert(mut self, query: &Query, set: &[Assignment]) -> Statement {
        let resource = self.catalog.at(query.resource);
        let table = identifier(&resource.name);
        let key = identifier(&resource.key_column().name);
        if set.is_empty() {
            return self.finish(format!("insert into {table} default values returning {key}"));
        }
        let columns: Vec<_> =
            set.iter().map(|assignment| identifier(&resource.columns[assignment.column].name)).collect();
        let values: Vec<_> = set.iter().map(|assignment| self.source(query, assignment)).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        self.finish(format!("insert into {table} ({columns}) values ({values}) returning {key}"))
    }

    fn update(mut self, query: &Authorized<Query>, key: KeySource, set: &[Assignment]) -> Statement {
        let resource = self.catalog.at(query.resource);
        let (table, key_name) = (identifier(&resource.name), identifier(&resource.key_column().name));
        let assignments: Vec<_> = set
            .iter()
            .map(|assignment| {
                let column = identifier(&resource.columns[assignment.column].name);
                format!("{column} = {}", self.source(query, assignment))
            })
            .collect();
        // An input that names no column still must find its row, and be allowed to write it.
        let assignments =
            if assignments.is_empty() { format!("{key_name} = t.{key_name}") } else { assignments.join(", ") };
        let target = self.target(query, key, &query.permitted);
        self.finish(format!("update {table} as t set {assignments} where {target} returning {key_name}"))
    }

    fn delete(mut self, query: &Authorized<Query>, key: KeySource) -> Statement {
        let resource = self.catalog.at(query.resource);
        let (table, key_name) = (identifier(&resource.name), identifier(&resource.key_column().name));
        let target = self.target(query, key, &query.permitted);
        self.finish(format!("delete from {table} as t where {target} returning {key_name}"))
    }

    /// Finds the row, and keeps others from writing it until the transaction ends; on SQLite nobody else can.
    fn lock(mut self, query: &Authorized<Query>, key: KeySource) -> Statement {
        let resource = self.catalog.at(query.resource);
        let (table, key_name) = (identifier(&resource.name), identifier(&resource.key_column().name));
        let target = self.target(query, key, &query.permitted);
        let lock = if self.dialect == Dialect::Postgres { " for update" } else { "" };
        self.finish(format!("select {key_name} from {table} as t where {target}{lock}"))
    }

    fn probe(mut self, query: &Query, key: KeySource, predicate: &Predicate) -> Statement {
        let table = identifier(&self.catalog.at(query.resource).name);
        let target = self.target(query, key, predicate);
        self.finish(format!("select 1 from {table} as t where {target}"))
    }

    fn target(&mut self, query: &Query, key: KeySource, predicate: &Predicate) -> String {
        let resource = self.catalog.at(query.resource);
        let placeholder = self.key(key, &resource.key_column().scalar);
        let predicate = self.predicate(query.resource, "t", predicate);
        format!("{} = {placeholder} and {predicate}", self.stored(resource, resource.key, "t"))
    }

    fn source(&mut self, query: &Query, assignment: &Assignment) -> String {
        let scalar = &self.catalog.at(query.resource).columns[assignment.column].scalar;
        match &assignment.source {
            Source::Slot(slot) => self.bind(Bind::Slot(*slot), scalar),
            Source::Preset(operand) => self.operand(operand, scalar),
            Source::Fill(fill) => self.bind(Bind::Fill(fill.clone()), scalar),
            Source::Null => "null".to_owned(),
        }
    }
}

fn hooked_column(resource: &Resource, assignment: &Assignment) -> (String, Scalar, Bind) {
    let column = &resource.columns[assignment.column];
    let bind = match &assignment.source {
        Source::Slot(slot) => Bind::Slot(*slot),
        Source::Preset(Operand::Claim(claim)) => Bind::Claim(*claim),
        Source::Preset(Operand::Value(value)) => Bind::Value(value.clone()),
        Source::Fill(fill) => Bind::Fill(fill.clone()),
        Source::Null => Bind::Value(Value::Null),
    };
    (column.name.clone(), column.scalar.clone(), bind)
}
