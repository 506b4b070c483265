//! Writes of several rows, and of rows that may be there: none reaches a row that its caller does not see, and none
//! writes to one that it only sees. That nothing has changed is looked at when all have been tried.

use rootstock::{
    catalog::{Resource, policy::Condition, scalar::Scalar},
    engine::plan::{create_columns, nested, update_columns},
};
use serde_json::{Map, Value, json};

use super::{
    Sweep, fresh,
    oracle::holds,
    rows::{Rows, text},
};
use crate::support::{Answer, Caller};

type Row = Map<String, Value>;

/// Keys that no row has.
const NEW: [&str; 3] = [
    "00000000-0000-4000-8000-0000000000a1",
    "00000000-0000-4000-8000-0000000000a2",
    "00000000-0000-4000-8000-0000000000a3",
];

/// A row as GraphQL's inputs have it: other names, and other words for some values.
fn input(resource: &Resource, row: &Row) -> Value {
    let member = |(name, value): (&String, &Value)| {
        let column = &resource.columns[resource.column(name).expect("a column")];
        let value = match &column.scalar {
            _ if value.is_null() => Value::Null,
            Scalar::Enum(texts) => json!(texts.members().find(|(_, text)| value == text).map(|(name, _)| name)),
            Scalar::Decimal(_) | Scalar::BigInt => json!(text(value)),
            _ => value.clone(),
        };
        (column.field.clone(), value)
    };
    Value::Object(row.iter().map(member).collect())
}

/// What clients may write of a row, with its key where they may choose one.
fn copied(resource: &Resource, row: &Row) -> Row {
    let free = |name: &str| !resource.policy.columns.iter().any(|rule| rule.column == name);
    let columns = create_columns(resource).filter(|column| free(&column.name));
    columns.filter_map(|column| Some((column.name.clone(), row.get(&column.name)?.clone()))).collect()
}

/// The code of the first error; empty without.
fn code(answer: &Answer) -> String {
    answer.errors().first().map_or_else(String::new, |error| text(&error["extensions"]["code"]))
}

