//! The one place where policies are applied: every node of a query gets the condition under which its rows exist for
//! the caller, and a write gets the condition under which it may happen.
//!
//! In: a [`Query`] and who asks. Out: [`Authorized`], which nothing else can make and `compile` alone accepts. The
//! caller's claims stay placeholders, so that one authorized query serves every caller of a role.

use super::{
    principal::Principal,
    query::{KeySource, Predicate, Query, QueryAction, Read, Selection, Source},
};
use crate::{
    catalog::{
        Catalog, Resource,
        policy::{Claim, Condition, Operand},
    },
    error::{Error, Result},
};

/// A value for which the policies were asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized<T> {
    value: T,
    /// For a write: the rows that it may touch.
    pub(super) permitted: Predicate,
    /// For a write: what must hold of the row afterwards, if the write could have changed that.
    pub(super) check: Predicate,
}

impl<T> std::ops::Deref for Authorized<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Authorized<Query> {
    /// The rows that the write may touch; every row, where it is none.
    pub const fn permitted(&self) -> &Predicate {
        &self.permitted
    }
}

/// As whom a policy is solved: what of a principal decides beside its claims' values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Who {
    /// The caller's role.
    pub role: String,
    /// Whether it has a subject.
    pub authenticated: bool,
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        Self { role: principal.role().to_owned(), authenticated: !principal.is_anonymous() }
    }
}

/// Applies the policies of every resource that `query` touches.
///
/// # Errors
/// `Unauthenticated` where an anonymous caller asks for what needs a principal, `Forbidden` where the caller's role
/// may never do it.
pub fn authorize(catalog: &Catalog, mut query: Query, who: &Who) -> Result<Authorized<Query>> {
    let resource = catalog.at(query.resource);
    let permitted = grant(resource, &query.action, who)?;
    let check = match &query.action {
        QueryAction::Read | QueryAction::Delete(_) => Predicate::Constant(true),
        QueryAction::Create(_) => permitted.clone(),
        // What the update does not write, it cannot make untrue.
        QueryAction::Update(_, set) => {
            let written = set.iter().any(|assignment| mentions(&permitted, assignment.column));
            if written { permitted.clone() } else { Predicate::Constant(true) }
        }
    };
    reads(catalog, &mut query.read, who);
    // `me` and `node` answer null where others are told why.
    let lenient = query.read.key == Some(KeySource::Caller)
        || query.slots.iter().any(|slot| matches!(slot, super::query::SlotKind::Key { node: true, .. }));
    if query.read.visible == Predicate::Constant(false) && !lenient {
        return Err(denied(who, "read", resource));
    }
    Ok(Authorized { value: query, permitted, check })
}

fn denied(who: &Who, action: &str, resource: &Resource) -> Error {
    if who.authenticated {
        Error::forbidden(format!("The role \"{}\" may not {action} {}", who.role, resource.name))
    } else {
        Error::unauthenticated(format!("Sign in to {action} {}", resource.name))
            .hint("Send a token: Authorization: Bearer …")
    }
}

/// The rows that the write may touch.
fn grant(resource: &Resource, action: &QueryAction, who: &Who) -> Result<Predicate> {
    let (name, grant, set) = match action {
        QueryAction::Read => return Ok(Predicate::Constant(true)),
        QueryAction::Create(set) => ("create", &resource.policy.create, set.as_slice()),
        QueryAction::Update(_, set) => ("update", &resource.policy.update, set.as_slice()),
        QueryAction::Delete(_) => ("delete", &resource.policy.delete, [].as_slice()),
    };
    let permitted = solve(resource, &grant.condition, who);
    if permitted == Predicate::Constant(false) {
        return Err(denied(who, name, resource));
    }
    for assignment in set.iter().filter(|assignment| matches!(assignment.source, Source::Slot(_))) {
        let column = &resource.columns[assignment.column];
        for rule in resource.policy.columns.iter().filter(|rule| rule.column == column.name) {
            if solve(resource, &rule.write, who) != Predicate::Constant(true) {
                let message = format!("The role \"{}\" may not set {}.{}", who.role, resource.name, column.name);
                return Err(Error::forbidden(message).field(column.name.clone()));
            }
        }
    }
    Ok(permitted)
}

/// Gives every node the condition under which its rows exist for the caller.
fn reads(catalog: &Catalog, read: &mut Read, who: &Who) {
    let resource = catalog.at(read.resource);
    read.visible = solve(resource, &resource.policy.read, who);
    for selection in &mut read.select {
        if let Selection::One { read, .. } | Selection::Many { read, .. } = selection {
            reads(catalog, read, who);
        }
    }
}

/// Solves a condition: what is known of the caller is decided, what needs the row is left.
pub(crate) fn solve(resource: &Resource, condition: &Condition, who: &Who) -> Predicate {
    let all = |conditions: &[Condition]| conditions.iter().map(|one| solve(resource, one, who)).collect::<Vec<_>>();
    match condition {
        Condition::Always => Predicate::Constant(true),
        Condition::Never => Predicate::Constant(false),
        Condition::Authenticated => Predicate::Constant(who.authenticated),
        Condition::Role(role) => Predicate::Constant(who.authenticated && who.role == *role),
        Condition::Equals { operand: Operand::Claim(Claim::Sub), .. } if !who.authenticated => {
            Predicate::Constant(false)
        }
        Condition::Equals { column, operand } => match resource.column(column) {
            Some(column) => Predicate::Equals { column, operand: operand.clone() },
            // A policy over a hidden column: nothing can be said of it here, so nothing is allowed.
            None => Predicate::Constant(false),
        },
        Condition::And(conditions) => {
            all(conditions).into_iter().fold(Predicate::Constant(true), |sum, one| sum.and(one))
        }
        Condition::Or(conditions) => {
            let mut open = Vec::new();
            for one in all(conditions) {
                match one {
                    Predicate::Constant(true) => return Predicate::Constant(true),
                    Predicate::Constant(false) => {}
                    other => open.push(other),
                }
            }
            match open.len() {
                0 => Predicate::Constant(false),
                1 => open.remove(0),
                _ => Predicate::Or(open),
            }
        }
        Condition::Not(condition) => match solve(resource, condition, who) {
            Predicate::Constant(constant) => Predicate::Constant(!constant),
            other => Predicate::Not(Box::new(other)),
        },
    }
}

fn mentions(predicate: &Predicate, wanted: usize) -> bool {
    match predicate {
        Predicate::Constant(_) => false,
        Predicate::And(all) | Predicate::Or(all) => all.iter().any(|one| mentions(one, wanted)),
        Predicate::Not(one) => mentions(one, wanted),
        Predicate::Compare { column, .. }
        | Predicate::Equals { column, .. }
        | Predicate::IsNull { column, .. }
        | Predicate::Json { column, .. } => *column == wanted,
    }
}
