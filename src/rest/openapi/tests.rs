//! Tests of the OpenAPI document over the shipped resources: what it says is what REST does.

use super::{
    document,
    parameters::spellings,
    schemas::{Form, example, property},
};
use crate::{
    catalog::{
        Catalog, Column, Fill,
        scalar::{Decimal, Enumeration, Input, Scalar},
    },
    entities::resources,
    rest::parse_list,
};
use serde_json::{Value, json};
use std::{collections::HashSet, sync::Arc};

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

fn catalog() -> Catalog {
    resources().build().unwrap()
}

/// Every value of the document that is under `name`, however deep.
fn under<'d>(name: &str, value: &'d Value, found: &mut Vec<&'d Value>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if key == name {
                    found.push(member);
                }
                under(name, member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| under(name, item, found)),
        _ => {}
    }
}

fn methods<'d>(document: &'d Value, path: &str) -> Vec<&'d str> {
    let item = document["paths"][path].as_object().unwrap_or_else(|| panic!("{path} is not there"));
    item.keys().map(String::as_str).collect()
}

#[test]
fn every_resource_has_its_paths() {
    let (catalog, document) = (catalog(), document(&catalog()));
    for resource in catalog.resources() {
        let (name, key) = (&resource.name, &resource.key_column().name);
        for path in [format!("/{name}"), format!("/{name}/{{{key}}}")] {
            assert!(methods(&document, &path).ends_with(&["head", "options"]), "{path}");
        }
        assert!(document["components"]["schemas"][Form::Row.name(resource)].is_object(), "{name}");
    }
}

#[test]
fn what_nobody_may_do_is_not_there() {
    let document = document(&catalog());
    assert_eq!(methods(&document, "/trees"), METHODS);
    assert_eq!(methods(&document, "/users"), ["get", "patch", "head", "options"]);
    assert_eq!(methods(&document, "/users/{id}"), ["get", "put", "patch", "head", "options"]);
    assert!(document["components"]["schemas"]["CreateUser"].is_null());
    let expense = &document["components"]["schemas"]["CreateExpense"];
    assert!(expense["properties"]["user_id"].is_null());
    assert_eq!(expense["required"], json!(["title", "amount"]));
}

#[test]
fn failures_are_told_where_they_can_happen() {
    let document = document(&catalog());
    let statuses = |path: &str, method: &str| {
        let responses = document["paths"][path][method]["responses"].as_object().unwrap();
        responses.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(statuses("/trees", "get"), "200 206 400 401 404 406 416 500 503 504");
    assert_eq!(statuses("/trees/{id}", "delete"), "200 204 400 401 403 404 405 406 409 412 500 503 504");
    assert_eq!(statuses("/expenses", "post"), "200 201 400 401 403 404 405 406 408 409 413 415 416 422 500 503 504");
    assert_eq!(statuses("/users", "patch"), "200 204 400 401 403 404 405 406 408 409 413 415 422 500 503 504");
    assert_eq!(document["paths"]["/trees"]["get"]["security"][0], json!({}));
    assert!(document["paths"]["/expenses"]["get"]["security"][0]["bearer"].is_array());
}

#[test]
fn every_reference_resolves_and_every_component_is_used() {
    let document = document(&catalog());
    let mut references = Vec::new();
    under("$ref", &document, &mut references);
    let references: HashSet<&str> = references.into_iter().filter_map(Value::as_str).collect();
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for kind in ["schemas", "parameters", "responses", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(references.contains(format!("#/components/{kind}/{name}").as_str()), "{kind} {name}");
        }
    }
}

#[test]
fn operation_ids_are_unique_and_in_camel_case() {
    let document = document(&catalog());
    let mut ids = Vec::new();
    under("operationId", &document, &mut ids);
    let mut seen = HashSet::new();
    for id in ids.into_iter().filter_map(Value::as_str) {
        assert!(
            id.starts_with(|c: char| c.is_ascii_lowercase()) && id.bytes().all(|b| b.is_ascii_alphanumeric()),
            "{id}"
        );
        assert!(seen.insert(id), "{id} is there twice");
    }
}

#[test]
fn filters_are_spelt_as_they_are_read() {
    let catalog = catalog();
    for resource in catalog.resources() {
        for column in &resource.columns {
            for word in spellings(column.scalar.operators()) {
                let value = match word {
                    "in" => "(1)",
                    "is" => "null",
                    _ => "1",
                };
                for query in [format!("{}={word}.{value}", column.name), format!("{}=not.{word}.{value}", column.name)]
                {
                    assert!(parse_list(resource, &catalog, &query, 10).is_ok(), "/{}?{query}", resource.name);
                }
            }
        }
    }
}

#[test]
fn every_type_says_what_may_be_written() {
    let catalog = catalog();
    let resource = &catalog.resources()[0];
    let scalar = Scalar::Decimal(Decimal::new(14, 2));
    let sizes = Enumeration::new("Size".into(), "size".into(), ["small", "big"].map(str::to_owned));
    let mut column = Column {
        name: "price".into(),
        field: "price".into(),
        default: Some(Fill::Value(scalar.parse(&Input::Number("1.50")).unwrap())),
        scalar,
        nullable: true,
        touch: None,
        searchable: false,
        rules: Vec::new(),
        computed: None,
        masked: false,
    };
    let created = property(&catalog, resource, Form::Create, &column);
    assert_eq!(created["type"], json!(["number", "string", "null"]));
    assert_eq!(created["default"], json!(1.5));
    assert_eq!(property(&catalog, resource, Form::Row, &column)["type"], json!(["number", "null"]));
    (column.scalar, column.default) = (Scalar::Enum(Arc::new(sizes)), None);
    assert_eq!(property(&catalog, resource, Form::Update, &column)["enum"], json!(["small", "big", null]));
    column.scalar = Scalar::Json;
    assert_eq!(property(&catalog, resource, Form::Update, &column), json!({}));
}

#[test]
fn examples_are_values_of_their_columns() {
    for resource in catalog().resources() {
        for column in &resource.columns {
            let value = column.scalar.read_json(&example(column).to_string()).unwrap();
            let mut problems = Vec::new();
            column.check(&value, &mut problems);
            assert_eq!(problems, [], "{}.{}", resource.name, column.name);
        }
    }
}
