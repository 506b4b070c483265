//! The one place where policies are applied: a query gets, for every resource there is, the condition under which its
//! rows exist for the caller, and a write gets the condition under which it may happen.
//!
//! In: a [`Query`] and who asks. Out: [`Authorized`], which nothing else can make and `compile` alone accepts. `compile`
//! has one way to name a table, and it takes the condition from here: whether the rows are told, counted, compared with
//! or ordered by. The caller's claims stay placeholders, so that one authorized query serves every caller of a role.

use super::{
    principal::Principal,
    query::{Assignment, Insert, KeySource, Predicate, Query, QueryAction, Read, Source},
    request::Count,
};
use crate::{
    catalog::{
        Catalog, Operator, Resource,
        policy::{Claim, Condition, Grant, Mask, Operand},
    },
    error::{Error, Result},
};

/// A value for which the policies were asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized<T> {
    value: T,
    /// What exists for the caller, by the index of the resource.
    pub(super) access: Vec<Access>,
    /// For a write: the rows that it may touch.
    pub(super) permitted: Predicate,
    /// For a write: what must hold of the row afterwards, if the write could have changed that.
    pub(super) check: Predicate,
    /// For new rows that may meet rows with the same values: what holds of writing to those.
    pub(super) merging: Merging,
    /// For new rows that belong to new rows: what must hold of those of each resource.
    pub(super) nested: Vec<(usize, Predicate)>,
    /// For a write: how many rows it may touch.
    pub(super) cap: Option<u64>,
}

/// What holds of a new row's values that are written to the row that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Merging {
    /// The rows that may be written to.
    pub(super) permitted: Predicate,
    /// What must hold of the row afterwards.
    pub(super) check: Predicate,
    /// How many they may be.
    pub(super) cap: Option<u64>,
}

impl<T> std::ops::Deref for Authorized<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Authorized<Query> {
    /// The rows that exist for the caller.
    pub fn visible(&self) -> &Predicate {
        &self.access[self.value.resource].visible
    }

    /// The rows that the write may touch; every row, where it is none.
    pub const fn permitted(&self) -> &Predicate {
        &self.permitted
    }
}

/// What of a resource exists for a caller.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Access {
    /// Which rows.
    pub(super) visible: Predicate,
    /// In which rows a column has its value, where that is not all of them; it is NULL in the others.
    pub(super) masks: Vec<(usize, Predicate)>,
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
    let written = Written::of(catalog, &query, who)?;
    keep_unwritable(catalog, &mut query, who);
    let access: Vec<_> = catalog.resources().iter().map(|resource| access(catalog, resource, who)).collect();
    // `me` and `node` answer null where others are told why.
    let lenient = query.read.key == Some(KeySource::Caller)
        || query.slots.iter().any(|slot| matches!(slot, super::query::SlotKind::Key { node: true, .. }));
    if access[query.resource].visible == Predicate::Constant(false) && !lenient {
        return Err(denied(who, "read", resource));
    }
    if let Some(count) = &mut query.form.counted
        && !is_open(&access[query.resource], &query.read)
    {
        *count = Count::Exact;
    }
    let Written { permitted, check, merging, nested, cap } = written;
    Ok(Authorized { value: query, access, permitted, check, merging, nested, cap })
}

/// Whether all that a list is counted by exists for the caller. The planner's statistics are of all rows: of others, what
/// it expects would tell how often a value is theirs.
fn is_open(access: &Access, read: &Read) -> bool {
    access.visible == Predicate::Constant(true)
        && access.masks.is_empty()
        && !read.filter.as_ref().is_some_and(Predicate::leads_away)
        && !read.summaries.iter().flat_map(|summary| &summary.keys).any(|key| key.kind.leads_away())
}

fn denied(who: &Who, action: &str, resource: &Resource) -> Error {
    if who.authenticated {
        Error::forbidden(format!("The role \"{}\" may not {action} {}", who.role, resource.name))
    } else {
        Error::unauthenticated(format!("Sign in to {action} {}", resource.name))
            .hint("Send a token: Authorization: Bearer …")
    }
}

/// What the policies say of a write.
struct Written {
    permitted: Predicate,
    check: Predicate,
    merging: Merging,
    nested: Vec<(usize, Predicate)>,
    cap: Option<u64>,
}

impl Written {
    fn of(catalog: &Catalog, query: &Query, who: &Who) -> Result<Self> {
        let resource = catalog.at(query.resource);
        let policy = &resource.policy;
        let always = || Predicate::Constant(true);
        let none = || Merging { permitted: always(), check: always(), cap: None };
        let plain = |permitted, check, cap| Self { permitted, check, merging: none(), nested: Vec::new(), cap };
        Ok(match &query.action {
            QueryAction::Read => plain(always(), always(), None),
            QueryAction::Create(insert) => return Self::insert(catalog, query.resource, insert, who),
            QueryAction::Update(_, set) => {
                let permitted = permitted(catalog, resource, "update", &policy.update, who)?;
                columns(catalog, resource, set, who)?;
                let check = check_of_update(catalog, resource, &permitted, set, who);
                plain(seen(catalog, resource, permitted, who), check, policy.update.cap)
            }
            QueryAction::Delete(_) => {
                let permitted = permitted(catalog, resource, "delete", &policy.delete, who)?;
                plain(seen(catalog, resource, permitted, who), always(), policy.delete.cap)
            }
        })
    }

