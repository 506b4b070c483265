//! The OpenAPI 3.1 document: what REST promises, told from the catalogue alone.
//!
//! In: the catalogue. Out: the document as a JSON value, whose order is that of the catalogue. A resource appears here
//! without a line of its own.

mod access;
mod answers;
mod fixed;
mod headers;
mod parameters;
mod preferences;
mod resource;
mod responses;
mod schemas;
#[cfg(test)]
mod tests;

use crate::catalog::Catalog;
use serde_json::{Map, Value, json};

/// What a reader should know before anything else, by the example of the first resource.
fn about(catalog: &Catalog) -> String {
    let paths = catalog.resources().first().map(|resource| {
        let (name, key) = (&resource.name, &resource.key_column().name);
        format!(
            "Every resource has two paths. The collection, `/{name}`, is spoken to as PostgREST is: conditions, order and \
             page are in the query string, a write takes all rows that match, and `Prefer` says what is told of it. The \
             item, `/{name}/{{{key}}}`, is the usual create, read, update and delete of one row.\n\n"
        )
    });
    paths.unwrap_or_default()
        + "Rows that a caller may not see do not exist: they are neither told nor counted, and asked for by key they are \
           404. Numbers have their exact digits. Every failure has the four members `code`, `message`, `details` and \
           `hint`.\n\n\
           `POST /auth/register` and `POST /auth/login` give the token to send as `Authorization: Bearer …`, and another \
           that gets the next ones at `POST /auth/refresh`."
}

/// The OpenAPI 3.1 document of what `catalog` declares, with the paths that every server has.
pub fn document(catalog: &Catalog) -> Value {
    let resources = || catalog.resources().iter();
    // The fixed paths come last, for they win over a resource of the same name.
    let paths: Map<String, Value> =
        resources().flat_map(|resource| resource::paths(catalog, resource)).chain(fixed::paths(catalog)).collect();
    let mut schemas: Map<String, Value> = resources().flat_map(|resource| schemas::of(catalog, resource)).collect();
    schemas.extend([
        ("Error".to_owned(), responses::error_schema()),
        ("Session".to_owned(), fixed::session_schema(catalog)),
    ]);
    let mut responses: Map<String, Value> = resources().flat_map(answers::of).collect();
    responses.extend(responses::components());
    let tags: Vec<Value> = resources()
        .map(|resource| json!({ "name": resource.name, "description": resource.description }))
        .chain(fixed::tags())
        .collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rootstock",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "description": about(catalog),
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/", "description": "This server." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters::components(catalog),
            "responses": responses,
            "headers": headers::components(),
            "securitySchemes": access::schemes(),
        },
    });
    // What these resources have no use for; a response may be the only one to use a header.
    for kind in ["responses", "parameters", "headers"] {
        let text = document.to_string();
        if let Some(Value::Object(components)) = document["components"].get_mut(kind) {
            components.retain(|name, _| text.contains(&format!("\"#/components/{kind}/{name}\"")));
        }
    }
    document
}

/// A reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// A body in JSON.
fn json_content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}
