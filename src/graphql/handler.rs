//! GraphQL over HTTP (the specification of that name): which bodies are read, which media types are written, and which
//! status an outcome has.
//!
//! In: `POST /graphql` with JSON, `GET /graphql` with a query string. Out: `application/graphql-response+json` or
//! `application/json`, whichever the client likes better.

use super::{
    document::Operation,
    errors,
    execute::{GraphQl, Outcome},
};
use crate::{
    auth::client::Client,
    error::{Error, Kind, Result},
    error_http,
};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The two media types of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    /// `application/graphql-response+json`: the status tells whether the request was run.
    Response,
    /// `application/json`: a well-formed request is always 200.
    Json,
}

impl Media {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// A request's members; others are ignored.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a JSON object with \"query\"")]
struct Body<'a> {
    #[serde(borrow, default)]
    query: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "operationName")]
    operation_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    variables: Option<&'a RawValue>,
}

/// The routes of GraphQL.
pub fn routes(graphql: GraphQl) -> Router {
    Router::new().route("/graphql", get(by_get).post(by_post)).with_state(graphql)
}

async fn by_post(
    State(graphql): State<GraphQl>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let media = match negotiate(&headers) {
        Ok(media) => media,
        Err(error) => return refuse(&error, Media::Json),
    };
    if !is_json(&headers) {
        // A browser sends other types across origins without asking (CSRF), so none of them is read.
        let error = Error::new(Kind::UnsupportedMediaType, "The body must be application/json");
        return refuse(&error, media);
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refuse(&Error::new(Kind::PayloadTooLarge, "The body is larger than this server reads"), media);
        }
        Err(_) => return refuse(&Error::bad_request("The body could not be read"), media),
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return refuse(&Error::bad_request("The body is not UTF-8"), media);
    };
    if text.trim_start().starts_with('[') {
        return refuse(&Error::bad_request("Batches of operations are not taken: send one at a time"), media);
    }
    let body: Body<'_> = match serde_json::from_str(text) {
        Ok(body) => body,
        Err(error) => return refuse(&Error::bad_request(format!("The body is no GraphQL request: {error}")), media),
    };
    let variables = body.variables.map(RawValue::get).filter(|variables| *variables != "null");
    let operation = Operation {
        query: body.query.as_deref().unwrap_or_default(),
        name: body.operation_name.as_deref(),
        variables,
        safe: false,
    };
    answer(&graphql, &client, &headers, &operation, media).await
}

async fn by_get(
    State(graphql): State<GraphQl>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let media = match negotiate(&headers) {
        Ok(media) => media,
        Err(error) => return refuse(&error, Media::Json),
    };
    let query = query.unwrap_or_default();
    let (mut document, mut name, mut variables) = (None, None, None);
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "query" => document = Some(value),
            "operationName" if !value.is_empty() => name = Some(value),
            "variables" if !value.is_empty() => variables = Some(value),
            _ => {}
        }
    }
    let operation = Operation {
        query: document.as_deref().unwrap_or_default(),
        name: name.as_deref(),
        variables: variables.as_deref().filter(|variables| *variables != "null"),
        safe: true,
    };
    answer(&graphql, &client, &headers, &operation, media).await
}

async fn answer(
    graphql: &GraphQl,
    client: &Client,
    headers: &HeaderMap,
    operation: &Operation<'_>,
    media: Media,
) -> Response {
    if operation.query.is_empty() {
        let error = Error::bad_request("A request needs the member \"query\" with a document")
            .hint("{\"query\": \"{ trees { nodes { id name species } } }\"}");
        return refuse(&error, media);
    }
    let principal = match graphql.identify(headers, operation, client).await {
        Ok(principal) => principal,
        Err(error) => return refuse(&error, media),
    };
    match graphql.execute(operation, &principal, client).await {
        Outcome::Executed(bytes) => respond(StatusCode::OK, media, bytes),
        Outcome::Refused(bytes) => {
            let status = if media == Media::Json { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            respond(status, media, bytes)
        }
        Outcome::NotSafe => refuse(&Error::method_not_allowed("A mutation must be sent by POST", "POST"), media),
    }
}

fn respond(status: StatusCode, media: Media, bytes: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, media.content_type()), (header::VARY, "Accept")], bytes).into_response()
}

/// A request that is not run: the error's own status, whatever the media type.
fn refuse(error: &Error, media: Media) -> Response {
    error_http::log(error);
    let body = serde_json::json!({ "errors": [errors::render(error, None)] });
    let mut response = respond(error_http::status(error.kind), media, body.to_string().into_bytes());
    if let Some(Ok(allow)) = error.allow.as_deref().map(HeaderValue::from_str) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    if error.kind == Kind::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| {
            let charset = parameter.to_ascii_lowercase().replace('"', "");
            charset.strip_prefix("charset=").is_none_or(|charset| charset == "utf-8" || charset == "utf8")
        })
}

/// The media type that `Accept` likes best; of equal ones the first that it names (RFC 9110 section 12.5.1).
fn negotiate(headers: &HeaderMap) -> Result<Media> {
    let mut best: Option<(f32, Media)> = None;
    let mut any = false;
    for value in headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
        for range in value.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            if name.is_empty() {
                continue;
            }
            any = true;
            let quality = parts
                .find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")))
                .map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
            let media = match name.as_str() {
                "application/graphql-response+json" => Media::Response,
                "application/json" | "application/*" | "*/*" => Media::Json,
                _ => continue,
            };
            if quality > 0.0 && best.is_none_or(|(other, _)| quality > other) {
                best = Some((quality, media));
            }
        }
    }
    match best {
        Some((_, media)) => Ok(media),
        None if !any => Ok(Media::Json),
        None => {
            Err(Error::new(Kind::NotAcceptable, "The answer is application/graphql-response+json or application/json"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_is_the_one_that_the_client_likes_best() {
        for (accept, media) in [
            (None, Some(Media::Json)),
            (Some("*/*"), Some(Media::Json)),
            (Some("application/graphql-response+json,application/json;q=0.9"), Some(Media::Response)),
            (Some("application/json, application/graphql-response+json;q=0.5"), Some(Media::Json)),
            (
                Some("application/graphql-response+json, application/graphql+json, application/json"),
                Some(Media::Response),
            ),
            (Some("text/html"), None),
            (Some("application/json;q=0"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(negotiate(&headers).ok(), media, "{accept:?}");
        }
    }
}
