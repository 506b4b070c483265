//! Updates and deletions as SQL: of the row with a key, or of the rows that match.

use super::{Bind, Compiler, Constraints, Setting, Statement, identifier, write};
use crate::{
    catalog::{
        Hooks,
        scalar::{Scalar, Style},
    },
    engine::{
        authorize::Authorized,
        query::{Assignment, KeySource, Predicate, Query, Target},
    },
};
use std::sync::Arc;

/// How rows are changed or deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePlan {
    /// Whether they are deleted; they are read before.
    pub deletes: bool,
    /// Which rows.
    pub target: TargetPlan,
    /// The entity's hooks, where it has some.
    pub hooks: Option<Hooks>,
    /// The columns that are set.
    pub settings: Vec<Setting>,
    /// How many of the rows are ones that the policy permits, where the write could have changed that.
    pub check: Option<Statement>,
    /// What is told of a constraint that a row violates.
    pub constraints: Constraints,
}

/// Which rows are changed or deleted.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetPlan {
    /// The one with a key.
    Row(RowTarget),
    /// Those that match.
    Matching(RowsTarget),
}

/// The row with a key.
#[derive(Debug, Clone, PartialEq)]
pub struct RowTarget {
    /// The write; it returns the key. Where there are hooks, it finds and locks the row, and tells what they write to
    /// the columns that every update touches.
    pub statement: Statement,
    /// The types of what it tells.
    pub cells: Arc<[Scalar]>,
    /// Whether the row is visible to the caller: what tells «not allowed» from «not there».
    pub visible: Statement,
    /// Whether it may be written, where it may also be in another state than the caller thinks.
    pub permitted: Option<Statement>,
    /// Finds and locks the row before it is written, where the tag of its state is told: it may be compared before.
    pub lock: Option<Statement>,
}

/// The rows that match.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsTarget {
    /// Finds and locks them: their keys, whether each may be written, and what hooks write to touched columns.
    pub find: Statement,
    /// The types of what it tells.
    pub cells: Arc<[Scalar]>,
    /// The write of the rows with these keys; it returns them.
    pub statement: Statement,
    /// How many there are, where an error tells the number.
    pub count: Option<Statement>,
    /// How many they may be.
    pub at_most: u64,
    /// How many of them an answer can tell.
    pub told: Option<u64>,
    /// How many the policy lets one write have.
    pub cap: Option<u64>,
}

/// `set` is what is written; none for a deletion.
pub(super) fn compile<'c>(
    new: impl Fn() -> Compiler<'c>,
    query: &Authorized<Query>,
    target: &Target,
    set: Option<&Vec<Assignment>>,
) -> ChangePlan {
    let Compiler { catalog, dialect, style, .. } = new();
    let resource = catalog.at(query.resource);
    let columns = set.map(Vec::as_slice).unwrap_or_default();
    let hooked = resource.hooks.is_some();
    let key = resource.key_column().scalar.clone();
    let touched = if hooked { write::touched(resource, columns) } else { Vec::new() };
    let cells = |first: Vec<Scalar>| first.into_iter().chain(touched.iter().cloned()).collect();
    let target = match target {
        Target::Row { key: source, written } => TargetPlan::Row(RowTarget {
            statement: if hooked {
                new().lock_row(query, *source, *written, columns)
            } else {
                new().write_row(query, *source, *written, set)
            },
            cells: cells(vec![key]),
            visible: new().probe(query, *source, &query.access[query.resource].visible),
            permitted: written.map(|_| new().probe(query, *source, &query.permitted)),
            lock: query.form.tagged.then(|| new().lock_row(query, *source, *written, &[])),
        }),
        Target::Matching { filter, at_most, told } => {
            let most = [Some(*at_most), *told, query.cap].into_iter().flatten().min().unwrap_or(*at_most);
            TargetPlan::Matching(RowsTarget {
                find: new().find(query, filter, most, hooked.then_some(columns)),
                cells: cells(vec![key, Scalar::Integer]),
                statement: new().write_rows(query, set),
                count: (style == Style::Rest).then(|| new().count(query, filter)),
                at_most: *at_most,
                told: *told,
                cap: query.cap,
            })
        }
    };
    let constraints = write::constraints(catalog, dialect, resource);
    let settings =
        if hooked || !constraints.references.is_empty() { write::settings(resource, columns) } else { Vec::new() };
    ChangePlan {
        deletes: set.is_none(),
        target,
        hooks: resource.hooks,
        settings,
        check: new().holding(query.resource, &query.check),
        constraints,
    }
}

