//! The paths that every server has, whatever its resources: identity, GraphQL, health, this document.
//!
//! In: the catalogue, for the user in a session. Out: paths, the schema of a session, and tags.

use super::{
    access::security,
    headers::headers,
    json_content,
    preferences::OF_GRAPHQL,
    reference,
    responses::{BODY, responses},
};
use crate::catalog::Catalog;
use axum::http::StatusCode;
use serde_json::{Value, json};

// No resource is named like them: tables are in snake_case.
const IDENTITY: &str = "Identity";
const GRAPHQL: &str = "GraphQL";
const SERVER: &str = "Server";

/// The tags of these paths.
pub(super) fn tags() -> impl Iterator<Item = Value> {
    [
        (IDENTITY, "Accounts and access tokens. No cache keeps these answers."),
        (GRAPHQL, "The same resources as GraphQL, which describes itself by introspection."),
        (SERVER, "How the server is, and what it serves."),
    ]
    .into_iter()
    .map(|(name, description)| json!({ "name": name, "description": description }))
}

/// What somebody who has signed in holds.
pub(super) fn session_schema(catalog: &Catalog) -> Value {
    json!({
        "type": "object",
        "description": "What somebody who has signed in holds (RFC 6749, section 5.1), with the user beside it.",
        "properties": {
            "access_token": { "type": "string", "description": "To be sent as `Authorization: Bearer …`." },
            "token_type": { "const": "bearer" },
            "expires_in": { "type": "integer", "minimum": 1, "description": "For how many seconds the token is good." },
            "refresh_token": { "type": "string", "description": "Gets the next tokens at `/auth/refresh`, once." },
            "user": user(catalog),
        },
        "required": ["access_token", "token_type", "expires_in", "refresh_token", "user"],
    })
}

/// The row of the caller, in the resource whose rows are the callers.
fn user(catalog: &Catalog) -> Value {
    match catalog.resources().iter().find(|resource| resource.principals) {
        Some(resource) => reference("schemas", &resource.names.type_name),
        None => json!({ "type": "object" }),
    }
}

/// The paths of this module.
pub(super) fn paths(catalog: &Catalog) -> [(String, Value); 11] {
    let user = json_content(user(catalog));
    let me = json!({ "get": me(&user), "patch": rename(&user) });
    [
        ("/auth/register", json!({ "post": register() })),
        ("/auth/login", json!({ "post": login() })),
        ("/auth/refresh", json!({ "post": refresh() })),
        ("/auth/logout", json!({ "post": logout() })),
        ("/auth/password", json!({ "post": change_password() })),
        ("/auth/me", me),
        ("/graphql", json!({ "post": graphql(), "get": graphql_by_get() })),
        ("/", json!({ "get": root() })),
        ("/openapi.json", json!({ "get": openapi() })),
        ("/livez", json!({ "get": live() })),
        ("/readyz", json!({ "get": ready() })),
    ]
    .map(|(path, item)| (path.to_owned(), item))
}

fn email() -> Value {
    json!({ "type": "string", "format": "email", "maxLength": 254 })
}

fn password() -> Value {
    json!({ "type": "string", "format": "password" })
}

fn new_password() -> Value {
    json!({
        "type": "string",
        "format": "password",
        "description": "Not to be guessed easily, even by somebody who knows the e-mail and the name.",
        "minLength": 12,
        "maxLength": 128,
    })
}

