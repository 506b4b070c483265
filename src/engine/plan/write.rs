//! What a write puts into which column: the policy's presets, the client's input, and what fills the rest.
//!
//! In: the [`Action`] of a request. Out: a [`QueryAction`] whose columns are known to be for clients to write.

use super::Planner;
use crate::{
    catalog::{
        Column, Fill, Resource,
        policy::{Condition, Grant},
        scalar::Scalar,
    },
    engine::{
        query::{Assignment, QueryAction, SlotKind, Source},
        request::{Action, Slot},
    },
    error::{Error, Problem, Result},
};

impl Planner<'_> {
    pub(super) fn action(&mut self, resource: usize, action: &Action) -> Result<QueryAction> {
        let of = self.catalog.at(resource);
        Ok(match action {
            Action::List(_) | Action::Get(_) => QueryAction::Read,
            Action::Create(input) => {
                QueryAction::Create(self.assign(resource, &of.policy.create, input, Writing::Create)?)
            }
            Action::Update(key, input) => {
                let set = self.assign(resource, &of.policy.update, input, Writing::Update)?;
                QueryAction::Update(self.key(resource, *key), set)
            }
            Action::Replace(key, input) => {
                let set = self.assign(resource, &of.policy.update, input, Writing::Replace)?;
                QueryAction::Update(self.key(resource, *key), set)
            }
            Action::Delete(key) => QueryAction::Delete(self.key(resource, *key)),
        })
    }

    /// What is written to each column: the policy's presets, then the input, then what fills the rest.
    fn assign(
        &mut self,
        resource: usize,
        grant: &Grant,
        input: &[(String, Slot)],
        writing: Writing,
    ) -> Result<Vec<Assignment>> {
        let of = self.catalog.at(resource);
        let mut problems = Vec::new();
        for (name, _) in input {
            if let Err(message) = may_write(of, grant, name, writing) {
                problems.push(Problem { field: name.clone(), message });
            }
        }
        let unknown = input.iter().any(|(name, _)| of.column(name).is_none());
        let mut assignments = Vec::with_capacity(of.columns.len());
        for (index, column) in of.columns.iter().enumerate().filter(|(_, column)| column.computed.is_none()) {
            let preset = grant.presets.iter().find(|(name, _)| *name == column.name);
            let given = input.iter().find(|(name, _)| *name == column.name);
            let source = if let Some((_, operand)) = preset {
                Source::Preset(operand.clone())
            } else if let Some((_, slot)) = given {
                Source::Slot(self.slot(*slot, SlotKind::Input { resource, column: index }))
            } else {
                match filled(of, grant, index, writing) {
                    Filled::With(source) => source,
                    Filled::Not => continue,
                    Filled::Missing => {
                        problems.push(Problem { field: column.name.clone(), message: "is required".to_owned() });
                        continue;
                    }
                }
            };
            assignments.push(Assignment { column: index, source });
        }
        if problems.is_empty() {
            return Ok(assignments);
        }
        let error = Error::invalid(problems);
        Err(if unknown { error.code("PGRST204") } else { error })
    }
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
        (Writing::Update | Writing::Replace, Some(touch), _) => Filled::With(Source::Fill(touch.clone())),
        (Writing::Update, None, _) => Filled::Not,
        // A replaced row keeps what clients cannot write: its key, its owner, when it was made.
        (Writing::Replace, ..) if may_write(resource, grant, &column.name, writing).is_err() => Filled::Not,
        (Writing::Create, _, Some(Fill::Database)) => Filled::Not,
        (_, _, Some(default)) => Filled::With(Source::Fill(default.clone())),
        (Writing::Create, ..) if column.nullable => Filled::Not,
        (Writing::Replace, ..) if column.nullable => Filled::With(Source::Null),
        _ => Filled::Missing,
    }
}

/// Whether an input may name the column, whoever sends it; the error is a sentence without a subject.
fn may_write(resource: &Resource, grant: &Grant, name: &str, writing: Writing) -> Result<(), String> {
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
        return Err("is the row's key, which the server gives".to_owned());
    }
    if !writable(resource, grant, column) { Err("is set by the server".to_owned()) } else { Ok(()) }
}

/// Whether any caller may give the column a value in an action of this grant.
pub(crate) fn writable(resource: &Resource, grant: &Grant, column: &Column) -> bool {
    let closed =
        resource.policy.columns.iter().any(|rule| rule.column == column.name && rule.write == Condition::Never);
    !closed && !grant.presets.iter().any(|(name, _)| *name == column.name)
}

/// The columns that a new row's input may name.
pub fn create_columns(resource: &Resource) -> impl Iterator<Item = &Column> {
    let grant = &resource.policy.create;
    resource.columns.iter().filter(move |column| may_write(resource, grant, &column.name, Writing::Create).is_ok())
}

/// The columns that an update's input may name.
pub fn update_columns(resource: &Resource) -> impl Iterator<Item = &Column> {
    let grant = &resource.policy.update;
    resource.columns.iter().filter(move |column| may_write(resource, grant, &column.name, Writing::Update).is_ok())
}
