//! The reads of a resource over HTTP: a list, and the row of an item.
//!
//! In: a call whose method reads. Out: a question for the engine, and its answer in the media type that the client
//! accepts, with what is told beside it in headers.

use super::{
    etag,
    handler::{Call, one},
    headers,
    media::Media,
    prefer::{self, PREFERENCE_APPLIED, Preferences},
    query::{Asked, Parsed, parse_list, parse_row},
    range::Window,
};
use crate::{
    engine::{
        bind::Argument,
        cursor,
        request::{Action, Count, Envelope, Form, Key, Position},
    },
    error::{Error, Result},
    telemetry::record::{self, Stage},
};
use axum::{
    body::Body,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::time::Instant;

/// GET of `/{resource}`.
pub(super) async fn list(call: Call) -> Result<Response> {
    let began = Instant::now();
    let parse = record::stage(Stage::Parse);
    let resource = call.rest.resource(&call.name)?;
    let media = Media::of(&call.headers)?;
    let preferences = Preferences::of(&call.headers)?;
    let most = call.rest.bounds.max_page;
    let mut parsed = parse_list(resource, call.rest.catalog(), &call.query, most)?;
    let mut window = Window { offset: parsed.offset, limit: parsed.limit };
    let range = Window::of(&call.headers)?;
    if let Some(range) = range {
        window = window.and(range)?;
        cut(&mut parsed, window, most)?;
    }
    if let Some(cursor) = parsed.cursor.take() {
        begin_behind(&mut parsed, cursor)?;
    }
    let counted = preferences.count.map(|count| match count {
        prefer::Count::Exact => Count::Exact,
        prefer::Count::Planned => Count::Planned,
        prefer::Count::Estimated => Count::Estimated,
    });
    drop(parse);
    parsed.question.form = Form { counted, next: true, ..media.form() };
    let (mut answer, long) = call.rest.page(&parsed.question, &parsed.arguments, &call.principal).await?;
    let (status, content_range) = match window.told(answer.rows, answer.total) {
        Ok(told) => told,
        Err(error) => return Ok(unsatisfied(error, answer.total)),
    };
    let body = match long {
        None => Body::from(media.of_list(&mut answer)?),
        Some(long) if call.method == Method::HEAD || media.admits(answer.rows).is_err() => {
            long.leave().await;
            media.admits(answer.rows)?;
            Body::empty()
        }
        Some(long) => Body::from_stream(long.tell(began + call.rest.time)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let found = headers::location(&resource.name, None, &call.query);
    describe(&mut response, media, found);
    let told = response.headers_mut();
    told.insert(header::CONTENT_RANGE, content_range);
    if let Some(cursor) = &answer.next {
        let limit = range.and(window.limit).map(|limit| limit.min(most));
        if let Some(next) = headers::next(&resource.name, &call.query, cursor, limit) {
            told.insert(header::LINK, next);
        }
    }
    apply(
        &mut response,
        Preferences { count: preferences.count, handling: preferences.handling, ..Preferences::default() },
    );
    Ok(response)
}

/// GET of `/{resource}/{key}`.
pub(super) async fn item(call: Call) -> Result<Response> {
    let parse = record::stage(Stage::Parse);
    let resource = call.rest.resource(&call.name)?;
    let media = Media::of(&call.headers)?;
    let Preferences { handling, .. } = Preferences::of(&call.headers)?;
    let Asked { select, mut arguments, .. } = parse_row(resource, call.rest.catalog(), &call.query)?;
    arguments.push(Argument::Text(call.key.clone()));
    let mut question = one(resource, Action::Get(Key::Slot(arguments.len() - 1)), select);
    question.form = Form { tagged: true, ..media.form() };
    drop(parse);
    let mut answer = call.rest.ask(&question, &arguments, &call.principal).await?;
    if answer.rows == 0 {
        return Err(Error::not_found(format!("There is no such row in {}", call.name)));
    }
    let tag = answer.tag.take().unwrap_or_default();
    let body = media.of_row(&mut answer);
    let etag = etag::of(&tag, &body);
    let mut response = Response::new(Body::from(body));
    let found = headers::location(&resource.name, Some(&call.key), &call.query);
    describe(&mut response, media, found);
    if etag::is_known(&call.headers, &etag)? {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    apply(&mut response, Preferences { handling, ..Preferences::default() });
    Ok(response)
}

/// Says what every answer of a read says of itself.
fn describe(response: &mut Response, media: Media, found: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(header::CONTENT_TYPE, media.content_type());
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Prefer, Range"));
    if let Some(found) = found {
        headers.insert(header::CONTENT_LOCATION, found);
    }
}

/// Says which preferences were honoured.
fn apply(response: &mut Response, honoured: Preferences) {
    if let Some(applied) = honoured.applied().and_then(|applied| HeaderValue::try_from(applied).ok()) {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
}

/// The answer to a page that begins behind the end of its list.
fn unsatisfied(error: Error, total: Option<u64>) -> Response {
    let mut response = error.into_response();
    if let Some(range) = total.and_then(|total| HeaderValue::try_from(format!("*/{total}")).ok()) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response
}

/// Asks for this part of the list instead of the one that the URL names.
fn cut(parsed: &mut Parsed, window: Window, most: u64) -> Result<()> {
    let question = &mut parsed.question;
    let (limit, offset) = match (&mut question.envelope, &mut question.request.action) {
        (Envelope::Groups(groups), _) => (&mut groups.limit, &mut groups.offset),
        (_, Action::List(list)) => (&mut list.page.limit, &mut list.page.offset),
        _ => return Err(Error::internal("a list that is none")),
    };
    *limit = window.limit.map(|limit| limit.min(most));
    if window.offset > 0 {
        let slot = *offset.get_or_insert(parsed.arguments.len());
        parsed.arguments.resize(parsed.arguments.len().max(slot + 1), Argument::Null);
        parsed.arguments[slot] = Argument::Number(window.offset.to_string());
    }
    Ok(())
}

/// Asks for the rows behind a cursor.
fn begin_behind(parsed: &mut Parsed, cursor: String) -> Result<()> {
    let question = &mut parsed.question;
    let (Envelope::Array, Action::List(list)) = (&question.envelope, &mut question.request.action) else {
        return Err(Error::bad_request("Groups have no cursor").hint("Page through them with limit and offset"));
    };
    list.page.after = Some(Position { slot: parsed.arguments.len(), nulls: cursor::nulls(&cursor)? });
    parsed.arguments.push(Argument::Text(cursor));
    Ok(())
}