/// How what is about a session can fail: it is limited, it is not there where an outside identity provider makes all
/// tokens, and it takes a database that can be written to.
fn limited() -> Vec<StatusCode> {
    let own = [StatusCode::TOO_MANY_REQUESTS, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
    [BODY.as_slice(), &own].concat()
}

/// The name of a user, as every path under `/auth` takes it.
fn name() -> Value {
    json!({ "type": ["string", "null"], "minLength": 1, "maxLength": 200 })
}

fn register() -> Value {
    let input = json!({
        "type": "object",
        "properties": { "email": email(), "password": new_password(), "name": name() },
        "required": ["email", "password"],
        "additionalProperties": false,
        "examples": [{ "email": "ada@example.com", "password": "moss under nine old beeches", "name": "Ada" }],
    });
    let mut kinds = limited();
    kinds.push(StatusCode::CONFLICT);
    json!({
        "operationId": "register",
        "tags": [IDENTITY],
        "summary": "Make an account and sign in",
        "security": [],
        "requestBody": { "required": true, "content": json_content(input) },
        "responses": responses([("201", session("The account is made, and this is its session."))], &kinds),
    })
}

fn login() -> Value {
    let json = json!({
        "type": "object",
        "properties": { "email": email(), "password": password() },
        "required": ["email", "password"],
        "additionalProperties": false,
        "examples": [{ "email": "ada@example.com", "password": "moss under nine old beeches" }],
    });
    let form = json!({
        "type": "object",
        "description": "The password form of OAuth 2 (RFC 6749, section 4.3.2); other parameters of it are ignored.",
        "properties": {
            "grant_type": { "const": "password" },
            "username": { "type": "string", "description": "The e-mail." },
            "password": password(),
        },
        "required": ["username", "password"],
    });
    let mut content = json_content(json);
    content["application/x-www-form-urlencoded"] = json!({ "schema": form });
    json!({
        "operationId": "login",
        "tags": [IDENTITY],
        "summary": "Sign in",
        "description": "A wrong password, an unknown user and a disabled one get the same answer. \
            An `Authorization` header is ignored.",
        "security": [],
        "requestBody": { "required": true, "content": content },
        "responses": responses([("200", session("The session."))], &limited()),
    })
}

/// The body of what is about a session that there is.
fn refresh_token() -> Value {
    let input = json!({
        "type": "object",
        "properties": { "refresh_token": { "type": "string" } },
        "required": ["refresh_token"],
        "additionalProperties": false,
    });
    json!({ "required": true, "content": json_content(input) })
}

fn refresh() -> Value {
    json!({
        "operationId": "refresh",
        "tags": [IDENTITY],
        "summary": "Go on with a session",
        "description": "The answer has another refresh token, and the one of the request is used. A used one that comes \
            again ends the session, for somebody has a copy. An `Authorization` header is ignored.",
        "security": [],
        "requestBody": refresh_token(),
        "responses": responses([("200", session("The session, with its next tokens."))], &limited()),
    })
}

fn logout() -> Value {
    let gone = json!({ "description": "The session has ended, or there was none.", "headers": headers(&[]) });
    json!({
        "operationId": "logout",
        "tags": [IDENTITY],
        "summary": "End a session",
        "description": "Its access tokens end with it, within five seconds.",
        "security": [],
        "requestBody": refresh_token(),
        "responses": responses([("204", gone)], &limited()),
    })
}

fn change_password() -> Value {
    let input = json!({
        "type": "object",
        "properties": { "current_password": password(), "new_password": new_password() },
        "required": ["current_password", "new_password"],
        "additionalProperties": false,
    });
    json!({
        "operationId": "changePassword",
        "tags": [IDENTITY],
        "summary": "Change the caller's own password",
        "description": "All sessions of the caller end; the answer is a new one.",
        "security": security(false),
        "requestBody": { "required": true, "content": json_content(input) },
        "responses": responses([("200", session("A new session."))], &limited()),
    })
}

fn session(description: &str) -> Value {
    answer(description, json_content(reference("schemas", "Session")))
}

/// An answer that always has a body.
fn answer(description: &str, content: Value) -> Value {
    json!({ "description": description, "headers": headers(&[]), "content": content })
}

fn me(user: &Value) -> Value {
    json!({
        "operationId": "currentUser",
        "tags": [IDENTITY],
        "summary": "Read the caller's own user",
        "security": security(false),
        "responses": responses([("200", answer("The user.", user.clone()))], &[StatusCode::NOT_FOUND]),
    })
}

fn rename(user: &Value) -> Value {
    let input = json!({
        "type": "object",
        "properties": { "name": name() },
        "additionalProperties": false,
        "examples": [{ "name": "Ada" }],
    });
    let mut kinds = BODY.to_vec();
    kinds.extend([StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED]);
    json!({
        "operationId": "renameCurrentUser",
        "tags": [IDENTITY],
        "summary": "Change the caller's own name",
        "security": security(false),
        "requestBody": { "required": true, "content": json_content(input) },
        "responses": responses([("200", answer("The user as it is now.", user.clone()))], &kinds),
    })
}

fn graphql() -> Value {
    let request = json!({
        "type": "object",
        "properties": {
            "query": { "type": "string", "description": "The document." },
            "operationName": { "type": ["string", "null"], "description": "Which of its operations is meant." },
            "variables": { "type": ["object", "null"], "description": "The values of its variables." },
            "documentId": { "type": ["string", "null"], "description": "The document's name, in its place." },
            "extensions": { "type": ["object", "null"], "description": "The document's hash, by `persistedQuery`." },
        },
        "examples": [{ "query": "{ __typename }" }],
    });
    json!({
        "operationId": "graphql",
        "tags": [GRAPHQL],
        "summary": "Run a GraphQL operation",
        "description": "By the GraphQL-over-HTTP specification. The document is sent as `query`, or named by \
            `documentId` or the hash in `extensions`.",
        "security": security(true),
        "parameters": [reference("parameters", OF_GRAPHQL)],
        "requestBody": { "required": true, "content": json_content(request) },
        "responses": graphql_answers(),
    })
}

fn graphql_by_get() -> Value {
    let parameter = |name: &str, description: &str| {
        let schema = json!({ "type": "string" });
        json!({ "name": name, "in": "query", "description": description, "required": false, "schema": schema })
    };
    json!({
        "operationId": "graphqlQuery",
        "tags": [GRAPHQL],
        "summary": "Run a GraphQL query",
        "description": "Mutations come by POST alone.",
        "security": security(true),
        "parameters": [
            parameter("query", "The document."),
            parameter("operationName", "Which of its operations is meant."),
            parameter("variables", "The values of its variables, as a JSON object."),
            parameter("documentId", "The document's name, in its place."),
            parameter("extensions", "The document's hash, as a JSON object with `persistedQuery`."),
            reference("parameters", OF_GRAPHQL),
        ],
        "responses": graphql_answers(),
    })
}

fn graphql_answers() -> Value {
    let response = json!({
        "schema": {
            "type": "object",
            "properties": {
                "data": { "type": ["object", "null"] },
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": { "message": { "type": "string" }, "extensions": { "type": "object" } },
                        "required": ["message"],
                    },
                },
            },
        },
    });
    let answer = |description: &str| {
        answer(description, json!({ "application/json": response, "application/graphql-response+json": response }))
    };
    let mut run = answer("The operation was run; what went wrong in it is among the errors.");
    run["headers"] = headers(&["Preference-Applied", "Server-Timing", "Vary"]);
    json!({
        "200": run,
        "4XX": answer("The request was not run."),
        "5XX": answer("The server could not run it."),
    })
}

