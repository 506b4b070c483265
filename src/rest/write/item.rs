//! PUT, PATCH and DELETE of an item: the classic CRUD of one row.

use super::{Asking, Told, Write, same_key, slots, status_of};
use crate::{
    engine::{
        bind::Argument,
        render::Answer,
        request::{Action, Envelope, Key},
    },
    error::{Error, Kind, Result},
    rest::{
        body,
        etag::{self, Condition},
        handler::Call,
        prefer::{Preferences, Return},
    },
};
use axum::{
    http::{Method, StatusCode, header},
    response::Response,
};

/// PUT, PATCH and DELETE of `/{resource}/{key}`: the row, or nothing after a deletion.
pub(in super::super) async fn write_item(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    let deletes = call.method == Method::DELETE;
    let grant = if deletes { &resource.policy.delete } else { &resource.policy.update };
    let write = Write::of(&call, &[grant], true)?;
    write.asked.only(if deletes { &["select"] } else { &["select", "columns"] }, "the path names the row already")?;
    write.asked.of_each()?;
    let key = Argument::Text(call.key.clone());
    let mut arguments = write.asked.arguments.clone();
    let slot = arguments.len();
    arguments.push(key.clone());
    let target = Key::Slot(slot);
    let action = if deletes {
        Action::Delete(target.into())
    } else {
        let mut row = body::rows(&call.headers, write.bytes()?, write.named()?.as_ref())?.only()?;
        if call.method == Method::PUT {
            same_key(resource, &key, &mut row)?;
            Action::Replace(target, slots(row, &mut arguments))
        } else {
            Action::Update(target.into(), slots(row, &mut arguments))
        }
    };
    let condition = Condition::of(&call.headers)?;
    let is_object = write.preferences.returned.is_none() && !deletes;
    let select = if is_object || write.represents() { write.asked.select.clone() } else { Vec::new() };
    let question = write.question(action, select, Envelope::Object, !deletes || condition.is_some());
    let bound = write.preferences.bound();
    let one = |_: &Answer| {
        Err(Error::new(Kind::Conflict, "One row is more than may be written")
            .code("PGRST124")
            .details("The query affects 1 rows"))
    };
    let asking = Asking { condition: condition.as_ref(), ..Asking::new(&question, &arguments) };
    let asking = if bound == Some(0) { Asking { accept: Some(&one), ..asking } } else { asking };
    write
        .run(asking, |mut answer| {
            let tag = answer.tag.take().filter(|_| !deletes);
            let mut told = match write.preferences.returned {
                None if is_object => write.object(StatusCode::OK, &mut answer),
                Some(Return::Representation) => write.rows(StatusCode::OK, &mut answer, false)?,
                _ => Told::bare(status_of(false)),
            };
            if let Some(tag) = tag {
                told.set(header::ETAG, if is_object { etag::of(&tag, &told.body) } else { etag::state(&tag) });
            }
            let Preferences { missing, max_affected, .. } = write.preferences;
            let missing = missing.filter(|_| !deletes && write.asked.columns.is_some());
            write.apply(&mut told, Preferences { missing, max_affected, ..Preferences::default() });
            Ok(told)
        })
        .await
}
