//! New rows: POST of one or of several, and PUT of one that may be there.

use super::{Asking, Told, Write, other_key, same_key, slots};
use crate::{
    catalog::scalar::Input,
    engine::{
        bind::Argument,
        ending::Judge,
        render::Answer,
        request::{Action, Conflict, Create, Envelope, NewRow, OnTaken},
    },
    error::{Error, Kind, Result},
    rest::{
        body::{self, Rows},
        etag::{self, Condition},
        handler::{Call, method_not_allowed},
        headers::ENCODED,
        idempotency,
        prefer::{Preferences, Resolution, Return},
    },
};
use axum::{
    http::{StatusCode, header},
    response::Response,
};
use percent_encoding::utf8_percent_encode;

/// POST: one row as the object that it is, or several as PostgREST answers.
pub(in super::super) async fn create(call: Call) -> Result<Response> {
    let policy = &call.resource()?.policy;
    let write = Write::of(&call, &[&policy.create], false)?;
    let words = ["select", "order", "limit", "offset", "columns", "on_conflict"];
    write.asked.only(&words, "the rows are in the body")?;
    let cut = write.cut()?;
    write.asked.of_each()?;
    let key = idempotency::key(&call.headers)?;
    let body = body::rows(&call.headers, write.bytes()?, write.named()?.as_ref())?;
    let many = matches!(body, Rows::Many(_));
    let rows = match body {
        Rows::One(row) => vec![row],
        Rows::Many(rows) => rows,
    };
    let Preferences { returned, resolution, .. } = write.preferences;
    let most = call.rest.bounds.max_page;
    if many && write.represents() && rows.len() as u64 > most {
        let message = format!("An answer has at most {most} rows, and {} are sent", rows.len());
        return Err(
            Error::new(Kind::CostLimit, message).hint("Send them in several requests, or with Prefer: return=minimal")
        );
    }
    let mut arguments = write.asked.arguments.clone();
    let rows = rows.into_iter().map(|row| NewRow::from(slots(row, &mut arguments))).collect();
    let conflict = resolution.map(|resolution| Conflict {
        target: write.asked.on_conflict.clone(),
        action: match resolution {
            Resolution::Merge => OnTaken::Update(None),
            Resolution::Ignore => OnTaken::Ignore { told: false },
        },
    });
    let tells = write.represents() || (returned.is_none() && !many);
    let (select, order) =
        if tells { (write.asked.select.clone(), write.asked.order.clone()) } else { (Vec::new(), Vec::new()) };
    // A part of what is told is one of a list, be it of one row.
    let listed = many || cut.is_some();
    let action = Action::Create(Create { rows, many: listed, conflict, order });
    let envelope = if listed { Envelope::Array } else { Envelope::Object };
    let mut question = write.question(action, select, envelope, !listed);
    question.form.cut = cut;
    let asking = Asking { key, ..Asking::new(&question, &arguments) };
    write.run(asking, |answer| made(&write, answer, many, listed)).await
}

/// What is told of new rows: of `many`, if the body is an array, and as a list, if the answer is `listed`.
fn made(write: &Write<'_>, mut answer: Answer, many: bool, listed: bool) -> Result<Told> {
    let Preferences { returned, resolution, missing, count, .. } = write.preferences;
    let merged = resolution == Some(Resolution::Merge) && answer.added == 0;
    let status = if merged { StatusCode::OK } else { StatusCode::CREATED };
    let (key, tag, rows) = (answer.key.take(), answer.tag.take(), answer.touched);
    let is_object = returned.is_none() && !many && rows > 0;
    let mut told = if is_object {
        write.object(status, &mut answer)
    } else if write.represents() {
        write.rows(status, &mut answer, listed)?
    } else {
        // A row that is not told of, since there was one, is no object.
        Told::bare(status)
    };
    let name = &write.resource.name;
    let key = key.map(|key| utf8_percent_encode(&key, ENCODED).to_string());
    match (key, returned) {
        (Some(key), Some(Return::HeadersOnly)) => {
            told.set(header::LOCATION, format!("/{name}?{}=eq.{key}", write.resource.key_column().name));
        }
        (Some(key), None | Some(Return::Representation)) if !many && !merged => {
            told.set(header::LOCATION, format!("/{name}/{key}"));
        }
        _ => {}
    }
    if let Some(tag) = tag {
        told.set(header::ETAG, if is_object { etag::of(&tag, &told.body) } else { etag::state(&tag) });
    }
    told.set(header::CONTENT_RANGE, count.map_or_else(|| "*/*".to_owned(), |_| format!("*/{rows}")));
    let missing = missing.filter(|_| write.asked.columns.is_some());
    write.apply(&mut told, Preferences { resolution, missing, count, ..Preferences::default() });
    Ok(told)
}