fn root() -> Value {
    let mut content = document();
    content["text/html"] = json!({ "schema": { "type": "string" } });
    json!({
        "operationId": "root",
        "tags": [SERVER],
        "summary": "Read this document, or in a browser the landing page",
        "security": [],
        "responses": { "200": answer("The OpenAPI document, or the page, as `Accept` asks for.", content) },
    })
}

fn openapi() -> Value {
    json!({
        "operationId": "openapi",
        "tags": [SERVER],
        "summary": "Read this document",
        "security": [],
        "responses": { "200": answer("The OpenAPI document.", document()) },
    })
}

/// This document, in both of its media types.
fn document() -> Value {
    let schema = json!({ "schema": { "type": "object" } });
    json!({ "application/json": schema, "application/openapi+json": schema })
}

fn live() -> Value {
    json!({
        "operationId": "live",
        "tags": [SERVER],
        "summary": "Ask whether the process is up",
        "description": "The database is not asked.",
        "security": [],
        "responses": { "200": plain("It is.") },
    })
}

fn ready() -> Value {
    json!({
        "operationId": "ready",
        "tags": [SERVER],
        "summary": "Ask whether requests can be answered",
        "security": [],
        "responses": {
            "200": plain("The database is there and migrated, and the server is not about to stop."),
            "503": reference("responses", "Unavailable"),
        },
    })
}

fn plain(description: &str) -> Value {
    answer(description, json!({ "text/plain": { "schema": { "type": "string" } } }))
}
