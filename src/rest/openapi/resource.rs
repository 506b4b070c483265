//! The paths of a resource: its collection, as PostgREST has it, and its items, as classic CRUD has them.
//!
//! In: a resource and its policy. Out: the operations that somebody may call.

use super::{
    access::{Access, security},
    json_content, parameters, reference,
    responses::{BODY, header, responses},
    schemas::Form,
};
use crate::{
    catalog::{
        Resource,
        policy::{Condition, Grant},
    },
    error::Kind,
};
use serde_json::{Map, Value, json};

/// The two paths of a resource.
pub(super) fn paths(resource: &Resource) -> [(String, Value); 2] {
    let (name, key) = (&resource.name, &resource.key_column().name);
    let (mut collection, mut item) = (Map::new(), Map::new());
    for (method, without_body) in [("get", false), ("head", true)] {
        collection.insert(method.into(), list(resource, without_body));
        item.insert(method.into(), one(resource, without_body));
    }
    if resource.policy.create.condition != Condition::Never {
        collection.insert("post".into(), create(resource));
    }
    for write in Write::ALL.into_iter().filter(|write| write.grant(resource).condition != Condition::Never) {
        collection.insert(write.method().into(), write.named(resource));
        item.insert(write.method().into(), write.item(resource));
    }
    [(format!("/{name}"), collection.into()), (format!("/{name}/{{{key}}}"), item.into())]
}

fn list(resource: &Resource, without_body: bool) -> Value {
    let (name, access) = (&resource.names.type_plural, Access::read(resource));
    let (operation, summary) = prefixed(without_body, "list", &format!("List {name}"), name);
    let mut rows = json!({
        "description": "The rows, in the order asked for.",
        "headers": {
            "Content-Range": header(
                "Which rows these are: first and last, counted from 0; `*/*` for none.",
                "^([0-9]+-[0-9]+|\\*)/\\*$",
            ),
        },
    });
    if !without_body {
        rows["content"] = json_content(array(resource));
    }
    json!({
        "operationId": operation,
        "tags": [resource.name],
        "summary": summary,
        "description": format!("The rows that there are for the caller. Read by {}.", access.words),
        "security": security(access.anonymous),
        "parameters": parameters::of_list(resource),
        "responses": responses([("200", rows)], &failures(&access, &[Kind::BadRequest, Kind::NotAcceptable, Kind::RangeNotSatisfiable])),
    })
}

fn one(resource: &Resource, without_body: bool) -> Value {
    let (name, access) = (&resource.names.type_name, Access::read(resource));
    let (operation, summary) = prefixed(without_body, "get", &format!("Read one {name}"), name);
    let mut row = json!({ "description": "The row." });
    if !without_body {
        row["content"] = json_content(reference("schemas", name));
    }
    json!({
        "operationId": operation,
        "tags": [resource.name],
        "summary": summary,
        "description": format!("The row, if it is there for the caller. Read by {}.", access.words),
        "security": security(access.anonymous),
        "parameters": [parameters::key_in_path(resource), parameters::select()],
        "responses": responses([("200", row)], &failures(&access, &[Kind::BadRequest, Kind::NotFound, Kind::NotAcceptable])),
    })
}

/// The name and the summary of a read, or of its HEAD.
fn prefixed(without_body: bool, verb: &str, summary: &str, name: &str) -> (String, String) {
    if without_body {
        (format!("head{name}"), format!("{summary}: the headers alone"))
    } else {
        (format!("{verb}{name}"), summary.to_owned())
    }
}

fn create(resource: &Resource) -> Value {
    let name = &resource.names.type_name;
    let access = Access::write(resource, &resource.policy.create);
    let created = json!({
        "description": "The new row: the object, or an array of it for `return=representation`, or nothing for the other preferences and for several rows.",
        "headers": {
            "Location": header("Where the row is.", "^/"),
            "Preference-Applied": preference_applied(),
        },
        "content": json_content(json!({ "oneOf": [reference("schemas", name), array(resource)] })),
    });
    let mut merged = created.clone();
    merged["description"] =
        "For `resolution=merge-duplicates`: all rows were there, and have got the new values.".into();
    let input = reference("schemas", &Form::Create.name(resource));
    let mut kinds = BODY.to_vec();
    kinds.extend([Kind::NotAcceptable, Kind::Conflict]);
    // A row that is there may be one that the caller sees and must not write to.
    if !access.forbids && Access::write(resource, &resource.policy.update).forbids {
        kinds.push(Kind::Forbidden);
    }
    json!({
        "operationId": format!("create{name}"),
        "tags": [resource.name],
        "summary": format!("Create one {name}, or several"),
        "description": format!("Created by {}. An array is created whole, or not at all.", access.words),
        "security": security(access.anonymous),
        "parameters": [parameters::select(), parameters::on_conflict(), parameters::prefer()],
        "requestBody": { "required": true, "content": json_content(json!({ "oneOf": [input, { "type": "array", "items": input }] })) },
        "responses": responses([("200", merged), ("201", created)], &failures(&access, &kinds)),
    })
}

