//! The writes of a resource over HTTP: of one row as classic CRUD has them, of several as PostgREST has.
//!
//! In: a call whose method writes. Out: a question for the engine, and its answer as the client prefers it.

mod change;
mod create;
mod item;
mod told;

pub(super) use change::change;
pub(super) use create::{create, put};
pub(super) use item::write_item;
pub(super) use told::Told;

use super::{
    body::{Named, Row},
    etag::Condition,
    handler::{Call, method_not_allowed, read},
    idempotency,
    media::Media,
    prefer::{PREFERENCE_APPLIED, Preferences, Return, Tx},
    query::{Asked, asked},
};
use crate::{
    catalog::{
        Column, Resource,
        policy::{Condition as Rule, Grant},
        scalar::{Input, Style},
    },
    engine::{
        authorize::Who,
        bind::{Argument, Bound},
        compile::Plan,
        ending::{Ended, Ending, Judge, Once},
        render::Answer,
        request::{Action, Columns, Cut, Envelope, Field, Form, Question, Request},
    },
    error::{Error, Kind, Result},
    telemetry::record::{self, Stage},
};
use axum::{
    body::Bytes,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;

/// A write that is asked for: what each of them has in common.
struct Write<'c> {
    call: &'c Call,
    resource: &'c Resource,
    media: Media,
    asked: Asked,
    preferences: Preferences,
}

impl<'c> Write<'c> {
    /// Takes a call apart, and refuses it before its body is read if no caller, or no anonymous one, may write so.
    fn of(call: &'c Call, grants: &[&Grant], on_item: bool) -> Result<Self> {
        let _parse = record::stage(Stage::Parse);
        let resource = call.rest.resource(&call.name)?;
        let media = Media::of(&call.headers)?;
        let asked = asked(resource, call.rest.catalog(), &call.query)?;
        if grants.iter().any(|grant| grant.condition == Rule::Never) {
            return Err(method_not_allowed(resource, &call.method, on_item));
        }
        if call.principal.is_anonymous() && grants.iter().any(|grant| grant.condition != Rule::Always) {
            return Err(Error::unauthenticated(format!("Sign in to write {}", resource.name))
                .hint("Send a token: Authorization: Bearer …"));
        }
        Ok(Self { call, resource, media, asked, preferences: Preferences::of(&call.headers)? })
    }

    /// Whether the URL asks for a part of a list.
    fn is_paged(&self) -> bool {
        self.asked.limit.is_some() || self.asked.offset.is_some() || self.asked.cursor.is_some()
    }

    /// Refuses to write a part of a list. PostgREST writes all of it: who asks for a part, expects something else.
    fn unpaged(&self) -> Result<()> {
        if !self.is_paged() {
            return Ok(());
        }
        Err(Error::bad_request(format!("{} takes no limit, offset or cursor", self.call.method))
            .hint("A filter says which rows are written, and Prefer: handling=strict, max-affected=N how many at most"))
    }

    /// Which part of the rows is told, where that is not all: what is written does not depend on it.
    fn cut(&self) -> Result<Option<Cut>> {
        if !self.is_paged() {
            return Ok(None);
        }
        if !self.represents() {
            return Err(Error::bad_request("limit and offset are for the rows of return=representation")
                .hint("Ask for them: Prefer: return=representation"));
        }
        Ok(Some(Cut { before: self.asked.offset.unwrap_or(0), limit: self.asked.limit.unwrap_or(u64::MAX) }))
    }

