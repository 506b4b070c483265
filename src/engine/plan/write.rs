//! What a write puts into which column: the policy's presets, the client's input, and what fills the rest.
//!
//! In: the [`Action`] of a request. Out: a [`QueryAction`] whose columns are known to be for clients to write; what is
//! wrong with the members of the input goes to the planner's defects, and is told together with its values.

use super::{Planner, find_column, find_relation, member};
use crate::{
    catalog::{
        Cardinality, Catalog, Column, Fill, Relation, Resource,
        policy::{Condition, Grant},
        scalar::{Scalar, Style},
    },
    engine::{
        query::{Assignment, Conflict, Insert, NewRow, Predicate, QueryAction, SlotKind, Source, Taken, Target},
        request::{self, Action, OnTaken, Slot},
    },
    error::{Error, Kind, Problem, Result},
};
use std::sync::Arc;

/// How deep new rows may be nested in new rows: a row, those that belong to it, and those that belong to these.
pub const MAX_NESTED: usize = 3;
/// How many rows a request may add, those that belong to others among them.
const MAX_ROWS: usize = 10_000;

/// Refuses more new rows than a request may have.
///
/// # Errors
/// `CostLimit` for too many.
pub(crate) fn check_rows(count: usize) -> Result<()> {
    if count <= MAX_ROWS {
        return Ok(());
    }
    let message = format!("A request adds at most {MAX_ROWS} rows, and this one has {count}");
    Err(Error::new(Kind::CostLimit, message).hint("Send them in several requests"))
}

