//! The routes of every resource: a collection and its items.
//!
//! In: an HTTP request and its [`Principal`]. Out: what answers it, by its path and method, with the statuses and headers
//! of PostgREST on a collection and of classic CRUD on an item.

use super::{
    headers,
    media::Media,
    read,
    write::{change, create, put, write_item},
};
use crate::{
    catalog::{Catalog, Resource, policy::Condition, scalar::Style},
    config::Limits,
    engine::{
        Engine,
        authorize::Who,
        bind::Argument,
        flow::Long,
        plan::Bounds,
        principal::Principal,
        render::Answer,
        request::{Action, Envelope, Field, Form, Question, Request},
    },
    error::{Error, Result},
    error_http,
};
use axum::{
    RequestExt as _, Router,
    body::Bytes,
    extract::{FromRequest, RawPathParams, Request as HttpRequest, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::time::Duration;

/// REST over an engine. Clones share it.
#[derive(Debug, Clone)]
pub struct Rest {
    pub(super) engine: Engine,
    pub(super) bounds: Bounds,
    /// How long a request may take.
    pub(super) time: Duration,
}

impl Rest {
    /// REST over `engine`, with at most `limits.max_rows` rows an answer, and `time` for a request.
    pub fn new(engine: Engine, limits: &Limits, time: Duration) -> Self {
        Self { engine, bounds: Bounds { default_page: limits.max_rows, max_page: limits.max_rows }, time }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.engine.catalog()
    }

    pub(super) fn resource(&self, name: &str) -> Result<&Resource> {
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

    /// A page of a list; its rows are still to come if they are too many to be held.
    pub(super) async fn page(
        &self,
        question: &Question,
        arguments: &[Argument],
        principal: &Principal,
    ) -> Result<(Answer, Option<Long>)> {
        let plan = self.engine.prepare(question, Style::Rest, self.bounds, &Who::from(principal))?;
        self.engine.page(&plan, arguments, principal).await
    }
}

/// The routes of all resources. They come after every fixed path.
pub fn routes(rest: Rest) -> Router {
    let changed = |call| answered(call, change);
    let one = |call| answered(call, write_item);
    let collection = get(|call| answered(call, read::list))
        .post(|call| answered(call, create))
        .patch(changed)
        .put(|call| answered(call, put))
        .delete(changed)
        .options(allowed);
    let item = get(|call| answered(call, read::item)).patch(one).put(one).delete(one).options(allowed);
    Router::new()
        .route("/{resource}", collection)
        .route("/{resource}/{key}", item)
        .method_not_allowed_fallback(not_allowed)
        .with_state(rest)
}

/// The answer of a handler, which tells the profile back to a client that names it.
async fn answered<F>(call: Call, handler: impl FnOnce(Call) -> F) -> Response
where
    F: Future<Output = Result<Response>>,
{
    let profiled = call.profiled;
    let mut response = handler(call).await.into_response();
    if profiled {
        response.headers_mut().insert(headers::CONTENT_PROFILE, HeaderValue::from_static(headers::PROFILE));
    }
    response
}

/// The methods that a resource has.
async fn allowed(State(rest): State<Rest>, params: RawPathParams) -> Result<Response> {
    let mut params = params.iter();
    let resource = rest.resource(params.next().map_or("", |(_, name)| name))?;
    let mut response = StatusCode::OK.into_response();
    set(&mut response, header::ALLOW, &methods(resource, params.next().is_some()).join(","));
    Ok(response)
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
    let allow = methods(resource, on_item).join(", ");
    Error::method_not_allowed(format!("{method} is not a method of {}", resource.name), allow)
}

/// The methods that a policy leaves to a resource, whoever asks.
fn methods(resource: &Resource, on_item: bool) -> Vec<&'static str> {
    let policy = &resource.policy;
    let mut methods = vec!["OPTIONS", "GET", "HEAD"];
    let writes =
        [(&policy.create, "POST"), (&policy.update, "PUT"), (&policy.update, "PATCH"), (&policy.delete, "DELETE")];
    let granted = writes.iter().filter(|(grant, _)| grant.condition != Condition::Never).map(|(_, name)| *name);
    // Put into a collection, a row is added if it is not there.
    let adds = policy.create.condition != Condition::Never;
    methods.extend(granted.filter(|name| match *name {
        "POST" => !on_item,
        "PUT" => on_item || adds,
        _ => true,
    }));
    methods
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
    /// Whether the client names the profile, which is told back then.
    pub(super) profiled: bool,
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
        let profiled = headers::profile(&method, &headers).map_err(IntoResponse::into_response)?;
        let query = request.uri().query().unwrap_or_default().to_owned();
        let body = Bytes::from_request(request, rest).await;
        Ok(Self { rest: rest.clone(), name, key, query, method, headers, principal, profiled, body })
    }
}

impl Call {
    pub(super) fn resource(&self) -> Result<&Resource> {
        Media::of(&self.headers)?;
        self.rest.resource(&self.name)
    }
}

/// A question about one row.
pub(super) fn one(resource: &Resource, action: Action, select: Vec<Field>) -> Question {
    question(resource, action, select, Envelope::Object)
}

pub(super) fn question(resource: &Resource, action: Action, select: Vec<Field>, envelope: Envelope) -> Question {
    Question { request: Request { resource: resource.name.clone(), action, select }, envelope, form: Form::default() }
}

pub(super) fn read(body: &Result<Bytes, BytesRejection>) -> Result<&Bytes> {
    body.as_ref().map_err(error_http::unread)
}

/// Sets a header whose value the server made.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &str) {
    // What a key is written as has no character that a header cannot hold, but a text key may: then it is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
