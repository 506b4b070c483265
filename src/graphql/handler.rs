//! GraphQL over HTTP (the specification of that name): what each method does, and which status an outcome has.
//!
//! In: `POST /graphql` with JSON, `GET /graphql` with a query string. Out: `application/graphql-response+json` or
//! `application/json`, whichever the client likes better, also where something around the routes failed.

use super::{
    answer::{Outcome, Reply},
    errors,
    execute::GraphQl,
    media::{Media, is_json},
    request::{Body, Sent},
};
use crate::{
    auth::client::Client,
    error::{Error, Kind, Result},
    error_http::{self, Failed},
    telemetry::record,
};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{FromRequest as _, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};

/// The media type that a request accepts, if it accepts one that there is.
#[derive(Clone, Copy)]
struct Accepted(Option<Media>);

/// The routes of GraphQL; [`spell_failures`] goes around all that is around them.
pub fn routes(graphql: GraphQl) -> Router {
    Router::new().route("/graphql", get(by_get).post(by_post)).with_state(graphql)
}

/// Gives the failures of what is around the routes – a panic, the end of the time, another method – GraphQL's form.
pub async fn spell_failures(mut request: Request, next: Next) -> Response {
    let accepted = Media::of(request.headers());
    request.extensions_mut().insert(Accepted(accepted));
    let response = next.run(request).await;
    let Some(Failed(error)) = response.extensions().get() else { return response };
    let unknown = HeaderValue::from_static("unknown");
    let id = response.headers().get("x-request-id").unwrap_or(&unknown);
    let mut shaped = Exchange { media: accepted.unwrap_or(Media::Json), id, safe: false }.refuse(error);
    for (name, value) in response.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) && name != "proxy-status" {
            shaped.headers_mut().insert(name, value.clone());
        }
    }
    shaped
}

async fn by_post(
    State(graphql): State<GraphQl>,
    Extension(client): Extension<Client>,
    Extension(Accepted(accepted)): Extension<Accepted>,
    mut request: Request,
) -> Response {
    let headers = std::mem::take(request.headers_mut());
    let exchange = Exchange { media: accepted.unwrap_or(Media::Json), id: &client.request_id, safe: false };
    let answer = async {
        acceptable(accepted)?;
        if !is_json(&headers) {
            // A browser sends other types across origins without asking (CSRF), so none of them is read.
            return Err(Error::new(Kind::UnsupportedMediaType, "The body must be application/json"));
        }
        // Only now: what is not read is not waited for.
        let body = Bytes::from_request(request, &()).await.map_err(|rejection| error_http::unread(&rejection))?;
        let text = std::str::from_utf8(&body).map_err(|_| Error::bad_request("The body is not UTF-8"))?;
        match Body::parse(text, graphql.batch_limit())? {
            Body::One(sent) => exchange.one(&graphql, &client, &headers, &sent).await,
            Body::Batch(sent) => exchange.batch(&graphql, &client, &headers, &sent).await,
        }
    };
    answer.await.unwrap_or_else(|error| exchange.refuse(&error))
}

async fn by_get(
    State(graphql): State<GraphQl>,
    Extension(client): Extension<Client>,
    Extension(Accepted(accepted)): Extension<Accepted>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let exchange = Exchange { media: accepted.unwrap_or(Media::Json), id: &client.request_id, safe: true };
    let answer = async {
        acceptable(accepted)?;
        let sent = Sent::parse_query(query.as_deref().unwrap_or_default())?;
        exchange.one(&graphql, &client, &headers, &sent).await
    };
    answer.await.unwrap_or_else(|error| exchange.refuse(&error))
}

fn acceptable(accepted: Option<Media>) -> Result<Media> {
    accepted.ok_or_else(|| {
        Error::new(Kind::NotAcceptable, "The answer is application/graphql-response+json or application/json")
    })
}

/// A request and its answer.
#[derive(Clone, Copy)]
struct Exchange<'r> {
    media: Media,
    /// The request's id.
    id: &'r HeaderValue,
    /// Whether it came by a method that must not change anything.
    safe: bool,
}

impl Exchange<'_> {
    async fn one(self, graphql: &GraphQl, client: &Client, headers: &HeaderMap, sent: &Sent<'_>) -> Result<Response> {
        let operation = sent.operation(self.safe);
        let principal = graphql.identify(headers, &[operation], client).await?;
        match graphql.execute(&operation, &principal, client).await {
            Outcome::Executed(reply) => Ok(self.respond(StatusCode::OK, reply)),
            Outcome::Refused(reply) => {
                let status = if self.media == Media::Json { StatusCode::OK } else { StatusCode::BAD_REQUEST };
                Ok(self.respond(status, reply))
            }
            Outcome::Denied(error) => Err(error),
        }
    }

    /// The answers to operations that came together, in their order.
    async fn batch(
        self,
        graphql: &GraphQl,
        client: &Client,
        headers: &HeaderMap,
        sent: &[Sent<'_>],
    ) -> Result<Response> {
        let operations: Vec<_> = sent.iter().map(|sent| sent.operation(self.safe)).collect();
        let principal = graphql.identify(headers, &operations, client).await?;
        let mut all = Reply { bytes: b"[".to_vec(), ..Reply::default() };
        for outcome in graphql.execute_all(&operations, &principal, client).await? {
            let reply = match outcome {
                Outcome::Executed(reply) | Outcome::Refused(reply) => reply,
                Outcome::Denied(error) => self.failure(&error),
            };
            if all.bytes.len() > 1 {
                all.bytes.push(b',');
            }
            all.bytes.extend_from_slice(&reply.bytes);
            all.failed |= reply.failed;
            all.retry_after = all.retry_after.max(reply.retry_after);
        }
        all.bytes.push(b']');
        Ok(self.respond(StatusCode::OK, all))
    }

    fn respond(self, status: StatusCode, reply: Reply) -> Response {
        let mut response = (status, reply.bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.media.content_type());
        // Whose answer it is depends on the token, where a cache may keep it: only what ran by GET is for caches at all.
        headers
            .insert(header::VARY, HeaderValue::from_static(if self.safe { "Accept, Authorization" } else { "Accept" }));
        if !self.safe || reply.failed {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if let Some(after) = reply.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.get()));
        }
        response
    }

    fn failure(self, error: &Error) -> Reply {
        record::errors(1, errors::code(error.kind));
        let body = serde_json::json!({ "errors": [errors::render(error, None, self.id)] });
        Reply { bytes: body.to_string().into_bytes(), failed: true, retry_after: error.retry_after }
    }

    /// A request that is not run: the error's own status, whatever the media type.
    fn refuse(self, error: &Error) -> Response {
        let mut response = self.respond(error_http::status(error.kind), self.failure(error));
        error_http::explain(error, response.headers_mut());
        response
    }
}
