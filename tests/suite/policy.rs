//! The policies, tried over HTTP: every caller against every row of every resource, by every method of both protocols.
//!
//! In: the catalogue alone, so that a resource that is grafted on is tried as well. What a caller may see and change is
//! worked out here a second time, from the declarations and the rows, in the simplest way there is; the server must
//! agree. Rows beyond that must not be readable, countable, sortable, filterable, guessable or writable.

mod embedded;
mod guessed;
mod oracle;
mod rows;
mod told;
mod written;

use std::collections::BTreeSet;

use rootstock::{
    catalog::{Cardinality, Catalog, Relation, Resource, Rule, policy::Condition, scalar::Scalar},
    engine::plan::{create_columns, update_columns},
};
use serde_json::{Map, Value, json};

use crate::{
    graft,
    spelling::comparison,
    support::{Answer, Caller, Dialect, Server, Setup, start_with},
};
pub(crate) use oracle::sample;

use oracle::holds;
use rows::{Rows, by_key, node, refused, text};

#[tokio::test]
async fn nobody_gets_at_what_the_policies_keep_from_them_on_sqlite() {
    sweep(&start_with(Dialect::Sqlite, Setup::default()).await).await;
}

#[tokio::test]
async fn nobody_gets_at_what_the_policies_keep_from_them_on_postgresql() {
    sweep(&start_with(Dialect::Postgres, Setup::default()).await).await;
}

#[tokio::test]
async fn a_grafted_resource_is_kept_as_well_on_sqlite() {
    sweep(&graft::server(Dialect::Sqlite).await).await;
}

#[tokio::test]
async fn a_grafted_resource_is_kept_as_well_on_postgresql() {
    sweep(&graft::server(Dialect::Postgres).await).await;
}

/// Tables that are no resources are not there at all.
#[tokio::test]
async fn what_is_not_declared_is_not_served() {
    let server = start_with(Dialect::Sqlite, Setup::default()).await;
    for table in ["credentials", "seaql_migrations", "sqlite_master", "pg_class"] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            for path in [format!("/{table}"), format!("/{table}/1")] {
                let answer = server.rest(Caller::Admin, method, &path, Value::Null).await;
                assert_eq!(answer.status, 404, "{}", answer.request);
            }
        }
    }
    assert!(!rootstock::graphql::sdl(server.app.engine.catalog()).expect("a schema").contains("assword_hash"));
}

async fn sweep(server: &Server) {
    let catalog = server.app.engine.catalog();
    plant(server).await;
    let mut sweep = Sweep { server, catalog, rows: Vec::new(), tried: 0, hidden: 0 };
    for resource in catalog.resources() {
        let rows = sweep.known(resource).await;
        assert!(rows.len() > 1, "{} has no rows to hide", resource.name);
        sweep.rows.push(rows);
    }
    for caller in Caller::ALL {
        for (index, resource) in catalog.resources().iter().enumerate() {
            let visible = sweep.visible(caller, index);
            sweep.reads(caller, resource, &visible).await;
            let mut hidden = 0;
            for (key, row) in sweep.rows[index].clone() {
                if !visible.contains(&key) {
                    hidden += 1;
                    sweep.hidden_row(caller, resource, &key, &row).await;
                    // The values of one row, by every operator: those of the others are found in the same way.
                    if hidden == 1 {
                        sweep.hidden_values(caller, resource, &visible, &row).await;
                        sweep.guesses(caller, resource, &key, &row).await;
                    }
                }
                sweep.forbidden_writes(caller, resource, &key, &row).await;
            }
            sweep.hidden += hidden;
            sweep.hidden_columns(caller, resource).await;
            sweep.relations(caller, index).await;
            sweep.summaries(caller, index).await;
            sweep.conditions(caller, index).await;
            sweep.writes(caller, index).await;
            sweep.embeddings(caller, index).await;
            sweep.forms(caller, index).await;
        }
    }
    for index in 0..catalog.resources().len() {
        sweep.answers_of_others(index).await;
    }
    for (index, resource) in catalog.resources().iter().enumerate() {
        assert_eq!(sweep.known(resource).await, sweep.rows[index], "something in {} was changed", resource.name);
    }
    assert!(sweep.hidden > 10, "only {} times was a row hidden from a caller", sweep.hidden);
    assert!(sweep.tried > 500, "only {} requests were tried", sweep.tried);
}

