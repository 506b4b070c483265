//! The routes of every resource: a collection and its items.
//!
//! In: an HTTP request and its [`Principal`]. Out: JSON as the columns have it, with the statuses and headers of
//! PostgREST on a collection and of classic CRUD on an item.

use super::{
    etag,
    query::{Asked, parse_list, parse_row},
    write::{change, create, put, write_item},
};
use crate::{
    catalog::{Catalog, Resource, policy::Condition, scalar::Style},
    config::Limits,
    engine::{
        Engine,
        authorize::Who,
        bind::Argument,
        plan::Bounds,
        principal::Principal,
        render::Answer,
        request::{Action, Envelope, Field, Form, Key, Question, Request},
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

/// REST over an engine. Clones share it.
#[derive(Debug, Clone)]
pub struct Rest {
    pub(super) engine: Engine,
    pub(super) bounds: Bounds,
}

impl Rest {
    /// REST over `engine`, with at most `limits.max_rows` rows an answer.
    pub fn new(engine: Engine, limits: &Limits) -> Self {
        Self { engine, bounds: Bounds { default_page: limits.max_rows, max_page: limits.max_rows } }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.engine.catalog()
    }

    fn resource(&self, name: &str) -> Result<&Resource> {
        let catalog = self.catalog();
        Ok(catalog.at(catalog.find(name)?))
    }

    pub(super) async fn ask(
        &self,
        question: &Question,
        arguments: &[Argument],
        principal: &Principal,
    ) -> Result<Answer> {
        let plan = self.engine.prepare(question, Style::Rest, self.bounds, &Who::from(principal))?;
        self.engine.run(&plan, arguments, principal).await
    }
}

/// The routes of all resources. They come after every fixed path.
pub fn routes(rest: Rest) -> Router {
    let collection = get(list).post(create).patch(change).put(put).delete(change);
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

pub(super) fn method_not_allowed(resource: &Resource, method: &Method, on_item: bool) -> Error {
    let policy = &resource.policy;
    let mut allow = vec!["GET", "HEAD"];
    let writes =
        [(&policy.create, "POST"), (&policy.update, "PUT"), (&policy.update, "PATCH"), (&policy.delete, "DELETE")];
    let granted = writes.iter().filter(|(grant, _)| grant.condition != Condition::Never).map(|(_, name)| *name);
    allow.extend(granted.filter(|name| !on_item || *name != "POST"));
    Error::method_not_allowed(format!("{method} is not a method of {}", resource.name), allow.join(", "))
}

/// A request to a resource, taken apart.
pub(super) struct Call {
    pub(super) rest: Rest,
    /// The resource's name.
    pub(super) name: String,
    /// The row's key, on the path of an item.
    pub(super) key: String,
    pub(super) query: String,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) principal: Principal,
    pub(super) body: Result<Bytes, BytesRejection>,
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
    pub(super) fn resource(&self) -> Result<&Resource> {
        accepts_json(&self.headers)?;
        self.rest.resource(&self.name)
    }
}

async fn list(call: Call) -> Result<Response> {
    let parsed = parse_list(call.resource()?, call.rest.catalog(), &call.query, call.rest.bounds.max_page)?;
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
    let Asked { select, mut arguments, .. } = parse_row(resource, call.rest.catalog(), &call.query)?;
    arguments.push(Argument::Text(call.key.clone()));
    let mut question = one(resource, Action::Get(Key::Slot(arguments.len() - 1)), select);
    question.form.tagged = true;
    let answer = call.rest.ask(&question, &arguments, &call.principal).await?;
    if answer.rows == 0 {
        return Err(Error::not_found(format!("There is no such row in {}", call.name)));
    }
    let etag = etag::of(&answer.tag.unwrap_or_default(), &answer.bytes);
    let known = etag::is_known(&call.headers, &etag)?;
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { json(StatusCode::OK, answer.bytes) };
    set(&mut response, header::ETAG, &etag);
    Ok(response)
}

/// A question about one row.
pub(super) fn one(resource: &Resource, action: Action, select: Vec<Field>) -> Question {
    question(resource, action, select, Envelope::Object)
}

pub(super) fn question(resource: &Resource, action: Action, select: Vec<Field>, envelope: Envelope) -> Question {
    Question { request: Request { resource: resource.name.clone(), action, select }, envelope, form: Form::default() }
}

pub(super) fn read(body: &Result<Bytes, BytesRejection>) -> Result<&Bytes> {
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

pub(super) fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], bytes).into_response()
}

/// Sets a header whose value the server made.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &str) {
    // What a key is written as has no character that a header cannot hold, but a text key may: then it is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
