//! The paths of a resource: its collection, as PostgREST has it, and its items, as classic CRUD has them.
//!
//! In: a resource and its policy. Out: the operations that somebody may call.

use super::{
    access::{Access, security},
    answers::{told, told_as},
    json_content, parameters, reference,
    responses::{BODY, responses},
    schemas::{Form, csv_example},
};
use crate::catalog::{
    Cardinality, Catalog, Relation, Resource,
    policy::{Condition, Grant},
};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// The two paths of a resource.
pub(super) fn paths(catalog: &Catalog, resource: &Resource) -> [(String, Value); 2] {
    let (name, key) = (&resource.name, &resource.key_column().name);
    let (mut collection, mut item) = (Map::new(), Map::new());
    let selects = selects(catalog);
    // In the order of a reader's interest.
    collection.insert("get".into(), list(resource, &selects, false));
    item.insert("get".into(), one(resource, &selects, false));
    if resource.policy.create.condition != Condition::Never {
        collection.insert("post".into(), create(resource, &selects));
    }
    for write in Write::ALL.into_iter().filter(|write| write.grant(resource).condition != Condition::Never) {
        // Put into a collection, a row is added if it is not there.
        if write != Write::Replace || resource.policy.create.condition != Condition::Never {
            collection.insert(write.method().into(), write.named(resource, &selects));
        }
        item.insert(write.method().into(), write.item(resource, &selects));
    }
    collection.insert("head".into(), list(resource, &selects, true));
    item.insert("head".into(), one(resource, &selects, true));
    collection.insert("options".into(), options(resource, &resource.names.type_plural, false));
    item.insert("options".into(), options(resource, &resource.names.type_name, true));
    [(format!("/{name}"), collection.into()), (format!("/{name}/{{{key}}}"), item.into())]
}

/// What can fail wherever there is a `select`: it may name what there is not, and what a column's type does not have, or a
/// resource that has several relations to one other.
fn selects(catalog: &Catalog) -> Vec<StatusCode> {
    let ambiguous = catalog.resources().iter().any(|resource| {
        // A table that refers to itself is by its name what refers to the row alone.
        let by_table = |relation: &&Relation| {
            relation.cardinality == Cardinality::Many || catalog.at(relation.target).name != resource.name
        };
        let mut targets: Vec<_> = resource.relations.iter().filter(by_table).map(|relation| relation.target).collect();
        targets.sort_unstable();
        targets.windows(2).any(|pair| pair[0] == pair[1])
    });
    let always = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::NOT_ACCEPTABLE];
    always.into_iter().chain(ambiguous.then_some(StatusCode::MULTIPLE_CHOICES)).collect()
}

fn list(resource: &Resource, selects: &[StatusCode], without_body: bool) -> Value {
    let (name, access) = (&resource.names.type_plural, Access::read(resource));
    let (operation, summary) = prefixed(without_body, "list", &format!("List {name}"), name);
    let part = "Some of the rows: the request asked for their number, and there are more.";
    let (all, some) = if without_body {
        let mut some = reference("responses", "Rows");
        some["description"] = part.into();
        (reference("responses", "Rows"), some)
    } else {
        (told(resource, "list"), told_as(resource, "list", part))
    };
    json!({
        "operationId": operation,
        "tags": [resource.name],
        "summary": summary,
        "description": format!("The rows that there are for the caller. Read by {}.", access.words),
        "security": security(access.anonymous),
        "parameters": parameters::of_list(resource),
        "responses": responses(
            [("200", all), ("206", some)],
            &failures(&access, &[selects, &[StatusCode::RANGE_NOT_SATISFIABLE]]),
        ),
    })
}

