//! What is told of several rows, and by way of others: aggregates, groups, conditions and orders over relations. Each is
//! worked out a second time from the rows that the caller sees, and from no others.

use std::collections::{BTreeMap, BTreeSet};

use rootstock::catalog::{Cardinality, Column, Function, Operator, Relation, Resource, scalar::Scalar};
use serde_json::{Map, Value, json};

use super::{Sweep, rows::text};
use crate::{
    spelling::comparison,
    support::{Answer, Caller},
};

type Row = Map<String, Value>;

/// Whether a caller who sees no row of a resource was told so, and nothing else.
fn closed(answer: &Answer, visible: &BTreeSet<String>) -> bool {
    let body = answer.json();
    let failed = answer.status != 200 || !body["errors"].is_null();
    if failed {
        let code = answer.failure().code;
        assert!(visible.is_empty() && body["data"].is_null(), "{}\n{}", answer.request, answer.text);
        assert!(
            matches!(&*code, "UNAUTHENTICATED" | "FORBIDDEN" | "PGRST302" | "42501"),
            "{}\n{}",
            answer.request,
            answer.text
        );
    }
    failed
}

/// A number in units of its smallest place, as either protocol writes it; none for NULL.
fn units(value: &Value) -> Option<i128> {
    let text = (!value.is_null()).then(|| text(value))?;
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    Some(format!("{whole}{places:0<6}").parse().unwrap_or_else(|_| panic!("{text} is no number")))
}

/// The columns of which there is an exact sum.
fn summed(resource: &Resource) -> Vec<&Column> {
    let exact = |scalar: &Scalar| matches!(scalar, Scalar::Integer | Scalar::BigInt | Scalar::Decimal(_));
    let columns = resource.columns.iter().enumerate().filter(|(index, _)| *index != resource.key);
    columns.map(|(_, column)| column).filter(|column| exact(&column.scalar)).collect()
}

/// The columns by which rows can be grouped.
fn grouping(resource: &Resource) -> Vec<&Column> {
    let columns = resource.columns.iter().enumerate().filter(|(index, _)| *index != resource.key);
    let columns = columns.map(|(_, column)| column);
    columns.filter(|column| Function::CountDistinct.result(&column.scalar).is_some()).collect()
}

/// The columns whose least value is told, in the same words by both protocols.
fn compared(resource: &Resource) -> Vec<&Column> {
    let same = |scalar: &Scalar| matches!(scalar, Scalar::Text | Scalar::Uuid | Scalar::Date | Scalar::Timestamp);
    grouping(resource).into_iter().filter(|column| same(&column.scalar)).collect()
}

fn sum<'r>(rows: impl IntoIterator<Item = &'r Row>, column: &Column) -> Option<i128> {
    rows.into_iter().filter_map(|row| units(&row[&column.name])).reduce(|sum, one| sum + one)
}

fn distinct<'r>(rows: impl IntoIterator<Item = &'r Row>, column: &Column) -> usize {
    let values = rows.into_iter().map(|row| row[&column.name].to_string()).filter(|value| value != "null");
    values.collect::<BTreeSet<_>>().len()
}

/// The counts of groups, and the sums of each.
fn grouped(rows: &[&Row], column: &Column, summed: &[&Column]) -> Vec<(usize, Vec<Option<i128>>)> {
    let mut groups: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(row[&column.name].to_string()).or_default().push(row);
    }
    let told = |rows: Vec<&Row>| (rows.len(), summed.iter().map(|column| sum(rows.iter().copied(), column)).collect());
    let mut groups: Vec<_> = groups.into_values().map(told).collect();
    groups.sort();
    groups
}