    fn insert(catalog: &Catalog, root: usize, insert: &Insert, who: &Who) -> Result<Self> {
        let resource = catalog.at(root);
        let granted = permitted(catalog, resource, "create", &resource.policy.create, who)?;
        let check = check_of_create(catalog, resource, &granted, who);
        let always = || Predicate::Constant(true);
        let mut merging = Merging { permitted: always(), check: always(), cap: None };
        if insert.conflict.as_ref().is_some_and(|conflict| !conflict.ignores) {
            // Whether the caller may write to the row that is there is asked when there is one.
            let permitted = solve(catalog, resource, &resource.policy.update.condition, who);
            merging.cap = resource.policy.update.cap;
            for (row, taken) in insert.rows.iter().filter_map(|row| Some((row, row.taken.as_ref()?))) {
                columns(catalog, resource, &taken.set, who).map_err(|error| error.within(&row.path))?;
                if merging.check == Predicate::Constant(true) {
                    merging.check = check_of_update(catalog, resource, &permitted, &taken.set, who);
                }
            }
            merging.permitted = seen(catalog, resource, permitted, who);
        }
        let mut nested: Vec<(usize, Predicate)> = Vec::new();
        for row in &insert.rows {
            let of = catalog.at(row.resource);
            columns(catalog, of, &row.set, who).map_err(|error| error.within(&row.path))?;
            if row.resource != root && !nested.iter().any(|(other, _)| *other == row.resource) {
                let granted = permitted(catalog, of, "create", &of.policy.create, who)?;
                nested.push((row.resource, check_of_create(catalog, of, &granted, who)));
            }
        }
        for index in std::iter::once(root).chain(nested.iter().map(|(index, _)| *index)) {
            let of = catalog.at(index);
            if let Some(cap) = of.policy.create.cap.filter(|cap| insert.of(index) as u64 > *cap) {
                return Err(capped(&of.name, cap));
            }
        }
        Ok(Self { permitted: granted, check, merging, nested, cap: resource.policy.create.cap })
    }
}

/// A write of more rows than the policy lets one write have.
pub(super) fn capped(resource: &str, cap: u64) -> Error {
    Error::forbidden(format!("No more than {cap} rows of {resource} may be written at once"))
        .hint("Write fewer at a time")
}

/// The rows that a write may touch.
fn permitted(catalog: &Catalog, resource: &Resource, action: &str, grant: &Grant, who: &Who) -> Result<Predicate> {
    let permitted = solve(catalog, resource, &grant.condition, who);
    if permitted == Predicate::Constant(false) {
        return Err(denied(who, action, resource));
    }
    Ok(permitted)
}

/// Of the rows that a write may touch, those that exist for the caller.
fn seen(catalog: &Catalog, resource: &Resource, permitted: Predicate, who: &Who) -> Predicate {
    match solve(catalog, resource, &resource.policy.read, who) {
        visible if visible == permitted => permitted,
        Predicate::Or(any) if any.contains(&permitted) => permitted,
        visible => visible.and(permitted),
    }
}

/// Refuses columns that the caller may not give a value.
fn columns(catalog: &Catalog, resource: &Resource, set: &[Assignment], who: &Who) -> Result<()> {
    // A row that is made below another is given the column by where the client has put it.
    for assignment in set.iter().filter(|assignment| matches!(assignment.source, Source::Slot(_) | Source::Parent)) {
        let column = &resource.columns[assignment.column];
        for rule in resource.policy.columns.iter().filter(|rule| rule.column == column.name) {
            if solve(catalog, resource, &rule.write, who) != Predicate::Constant(true) {
                let message = format!("The role \"{}\" may not set {}.{}", who.role, resource.name, column.name);
                return Err(Error::forbidden(message).field(column.name.clone()));
            }
        }
    }
    Ok(())
}

/// A replaced row keeps what its writer may not give a value: a replacement says nothing of such a column.
fn keep_unwritable(catalog: &Catalog, query: &mut Query, who: &Who) {
    let resource = catalog.at(query.resource);
    let open = |column: usize| {
        let name = &resource.columns[column].name;
        let mut rules = resource.policy.columns.iter().filter(|rule| rule.column == *name);
        rules.all(|rule| solve(catalog, resource, &rule.write, who) == Predicate::Constant(true))
    };
    let keep = |set: &mut Vec<Assignment>| {
        set.retain(|one| !matches!(one.source, Source::Null | Source::Fill(_)) || open(one.column));
    };
    match &mut query.action {
        QueryAction::Update(_, set) => keep(set),
        QueryAction::Create(insert) => {
            insert.rows.iter_mut().filter_map(|row| row.taken.as_mut()).for_each(|taken| keep(&mut taken.set));
        }
        QueryAction::Read | QueryAction::Delete(_) => {}
    }
}

