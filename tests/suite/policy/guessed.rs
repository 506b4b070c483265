//! Whether a row that is hidden can be told from one that is not there: the same requests, with the key of the one and
//! of the other, must get the same answer. The one exception is a new row under a taken key, which is refused whoever
//! has it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rootstock::{
    catalog::{Resource, policy::Condition, scalar::Scalar},
    engine::plan::{create_columns, update_columns},
};
use serde_json::{Map, Value, json};

use super::{Sweep, fresh, rows::text};
use crate::support::{Answer, Caller};

type Headers = Vec<(&'static str, &'static str)>;

/// What an answer tells, whatever the key.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    status: u16,
    headers: Vec<String>,
    text: String,
}

/// A key that no row has.
fn absent(resource: &Resource) -> &'static str {
    match resource.key_column().scalar {
        Scalar::Uuid => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        _ => "2000000011",
    }
}

/// The global id of a row.
fn node_id(resource: &Resource, key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{key}", resource.name))
}

fn told(answer: &Answer, resource: &Resource, key: &str) -> Told {
    let neutral = |text: &str| text.replace(key, "KEY").replace(&node_id(resource, key), "NODE");
    // All but those that are another's with each request.
    let changing = ["date", "x-request-id"];
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !changing.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", neutral(value.to_str().expect("a header of text"))))
        .collect();
    headers.sort();
    Told { status: answer.status, headers, text: neutral(&answer.text) }
}

/// Requests by REST that name a row: the method, the path, and headers.
fn by_rest(resource: &Resource, key: &str) -> Vec<(&'static str, String, Headers)> {
    let (name, column) = (&resource.name, &resource.key_column().name);
    let (item, named) = (format!("/{name}/{key}"), format!("/{name}?{column}=eq.{key}"));
    let mut requests = Vec::new();
    for headers in [
        vec![],
        vec![("if-match", "*")],
        vec![("if-match", "\"AAAAAAAAAAAAAAAAAAAAAA\"")],
        vec![("if-none-match", "*")],
        vec![("accept", "text/csv")],
        vec![("prefer", "return=representation")],
    ] {
        for method in ["GET", "HEAD", "PATCH", "PUT", "DELETE"] {
            requests.push((method, item.clone(), headers.clone()));
        }
    }
    for headers in [
        vec![],
        vec![("prefer", "count=exact")],
        vec![("prefer", "count=planned")],
        vec![("prefer", "count=estimated")],
        vec![("prefer", "count=exact, return=representation")],
        vec![("prefer", "handling=strict, max-affected=0, return=representation")],
        vec![("range", "0-0"), ("prefer", "count=exact")],
        vec![("accept", "application/vnd.pgrst.object+json")],
        vec![("accept", "text/csv")],
    ] {
        for method in ["GET", "HEAD", "PATCH", "DELETE"] {
            requests.push((method, named.clone(), headers.clone()));
        }
    }
    for query in [
        "select=count()".to_owned(),
        format!("order={column}.desc&limit=1&offset=0"),
        format!("or=({column}.eq.{key},{column}.is.null)"),
        format!("{column}=not.neq.{key}"),
    ] {
        requests.push(("GET", format!("{named}&{query}"), vec![]));
    }
    for relation in &resource.relations {
        for query in ["select=*,REL(*)", "select=*,REL!inner(*)", "select=*,REL()&REL=is.null"] {
            requests.push(("GET", format!("{named}&{}", query.replace("REL", &relation.name)), vec![]));
        }
    }
    requests
}

/// Documents that name a row.
fn by_graphql(resource: &Resource, key: &str) -> Vec<String> {
    let names = &resource.names;
    let (one, many, ty, plural) = (&names.one, &names.many, &names.type_name, &names.type_plural);
    let (field, policy) = (&resource.key_column().field, &resource.policy);
    let filter = format!("filter: {{ {field}: {{ eq: \"{key}\" }} }}");
    let mut documents = vec![
        format!("{{ {one}(id: \"{key}\") {{ nodeId }} }}"),
        format!("{{ node(nodeId: \"{}\") {{ nodeId }} }}", node_id(resource, key)),
        format!("{{ {many}({filter}) {{ totalCount aggregate {{ count }} pageInfo {{ hasNextPage endCursor }} }} }}"),
        format!("{{ {many}(filter: {{ not: {{ {field}: {{ neq: \"{key}\" }} }} }}) {{ totalCount }} }}"),
    ];
    let state = resource.touched().map(|_| ", ifUpdatedAt: \"2001-01-01T00:00:00Z\"");
    for state in std::iter::once("").chain(state) {
        if policy.update.condition != Condition::Never {
            documents.push(format!("mutation {{ update{ty}(id: \"{key}\", set: {{}}{state}) {{ nodeId }} }}"));
        }
        if policy.delete.condition != Condition::Never {
            documents.push(format!("mutation {{ delete{ty}(id: \"{key}\"{state}) {{ nodeId }} }}"));
        }
    }
    for most in [0, 1] {
        if policy.update.condition != Condition::Never {
            documents
                .push(format!("mutation {{ update{plural}({filter}, set: {{}}, atMost: {most}) {{ affected }} }}"));
        }
        if policy.delete.condition != Condition::Never {
            documents.push(format!("mutation {{ delete{plural}({filter}, atMost: {most}) {{ affected }} }}"));
        }
    }
    documents
}