fn one(resource: &Resource, selects: &[StatusCode], without_body: bool) -> Value {
    let (name, access) = (&resource.names.type_name, Access::read(resource));
    let (operation, summary) = prefixed(without_body, "get", &format!("Read one {name}"), name);
    let row = if without_body { reference("responses", "Row") } else { told(resource, "row") };
    json!({
        "operationId": operation,
        "tags": [resource.name],
        "summary": summary,
        "description": format!("The row, if it is there for the caller. Read by {}.", access.words),
        "security": security(access.anonymous),
        "parameters": parameters::of_item(resource),
        "responses": responses(
            [("200", row), ("304", reference("responses", "NotModified"))],
            &failures(&access, &[selects]),
        ),
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

/// Which methods there are.
fn options(resource: &Resource, name: &str, on_item: bool) -> Value {
    let parameters = on_item.then(|| parameters::any_key_in_path(resource));
    json!({
        "operationId": format!("options{name}"),
        "tags": [resource.name],
        "summary": "Ask for the methods of this path",
        "security": security(true),
        "parameters": Vec::from_iter(parameters),
        "responses": responses([("200", reference("responses", "Methods"))], &[]),
    })
}

fn create(resource: &Resource, selects: &[StatusCode]) -> Value {
    let name = &resource.names.type_name;
    let access = Access::write(resource, &resource.policy.create);
    let created = told_as(
        resource,
        "written",
        "The new row: the object, or an array of it for `return=representation`, or nothing for the other preferences \
         and for several rows.",
    );
    let merged = told_as(
        resource,
        "written",
        "For `resolution=merge-duplicates`: all rows were there, and have got the new values.",
    );
    let input = reference("schemas", &Form::Create.name(resource));
    // A row that is there may be one that the caller sees and must not write to.
    let meets = Access::write(resource, &resource.policy.update).forbids.then_some(StatusCode::FORBIDDEN);
    let own = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::CONFLICT, StatusCode::RANGE_NOT_SATISFIABLE];
    let kinds = failures(&access, &[selects, &BODY, &own, meets.as_slice()]);
    json!({
        "operationId": format!("create{name}"),
        "tags": [resource.name],
        "summary": format!("Create one {name}, or several"),
        "description": format!(
            "Created by {}. Several rows, as an array or as lines of CSV, are created all or none.",
            access.words
        ),
        "security": security(access.anonymous),
        "parameters": parameters::of_create(),
        "requestBody": body(resource, Form::Create, json!({ "oneOf": [input, { "type": "array", "items": input }] })),
        "responses": responses([("200", merged), ("201", created)], &kinds),
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

    const fn form(self) -> Option<Form> {
        match self {
            Self::Replace => Some(Form::Replace),
            Self::Update => Some(Form::Update),
            Self::Delete => None,
        }
    }

    fn grant(self, resource: &Resource) -> &Grant {
        let policy = &resource.policy;
        if self == Self::Delete { &policy.delete } else { &policy.update }
    }

    /// What both paths say of it, without its parameters and responses.
    fn operation(self, resource: &Resource, name: &str, summary: String, access: &Access) -> Value {
        let verb = self.verb();
        let mut operation = json!({
            "operationId": format!("{}{name}", verb.to_lowercase()),
            "tags": [resource.name],
            "summary": summary,
            "description": format!("{verb}d by {}.", access.words),
            "security": security(access.anonymous),
        });
        if let Some(form) = self.form() {
            operation["requestBody"] = body(resource, form, reference("schemas", &form.name(resource)));
        }
        operation
    }

    /// The failures of both paths, with `others`.
    fn failures(self, access: &Access, selects: &[StatusCode], others: &[StatusCode]) -> Vec<StatusCode> {
        let body = if self == Self::Delete { &[] } else { BODY.as_slice() };
        failures(access, &[selects, body, &[StatusCode::METHOD_NOT_ALLOWED, StatusCode::CONFLICT], others])
    }

    /// On the path of the item.
    fn item(self, resource: &Resource, selects: &[StatusCode]) -> Value {
        let (name, access) = (&resource.names.type_name, Access::write(resource, self.grant(resource)));
        let mut operation = self.operation(resource, name, format!("{} one {name}", self.verb()), &access);
        let (done, silent) = match self {
            Self::Delete => ("For `return=representation`: the row as it was, in an array.", "Gone"),
            Self::Replace | Self::Update => ("The row as it is now; in an array for `return=representation`.", "Done"),
        };
        operation["parameters"] = parameters::of_item_write(resource).into();
        operation["responses"] = responses(
            [("200", told_as(resource, "written", done)), ("204", reference("responses", silent))],
            &self.failures(&access, selects, &[StatusCode::PRECONDITION_FAILED]),
        );
        operation
    }

    /// On the path of the collection, whose query string names the rows.
    fn named(self, resource: &Resource, selects: &[StatusCode]) -> Value {
        let access = Access::write(resource, self.grant(resource));
        let (one, several) = (&resource.names.type_name, &resource.names.type_plural);
        let told = told_as(resource, "written", "For `return=representation`: the rows, in an array.");
        let silent = reference("responses", "Done");
        if self == Self::Replace {
            let summary = format!("Put one {one}, whether it is there or not");
            let mut operation = self.operation(resource, &format!("{one}ByKey"), summary, &access);
            let created = told_as(resource, "written", "The row was not there, and is now.");
            operation["parameters"] = parameters::of_put(resource).into();
            operation["responses"] = responses(
                [("200", told), ("201", created), ("204", silent)],
                &self.failures(&access, selects, &[StatusCode::PRECONDITION_FAILED]),
            );
            return operation;
        }
        let summary = format!("{} all {several} that match", self.verb());
        let mut operation = self.operation(resource, several, summary, &access);
        let parameters =
            if self == Self::Delete { parameters::of_delete(resource) } else { parameters::of_update(resource) };
        operation["parameters"] = parameters.into();
        operation["responses"] = responses([("200", told), ("204", silent)], &self.failures(&access, selects, &[]));
        operation
    }
}

/// All of `statuses`, and being forbidden where somebody can be.
fn failures(access: &Access, statuses: &[&[StatusCode]]) -> Vec<StatusCode> {
    statuses.concat().into_iter().chain(access.forbids.then_some(StatusCode::FORBIDDEN)).collect()
}

/// A body of one row, or of what `json` says, in the media types that are read.
fn body(resource: &Resource, form: Form, json: Value) -> Value {
    let mut content = json_content(json);
    let row = reference("schemas", &form.name(resource));
    content["application/x-www-form-urlencoded"] = json!({ "schema": row });
    if form == Form::Create {
        content["text/csv"] = json!({
            "schema": {
                "type": "string",
                "description": "A line of names, then a line a row; `NULL` is NULL, and nothing is the empty text.",
            },
            "example": csv_example(resource),
        });
    }
    json!({ "required": true, "content": content })
}