impl Compiler<'_> {
    /// The beginning of a write: the table, and what becomes of its columns.
    fn verb(&mut self, query: &Query, set: Option<&Vec<Assignment>>) -> String {
        let resource = self.catalog.at(query.resource);
        let table = identifier(&resource.name);
        match set {
            Some(set) => format!("update {table} as t set {}", self.assignments(resource, set)),
            None => format!("delete from {table} as t"),
        }
    }

    fn write_row(
        mut self,
        query: &Authorized<Query>,
        key: KeySource,
        written: Option<(usize, usize)>,
        set: Option<&Vec<Assignment>>,
    ) -> Statement {
        let verb = self.verb(query, set);
        let target = self.row(query, key, &query.permitted, written);
        let key = identifier(&self.catalog.at(query.resource).key_column().name);
        self.finish(format!("{verb} where {target} returning {key}"))
    }

    fn write_rows(mut self, query: &Authorized<Query>, set: Option<&Vec<Assignment>>) -> Statement {
        let resource = self.catalog.at(query.resource);
        let (verb, keys) = (self.verb(query, set), self.written(resource));
        let permitted = self.predicate(query.resource, "t", &query.permitted);
        let key = identifier(&resource.key_column().name);
        self.finish(format!("{verb} where {keys} and {permitted} returning {key}"))
    }

    /// Finds the row, and keeps others from writing it.
    fn lock_row(
        mut self,
        query: &Authorized<Query>,
        key: KeySource,
        written: Option<(usize, usize)>,
        set: &[Assignment],
    ) -> Statement {
        let resource = self.catalog.at(query.resource);
        let (table, key_column) = (identifier(&resource.name), self.stored(resource, resource.key, "t"));
        let touches = self.touches(resource, set);
        let target = self.row(query, key, &query.permitted, written);
        let lock = self.lock();
        self.finish(format!("select {key_column}{touches} from {table} as t where {target}{lock}"))
    }

    /// Finds the rows that match, one more than `most`, in the order of their keys.
    fn find(
        mut self,
        query: &Authorized<Query>,
        filter: &Predicate,
        most: u64,
        hooked: Option<&[Assignment]>,
    ) -> Statement {
        let resource = self.catalog.at(query.resource);
        let (table, key) = (identifier(&resource.name), self.stored(resource, resource.key, "t"));
        let permitted = self.flag(query.resource, &query.permitted);
        let touches = self.touches(resource, hooked.unwrap_or_default());
        let visible = self.visible(query.resource, "t");
        let filter = self.predicate(query.resource, "t", filter);
        let order = self.ordered(key.clone(), &resource.key_column().scalar);
        let limit = most.saturating_add(1).min(i64::MAX as u64);
        let lock = self.lock();
        self.finish(format!(
            "select {key}, {permitted}{touches} from {table} as t where {visible} and {filter} \
             order by {order} limit {limit}{lock}"
        ))
    }

    /// How many rows match.
    fn count(mut self, query: &Authorized<Query>, filter: &Predicate) -> Statement {
        let table = identifier(&self.catalog.at(query.resource).name);
        let visible = self.visible(query.resource, "t");
        let filter = self.predicate(query.resource, "t", filter);
        self.finish(format!("select count(*) from {table} as t where {visible} and {filter}"))
    }

    fn probe(mut self, query: &Query, key: KeySource, predicate: &Predicate) -> Statement {
        let table = identifier(&self.catalog.at(query.resource).name);
        let target = self.row(query, key, predicate, None);
        self.finish(format!("select 1 from {table} as t where {target}"))
    }

    /// The row with a key, if the condition holds of it and it is in the state that is asked for.
    fn row(&mut self, query: &Query, key: KeySource, predicate: &Predicate, written: Option<(usize, usize)>) -> String {
        let resource = self.catalog.at(query.resource);
        let placeholder = self.key(key, &resource.key_column().scalar);
        let predicate = self.predicate(query.resource, "t", predicate);
        let mut target = format!("{} = {placeholder} and {predicate}", self.stored(resource, resource.key, "t"));
        if let Some((column, slot)) = written {
            let placeholder = self.bind(Bind::Slot(slot), &resource.columns[column].scalar);
            target = format!("{target} and {} = {placeholder}", self.column(query.resource, column, "t"));
        }
        target
    }
}