impl Planner<'_> {
    pub(super) fn action(&mut self, resource: usize, action: &Action) -> Result<QueryAction> {
        let of = self.catalog.at(resource);
        let single = Place { path: Arc::from(""), writing: Writing::Update, parent: None, keyed: false };
        Ok(match action {
            Action::List(_) | Action::Get(_) => QueryAction::Read,
            Action::Create(create) => QueryAction::Create(self.insert(resource, create)?),
            Action::Update(target, input) => {
                let set = self.assign(resource, &of.policy.update, input, &single);
                QueryAction::Update(self.target(resource, target)?, set)
            }
            Action::Replace(key, input) => {
                let place = Place { writing: Writing::Replace, ..single };
                let set = self.assign(resource, &of.policy.update, input, &place);
                QueryAction::Update(Target::Row { key: self.key(resource, *key), written: None }, set)
            }
            Action::Delete(target) => QueryAction::Delete(self.target(resource, target)?),
        })
    }

    fn target(&mut self, resource: usize, target: &request::Target) -> Result<Target> {
        Ok(match target {
            request::Target::Row { key, written } => {
                let key = self.key(resource, *key);
                let written = written.map(|slot| self.written(resource, slot)).transpose()?;
                Target::Row { key, written }
            }
            request::Target::Matching { filter, at_most, .. } => {
                let filter = filter.as_ref().map(|filter| self.filter(resource, filter)).transpose()?;
                // GraphQL's bound is the client's own, which is in what its operation may cost.
                let told = (self.style == Style::Rest && self.tells).then_some(self.bounds.max_page);
                Target::Matching { filter: filter.unwrap_or(Predicate::Constant(true)), at_most: *at_most, told }
            }
        })
    }

    fn written(&mut self, resource: usize, slot: Slot) -> Result<(usize, Slot)> {
        let of = self.catalog.at(resource);
        let column = of.touched().ok_or_else(|| Error::internal(format!("{} is not touched", of.name)))?;
        let kind = SlotKind::Operand { column: column.name.clone(), scalar: column.scalar.clone() };
        Ok((find_column(of, &column.name)?, self.slot(slot, kind)))
    }

    fn insert(&mut self, resource: usize, create: &request::Create) -> Result<Insert> {
        let count = create.rows.iter().map(|row| 1 + row.below()).sum::<usize>();
        check_rows(count)?;
        let conflict = create.conflict.as_ref().map(|conflict| self.conflict(resource, conflict)).transpose()?;
        let mut rows = Vec::with_capacity(create.rows.len());
        for (number, row) in create.rows.iter().enumerate() {
            let path = match (create.many, self.style) {
                (false, _) => String::new(),
                (true, Style::GraphQl) => format!("input.{number}."),
                (true, Style::Rest) => format!("{number}."),
            };
            let keyed = conflict.as_ref().is_some_and(|(conflict, _)| {
                let of = self.catalog.at(resource);
                of.is_counted() && conflict.target == [of.key]
            });
            let place = Place { path: Arc::from(path), writing: Writing::Create, parent: None, keyed };
            self.new_row(resource, row, &place, conflict.as_ref(), 1, &mut rows)?;
        }
        Ok(Insert { rows, conflict: conflict.map(|(conflict, _)| conflict) })
    }

    /// Adds a row to `rows`, and those that belong to it behind it.
    fn new_row(
        &mut self,
        resource: usize,
        row: &request::NewRow,
        place: &Place,
        conflict: Option<&(Conflict, Vec<usize>)>,
        depth: usize,
        rows: &mut Vec<NewRow>,
    ) -> Result<()> {
        let of = self.catalog.at(resource);
        let set = self.assign(resource, &of.policy.create, &row.columns, place);
        let taken = conflict.and_then(|(conflict, update)| taken(of, conflict, update, &set));
        let parent = place.parent.map(|(row, _)| row);
        rows.push(NewRow { resource, parent, path: Arc::clone(&place.path), set, taken });
        let this = rows.len() - 1;
        if conflict.is_some() && !row.children.is_empty() {
            return Err(Error::bad_value(
                "onConflict is for rows alone, and not for rows with others that belong to them",
            )
            .field("onConflict"));
        }
        for (name, children) in &row.children {
            let (index, target) = find_relation(of, name, Cardinality::Many)?;
            let relation = &of.relations[index];
            if depth >= MAX_NESTED || !nests(self.catalog, of, relation) {
                return Err(Error::bad_request(format!("No rows of \"{name}\" can be made here")));
            }
            for (number, child) in children.iter().enumerate() {
                let place = Place {
                    path: Arc::from(format!("{}{}.{number}.", place.path, relation.field)),
                    writing: Writing::Create,
                    parent: Some((this, relation.foreign)),
                    keyed: false,
                };
                self.new_row(target, child, &place, None, depth + 1, rows)?;
            }
        }
        Ok(())
    }

    /// What is asked of rows whose values are taken, and the columns that are written then if the client names them.
    fn conflict(&mut self, resource: usize, given: &request::Conflict) -> Result<(Conflict, Vec<usize>)> {
        let of = self.catalog.at(resource);
        let mut target = match &given.target {
            Some(names) => names.iter().map(|name| find_column(of, name)).collect::<Result<Vec<_>>>()?,
            None => vec![of.key],
        };
        target.sort_unstable();
        target.dedup();
        if !of.unique.contains(&target) {
            let spelt = |columns: &Vec<usize>| {
                let names = columns.iter().map(|column| member(self.style, &of.columns[*column].name));
                format!("({})", names.collect::<Vec<_>>().join(", "))
            };
            let sets: Vec<_> = of.unique.iter().map(spelt).collect();
            return Err(Error::bad_request(format!("{} does not tell rows of {} apart", spelt(&target), of.name))
                .code("42P10")
                .field("target")
                .hint(format!("What tells them apart: {}", sets.join(", "))));
        }
        let (ignores, told, named) = match &given.action {
            OnTaken::Update(named) => (false, false, named.as_deref()),
            OnTaken::Replace => (false, false, None),
            OnTaken::Ignore { told } => (true, *told, None),
        };
        let replaces = given.action == OnTaken::Replace;
        let mut update = Vec::new();
        match named {
            Some(names) => {
                for name in names {
                    match may_write(of, &of.policy.update, name, Writing::Update, false) {
                        Ok(()) => update.push(find_column(of, name)?),
                        Err(message) => {
                            let message = format!("names {}, which {message}", member(self.style, name));
                            self.defects.problems.push(Problem { field: "update".to_owned(), message });
                        }
                    }
                }
            }
            None => update.extend((0..of.columns.len()).filter(|index| {
                let name = &of.columns[*index].name;
                !target.contains(index) && may_write(of, &of.policy.update, name, Writing::Update, false).is_ok()
            })),
        }
        // What the policy writes to a new row stays what it was.
        update.retain(|index| !of.policy.create.presets.iter().any(|(name, _)| *name == of.columns[*index].name));
        Ok((Conflict { target, ignores, told, replaces }, update))
    }

    /// What is written to each column: the policy's presets, then the input, then what fills the rest.
    fn assign(&mut self, resource: usize, grant: &Grant, input: &[(String, Slot)], place: &Place) -> Vec<Assignment> {
        let of = self.catalog.at(resource);
        let field = |name: &str| format!("{}{name}", place.path);
        for (name, _) in input {
            if let Err(message) = may_write(of, grant, name, place.writing, place.keyed) {
                self.defects.unknown |= of.column(name).is_none();
                self.defects.problems.push(Problem { field: field(name), message });
            }
        }
        let mut assignments = Vec::with_capacity(of.columns.len());
        for (index, column) in of.columns.iter().enumerate().filter(|(_, column)| column.computed.is_none()) {
            let preset = grant.presets.iter().find(|(name, _)| *name == column.name);
            let given = input.iter().find(|(name, _)| *name == column.name);
            if given.is_some() && may_write(of, grant, &column.name, place.writing, place.keyed).is_err() {
                // Told already.
                continue;
            }
            let source = if place.parent.is_some_and(|(_, foreign)| foreign == index) {
                Source::Parent
            } else if let Some((_, operand)) = preset {
                Source::Preset(operand.clone())
            } else if let Some((_, slot)) = given {
                let path = Arc::clone(&place.path);
                Source::Slot(self.slot(*slot, SlotKind::Input { resource, column: index, path }))
            } else {
                match filled(of, grant, index, place.writing) {
                    Filled::With(source) => source,
                    Filled::Not => continue,
                    Filled::Missing => {
                        let problem = Problem { field: field(&column.name), message: "is required".to_owned() };
                        self.defects.problems.push(problem);
                        continue;
                    }
                }
            };
            assignments.push(Assignment { column: index, source });
        }
        assignments
    }
}

