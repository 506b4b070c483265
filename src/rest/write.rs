//! The writes of a resource over HTTP: of one row as classic CRUD has them, of several as PostgREST has.
//!
//! In: a call whose method writes. Out: a question for the engine, and its answer as the client prefers it.

use super::{
    body::{self, Rows},
    handler::{Call, json, method_not_allowed, one, question, read, set},
    prefer::{Preferences, Resolution, Return},
    query::{Asked, Parsed, asked, parse_list, parse_named, parse_row},
};
use crate::{
    catalog::{Resource, policy::Condition},
    engine::{
        bind::Argument,
        principal::Principal,
        render::Answer,
        request::{Action, Columns, Conflict, Create, Envelope, Key, List, NewRow, OnTaken, Page, Target},
    },
    error::{Error, Kind, Result},
};
use axum::{
    http::{HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// POST: one row as the object that it is, or several as PostgREST answers.
pub(super) async fn create(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    let asked = asked(resource, call.rest.catalog(), &call.query)?;
    asked.only(&["select", "on_conflict"], "the rows are in the body")?;
    let Asked { mut select, mut arguments, on_conflict: target, .. } = asked;
    may(resource, &call.method, &call.principal)?;
    let preferences = Preferences::of(&call.headers)?;
    let body = body::rows(&call.headers, read(&call.body)?)?;
    let many = matches!(body, Rows::Many(_));
    if many && preferences.returned != Some(Return::Representation) {
        // Nothing is told of them.
        select.clear();
    }
    let rows = match body {
        Rows::One(row) => vec![row],
        Rows::Many(rows) => rows,
    };
    let most = call.rest.bounds.max_page;
    if many && preferences.returned == Some(Return::Representation) && rows.len() as u64 > most {
        return Err(Error::new(
            Kind::CostLimit,
            format!("An answer has at most {most} rows, and {} are sent", rows.len()),
        )
        .hint("Send them in several requests, or with Prefer: return=minimal"));
    }
    let rows = rows.into_iter().map(|row| NewRow::from(slots(row, &mut arguments))).collect();
    let conflict = preferences.resolution.map(|resolution| Conflict {
        target,
        action: match resolution {
            Resolution::Merge => OnTaken::Update(None),
            Resolution::Ignore => OnTaken::Ignore { told: false },
        },
    });
    let action = Action::Create(Create { rows, many, conflict });
    let envelope = if many { Envelope::Array } else { Envelope::Object };
    let answer = call.rest.ask(&question(resource, action, select, envelope), &arguments, &call.principal).await?;
    let applied: Vec<_> =
        Preferences { resolution: preferences.resolution, ..Preferences::default() }.applied().into_iter().collect();
    let merged = preferences.resolution == Some(Resolution::Merge) && answer.added == 0 && answer.rows > 0;
    let status = if merged { StatusCode::OK } else { StatusCode::CREATED };
    let location = answer.key.as_deref().filter(|_| !merged).map(|key| format!("/{}/{key}", call.name));
    let mut response = match preferences.returned {
        // A row that is not told of, since there was one, is no object.
        None if many || answer.rows == 0 => told(status, Return::Minimal, answer, many, applied),
        None => {
            let mut response = json(status, answer.bytes);
            apply(&mut response, applied);
            response
        }
        Some(preference) => preferred(status, preference, answer, many, applied),
    };
    if let Some(location) = location {
        set(&mut response, header::LOCATION, &location);
    }
    Ok(response)
}

/// PUT, PATCH and DELETE of `/{resource}/{key}`: the row, or nothing after a deletion.
pub(super) async fn write_item(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    let asked = parse_row(resource, call.rest.catalog(), &call.query)?;
    let (preference, deletes) = (Preferences::of(&call.headers)?.returned, call.method == Method::DELETE);
    let key = Argument::Text(call.key.clone());
    let answer = write(resource, &call, key, asked).await?;
    Ok(match preference {
        Some(preference) => preferred(status_of(preference), preference, answer, false, Vec::new()),
        None if deletes => StatusCode::NO_CONTENT.into_response(),
        None => json(StatusCode::OK, answer.bytes),
    })
}

/// PUT, PATCH and DELETE of `/{resource}?{key}=eq.…`, as PostgREST answers: a row that is not there is no error.
/// PATCH and DELETE take any filter where the client says how many rows it may match.
pub(super) async fn write_named(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    may(resource, &call.method, &call.principal)?;
    let preferences = Preferences::of(&call.headers)?;
    let (asked, key) = match (parse_named(resource, call.rest.catalog(), &call.query), preferences.bound()) {
        (Ok(row), _) => row,
        (Err(_), Some(at_most)) if call.method != Method::PUT => {
            return write_matching(resource, &call, preferences.returned, at_most).await;
        }
        (Err(error), _) => return Err(error),
    };
    let answer = match write(resource, &call, key, asked).await {
        Err(error) if error.kind == Kind::NotFound && call.method != Method::PUT => Answer::default(),
        answer => answer?,
    };
    Ok(match preferences.returned {
        Some(preference) => preferred(status_of(preference), preference, answer, false, Vec::new()),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// PATCH and DELETE of all rows that match, unless they are more than `at_most`.
async fn write_matching(
    resource: &Resource,
    call: &Call,
    preference: Option<Return>,
    at_most: u64,
) -> Result<Response> {
    let most = call.rest.bounds.max_page;
    let Parsed { question: list, mut arguments, .. } = parse_list(resource, call.rest.catalog(), &call.query, most)?;
    let Action::List(List { filter, order, page }) = list.request.action else {
        return Err(Error::internal("a list that is none"));
    };
    if !order.is_empty() || page != Page::default() {
        return Err(Error::bad_request("A write takes a filter, and neither an order nor a limit"));
    }
    // An answer never holds more rows than that.
    let target = Target::Matching { filter, at_most: at_most.min(most) };
    let action = if call.method == Method::DELETE {
        Action::Delete(target)
    } else {
        let input = slots(body::object(&call.headers, read(&call.body)?)?, &mut arguments);
        Action::Update(target, input)
    };
    let tells = preference == Some(Return::Representation);
    let select = if tells { list.request.select } else { Vec::new() };
    let question = question(resource, action, select, Envelope::Array);
    let answer = call.rest.ask(&question, &arguments, &call.principal).await.map_err(|mut error| {
        // PostgREST takes it for a request that cannot be answered, and not for one that another one stands against.
        if error.code == "PGRST124" {
            error.kind = Kind::BadRequest;
        }
        error
    })?;
    let applied = vec!["handling=strict".to_owned(), format!("max-affected={at_most}")];
    let status = if tells { StatusCode::OK } else { StatusCode::NO_CONTENT };
    Ok(match preference {
        Some(preference) => preferred(status, preference, answer, true, applied),
        None => told(status, Return::Minimal, answer, true, applied),
    })
}

/// Changes, replaces or deletes the row with the key, by the call's method.
async fn write(resource: &Resource, call: &Call, key: Argument, asked: Asked) -> Result<Answer> {
    may(resource, &call.method, &call.principal)?;
    let Asked { select, mut arguments, .. } = asked;
    let slot = Key::Slot(arguments.len());
    arguments.push(key.clone());
    let action = if call.method == Method::DELETE {
        Action::Delete(slot.into())
    } else {
        let mut members = body::object(&call.headers, read(&call.body)?)?;
        let replaces = call.method == Method::PUT;
        if replaces {
            same_key(resource, &key, &mut members)?;
        }
        let input = slots(members, &mut arguments);
        if replaces { Action::Replace(slot, input) } else { Action::Update(slot.into(), input) }
    };
    call.rest.ask(&one(resource, action, select), &arguments, &call.principal).await
}

/// A replacement may repeat its key, and must not change it.
fn same_key(resource: &Resource, key: &Argument, members: &mut Vec<(String, Argument)>) -> Result<()> {
    let name = &resource.key_column().name;
    let Some(index) = members.iter().position(|(member, _)| member == name) else { return Ok(()) };
    let (_, given) = members.remove(index);
    let same = match (&given, key.text()) {
        (Argument::String(given), Some(key)) => given.eq_ignore_ascii_case(key),
        (Argument::Number(given), Some(key)) => given == key,
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err(Error::bad_request(format!("The body's \"{name}\" is not that of the row")).code("PGRST115"))
}

/// Refuses, before the body is read or judged, a method that no caller, or no anonymous one, may use on the resource.
fn may(resource: &Resource, method: &Method, principal: &Principal) -> Result<()> {
    let policy = &resource.policy;
    let grant = match *method {
        Method::POST => &policy.create,
        Method::DELETE => &policy.delete,
        _ => &policy.update,
    };
    if grant.condition == Condition::Never {
        return Err(method_not_allowed(resource, method, false));
    }
    if principal.is_anonymous() && grant.condition != Condition::Always {
        let message = format!("Sign in to write {}", resource.name);
        return Err(Error::unauthenticated(message).hint("Send a token: Authorization: Bearer …"));
    }
    Ok(())
}

/// The members of a row as the slots of a write, behind those that are filled already.
fn slots(row: body::Row, arguments: &mut Vec<Argument>) -> Columns {
    let mut input = Vec::with_capacity(row.len());
    for (name, argument) in row {
        input.push((name, arguments.len()));
        arguments.push(argument);
    }
    input
}

const fn status_of(preference: Return) -> StatusCode {
    match preference {
        Return::Representation => StatusCode::OK,
        Return::Minimal | Return::HeadersOnly => StatusCode::NO_CONTENT,
    }
}

/// The answer of a write as the client prefers it, beside the preferences of how it was done.
fn preferred(
    status: StatusCode,
    preference: Return,
    answer: Answer,
    is_list: bool,
    mut applied: Vec<String>,
) -> Response {
    applied.extend(Preferences { returned: Some(preference), ..Preferences::default() }.applied());
    told(status, preference, answer, is_list, applied)
}

/// The answer of a write: a representation is an array, as PostgREST's.
fn told(status: StatusCode, what: Return, answer: Answer, is_list: bool, applied: Vec<String>) -> Response {
    let mut response = match what {
        Return::Representation if is_list => json(status, answer.bytes),
        Return::Representation => {
            let mut bytes = b"[".to_vec();
            if answer.rows > 0 {
                bytes.extend_from_slice(&answer.bytes);
            }
            bytes.push(b']');
            json(status, bytes)
        }
        Return::Minimal | Return::HeadersOnly => status.into_response(),
    };
    apply(&mut response, applied);
    response
}

/// Says which preferences were honoured.
fn apply(response: &mut Response, applied: Vec<String>) {
    if !applied.is_empty() {
        set(response, PREFERENCE_APPLIED, &applied.join(", "));
    }
}