    /// Which members of the body are written.
    fn named(&self) -> Result<Option<Named<'_>>> {
        Named::of(self.resource, self.asked.columns.as_deref(), self.preferences.missing)
    }

    fn bytes(&self) -> Result<&[u8]> {
        read(&self.call.body).map(|bytes| &**bytes)
    }

    /// Whether the rows are told.
    fn represents(&self) -> bool {
        self.preferences.returned == Some(Return::Representation)
    }

    fn question(&self, action: Action, select: Vec<Field>, envelope: Envelope, tagged: bool) -> Question {
        let request = Request { resource: self.resource.name.clone(), action, select };
        Question { request, envelope, form: Form { tagged, ..self.media.form() } }
    }

    /// The plan of a question, and its values.
    fn bound(&self, question: &Question, arguments: &[Argument]) -> Result<(Arc<Plan>, Bound)> {
        let Call { rest, principal, .. } = self.call;
        let plan = rest.engine.prepare(question, Style::Rest, rest.bounds, &Who::from(principal))?;
        let bound = rest.engine.bind(&plan, arguments, principal)?;
        Ok((plan, bound))
    }

    /// Runs the write, and tells of it.
    async fn run(&self, asked: Asking<'_>, tell: impl Fn(Answer) -> Result<Told> + Send + Sync) -> Result<Response> {
        let Asking { question, arguments, condition, accept, key } = asked;
        let (plan, bound) = self.bound(question, arguments)?;
        let state = |tag: &str| condition.is_some_and(|condition| condition.holds(tag));
        let keep = |answer: &Answer| idempotency::keep(&tell(answer.clone())?);
        // An answer that must hold one row is judged before the write is made to stay, also where it is not told.
        let judge = |answer: &Answer| {
            accept.map_or(Ok(()), |accept| accept(answer))?;
            self.media.admits(answer.rows)
        };
        let body = self.call.body.as_deref().unwrap_or_default();
        let ending = Ending {
            undone: self.preferences.tx == Some(Tx::Rollback),
            state: condition.is_some().then_some(&state),
            accept: (accept.is_some() || self.media.is_of_one()).then_some(&judge),
            once: key.map(|key| Once { key, place: &self.resource.name, body, keep: &keep }),
        };
        match self.call.rest.engine.conclude(&plan, &bound, ending).await.map_err(spelt)? {
            Ended::Now(answer) => Ok(tell(answer)?.into_response()),
            Ended::Before(text) => Ok(idempotency::again(&text)?.into_response()),
        }
    }

    /// The rows of an answer in the media type that is accepted: as an array, whether they are one or a list.
    fn rows(&self, status: StatusCode, answer: &mut Answer, is_list: bool) -> Result<Told> {
        let body = match self.media {
            Media::Json if !is_list && answer.rows == 0 => Bytes::from_static(b"[]"),
            Media::Json if !is_list => [b"[", answer.bytes.as_slice(), b"]"].concat().into(),
            media if is_list => media.of_list(answer)?,
            media => {
                media.admits(answer.rows)?;
                media.of_row(answer)
            }
        };
        Ok(self.told(status, body))
    }

    /// The one row of an answer, as the object that it is.
    fn object(&self, status: StatusCode, answer: &mut Answer) -> Told {
        self.told(status, self.media.of_row(answer))
    }

    fn told(&self, status: StatusCode, body: Bytes) -> Told {
        let mut told = Told { body, ..Told::bare(status) };
        if let Ok(media) = self.media.content_type().to_str() {
            told.set(header::CONTENT_TYPE, media);
        }
        told
    }

    /// Says which preferences were honoured, of those that had a meaning.
    fn apply(&self, told: &mut Told, meant: Preferences) {
        let Preferences { returned, tx, handling, .. } = self.preferences;
        if let Some(applied) = (Preferences { returned, tx, handling, ..meant }).applied() {
            told.set(PREFERENCE_APPLIED, applied);
        }
    }
}

/// What is asked of the engine.
struct Asking<'a> {
    question: &'a Question,
    arguments: &'a [Argument],
    /// In which state the row must be.
    condition: Option<&'a Condition>,
    accept: Option<Judge<'a>>,
    /// The key under which it happens once.
    key: Option<&'a str>,
}

impl<'a> Asking<'a> {
    const fn new(question: &'a Question, arguments: &'a [Argument]) -> Self {
        Self { question, arguments, condition: None, accept: None, key: None }
    }
}

/// The members of a row as the slots of a write, behind those that are filled already.
fn slots(row: Row, arguments: &mut Vec<Argument>) -> Columns {
    let mut input = Vec::with_capacity(row.len());
    for (name, argument) in row {
        input.push((name, arguments.len()));
        arguments.push(argument);
    }
    input
}

/// Refuses a body or a URL that names another key than the row's.
fn same_key(resource: &Resource, key: &Argument, members: &mut Row) -> Result<()> {
    let Column { name, scalar, .. } = resource.key_column();
    let Some(index) = members.iter().position(|(member, _)| member == name) else { return Ok(()) };
    let (_, given) = members.remove(index);
    // As values of their type: a UUID is the same in capital letters, and a text is not.
    let value = |text: &str| scalar.parse(&Input::Text(text)).ok();
    let same = match (&given, key.text()) {
        (Argument::String(given) | Argument::Text(given) | Argument::Number(given), Some(key)) => {
            value(given).is_some_and(|given| Some(given) == value(key))
        }
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err(other_key().details(format!("The body's \"{name}\" is not that of the row")))
}

fn other_key() -> Error {
    Error::bad_request("Payload values do not match URL in primary key column(s)").code("PGRST115")
}

/// An error in PostgREST's words, where it has some.
fn spelt(mut error: Error) -> Error {
    if error.code == "PGRST124" {
        // PostgREST takes it for a request that cannot be answered, and not for one that another one stands against.
        error.kind = Kind::BadRequest;
        "Query result exceeds max-affected preference constraint".clone_into(&mut error.message);
    }
    if error.kind == Kind::CostLimit {
        return error.hint("Nothing has changed. Write fewer rows, or send Prefer: return=minimal");
    }
    error
}

/// The status of what is told of rows that were there.
const fn status_of(represents: bool) -> StatusCode {
    if represents { StatusCode::OK } else { StatusCode::NO_CONTENT }
}
