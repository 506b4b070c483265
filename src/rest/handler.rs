//! The routes of every resource: a collection and its items.
//!
//! In: an HTTP request and its [`Principal`]. Out: JSON as the columns have it, with the statuses and headers of
//! PostgREST on a collection and of classic CRUD on an item.

use super::{
    body::{self, Rows},
    prefer::{Preferences, Resolution, Return},
    query::{Parsed, pairs, parse_list, parse_row},
};
use crate::{
    catalog::{Resource, policy::Condition, scalar::Style},
    config::Limits,
    engine::{
        Engine,
        authorize::Who,
        bind::Argument,
        plan::Bounds,
        principal::Principal,
        render::Answer,
        request::{
            Action, Columns, Conflict, Create, Envelope, Field, Key, List, NewRow, OnTaken, Page, Question, Request,
            Target,
        },
    },
    error::{Error, Kind, Result},
};
use axum::{
    RequestExt as _, Router,
    body::Bytes,
    extract::{FromRequest, RawPathParams, Request as HttpRequest, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// REST over an engine. Clones share it.
#[derive(Debug, Clone)]
pub struct Rest {
    engine: Engine,
    bounds: Bounds,
}

impl Rest {
    /// REST over `engine`, with at most `limits.max_rows` rows an answer.
    pub fn new(engine: Engine, limits: &Limits) -> Self {
        Self { engine, bounds: Bounds { default_page: limits.max_rows, max_page: limits.max_rows } }
    }

    fn resource(&self, name: &str) -> Result<&Resource> {
        let catalog = self.engine.catalog();
        Ok(catalog.at(catalog.find(name)?))
    }

    async fn ask(&self, question: &Question, arguments: &[Argument], principal: &Principal) -> Result<Answer> {
        let plan = self.engine.prepare(question, Style::Rest, self.bounds, &Who::from(principal))?;
        self.engine.run(&plan, arguments, principal).await
    }
}

/// The routes of all resources. They come after every fixed path.
pub fn routes(rest: Rest) -> Router {
    let collection = get(list).post(create).patch(write_named).put(write_named).delete(write_named);
    let item = get(item).patch(write_item).put(write_item).delete(write_item);
    Router::new()
        .route("/{resource}", collection)
        .route("/{resource}/{key}", item)
        .method_not_allowed_fallback(not_allowed)
        .with_state(rest)
}

/// A method that no resource has.
async fn not_allowed(State(rest): State<Rest>, params: RawPathParams, method: Method) -> Error {
    let mut params = params.iter();
    let name = params.next().map_or("", |(_, name)| name);
    match rest.resource(name) {
        Ok(resource) => method_not_allowed(resource, &method, params.next().is_some()),
        Err(error) => error,
    }
}

fn method_not_allowed(resource: &Resource, method: &Method, on_item: bool) -> Error {
    let policy = &resource.policy;
    let mut allow = vec!["GET", "HEAD"];
    let writes =
        [(&policy.create, "POST"), (&policy.update, "PUT"), (&policy.update, "PATCH"), (&policy.delete, "DELETE")];
    let granted = writes.iter().filter(|(grant, _)| grant.condition != Condition::Never).map(|(_, name)| *name);
    allow.extend(granted.filter(|name| !on_item || *name != "POST"));
    Error::method_not_allowed(format!("{method} is not a method of {}", resource.name), allow.join(", "))
}

/// A request to a resource, taken apart.
struct Call {
    rest: Rest,
    /// The resource's name.
    name: String,
    /// The row's key, on the path of an item.
    key: String,
    query: String,
    method: Method,
    headers: HeaderMap,
    principal: Principal,
    body: Result<Bytes, BytesRejection>,
}

impl FromRequest<Rest> for Call {
    type Rejection = Response;

    async fn from_request(mut request: HttpRequest, rest: &Rest) -> Result<Self, Response> {
        let params = request.extract_parts::<RawPathParams>().await.map_err(IntoResponse::into_response)?;
        let mut params = params.iter().map(|(_, value)| value.to_owned());
        let (name, key) = (params.next().unwrap_or_default(), params.next().unwrap_or_default());
        let unknown = || Error::internal("a request whose caller was not looked for").into_response();
        let principal = request.extensions_mut().remove().ok_or_else(unknown)?;
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let query = request.uri().query().unwrap_or_default().to_owned();
        let body = Bytes::from_request(request, rest).await;
        Ok(Self { rest: rest.clone(), name, key, query, method, headers, principal, body })
    }
}

impl Call {
    fn resource(&self) -> Result<&Resource> {
        accepts_json(&self.headers)?;
        self.rest.resource(&self.name)
    }
}

async fn list(call: Call) -> Result<Response> {
    let parsed = parse_list(call.resource()?, &call.query, call.rest.bounds.max_page)?;
    let answer = call.rest.ask(&parsed.question, &parsed.arguments, &call.principal).await?;
    let range = match answer.rows {
        0 => "*/*".to_owned(),
        rows => format!("{}-{}/*", parsed.offset, parsed.offset + rows - 1),
    };
    let mut response = json(StatusCode::OK, answer.bytes);
    set(&mut response, header::CONTENT_RANGE, &range);
    Ok(response)
}

async fn item(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    let (select, _) = parse_row(resource, &call.query, true)?;
    let question = one(resource, Action::Get(Key::Slot(0)), select);
    let answer = call.rest.ask(&question, &[Argument::Text(call.key.clone())], &call.principal).await?;
    if answer.rows == 0 {
        return Err(Error::not_found(format!("There is no such row in {}", call.name)));
    }
    Ok(json(StatusCode::OK, answer.bytes))
}

/// POST: one row as the object that it is, or several as PostgREST answers.
async fn create(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    let (query, target) = on_conflict(&call.query)?;
    let (mut select, _) = parse_row(resource, &query, true)?;
    may(resource, &call.method, &call.principal)?;
    let preferences = Preferences::of(&call.headers);
    let body = body::rows(&call.headers, read(&call.body)?)?;
    let many = matches!(body, Rows::Many(_));
    if many && preferences.returned != Some(Return::Representation) {
        // Nothing is told of them.
        select.clear();
    }
    let mut arguments = Vec::new();
    let rows = match body {
        Rows::One(row) => vec![row],
        Rows::Many(rows) => rows,
    };
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
    let applied: Vec<_> = preferences.resolution.map(Resolution::applied).into_iter().map(str::to_owned).collect();
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

/// The columns of `on_conflict`, and the query string without it.
fn on_conflict(query: &str) -> Result<(String, Option<Vec<String>>)> {
    let (named, others): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|pair| pair.split('=').next() == Some("on_conflict"));
    let mut target = None;
    for (_, value) in pairs(&named.join("&"))? {
        let columns = value.split(',').map(str::trim).filter(|column| !column.is_empty());
        target = Some(columns.map(str::to_owned).collect());
    }
    Ok((others.join("&"), target))
}

/// PUT, PATCH and DELETE of `/{resource}/{key}`: the row, or nothing after a deletion.
async fn write_item(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    let (select, _) = parse_row(resource, &call.query, true)?;
    let (preference, deletes) = (Preferences::of(&call.headers).returned, call.method == Method::DELETE);
    let key = Argument::Text(call.key.clone());
    let answer = write(resource, &call, key, select).await?;
    Ok(match preference {
        Some(preference) => preferred(status_of(preference), preference, answer, false, Vec::new()),
        None if deletes => StatusCode::NO_CONTENT.into_response(),
        None => json(StatusCode::OK, answer.bytes),
    })
}

/// PUT, PATCH and DELETE of `/{resource}?{key}=eq.…`, as PostgREST answers: a row that is not there is no error.
/// PATCH and DELETE take any filter where the client says how many rows it may match.
async fn write_named(call: Call) -> Result<Response> {
    let resource = call.resource()?;
    may(resource, &call.method, &call.principal)?;
    let preferences = Preferences::of(&call.headers);
    let (select, key) = match (parse_row(resource, &call.query, false), preferences.bound()) {
        (Ok(row), _) => row,
        (Err(_), Some(at_most)) if call.method != Method::PUT => {
            return write_matching(resource, &call, preferences.returned, at_most).await;
        }
        (Err(error), _) => return Err(error),
    };
    let answer = match write(resource, &call, key.unwrap_or(Argument::Null), select).await {
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
    let Parsed { question: list, mut arguments, .. } = parse_list(resource, &call.query, most)?;
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
async fn write(resource: &Resource, call: &Call, key: Argument, select: Vec<Field>) -> Result<Answer> {
    may(resource, &call.method, &call.principal)?;
    let slot = Key::Slot(0);
    let (action, arguments) = if call.method == Method::DELETE {
        (Action::Delete(slot.into()), vec![key])
    } else {
        let mut members = body::object(&call.headers, read(&call.body)?)?;
        let replaces = call.method == Method::PUT;
        if replaces {
            same_key(resource, &key, &mut members)?;
        }
        let mut arguments = vec![key];
        let input = slots(members, &mut arguments);
        (if replaces { Action::Replace(slot, input) } else { Action::Update(slot.into(), input) }, arguments)
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

/// A question about one row.
fn one(resource: &Resource, action: Action, select: Vec<Field>) -> Question {
    question(resource, action, select, Envelope::Object)
}

fn question(resource: &Resource, action: Action, select: Vec<Field>, envelope: Envelope) -> Question {
    Question { request: Request { resource: resource.name.clone(), action, select }, envelope }
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

fn read(body: &Result<Bytes, BytesRejection>) -> Result<&Bytes> {
    body.as_ref().map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::new(Kind::PayloadTooLarge, "The body is larger than this server reads"),
        _ => Error::bad_request("The body could not be read").code("PGRST102"),
    })
}

fn accepts_json(headers: &HeaderMap) -> Result<()> {
    let mut ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if ranges.peek().is_none() {
        return Ok(());
    }
    let json = ranges.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        matches!(media.as_str(), "application/json" | "application/*" | "*/*") && !refused
    });
    if json {
        return Ok(());
    }
    Err(Error::new(Kind::NotAcceptable, "None of these media types are available")
        .hint("The answer is application/json"))
}

fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], bytes).into_response()
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
    applied.push(preference.applied().to_owned());
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

/// Sets a header whose value the server made.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    // What a key is written as has no character that a header cannot hold, but a text key may: then it is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