/// A write of a row that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Write {
    Replace,
    Update,
    Delete,
}

impl Write {
    const ALL: [Self; 3] = [Self::Replace, Self::Update, Self::Delete];

    const fn method(self) -> &'static str {
        match self {
            Self::Replace => "put",
            Self::Update => "patch",
            Self::Delete => "delete",
        }
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::Replace => "Replace",
            Self::Update => "Update",
            Self::Delete => "Delete",
        }
    }

    fn summary(self, resource: &Resource) -> String {
        format!("{} one {}", self.verb(), resource.names.type_name)
    }

    fn grant(self, resource: &Resource) -> &Grant {
        let policy = &resource.policy;
        if self == Self::Delete { &policy.delete } else { &policy.update }
    }

    /// What both paths say of it, without its parameters and responses.
    fn operation(self, resource: &Resource, by: &str, access: &Access) -> Value {
        let mut operation = json!({
            "operationId": format!("{}{}{by}", self.verb().to_lowercase(), resource.names.type_name),
            "tags": [resource.name],
            "summary": self.summary(resource),
            "description": format!("{}d by {}.", self.verb(), access.words),
            "security": security(access.anonymous),
        });
        match self {
            Self::Replace => operation["requestBody"] = body(resource, Form::Replace),
            Self::Update => operation["requestBody"] = body(resource, Form::Update),
            Self::Delete => {}
        }
        operation
    }

    /// The failures of both paths.
    fn failures(self, access: &Access) -> Vec<Kind> {
        let mut kinds = failures(access, &[Kind::BadRequest, Kind::NotAcceptable, Kind::Conflict]);
        if self != Self::Delete {
            kinds.extend(BODY);
        }
        kinds
    }

    /// On the path of the item.
    fn item(self, resource: &Resource) -> Value {
        let access = Access::write(resource, self.grant(resource));
        let mut operation = self.operation(resource, "", &access);
        let mut kinds = self.failures(&access);
        kinds.push(Kind::NotFound);
        let mut parameters = vec![parameters::key_in_path(resource)];
        let success = if self == Self::Delete {
            ("204", json!({ "description": "The row is deleted." }))
        } else {
            parameters.push(parameters::select());
            let row = reference("schemas", &resource.names.type_name);
            ("200", json!({ "description": "The row as it is now.", "content": json_content(row) }))
        };
        operation["parameters"] = parameters.into();
        operation["responses"] = responses([success], &kinds);
        operation
    }

    /// On the path of the collection, whose query string names the row.
    fn named(self, resource: &Resource) -> Value {
        let access = Access::write(resource, self.grant(resource));
        let mut operation = self.operation(resource, "ByQuery", &access);
        let mut kinds = self.failures(&access);
        let silent = if self == Self::Replace {
            kinds.push(Kind::NotFound);
            "The row is replaced."
        } else {
            "It is done, or there was no such row."
        };
        let headers = json!({ "Preference-Applied": preference_applied() });
        operation["summary"] = format!("{}, named in the query string", self.summary(resource)).into();
        let mut named = match self {
            Self::Replace => vec![parameters::key_in_query(resource)],
            // Any filter, where the preference says how many rows it may match.
            Self::Update | Self::Delete => parameters::filters(resource),
        };
        named.extend([parameters::select(), parameters::prefer()]);
        operation["parameters"] = named.into();
        operation["responses"] = responses(
            [
                (
                    "200",
                    json!({
                        "description": "For `return=representation`: the row, or an empty array where there is none.",
                        "headers": headers,
                        "content": json_content(array(resource)),
                    }),
                ),
                ("204", json!({ "description": silent, "headers": headers })),
            ],
            &kinds,
        );
        operation
    }
}

/// `kinds`, and being forbidden where somebody can be.
fn failures(access: &Access, kinds: &[Kind]) -> Vec<Kind> {
    kinds.iter().copied().chain(access.forbids.then_some(Kind::Forbidden)).collect()
}

fn body(resource: &Resource, form: Form) -> Value {
    json!({ "required": true, "content": json_content(reference("schemas", &form.name(resource))) })
}

fn array(resource: &Resource) -> Value {
    json!({ "type": "array", "items": reference("schemas", &resource.names.type_name) })
}

fn preference_applied() -> Value {
    header("The preferences that were honoured, if some were sent.", "^(resolution|handling|return)=")
}