impl Sweep<'_> {
    fn seen(&self, index: usize, visible: &BTreeSet<String>) -> Vec<Row> {
        let rows = self.rows[index].iter().filter(|(key, _)| visible.contains(*key));
        rows.map(|(_, row)| row.clone()).collect()
    }

    /// Aggregates and groups are those of the rows that the caller sees.
    pub(super) async fn summaries(&mut self, caller: Caller, index: usize) {
        let (catalog, visible) = (self.catalog, self.visible(caller, index));
        let resource = catalog.at(index);
        let seen = self.seen(index, &visible);
        let rows: Vec<&Row> = seen.iter().collect();
        let (summed, grouping, compared) = (summed(resource), grouping(resource), compared(resource));
        let fields =
            |columns: &[&Column]| columns.iter().map(|column| column.field.clone()).collect::<Vec<_>>().join(" ");
        let object = |name: &str, columns: &[&Column]| match fields(columns) {
            fields if fields.is_empty() => String::new(),
            fields => format!("{name} {{ {fields} }}"),
        };
        let many = &resource.names.many;
        let sums = object("sum", &summed);
        let query = format!(
            "{{ list: {many}(first: 1) {{ aggregate {{ count {sums} {} {} {} }} }} }}",
            object("countDistinct", &grouping),
            object("min", &compared),
            object("max", &compared),
        );
        let answer = self.graphql(caller, &query, Value::Null).await;
        if !closed(&answer, &visible) {
            let told = answer.data()["list"]["aggregate"].take();
            assert_eq!(told["count"], rows.len(), "{}\n{}", answer.request, answer.text);
            for column in &grouping {
                let expected = distinct(rows.iter().copied(), column);
                assert_eq!(told["countDistinct"][&column.field], expected, "{}\n{}", answer.request, answer.text);
            }
            for column in &summed {
                let expected = sum(rows.iter().copied(), column);
                assert_eq!(units(&told["sum"][&column.field]), expected, "{}\n{}", answer.request, answer.text);
            }
            for column in &compared {
                for function in ["min", "max"] {
                    let value = &told[function][&column.field];
                    let known = rows.iter().any(|row| row[&column.name] == *value);
                    let none = rows.iter().all(|row| row[&column.name].is_null());
                    assert!(known || none && value.is_null(), "{} {}\n{}", answer.request, column.name, answer.text);
                }
            }
        }
        for column in &grouping {
            let expected = grouped(&rows, column, &summed);
            let member = column.name.to_uppercase();
            let query = format!("{{ list: {many} {{ groups(by: [{member}], first: 100) {{ count {sums} }} }} }}");
            let answer = self.graphql(caller, &query, Value::Null).await;
            if !closed(&answer, &visible) {
                let told = answer.data()["list"]["groups"].take();
                let told = told.as_array().expect("groups").iter().map(|group| {
                    let count = group["count"].as_u64().expect("a count") as usize;
                    (count, summed.iter().map(|column| units(&group["sum"][&column.field])).collect::<Vec<_>>())
                });
                let mut told: Vec<_> = told.collect();
                told.sort();
                assert_eq!(told, expected, "{}\n{}", answer.request, answer.text);
            }
            let sums = summed.iter().map(|column| format!(",s_{0}:{0}.sum()", column.name)).collect::<String>();
            let path = format!("/{}?select={},n:count(){sums}", resource.name, column.name);
            let answer = self.rest(caller, "GET", &path, Value::Null).await;
            if !closed(&answer, &visible) {
                let told = answer.json();
                let told = told.as_array().expect("groups").iter().map(|group| {
                    let sums = summed.iter().map(|column| units(&group[format!("s_{}", column.name)]));
                    (group["n"].as_u64().expect("a count") as usize, sums.collect::<Vec<_>>())
                });
                let mut told: Vec<_> = told.collect();
                told.sort();
                assert_eq!(told, expected, "{}\n{}", answer.request, answer.text);
            }
        }
        let answer = self.rest(caller, "GET", &format!("/{}?select=count()", resource.name), Value::Null).await;
        if !closed(&answer, &visible) {
            assert_eq!(answer.json(), json!([{ "count": rows.len() }]), "{}", answer.request);
        }
    }

    /// Conditions on related rows, and orders by them, are about those that the caller sees.
    pub(super) async fn conditions(&mut self, caller: Caller, index: usize) {
        let (catalog, visible) = (self.catalog, self.visible(caller, index));
        if visible.is_empty() {
            return;
        }
        let resource = catalog.at(index);
        for relation in &resource.relations {
            let ends = self.visible(caller, relation.target);
            let related = self.related(index, relation, &visible, &ends);
            // A row that is hidden from the caller, and one that is not.
            let others = &self.rows[relation.target];
            let hidden = others.iter().filter(|(key, _)| !ends.contains(*key)).map(|(_, row)| row.clone());
            let shown = others.iter().filter(|(key, _)| ends.contains(*key)).map(|(_, row)| row.clone());
            let samples: Vec<Row> = hidden.take(2).chain(shown.take(1)).collect();
            match relation.cardinality {
                Cardinality::One => self.of_one(caller, resource, relation, &related, &samples).await,
                Cardinality::Many => self.of_many(caller, resource, relation, &related, &samples).await,
            }
        }
    }

    /// The rows that the caller sees, each with those at the other end that it sees.
    pub(super) fn related(
        &self,
        index: usize,
        relation: &Relation,
        visible: &BTreeSet<String>,
        ends: &BTreeSet<String>,
    ) -> BTreeMap<String, Vec<Row>> {
        let local = &self.catalog.at(index).columns[relation.local].name;
        let foreign = &self.catalog.at(relation.target).columns[relation.foreign].name;
        let ends = self.seen(relation.target, ends);
        let rows = self.rows[index].iter().filter(|(key, _)| visible.contains(*key));
        let joined = |row: &Row| {
            let same = |end: &&Row| !row[local].is_null() && end[foreign] == row[local];
            ends.iter().filter(same).cloned().collect()
        };
        rows.map(|(key, row)| (key.clone(), joined(row))).collect()
    }

    /// The keys of a list that is filtered or ordered.
    async fn keys(&mut self, caller: Caller, resource: &Resource, argument: &str, value: &Value) -> Vec<String> {
        let (many, ty, key) = (&resource.names.many, &resource.names.type_name, &resource.key_column().field);
        let ty = if argument == "orderBy" { format!("[{ty}OrderBy!]") } else { format!("{ty}Filter") };
        let query = format!(
            "query ($g: {ty}) {{ list: {many}({argument}: $g, first: 100) {{ totalCount nodes {{ {key} }} }} }}"
        );
        let answer = self.graphql(caller, &query, json!({ "g": value })).await;
        let list = answer.data()["list"].take();
        let keys: Vec<_> = list["nodes"].as_array().expect("nodes").iter().map(|node| text(&node[key])).collect();
        assert_eq!(list["totalCount"], keys.len(), "{}", answer.request);
        keys
    }

    async fn holds_of(
        &mut self,
        caller: Caller,
        resource: &Resource,
        filter: Value,
        related: &BTreeMap<String, Vec<Row>>,
        holds: impl Fn(&[Row]) -> bool,
    ) {
        let found: BTreeSet<_> = self.keys(caller, resource, "filter", &filter).await.into_iter().collect();
        let expected = related.iter().filter(|(_, rows)| holds(rows)).map(|(key, _)| key.clone());
        assert_eq!(found, expected.collect(), "{caller:?} {} {filter}", resource.name);
    }

    async fn of_one(
        &mut self,
        caller: Caller,
        resource: &Resource,
        relation: &Relation,
        related: &BTreeMap<String, Vec<Row>>,
        samples: &[Row],
    ) {
        let (target, field) = (self.catalog.at(relation.target), &relation.field);
        self.holds_of(caller, resource, json!({ field: {} }), related, |rows| !rows.is_empty()).await;
        self.holds_of(caller, resource, json!({ "not": { field: {} } }), related, <[Row]>::is_empty).await;
        for (column, filter, value) in equalities(target, samples) {
            let holds = |rows: &[Row]| rows.iter().any(|row| row[&column.name] == value);
            self.holds_of(caller, resource, json!({ field: filter }), related, holds).await;
        }
        for column in target.columns.iter().filter(|column| column.scalar != Scalar::Json) {
            let order = json!([{ field: { column.field.clone(): "DESC_NULLS_FIRST" } }]);
            let keys = self.keys(caller, resource, "orderBy", &order).await;
            nothing_first(resource, &keys, &order, |key| related[key].iter().all(|row| row[&column.name].is_null()));
            let path = format!("/{}?order={}({}).desc.nullsfirst&limit=100", resource.name, relation.name, column.name);
            let answer = self.rest(caller, "GET", &path, Value::Null).await;
            let key = &resource.key_column().name;
            let rows = answer.json();
            let by_rest: Vec<_> = rows.as_array().expect("rows").iter().map(|row| text(&row[key])).collect();
            assert_eq!(by_rest, keys, "{}", answer.request);
        }
    }

    async fn of_many(
        &mut self,
        caller: Caller,
        resource: &Resource,
        relation: &Relation,
        related: &BTreeMap<String, Vec<Row>>,
        samples: &[Row],
    ) {
        let (target, field) = (self.catalog.at(relation.target), &relation.field);
        let never = json!({ target.key_column().field.clone(): { "isNull": true } });
        let filter = |filter: Value| json!({ field: filter });
        self.holds_of(caller, resource, filter(json!({ "some": {} })), related, |rows| !rows.is_empty()).await;
        self.holds_of(caller, resource, filter(json!({ "none": {} })), related, <[Row]>::is_empty).await;
        self.holds_of(caller, resource, filter(json!({ "every": never })), related, <[Row]>::is_empty).await;
        for count in 0..3 {
            let given = filter(json!({ "count": { "eq": count } }));
            self.holds_of(caller, resource, given, related, |rows| rows.len() == count).await;
        }
        for (column, is, value) in equalities(target, samples) {
            let same = |row: &Row| row[&column.name] == value;
            let some = |rows: &[Row]| rows.iter().any(same);
            self.holds_of(caller, resource, filter(json!({ "some": is })), related, some).await;
            self.holds_of(caller, resource, filter(json!({ "none": is })), related, |rows| !some(rows)).await;
            let every = |rows: &[Row]| rows.iter().all(same);
            self.holds_of(caller, resource, filter(json!({ "every": is })), related, every).await;
            let among = filter(json!({ "filter": is, "count": { "gt": 0 } }));
            self.holds_of(caller, resource, among, related, some).await;
        }
        for column in grouping(target) {
            let given = filter(json!({ "countDistinct": { column.field.clone(): { "gte": 1 } } }));
            self.holds_of(caller, resource, given, related, |rows| distinct(rows, column) > 0).await;
            let order = json!([{ field: { "countDistinct": { column.field.clone(): "ASC" } } }]);
            self.in_order(caller, resource, &order, related, |rows| distinct(rows, column)).await;
        }
        for column in summed(target) {
            for function in ["sum", "avg", "min", "max"] {
                let none = |rows: &[Row]| sum(rows, column).is_none();
                let given = filter(json!({ function: { column.field.clone(): { "isNull": true } } }));
                self.holds_of(caller, resource, given, related, none).await;
            }
            let order = json!([{ field: { "sum": { column.field.clone(): "ASC_NULLS_FIRST" } } }]);
            self.in_order(caller, resource, &order, related, |rows| sum(rows, column)).await;
        }
        for column in compared(target) {
            for function in ["min", "max"] {
                let order = json!([{ field: { function: { column.field.clone(): "DESC_NULLS_FIRST" } } }]);
                let keys = self.keys(caller, resource, "orderBy", &order).await;
                nothing_first(resource, &keys, &order, |key| {
                    related[key].iter().all(|row| row[&column.name].is_null())
                });
            }
        }
        let order = json!([{ field: { "count": "ASC" } }]);
        self.in_order(caller, resource, &order, related, <[Row]>::len).await;
    }

    /// An order that runs upward by something of the related rows, then by the key.
    async fn in_order<T: Ord>(
        &mut self,
        caller: Caller,
        resource: &Resource,
        order: &Value,
        related: &BTreeMap<String, Vec<Row>>,
        by: impl Fn(&[Row]) -> T,
    ) {
        let found = self.keys(caller, resource, "orderBy", order).await;
        let mut expected: Vec<_> = related.keys().cloned().collect();
        expected.sort_by_key(|key| (by(&related[key]), place(key)));
        assert_eq!(found, expected, "{caller:?} {} {order}", resource.name);
    }
}

