//! The routes of every resource: a collection and its items.
//!
//! In: an HTTP request and its [`Principal`]. Out: JSON as the columns have it, with the statuses and headers of
//! PostgREST on a collection and of classic CRUD on an item.

use super::{
    body,
    prefer::{self, Return},
    query::{parse_list, parse_row},
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
        request::{Action, Envelope, Field, Key, Question, Request},
    },
    error::{Error, Kind, Result},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Extension, Path, RawPathParams, RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

const CONTENT_RANGE: HeaderName = header::CONTENT_RANGE;
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

async fn list(
    State(rest): State<Rest>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
) -> Result<Response> {
    accepts_json(&headers)?;
    let resource = rest.resource(&name)?;
    let parsed = parse_list(resource, query.as_deref().unwrap_or_default(), rest.bounds.max_page)?;
    let answer = rest.ask(&parsed.question, &parsed.arguments, &principal).await?;
    let range = match answer.rows {
        0 => "*/*".to_owned(),
        rows => format!("{}-{}/*", parsed.offset, parsed.offset + rows - 1),
    };
    let mut response = json(StatusCode::OK, answer.bytes);
    set(&mut response, CONTENT_RANGE, &range);
    Ok(response)
}

async fn item(
    State(rest): State<Rest>,
    Path((name, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
) -> Result<Response> {
    accepts_json(&headers)?;
    let resource = rest.resource(&name)?;
    let (select, _) = parse_row(resource, query.as_deref().unwrap_or_default(), true)?;
    let question = one(resource, Action::Get(Key::Slot(0)), select);
    let answer = rest.ask(&question, &[Argument::Text(key)], &principal).await?;
    if answer.rows == 0 {
        return Err(Error::not_found(format!("There is no such row in {name}")));
    }
    Ok(json(StatusCode::OK, answer.bytes))
}

async fn create(
    State(rest): State<Rest>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response> {
    accepts_json(&headers)?;
    let resource = rest.resource(&name)?;
    let (select, _) = parse_row(resource, query.as_deref().unwrap_or_default(), true)?;
    may(resource, &Method::POST, &principal)?;
    let members = body::object(&headers, &read(bytes)?)?;
    let (input, arguments) = slots(members, Vec::new());
    let answer = rest.ask(&one(resource, Action::Create(input), select), &arguments, &principal).await?;
    let location = answer.key.as_deref().map(|key| format!("/{name}/{key}"));
    let mut response = match prefer::returned(&headers) {
        None => json(StatusCode::CREATED, answer.bytes),
        Some(preference) => preferred(StatusCode::CREATED, preference, answer),
    };
    if let Some(location) = location {
        set(&mut response, header::LOCATION, &location);
    }
    Ok(response)
}

/// PUT, PATCH and DELETE of `/{resource}/{key}`: the row, or nothing after a deletion.
async fn write_item(
    State(rest): State<Rest>,
    Path((name, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    Extension(principal): Extension<Principal>,
    method: Method,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response> {
    accepts_json(&headers)?;
    let resource = rest.resource(&name)?;
    let (select, _) = parse_row(resource, query.as_deref().unwrap_or_default(), true)?;
    let deletes = method == Method::DELETE;
    let answer = rest.write(resource, &method, Argument::Text(key), select, &headers, bytes, &principal).await?;
    Ok(match prefer::returned(&headers) {
        Some(preference) => preferred(status_of(preference), preference, answer),
        None if deletes => StatusCode::NO_CONTENT.into_response(),
        None => json(StatusCode::OK, answer.bytes),
    })
}

/// PUT, PATCH and DELETE of `/{resource}?{key}=eq.…`, as PostgREST answers: a row that is not there is no error.
async fn write_named(
    State(rest): State<Rest>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    Extension(principal): Extension<Principal>,
    method: Method,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response> {
    accepts_json(&headers)?;
    let resource = rest.resource(&name)?;
    may(resource, &method, &principal)?;
    let (select, key) = parse_row(resource, query.as_deref().unwrap_or_default(), false)?;
    let key = key.unwrap_or(Argument::Null);
    let answer = match rest.write(resource, &method, key, select, &headers, bytes, &principal).await {
        Err(error) if error.kind == Kind::NotFound && method != Method::PUT => Answer::default(),
        answer => answer?,
    };
    Ok(match prefer::returned(&headers) {
        Some(preference) => preferred(status_of(preference), preference, answer),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

impl Rest {
    #[expect(clippy::too_many_arguments, reason = "the parts of one HTTP request, each from its own extractor")]
    async fn write(
        &self,
        resource: &Resource,
        method: &Method,
        key: Argument,
        select: Vec<Field>,
        headers: &HeaderMap,
        bytes: Result<Bytes, BytesRejection>,
        principal: &Principal,
    ) -> Result<Answer> {
        may(resource, method, principal)?;
        let slot = Key::Slot(0);
        let (action, arguments) = if *method == Method::DELETE {
            (Action::Delete(slot), vec![key])
        } else {
            let mut members = body::object(headers, &read(bytes)?)?;
            let replaces = *method == Method::PUT;
            if replaces {
                same_key(resource, &key, &mut members)?;
            }
            let (input, arguments) = slots(members, vec![key]);
            (if replaces { Action::Replace(slot, input) } else { Action::Update(slot, input) }, arguments)
        };
        self.ask(&one(resource, action, select), &arguments, principal).await
    }
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
    let request = Request { resource: resource.name.clone(), action, select };
    Question { request, envelope: Envelope::Object }
}

/// The members of a body as the slots of a write, behind those that are filled already.
fn slots(members: Vec<(String, Argument)>, mut arguments: Vec<Argument>) -> (Vec<(String, usize)>, Vec<Argument>) {
    let mut input = Vec::with_capacity(members.len());
    for (name, argument) in members {
        input.push((name, arguments.len()));
        arguments.push(argument);
    }
    (input, arguments)
}

fn read(bytes: Result<Bytes, BytesRejection>) -> Result<Bytes> {
    bytes.map_err(|rejection| match rejection.status() {
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

/// The answer of a write as the client prefers it; a representation is an array, as PostgREST's.
fn preferred(status: StatusCode, preference: Return, answer: Answer) -> Response {
    let mut response = match preference {
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
    response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static(preference.applied()));
    response
}

/// Sets a header whose value the server made.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    // What a key is written as has no character that a header cannot hold, but a text key may: then it is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
