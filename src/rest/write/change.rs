//! PATCH and DELETE of a collection: of all rows that match, as PostgREST answers.

use super::{Asking, Told, Write, slots, status_of};
use crate::{
    catalog::Resource,
    engine::{
        render::Answer,
        request::{Action, Envelope, Filter, Target},
    },
    error::{Error, Kind, Result},
    rest::{
        body::{self, Rows},
        etag::Condition,
        handler::Call,
        prefer::Preferences,
        query::conjunction,
    },
};
use axum::{
    http::{Method, header},
    response::Response,
};

/// PATCH and DELETE of the rows that match. Without a filter, the client must say how many they may be.
pub(in super::super) async fn change(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    let deletes = call.method == Method::DELETE;
    let grant = if deletes { &resource.policy.delete } else { &resource.policy.update };
    let write = Write::of(&call, &[grant], false)?;
    write.unpaged()?;
    if write.asked.groups.is_some() {
        return Err(Error::bad_request("A write tells of its rows, and not what they come to together")
            .hint("select takes no aggregates here"));
    }
    let meaningless: &[&str] = if deletes { &["columns", "on_conflict"] } else { &["on_conflict"] };
    if let Some(name) = write.asked.names.iter().find(|name| meaningless.contains(&name.as_str())) {
        return Err(Error::bad_request(format!("\"{name}\" means nothing to {}", call.method)));
    }
    let bound = write.preferences.bound();
    if bound.is_none() && write.asked.filter.as_ref().is_none_or(|filter| constant(filter) == Some(true)) {
        let verb = if deletes { "DELETE" } else { "UPDATE" };
        return Err(Error::bad_request(format!("{verb} requires a WHERE clause")).code("21000").hint(format!(
            "Say which rows are meant: /{0}?{1}=eq.{{{1}}}; or how many they may be: Prefer: handling=strict, \
             max-affected=N",
            resource.name,
            resource.key_column().name
        )));
    }
    if Condition::of(&call.headers)?.is_some() {
        return Err(stateless(resource));
    }
    let mut arguments = write.asked.arguments.clone();
    let row = if deletes {
        None
    } else {
        Some(match body::rows(&call.headers, write.bytes()?, write.named()?.as_ref())? {
            Rows::Many(rows) if rows.is_empty() => Vec::new(),
            rows => rows.only()?,
        })
    };
    let mut filters: Vec<_> = write.asked.filter.iter().chain(&write.asked.inner).cloned().collect();
    if row.as_ref().is_some_and(Vec::is_empty) {
        // Where nothing is to be written, nothing is: no row is touched.
        filters.push(Filter::Or(Vec::new()));
    }
    let filter = (!filters.is_empty()).then(|| conjunction(filters));
    let represents = write.represents();
    let order = if represents { write.asked.order.clone() } else { Vec::new() };
    let target = Target::Matching { filter, order, at_most: bound.unwrap_or(u64::MAX) };
    let action = match row {
        None => Action::Delete(target),
        Some(row) => Action::Update(target, slots(row, &mut arguments)),
    };
    let select = if represents { write.asked.select.clone() } else { Vec::new() };
    let question = write.question(action, select, Envelope::Array, false);
    write.run(Asking::new(&question, &arguments), |answer| changed(&write, answer, deletes)).await
}

/// What is told of rows that were changed or deleted.
fn changed(write: &Write<'_>, mut answer: Answer, deletes: bool) -> Result<Told> {
    let (rows, count) = (answer.rows, write.preferences.count);
    let status = status_of(write.represents());
    let mut told = if write.represents() { write.rows(status, &mut answer, true)? } else { Told::bare(status) };
    let total = count.map_or_else(|| "*".to_owned(), |_| rows.to_string());
    let range = match rows.checked_sub(1) {
        Some(last) if !deletes => format!("0-{last}/{total}"),
        _ => format!("*/{total}"),
    };
    told.set(header::CONTENT_RANGE, range);
    let Preferences { missing, max_affected, .. } = write.preferences;
    let missing = missing.filter(|_| !deletes && write.asked.columns.is_some());
    write.apply(&mut told, Preferences { missing, count, max_affected, ..Preferences::default() });
    Ok(told)
}

/// What a condition says of every row, where that is the same of all: one of any of a list that is empty holds of none.
fn constant(filter: &Filter) -> Option<bool> {
    let of = |all: &[Filter], by: bool| {
        let each: Vec<_> = all.iter().map(constant).collect();
        if each.contains(&Some(by)) { Some(by) } else { (!each.contains(&None)).then_some(!by) }
    };
    match filter {
        Filter::And(all) => of(all, false),
        Filter::Or(any) => of(any, true),
        Filter::Not(one) => constant(one).map(|held| !held),
        _ => None,
    }
}

/// A state is one row's.
pub(super) fn stateless(resource: &Resource) -> Error {
    let (name, key) = (&resource.name, &resource.key_column().name);
    Error::new(Kind::PreconditionFailed, "The rows are in no state that a tag could tell")
        .hint(format!("A row has one: If-Match and If-None-Match are for /{name}/{{{key}}}"))
}
