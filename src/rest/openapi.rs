//! The OpenAPI 3.1 document: what REST promises, told from the catalogue alone.
//!
//! In: the catalogue. Out: the document as a JSON value, whose order is that of the catalogue. A resource appears here
//! without a line of its own.

mod access;
mod fixed;
mod parameters;
mod resource;
mod responses;
mod schemas;
#[cfg(test)]
mod tests;

use crate::catalog::Catalog;
use serde_json::{Map, Value, json};

/// The OpenAPI 3.1 document of what `catalog` declares, with the paths that every server has.
pub fn document(catalog: &Catalog) -> Value {
    let resources = || catalog.resources().iter();
    // The fixed paths come last, for they win over a resource of the same name.
    let paths: Map<String, Value> = resources().flat_map(resource::paths).chain(fixed::paths(catalog)).collect();
    let mut schemas: Map<String, Value> = resources().flat_map(|resource| schemas::of(catalog, resource)).collect();
    schemas.extend([
        ("Error".to_owned(), responses::error_schema()),
        ("Session".to_owned(), fixed::session_schema(catalog)),
    ]);
    let tags: Vec<Value> = resources()
        .map(|resource| json!({ "name": resource.name, "description": resource.description }))
        .chain(fixed::tags())
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rootstock",
            "version": env!("CARGO_PKG_VERSION"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/", "description": "This server." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters::components(catalog),
            "responses": responses::components(),
            "securitySchemes": access::schemes(),
        },
    })
}

/// A reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// A body in JSON.
fn json_content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}