impl Sweep<'_> {
    pub(super) async fn writes(&mut self, caller: Caller, index: usize) {
        let resource = self.catalog.at(index);
        let visible = self.visible(caller, index);
        let updatable = self.allowed(caller, index, &resource.policy.update.condition);
        let rows = self.rows[index].clone();
        let (seen, hidden): (Rows, Rows) = rows.into_iter().partition(|(key, _)| visible.contains(key));
        let closed: Rows = seen.into_iter().filter(|(key, _)| !updatable.contains(key)).collect();
        let person = (caller != Caller::Anonymous).then(|| self.server.person(caller));
        let creates = holds(&resource.policy.create.condition, person, &Map::new()) != Some(false);
        for (rows, hidden) in [(&hidden, true), (&closed, false)] {
            let Some((key, row)) = rows.first_key_value() else { continue };
            self.states(caller, resource, key, row, hidden).await;
            if creates && resource.policy.create.condition != Condition::Never {
                self.taken(caller, resource, key, row, hidden).await;
            }
        }
        if caller != Caller::Anonymous && creates && resource.policy.create.condition != Condition::Never {
            self.among(caller, resource, &hidden, &closed).await;
        }
    }

    /// Whether a row is in the state that a write asks for is told of no row that the caller may not write.
    async fn states(&mut self, caller: Caller, resource: &Resource, key: &str, row: &Row, hidden: bool) {
        let Some(touched) = resource.touched() else { return };
        let name = &resource.names.type_name;
        for (verb, grant) in [("update", &resource.policy.update), ("delete", &resource.policy.delete)] {
            if grant.condition == Condition::Never {
                continue;
            }
            let mut answers = Vec::new();
            for state in [&row[&touched.name], &json!("2001-01-01T00:00:00.000000Z")] {
                let set = if verb == "update" { ", set: {}" } else { "" };
                let query =
                    format!("mutation {{ {verb}{name}(id: \"{key}\"{set}, ifUpdatedAt: {state}) {{ nodeId }} }}");
                let answer = self.graphql(caller, &query, Value::Null).await;
                assert!(answer.json()["data"].is_null(), "{}\n{}", answer.request, answer.text);
                let code = code(&answer);
                assert!(!hidden || code != "CONFLICT", "{}\n{}", answer.request, answer.text);
                answers.push(answer.text);
            }
            assert_eq!(answers[0], answers[1], "the state of a row is told by {verb}{name}");
        }
    }

    /// New rows in the place of one that is there: alone, among others, with rows that belong to them.
    async fn taken(&mut self, caller: Caller, resource: &Resource, key: &str, row: &Row, hidden: bool) {
        let (name, plural) = (&resource.names.type_name, &resource.names.type_plural);
        let keyed = create_columns(resource).any(|column| column.name == resource.key_column().name);
        let mut copy = copied(resource, row);
        copy.insert(resource.key_column().name.clone(), row[&resource.key_column().name].clone());
        let key_field = &resource.key_column().field;
        let mut own = input(resource, &copy);
        own[key_field] = json!(key);
        let targets = resource.unique.iter().filter(|columns| {
            columns.iter().all(|column| copy.get(&resource.columns[*column].name).is_some_and(|value| !value.is_null()))
        });
        for target in targets {
            let members: Vec<_> = target.iter().map(|column| resource.columns[*column].name.to_uppercase()).collect();
            for action in ["UPDATE", "IGNORE"] {
                let variables = json!({ "rows": [own], "one": own, "on": { "target": members, "action": action } });
                for query in [
                    format!(
                        "mutation ($one: Create{name}Input!, $on: {name}OnConflict) {{ done: create{name}(input: $one, onConflict: $on) {{ {key_field} }} }}"
                    ),
                    format!(
                        "mutation ($rows: [Create{name}Input!]!, $on: {name}OnConflict) {{ done: create{plural}(input: $rows, onConflict: $on) {{ {key_field} }} }}"
                    ),
                ] {
                    let answer = self.graphql(caller, &query, variables.clone()).await;
                    // One that is seen may be told, and is nothing but what it was.
                    let kept = action == "IGNORE" && !hidden && caller != Caller::Anonymous;
                    assert!(kept || answer.json()["data"].is_null(), "{}\n{}", answer.request, answer.text);
                }
            }
        }
        if !keyed {
            return;
        }
        // The same among rows of the caller's own: all or none.
        let mut other = fresh(resource, 5);
        other.insert(resource.key_column().name.clone(), json!(NEW[0]));
        let rows = json!([input(resource, &other), own]);
        for on in [Value::Null, json!({}), json!({ "action": "IGNORE" })] {
            let query = format!(
                "mutation ($rows: [Create{name}Input!]!, $on: {name}OnConflict) {{ create{plural}(input: $rows, onConflict: $on) {{ {key_field} }} }}"
            );
            if on["action"] == "IGNORE" && !hidden {
                continue;
            }
            let answer = self.graphql(caller, &query, json!({ "rows": rows, "on": on })).await;
            assert!(answer.json()["data"].is_null(), "{}\n{}", answer.request, answer.text);
        }
        let path = format!("/{}", resource.name);
        for prefer in ["return=representation", "resolution=merge-duplicates, return=representation"] {
            self.tried += 1;
            let body = json!([other, copy]);
            let answer = self.server.rest_with(caller, "POST", &path, body, &[("prefer", prefer)]).await;
            assert!(answer.status >= 400, "{} {}", answer.request, answer.status);
        }
        self.tried += 1;
        let ignoring = [("prefer", "resolution=ignore-duplicates, return=representation")];
        let answer = self.server.rest_with(caller, "POST", &path, json!([copy]), &ignoring).await;
        assert!(answer.status >= 400 || answer.text == "[]", "{}\n{}", answer.request, answer.text);
        // Rows that would belong to the one that is there.
        for relation in nested(self.catalog, resource) {
            let target = self.catalog.at(relation.target);
            let foreign = &target.columns[relation.foreign];
            let mut child = fresh(target, 5);
            child.remove(&foreign.name);
            let child = input(target, &child);
            let mut stray = child.clone();
            stray[&foreign.field] = json!(key);
            let mut parent = own.clone();
            parent[&relation.field] = json!([child]);
            let mut new = input(resource, &other);
            new[&relation.field] = json!([stray]);
            for (row, on) in [
                (&parent, Value::Null),
                (&parent, json!({})),
                (&parent, json!({ "action": "IGNORE" })),
                (&new, Value::Null),
            ] {
                let query = format!(
                    "mutation ($one: Create{name}Input!, $on: {name}OnConflict) {{ create{name}(input: $one, onConflict: $on) {{ {key_field} }} }}"
                );
                let answer = self.graphql(caller, &query, json!({ "one": row, "on": on })).await;
                assert!(!answer.errors().is_empty(), "{}\n{}", answer.request, answer.text);
            }
        }
    }

    /// Writes by a filter that a row of the caller's own matches, and others do: those that are hidden are not there, and
    /// one that is only seen makes it fail.
    async fn among(&mut self, caller: Caller, resource: &Resource, hidden: &Rows, closed: &Rows) {
        let policy = &resource.policy;
        if [&policy.update, &policy.delete].iter().any(|grant| grant.condition == Condition::Never) {
            return;
        }
        let path = format!("/{}", resource.name);
        let made = self.rest(caller, "POST", &path, Value::Object(fresh(resource, 5))).await.expect(201).json();
        let own = text(&made[&resource.key_column().name]);
        let (name, plural, field) =
            (&resource.names.type_name, &resource.names.type_plural, &resource.key_column().field);
        let keys = |rows: &Rows| rows.keys().cloned().chain([own.clone()]).collect::<Vec<_>>();
        let set: Row = copied(resource, made.as_object().expect("a row"))
            .into_iter()
            .filter(|(column, _)| update_columns(resource).any(|one| one.name == *column))
            .collect();
        let variables = |keys: Vec<String>, most: usize| json!({ "f": { field.clone(): { "in": keys } }, "set": input(resource, &set), "most": most });
        let update = format!(
            "mutation ($f: {name}Filter!, $set: Update{name}Input!, $most: Int!) {{ done: update{plural}(filter: $f, set: $set, atMost: $most) {{ affected nodes {{ {field} }} }} }}"
        );
        let delete = format!(
            "mutation ($f: {name}Filter!, $most: Int!) {{ done: delete{plural}(filter: $f, atMost: $most) {{ affected nodes {{ {field} }} }} }}"
        );
        let alone = json!({ "affected": 1, "nodes": [{ field.clone(): own }] });
        for (query, last) in [(&update, false), (&delete, true)] {
            if !closed.is_empty() {
                let mut given = variables(keys(closed), 40);
                if last {
                    given.as_object_mut().expect("variables").remove("set");
                }
                let answer = self.graphql(caller, query, given).await;
                assert_eq!(code(&answer), "FORBIDDEN", "{}\n{}", answer.request, answer.text);
            }
            // One is all that there are: others are not counted either.
            let mut given = variables(keys(hidden), 1);
            if last {
                given.as_object_mut().expect("variables").remove("set");
            }
            assert_eq!(self.graphql(caller, query, given).await.data()["done"], alone);
        }
    }
}