/// PUT of a collection: the one row with a key is there afterwards, and is what the body says.
pub(in super::super) async fn put(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    let policy = &resource.policy;
    let write = Write::of(&call, &[&policy.create, &policy.update], false)?;
    if write.is_paged() {
        return Err(Error::bad_request("limit/offset querystring parameters are not allowed for PUT").code("PGRST114"));
    }
    let Some(slot) = write.asked.key(resource) else {
        let name = &resource.key_column().name;
        let mut error = method_not_allowed(resource, &call.method, false).code("PGRST105");
        "Filters must include all and only primary key columns with 'eq' operators".clone_into(&mut error.message);
        return Err(error.hint(format!("/{}?{name}=eq.{{{name}}}", resource.name)));
    };
    let name = resource.key_column().name.as_str();
    write.asked.only(&[name, "select", "order", "columns"], "the row is named by its key")?;
    write.asked.of_each()?;
    let mut row = match body::rows(&call.headers, write.bytes()?, write.named()?.as_ref())? {
        Rows::One(row) => row,
        // Of several, PostgREST takes the first.
        Rows::Many(rows) => rows.into_iter().next().ok_or_else(|| other_key().details("The body has no row"))?,
    };
    let mut arguments = write.asked.arguments.clone();
    let key = arguments.get(slot).cloned().unwrap_or(Argument::Null);
    if let Err(message) = resource.key_column().scalar.parse(&Input::Text(key.text().unwrap_or_default())) {
        return Err(Error::bad_value(format!("A value for \"{name}\" {message}")).field(name));
    }
    same_key(resource, &key, &mut row)?;
    row.push((resource.key_column().name.clone(), key));
    let row = NewRow::from(slots(row, &mut arguments));
    let conflict = Some(Conflict { target: None, action: OnTaken::Replace });
    let action = Action::Create(Create { conflict, ..Create::from(row) });
    let select = if write.represents() { write.asked.select.clone() } else { Vec::new() };
    let question = write.question(action, select, Envelope::Object, true);
    let condition = Condition::of(&call.headers)?;
    let accept = |answer: &Answer| match &condition {
        // Of a row that was there, it is too late to say in which state.
        Some(condition) if answer.added == 0 || !condition.is_for_none() => Err(super::change::stateless(resource)),
        _ => Ok(()),
    };
    let accept: Option<Judge<'_>> = if condition.is_some() { Some(&accept) } else { None };
    let asking = Asking { accept, ..Asking::new(&question, &arguments) };
    write
        .run(asking, |mut answer| {
            let status = if answer.added > 0 { StatusCode::CREATED } else { StatusCode::OK };
            let tag = answer.tag.take();
            let mut told = if write.represents() {
                write.rows(status, &mut answer, false)?
            } else {
                Told::bare(StatusCode::NO_CONTENT)
            };
            if let Some(tag) = tag {
                told.set(header::ETAG, etag::state(&tag));
            }
            let missing = write.preferences.missing.filter(|_| write.asked.columns.is_some());
            write.apply(&mut told, Preferences { missing, ..Preferences::default() });
            Ok(told)
        })
        .await
}