/// Rows of everybody, in every resource in which rows can be made; then more of them, which refer to rows of others.
async fn plant(server: &Server) {
    let catalog = server.app.engine.catalog();
    let mut keys = Vec::new();
    for resource in catalog.resources() {
        let mut own = Vec::new();
        for caller in Caller::ALL.into_iter().filter(|caller| creates(server, *caller, resource)) {
            let row = Value::Object(fresh(resource, caller as usize));
            let made = server.rest(caller, "POST", &format!("/{}", resource.name), row).await.expect(201).json();
            own.push(made[&resource.key_column().name].clone());
        }
        keys.push(own);
    }
    for resource in catalog.resources() {
        for (number, caller) in Caller::ALL.into_iter().filter(|caller| creates(server, *caller, resource)).enumerate()
        {
            let mut row = fresh(resource, caller as usize + 5);
            for (column, target) in references(resource) {
                // The first refers to the second's, and all others to the first's.
                let key = keys[target].get(usize::from(number == 0)).or(keys[target].first());
                row.insert(column.to_owned(), key.cloned().unwrap_or_default());
            }
            if references(resource).next().is_some() {
                server.rest(caller, "POST", &format!("/{}", resource.name), Value::Object(row)).await.expect(201);
            }
        }
    }
}

/// Whether a caller can make rows.
fn creates(server: &Server, caller: Caller, resource: &Resource) -> bool {
    let condition = &resource.policy.create.condition;
    let person = (caller != Caller::Anonymous).then(|| server.person(caller));
    *condition != Condition::Never && holds(condition, person, &Map::new()).unwrap_or(person.is_some())
}

/// The columns that a new row can name and that refer to rows, and the resources of those.
fn references(resource: &Resource) -> impl Iterator<Item = (&str, usize)> {
    create_columns(resource).filter_map(|column| {
        let refers = |relation: &&Relation| {
            relation.cardinality == Cardinality::One && resource.columns[relation.local].name == column.name
        };
        resource.relations.iter().find(refers).map(|relation| (column.name.as_str(), relation.target))
    })
}

/// A new row of samples, as anybody who can make one may send it.
fn fresh(resource: &Resource, number: usize) -> Map<String, Value> {
    let ruled = |name: &str| resource.policy.columns.iter().any(|rule| rule.column == name);
    let free = |name: &str| !ruled(name) && references(resource).all(|(column, _)| column != name);
    let columns =
        create_columns(resource).filter(|column| free(&column.name) && column.name != resource.key_column().name);
    columns.map(|column| (column.name.clone(), sample(column, number))).collect()
}

struct Sweep<'s> {
    server: &'s Server,
    catalog: &'s Catalog,
    /// The rows of each resource, whoever may see them.
    rows: Vec<Rows>,
    tried: usize,
    hidden: usize,
}