/// What must hold of a new row.
fn check_of_create(catalog: &Catalog, resource: &Resource, permitted: &Predicate, who: &Who) -> Predicate {
    let check = resource.policy.create.check.as_ref().map(|check| solve(catalog, resource, check, who));
    permitted.clone().and(check.unwrap_or(Predicate::Constant(true)))
}

/// What must hold of a row after an update. What it does not write, it cannot make untrue.
fn check_of_update(
    catalog: &Catalog,
    resource: &Resource,
    permitted: &Predicate,
    set: &[Assignment],
    who: &Who,
) -> Predicate {
    match &resource.policy.update.check {
        Some(check) => solve(catalog, resource, check, who),
        None if set.iter().any(|one| mentions(resource, permitted, one.column)) => permitted.clone(),
        None => Predicate::Constant(true),
    }
}

fn access(catalog: &Catalog, resource: &Resource, who: &Who) -> Access {
    let mask = |mask: &Mask| match (resource.column(&mask.column), solve(catalog, resource, &mask.read, who)) {
        (None, _) | (_, Predicate::Constant(true)) => None,
        (Some(column), shown) => Some((column, shown)),
    };
    Access {
        visible: solve(catalog, resource, &resource.policy.read, who),
        masks: resource.policy.masks.iter().filter_map(mask).collect(),
    }
}

/// Whether a condition holds for a caller whatever the row; none if that depends on the row.
pub(crate) fn decided(condition: &Condition, who: &Who) -> Option<bool> {
    let each = |all: &[Condition]| all.iter().map(|one| decided(one, who)).collect::<Vec<_>>();
    let of = |all: Vec<Option<bool>>, by: bool| {
        if all.contains(&Some(by)) { Some(by) } else { (!all.contains(&None)).then_some(!by) }
    };
    match condition {
        Condition::Always => Some(true),
        Condition::Never => Some(false),
        Condition::Authenticated => Some(who.authenticated),
        Condition::Role(role) => Some(who.authenticated && who.role == *role),
        Condition::Compare { operand: Operand::Claim(Claim::Sub), .. } if !who.authenticated => Some(false),
        Condition::Compare { .. } | Condition::IsNull { .. } => None,
        Condition::Related { condition, .. } => decided(condition, who).filter(|held| !held),
        Condition::And(all) => of(each(all), false),
        Condition::Or(all) => of(each(all), true),
        Condition::Not(one) => decided(one, who).map(|held| !held),
    }
}

/// Solves a condition: what is known of the caller is decided, what needs the row is left.
fn solve(catalog: &Catalog, resource: &Resource, condition: &Condition, who: &Who) -> Predicate {
    let all =
        |conditions: &[Condition]| conditions.iter().map(|one| solve(catalog, resource, one, who)).collect::<Vec<_>>();
    match condition {
        Condition::Always => Predicate::Constant(true),
        Condition::Never => Predicate::Constant(false),
        Condition::Authenticated => Predicate::Constant(who.authenticated),
        Condition::Role(role) => Predicate::Constant(who.authenticated && who.role == *role),
        Condition::Compare { operand: Operand::Claim(Claim::Sub), .. } if !who.authenticated => {
            Predicate::Constant(false)
        }
        Condition::Compare { column, operator, operand } => {
            policy(resource, column, Some((*operator, operand.clone())))
        }
        Condition::IsNull { column } => policy(resource, column, None),
        Condition::Related { relation, condition } => {
            let found = resource.relations.iter().position(|other| other.name == *relation);
            let Some(index) = found else { return Predicate::Constant(false) };
            let target = catalog.at(resource.relations[index].target);
            match solve(catalog, target, condition, who) {
                Predicate::Constant(false) => Predicate::Constant(false),
                predicate => Predicate::PolicyRelated { relation: index, predicate: Box::new(predicate) },
            }
        }
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
        Condition::Not(condition) => match solve(catalog, resource, condition, who) {
            Predicate::Constant(constant) => Predicate::Constant(!constant),
            other => Predicate::Not(Box::new(other)),
        },
    }
}

/// A condition on a column. The catalogue is built of policies that name what there is; of another, nothing is allowed.
fn policy(resource: &Resource, column: &str, comparison: Option<(Operator, Operand)>) -> Predicate {
    match resource.column(column) {
        Some(column) => Predicate::Policy { column, comparison },
        None => Predicate::Constant(false),
    }
}

/// Whether a write to the column `wanted` can change what a policy's condition says of the row.
fn mentions(resource: &Resource, predicate: &Predicate, wanted: usize) -> bool {
    match predicate {
        Predicate::Constant(_) => false,
        Predicate::And(all) | Predicate::Or(all) => all.iter().any(|one| mentions(resource, one, wanted)),
        Predicate::Not(one) => mentions(resource, one, wanted),
        // What is computed may be computed of any column.
        Predicate::Policy { column, .. } => *column == wanted || resource.columns[*column].computed.is_some(),
        // A row of the same table may be the one that is written.
        Predicate::PolicyRelated { .. } => true,
        // A client's conditions are in no policy.
        Predicate::Compare { .. } | Predicate::IsNull { .. } | Predicate::Related { .. } => true,
    }
}