/// Where in an input a row is, and how it is written.
struct Place {
    /// The beginning of its fields' names.
    path: Arc<str>,
    writing: Writing,
    /// The row that it belongs to, and the column that says so.
    parent: Option<(usize, usize)>,
    /// Whether it may name a key that the server gives, for there must be such a row.
    keyed: bool,
}

/// What is written where the values of a row are taken; none where they cannot be, since one of them is made for it.
fn taken(of: &Resource, conflict: &Conflict, update: &[usize], set: &[Assignment]) -> Option<Taken> {
    let source = |index: usize| set.iter().find(|assignment| assignment.column == index).map(|one| &one.source);
    let made = |source: Option<&Source>| matches!(source, None | Some(Source::Null | Source::Fill(Fill::UuidV7)));
    if conflict.target.iter().any(|index| made(source(*index))) {
        return None;
    }
    let must = of.is_counted() && conflict.target == [of.key];
    if conflict.ignores {
        return Some(Taken { set: Vec::new(), must });
    }
    let mut written = Vec::with_capacity(of.columns.len());
    for (index, column) in of.columns.iter().enumerate() {
        let preset = of.policy.update.presets.iter().find(|(name, _)| *name == column.name);
        let source = match (preset, &column.touch) {
            (Some((_, operand)), _) => Source::Preset(operand.clone()),
            (None, Some(touch)) => Source::Touch(touch.clone()),
            (None, None) if update.contains(&index) => match source(index) {
                // What a new row would have been given by default is no reason to change one that is there.
                Some(source @ (Source::Slot(_) | Source::Parent)) => source.clone(),
                _ if conflict.replaces => match filled(of, &of.policy.update, index, Writing::Replace) {
                    Filled::With(source) => source,
                    Filled::Not | Filled::Missing => continue,
                },
                _ => continue,
            },
            (None, None) => continue,
        };
        written.push(Assignment { column: index, source });
    }
    Some(Taken { set: written, must })
}