/// Where a key stands among others: numbers by their value.
fn place(key: &str) -> (i64, String) {
    key.parse().map_or_else(|_| (0, key.to_owned()), |number| (number, String::new()))
}

/// Rows without the value by which the list is ordered downward come first, and among them the keys alone count.
fn nothing_first(resource: &Resource, keys: &[String], order: &Value, nothing: impl Fn(&str) -> bool) {
    let without = keys.iter().take_while(|key| nothing(key)).count();
    assert!(keys[without..].iter().all(|key| !nothing(key)), "{} {order} {keys:?}", resource.name);
    let places: Vec<_> = keys[..without].iter().map(|key| place(key)).collect();
    assert!(places.is_sorted_by(|a, b| a >= b), "{} {order} {keys:?}", resource.name);
}

/// Conditions that columns have the values of rows, with the columns and the values.
fn equalities<'r>(resource: &'r Resource, samples: &[Row]) -> Vec<(&'r Column, Value, Value)> {
    let mut equalities = Vec::new();
    for row in samples {
        for column in resource.columns.iter().filter(|column| column.scalar.operators().contains(&Operator::Eq)) {
            let value = &row[&column.name];
            if !value.is_null() {
                equalities.push((column, comparison(column, Operator::Eq, value).1, value.clone()));
            }
        }
    }
    equalities
}