impl Sweep<'_> {
    /// Every row that anybody sees.
    async fn known(&self, resource: &Resource) -> Rows {
        let mut rows = Rows::new();
        for caller in Caller::ALL {
            let answer = self.server.get(caller, &format!("/{}", resource.name)).await;
            if answer.status == 200 {
                rows.extend(by_key(resource, &answer));
            }
        }
        rows
    }

    /// The keys of the rows that the declarations let a caller see.
    fn visible(&self, caller: Caller, index: usize) -> BTreeSet<String> {
        let condition = &self.catalog.at(index).policy.read;
        self.allowed(caller, index, condition)
    }

    fn allowed(&self, caller: Caller, index: usize, condition: &Condition) -> BTreeSet<String> {
        let person = (caller != Caller::Anonymous).then(|| self.server.person(caller));
        let rows = self.rows[index].iter();
        rows.filter(|(_, row)| holds(condition, person, row) == Some(true)).map(|(key, _)| key.clone()).collect()
    }

    async fn rest(&mut self, caller: Caller, method: &str, path: &str, body: Value) -> Answer {
        self.tried += 1;
        self.server.rest(caller, method, path, body).await
    }

    async fn graphql(&mut self, caller: Caller, query: &str, variables: Value) -> Answer {
        self.tried += 1;
        self.server.graphql(caller, query, variables).await
    }

    /// A list by REST has these rows, or some of them; a caller who may see none at all may be refused.
    async fn lists(&mut self, caller: Caller, resource: &Resource, query: &str, visible: &BTreeSet<String>) -> usize {
        let answer = self.rest(caller, "GET", &format!("/{}?{query}", resource.name), Value::Null).await;
        if answer.status != 200 {
            assert!(matches!(answer.status, 401 | 403) && visible.is_empty(), "{}\n{}", answer.request, answer.text);
            return 0;
        }
        let keys: BTreeSet<String> = by_key(resource, &answer).into_keys().collect();
        assert!(keys.is_subset(visible), "{} shows {:?}", answer.request, keys.difference(visible));
        let range = if keys.is_empty() { "*/*".to_owned() } else { format!("0-{}/*", keys.len() - 1) };
        assert_eq!(answer.header("content-range"), range, "{}", answer.request);
        keys.len()
    }

    /// A list by GraphQL: how many it counts, and how many rows it has.
    async fn connects(
        &mut self,
        caller: Caller,
        resource: &Resource,
        arguments: (&str, Value),
        visible: &BTreeSet<String>,
    ) -> usize {
        let (name, ty, key) = (&resource.names.many, &resource.names.type_name, &resource.key_column().field);
        let (argument, value) = arguments;
        let ty = if argument == "orderBy" { format!("[{ty}OrderBy!]") } else { format!("{ty}Filter") };
        let query = format!(
            "query ($given: {ty}) {{ {name}({argument}: $given, first: 100) {{ totalCount nodes {{ {key} }} \
             edges {{ node {{ {key} }} }} pageInfo {{ hasNextPage }} }} }}"
        );
        let answer = self.graphql(caller, &query, json!({ "given": value })).await;
        if !answer.errors().is_empty() {
            let code = answer.failure().code;
            assert!(code == "UNAUTHENTICATED" || code == "FORBIDDEN", "{}\n{}", answer.request, answer.text);
            assert!(visible.is_empty() && answer.json()["data"].is_null(), "{}\n{}", answer.request, answer.text);
            return 0;
        }
        let list = answer.data()[name].take();
        let nodes = list["nodes"].as_array().expect("nodes");
        let keys: BTreeSet<String> = nodes.iter().map(|node| text(&node[key])).collect();
        assert!(keys.is_subset(visible), "{} shows {:?}", answer.request, keys.difference(visible));
        assert_eq!(list["totalCount"], keys.len(), "{} counts what it does not show", answer.request);
        assert_eq!(list["edges"].as_array().map(Vec::len), Some(keys.len()), "{}", answer.request);
        assert_eq!(list["pageInfo"]["hasNextPage"], false, "{}", answer.request);
        keys.len()
    }

    /// The whole list, in every order, is what the caller may see: no more, and no less.
    async fn reads(&mut self, caller: Caller, resource: &Resource, visible: &BTreeSet<String>) {
        assert_eq!(self.lists(caller, resource, "", visible).await, visible.len(), "{caller:?} {}", resource.name);
        let all = self.connects(caller, resource, ("filter", Value::Null), visible).await;
        assert_eq!(all, visible.len(), "{caller:?} {}", resource.name);
        for column in resource.columns.iter().filter(|column| column.scalar != Scalar::Json) {
            for (direction, order) in [("asc", "ASC"), ("desc", "DESC")] {
                let first = format!("order={}.{direction}&limit=1", column.name);
                self.lists(caller, resource, &first, visible).await;
                let order = json!([{ column.field.clone(): order }]);
                assert_eq!(self.connects(caller, resource, ("orderBy", order), visible).await, visible.len());
            }
        }
        let beyond = format!("offset={}", visible.len());
        let answer = self.rest(caller, "GET", &format!("/{}?{beyond}", resource.name), Value::Null).await;
        assert!(answer.status != 200 || answer.text == "[]", "{}\n{}", answer.request, answer.text);
    }

    /// A row that does not exist for the caller, asked for by its key.
    async fn hidden_row(&mut self, caller: Caller, resource: &Resource, key: &str, row: &Map<String, Value>) {
        let path = format!("/{}/{key}", resource.name);
        for method in ["GET", "HEAD"] {
            let answer = self.rest(caller, method, &path, Value::Null).await;
            assert!(matches!(answer.status, 401 | 403 | 404), "{} {}", answer.request, answer.status);
            // Short texts are words of messages too.
            let mut texts = row.values().filter_map(Value::as_str).filter(|text| text.len() > 8 && *text != key);
            assert!(texts.all(|text| !answer.text.contains(text)), "{}\n{}", answer.request, answer.text);
        }
        let (one, field) = (&resource.names.one, &resource.key_column().field);
        for query in [format!("{{ one: {one}(id: \"{key}\") {{ {field} }} }}"), node(resource, key)] {
            let answer = self.graphql(caller, &query, Value::Null).await;
            assert!(answer.json()["data"]["one"].is_null(), "{}\n{}", answer.request, answer.text);
        }
    }

    /// The same row, asked for by each of its values.
    async fn hidden_values(
        &mut self,
        caller: Caller,
        resource: &Resource,
        visible: &BTreeSet<String>,
        row: &Map<String, Value>,
    ) {
        for column in &resource.columns {
            let Some(value) = row.get(&column.name).filter(|value| !value.is_null()) else {
                self.lists(caller, resource, &format!("{}=is.null", column.name), visible).await;
                continue;
            };
            for operator in column.scalar.operators() {
                let (by_rest, by_graphql) = comparison(column, *operator, value);
                self.lists(caller, resource, &by_rest, visible).await;
                self.connects(caller, resource, ("filter", by_graphql), visible).await;
            }
        }
    }

    /// Every write of a row that the caller may not write: none has an effect, and none says that it had.
    async fn forbidden_writes(&mut self, caller: Caller, resource: &Resource, key: &str, row: &Map<String, Value>) {
        let person = (caller != Caller::Anonymous).then(|| self.server.person(caller));
        let may = |condition: &Condition| {
            holds(&resource.policy.read, person, row) == Some(true) && holds(condition, person, row) == Some(true)
        };
        let policy = &resource.policy;
        let name = &resource.key_column().name;
        let (item, named) = (format!("/{}/{key}", resource.name), format!("/{}?{name}=eq.{key}", resource.name));
        // All that clients may write, so that a replacement lacks nothing, and the texts other than they were.
        let set: Map<String, Value> = update_columns(resource)
            .filter(|column| !policy.columns.iter().any(|rule| rule.column == column.name))
            .map(|column| {
                let free =
                    column.scalar == Scalar::Text && column.rules.iter().all(|rule| matches!(rule, Rule::Length(..)));
                (column.name.clone(), if free { json!("taken over") } else { row[&column.name].clone() })
            })
            .collect();
        let ty = &resource.names.type_name;
        if !may(&policy.update.condition) {
            for method in ["PATCH", "PUT"] {
                for path in [&item, &named] {
                    let answer = self.rest(caller, method, path, Value::Object(set.clone())).await;
                    // Put into a list it is a new row as well, whose key is taken.
                    let taken = method == "PUT" && path == &named && matches!(answer.status, 409 | 422);
                    if !taken {
                        refused(&answer, path == &named);
                    }
                }
            }
            if policy.update.condition != Condition::Never {
                let query = format!(
                    "mutation ($set: Update{ty}Input!) {{ update{ty}(id: \"{key}\", set: $set) {{ nodeId }} }}"
                );
                let taken = set.iter().filter(|(_, value)| **value == "taken over");
                let set: Map<String, Value> = taken
                    .filter_map(|(name, value)| {
                        Some((resource.columns[resource.column(name)?].field.clone(), value.clone()))
                    })
                    .collect();
                let answer = self.graphql(caller, &query, json!({ "set": set })).await;
                assert!(answer.json()["data"].is_null(), "{}\n{}", answer.request, answer.text);
                let many = many("update", resource, key);
                let query =
                    format!("mutation ($set: Update{ty}Input!) {{ {many}, set: $set, atMost: 9) {{ affected }} }}");
                untouched(&self.graphql(caller, &query, json!({ "set": set })).await);
            }
            refused(&self.bounded(caller, "PATCH", resource, key, Value::Object(set)).await, true);
            // A new row in its place, whose values it should get.
            let mut new = row.clone();
            new.retain(|column, _| column == name || create_columns(resource).any(|one| one.name == *column));
            let merge = [("prefer", "resolution=merge-duplicates")];
            self.tried += 1;
            let answer =
                self.server.rest_with(caller, "POST", &format!("/{}", resource.name), json!(new), &merge).await;
            assert!(answer.status >= 400, "{} {}", answer.request, answer.status);
        }
        if !may(&policy.delete.condition) {
            for path in [&item, &named] {
                let answer = self.rest(caller, "DELETE", path, Value::Null).await;
                refused(&answer, path == &named);
            }
            if policy.delete.condition != Condition::Never {
                let query = format!("mutation {{ delete{ty}(id: \"{key}\") {{ nodeId }} }}");
                let answer = self.graphql(caller, &query, Value::Null).await;
                assert!(answer.json()["data"].is_null(), "{}\n{}", answer.request, answer.text);
                let query = format!("mutation {{ {}, atMost: 9) {{ affected }} }}", many("delete", resource, key));
                untouched(&self.graphql(caller, &query, Value::Null).await);
            }
            refused(&self.bounded(caller, "DELETE", resource, key, Value::Null).await, true);
        }
        // A new row in the place of this one, and one without a token: neither is made.
        let mut again = row.clone();
        again.retain(|column, _| create_columns(resource).any(|one| one.name == *column));
        let answer = self.rest(caller, "POST", &format!("/{}", resource.name), json!(again)).await;
        let taken = again.contains_key(name) || caller == Caller::Anonymous;
        assert!(!taken || answer.status >= 400, "{} {}", answer.request, answer.status);
        if answer.status == 201 {
            let own = format!("/{}/{}", resource.name, text(&answer.json()[name]));
            self.rest(caller, "DELETE", &own, Value::Null).await.expect(204);
        }
    }

    /// A write of all rows that match, of which there is one.
    async fn bounded(&mut self, caller: Caller, method: &str, resource: &Resource, key: &str, body: Value) -> Answer {
        self.tried += 1;
        let path = format!("/{}?{}=in.({key})", resource.name, resource.key_column().name);
        self.server.rest_with(caller, method, &path, body, &[("prefer", "handling=strict, max-affected=9")]).await
    }

    /// A column that is hidden is as unknown as one that was never there.
    async fn hidden_columns(&mut self, caller: Caller, resource: &Resource) {
        for hidden in &resource.policy.hidden {
            for query in ["select=COLUMN", "COLUMN=is.null", "order=COLUMN", "or=(COLUMN.is.null,COLUMN.eq.x)"] {
                let mut texts = Vec::new();
                for name in [hidden.as_str(), "qqqqqq"] {
                    let path = format!("/{}?{}", resource.name, query.replace("COLUMN", name));
                    let answer = self.rest(caller, "GET", &path, Value::Null).await;
                    assert_eq!(answer.status, 400, "{}\n{}", answer.request, answer.text);
                    let mut error = answer.json();
                    // The nearest name depends on the spelling; a hidden one is never it.
                    assert!(!error["hint"].take().to_string().contains(hidden), "{}", answer.text);
                    texts.push(error.to_string().replace(name, "COLUMN"));
                }
                assert_eq!(texts[0], texts[1], "the hidden column {hidden} is told from one that is not there");
            }
            let query = format!("{{ {} {{ nodes {{ {hidden} }} }} }}", resource.names.many);
            assert!(self.graphql(caller, &query, Value::Null).await.json()["data"].is_null());
        }
    }

    /// By way of a row that the caller sees, no row that it does not see.
    async fn relations(&mut self, caller: Caller, index: usize) {
        let resource = self.catalog.at(index);
        if self.visible(caller, index).is_empty() {
            return;
        }
        for relation in &resource.relations {
            let target = self.catalog.at(relation.target);
            let visible = self.visible(caller, relation.target);
            let (many, field, key) = (&resource.names.many, &relation.field, &target.key_column().field);
            let selection = match relation.cardinality {
                Cardinality::One => format!("{{ {key} }}"),
                Cardinality::Many => format!("(first: 100) {{ totalCount nodes {{ {key} }} }}"),
            };
            let query = format!("{{ {many}(first: 20) {{ nodes {{ end: {field}{selection} }} }} }}");
            let answer = self.graphql(caller, &query, Value::Null).await;
            for node in answer.data()[many]["nodes"].as_array().expect("nodes") {
                let end = &node["end"];
                let rows = match relation.cardinality {
                    Cardinality::One => Some(end).filter(|end| !end.is_null()).into_iter().collect(),
                    Cardinality::Many => end["nodes"].as_array().expect("nodes").iter().collect::<Vec<_>>(),
                };
                assert!(rows.iter().all(|row| visible.contains(&text(&row[key]))), "{}\n{}", query, answer.text);
                assert!(end["totalCount"].is_null() || end["totalCount"] == rows.len(), "{}\n{}", query, answer.text);
            }
        }
    }
}

/// The beginning of a field that writes all rows that match, of which there is one.
fn many(verb: &str, resource: &Resource, key: &str) -> String {
    let (plural, field) = (&resource.names.type_plural, &resource.key_column().field);
    format!("done: {verb}{plural}(filter: {{ {field}: {{ in: [\"{key}\"] }} }}")
}

/// A write of all rows that match has found none, or was refused.
fn untouched(answer: &Answer) {
    let data = &answer.json()["data"];
    assert!(data.is_null() || data["done"]["affected"] == 0, "{}\n{}", answer.request, answer.text);
}