impl Sweep<'_> {
    /// A row that is hidden is as one that is not there, whatever is asked of it.
    pub(super) async fn guesses(&mut self, caller: Caller, resource: &Resource, key: &str, row: &Map<String, Value>) {
        let set: Map<String, Value> = update_columns(resource)
            .filter(|column| !resource.policy.columns.iter().any(|rule| rule.column == column.name))
            .map(|column| (column.name.clone(), row[&column.name].clone()))
            .collect();
        let absent = absent(resource);
        for (hidden, none) in by_rest(resource, key).into_iter().zip(by_rest(resource, absent)) {
            let mut answers = Vec::new();
            for ((method, path, headers), key) in [(hidden, key), (none, absent)] {
                let body = if method == "PATCH" || method == "PUT" { json!(set) } else { Value::Null };
                self.tried += 1;
                let answer = self.server.rest_with(caller, method, &path, body, &headers).await;
                answers.push((told(&answer, resource, key), format!("{} {headers:?}", answer.request)));
            }
            assert_eq!(answers[0].0, answers[1].0, "{caller:?} {}", answers[0].1);
        }
        for (hidden, none) in by_graphql(resource, key).into_iter().zip(by_graphql(resource, absent)) {
            let hidden = self.graphql(caller, &hidden, Value::Null).await;
            let none = self.graphql(caller, &none, Value::Null).await;
            assert_eq!(told(&hidden, resource, key), told(&none, resource, absent), "{caller:?} {}", hidden.request);
        }
    }

    /// What somebody else has sent is no answer: not by its idempotency key, and not by its cursors.
    pub(super) async fn answers_of_others(&mut self, index: usize) {
        let resource = self.catalog.at(index);
        let (path, column) = (format!("/{}", resource.name), &resource.key_column().name);
        let makers = [Caller::User, Caller::Other, Caller::Editor, Caller::Admin]
            .into_iter()
            .filter(|caller| super::creates(self.server, *caller, resource));
        let makers: Vec<_> = makers.collect();
        let mut made = Vec::new();
        for caller in &makers {
            let mut row = fresh(resource, 5);
            row.retain(|name, _| create_columns(resource).any(|column| column.name == *name));
            let headers = [("idempotency-key", "the-same-of-everybody"), ("prefer", "return=representation")];
            self.tried += 1;
            let answer = self.server.rest_with(*caller, "POST", &path, json!(row), &headers).await.expect(201);
            assert_eq!(answer.header("idempotency-replayed"), "", "{}", answer.request);
            made.push((*caller, text(&answer.json()[0][column])));
        }
        let keys: std::collections::BTreeSet<_> = made.iter().map(|(_, key)| key).collect();
        assert_eq!(keys.len(), made.len(), "{} gave one row to two callers", resource.name);
        for (caller, key) in &made {
            self.rest(*caller, "DELETE", &format!("{path}/{key}"), Value::Null).await.expect(204);
        }
        // A place in the list of somebody who sees more leads to no more than the caller's own rows.
        let field = &resource.key_column().field;
        for order in resource.columns.iter().filter(|column| column.scalar != Scalar::Json) {
            let many = &resource.names.many;
            let list = |after: &str| {
                format!(
                    "{{ list: {many}(orderBy: [{{ {}: DESC }}], first: 2{after}) {{ totalCount nodes {{ {field} }} \
                     pageInfo {{ endCursor }} }} }}",
                    order.field
                )
            };
            let whole = self.graphql(Caller::Admin, &list(""), Value::Null).await;
            let cursor = whole.json()["data"]["list"]["pageInfo"]["endCursor"].take();
            for caller in Caller::ALL.into_iter().filter(|_| cursor.is_string()) {
                let visible = self.visible(caller, index);
                let page = self.graphql(caller, &list(&format!(", after: {cursor}")), Value::Null).await;
                let list = page.json()["data"]["list"].take();
                let shown = list["nodes"].as_array().cloned().unwrap_or_default();
                assert!(shown.iter().all(|node| visible.contains(&text(&node[field]))), "{}", page.request);
                assert!(list.is_null() || list["totalCount"] == visible.len(), "{}\n{}", page.request, page.text);
            }
        }
    }
}