/// What kind of write fills the columns that the input leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Create,
    Update,
    Replace,
}

enum Filled {
    With(Source),
    /// The column keeps what it has, or gets NULL.
    Not,
    Missing,
}

fn filled(resource: &Resource, grant: &Grant, index: usize, writing: Writing) -> Filled {
    let column = &resource.columns[index];
    match (writing, &column.touch, &column.default) {
        (Writing::Update | Writing::Replace, Some(touch), _) => Filled::With(Source::Touch(touch.clone())),
        (Writing::Update, None, _) => Filled::Not,
        // A replaced row keeps what clients cannot write: its key, its owner, when it was made.
        (Writing::Replace, ..) if may_write(resource, grant, &column.name, writing, false).is_err() => Filled::Not,
        (Writing::Create, _, Some(Fill::Database)) => Filled::Not,
        (_, _, Some(default)) => Filled::With(Source::Fill(default.clone())),
        (Writing::Create, ..) if column.nullable => Filled::Not,
        (Writing::Replace, ..) if column.nullable => Filled::With(Source::Null),
        _ => Filled::Missing,
    }
}

/// Whether an input may name the column, whoever sends it; the error is a sentence without a subject.
fn may_write(resource: &Resource, grant: &Grant, name: &str, writing: Writing, keyed: bool) -> Result<(), String> {
    let Some(index) = resource.column(name) else {
        let near = crate::error::nearest(name, resource.column_names());
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        return Err(format!("is no column of {}{hint}", resource.name));
    };
    let column = &resource.columns[index];
    if column.computed.is_some() {
        return Err("is computed".to_owned());
    }
    if index == resource.key && (writing != Writing::Create || column.scalar != Scalar::Uuid) {
        return if keyed { Ok(()) } else { Err("is the row's key, which the server gives".to_owned()) };
    }
    if !writable(resource, grant, column) { Err("is set by the server".to_owned()) } else { Ok(()) }
}

/// Whether any caller may give the column a value in an action of this grant.
pub(crate) fn writable(resource: &Resource, grant: &Grant, column: &Column) -> bool {
    let closed =
        resource.policy.columns.iter().any(|rule| rule.column == column.name && rule.write == Condition::Never);
    !closed && !grant.presets.iter().any(|(name, _)| *name == column.name)
}

/// Whether a new row may name a key that the server gives, if it says what becomes of the row that is there.
pub(crate) fn merges(resource: &Resource) -> bool {
    resource.is_counted() && resource.policy.update.condition != Condition::Never
}

/// The columns that a new row's input may name.
pub fn create_columns(resource: &Resource) -> impl Iterator<Item = &Column> {
    let grant = &resource.policy.create;
    let may = move |column: &&Column| may_write(resource, grant, &column.name, Writing::Create, false).is_ok();
    resource.columns.iter().filter(may)
}

/// The columns that an update's input may name.
pub fn update_columns(resource: &Resource) -> impl Iterator<Item = &Column> {
    let grant = &resource.policy.update;
    let may = move |column: &&Column| may_write(resource, grant, &column.name, Writing::Update, false).is_ok();
    resource.columns.iter().filter(may)
}

/// The relations by which new rows can be made together with a new row of `resource` that they belong to.
pub fn nested<'c>(catalog: &'c Catalog, resource: &'c Resource) -> impl Iterator<Item = &'c Relation> {
    resource.relations.iter().filter(move |relation| nests(catalog, resource, relation))
}

fn nests(catalog: &Catalog, resource: &Resource, relation: &Relation) -> bool {
    let target = catalog.at(relation.target);
    relation.cardinality == Cardinality::Many
        && relation.local == resource.key
        && relation.foreign != target.key
        && target.policy.create.condition != Condition::Never
        && writable(target, &target.policy.create, &target.columns[relation.foreign])
}
