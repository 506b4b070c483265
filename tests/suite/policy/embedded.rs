//! What REST tells of rows by way of others: embedded, spread, counted, joined, and in other forms than JSON. None of it
//! is of a row that the caller does not see.

use std::collections::{BTreeMap, BTreeSet};

use rootstock::catalog::{Cardinality, Operator, Relation, Resource};
use serde_json::{Map, Value};

use super::{Sweep, rows::text};
use crate::{spelling::comparison, support::Caller};

type Row = Map<String, Value>;

/// The keys of the rows at the other end, as they stand in an embedding.
fn ends(row: &Value, key: &str) -> BTreeSet<String> {
    let end = &row["end"];
    let rows = end.as_array().cloned().unwrap_or_else(|| vec![end.clone()]);
    rows.iter().filter(|row| !row.is_null()).map(|row| text(&row[key])).collect()
}

impl Sweep<'_> {
    /// Every relation of a resource, in every way in which REST leads through it.
    pub(super) async fn embeddings(&mut self, caller: Caller, index: usize) {
        let visible = self.visible(caller, index);
        if visible.is_empty() {
            return;
        }
        let resource = self.catalog.at(index);
        for relation in &resource.relations {
            let seen = self.visible(caller, relation.target);
            let related = self.related(index, relation, &visible, &seen);
            self.embedded(caller, resource, relation, &related).await;
            self.by_conditions(caller, resource, relation, &related, &seen).await;
        }
    }

    /// The rows of a list by REST, which must be an answer.
    async fn array(&mut self, caller: Caller, path: &str) -> Vec<Value> {
        let answer = self.rest(caller, "GET", path, Value::Null).await;
        let rows = answer.expect(200).json();
        rows.as_array().cloned().unwrap_or_default()
    }

    async fn embedded(
        &mut self,
        caller: Caller,
        resource: &Resource,
        relation: &Relation,
        related: &BTreeMap<String, Vec<Row>>,
    ) {
        let target = self.catalog.at(relation.target);
        let (table, key, name, end) =
            (&resource.name, &resource.key_column().name, &relation.name, &target.key_column().name);
        let keys = |rows: &[Row]| rows.iter().map(|row| text(&row[end])).collect::<BTreeSet<_>>();
        let expected = |inner: bool| {
            let rows = related.iter().filter(move |(_, rows)| !inner || !rows.is_empty());
            rows.map(|(key, rows)| (key.clone(), keys(rows))).collect::<BTreeMap<_, _>>()
        };
        for (select, inner) in [
            (format!("{key},end:{name}({end})"), false),
            (format!("{key},end:{name}!left(*)"), false),
            (format!("{key},end:{name}!inner({end})"), true),
            (format!("{key},end:{name}({end})&{name}=not.is.null"), true),
            (format!("{key},end:{name}({end})&{name}.order={end}.desc&{name}.limit=1000"), false),
        ] {
            // A condition names an embedding by the name that it has in the answer.
            let select = select.replace(&format!("&{name}"), "&end");
            let path = format!("/{table}?select={select}");
            let rows = self.array(caller, &path).await;
            let found: BTreeMap<_, _> = rows.iter().map(|row| (text(&row[key]), ends(row, end))).collect();
            assert_eq!(found, expected(inner), "{caller:?} {path}");
        }
        let without = format!("/{table}?select={key},end:{name}()&end=is.null");
        let found: BTreeSet<_> = self.array(caller, &without).await.iter().map(|row| text(&row[key])).collect();
        let none = related.iter().filter(|(_, rows)| rows.is_empty()).map(|(key, _)| key.clone());
        assert_eq!(found, none.collect(), "{caller:?} {without}");
        let counted = match relation.cardinality {
            Cardinality::Many => format!("/{table}?select={key},end:{name}(n:count())"),
            Cardinality::One => format!("/{table}?select={key},...{name}(n:{end})"),
        };
        for row in self.array(caller, &counted).await {
            let rows = &related[&text(&row[key])];
            match relation.cardinality {
                Cardinality::Many => assert_eq!(row["end"][0]["n"], rows.len(), "{caller:?} {counted}"),
                Cardinality::One if rows.is_empty() => assert!(row["n"].is_null(), "{caller:?} {counted}"),
                Cardinality::One => assert_eq!(text(&row["n"]), text(&rows[0][end]), "{caller:?} {counted}"),
            }
        }
    }

    /// A condition on the other end that a hidden row fulfils finds nothing by it.
    async fn by_conditions(
        &mut self,
        caller: Caller,
        resource: &Resource,
        relation: &Relation,
        related: &BTreeMap<String, Vec<Row>>,
        seen: &BTreeSet<String>,
    ) {
        let target = self.catalog.at(relation.target);
        let others = self.rows[relation.target].clone();
        let Some((_, hidden)) = others.iter().find(|(key, _)| !seen.contains(*key)) else { return };
        let (table, key, name) = (&resource.name, &resource.key_column().name, &relation.name);
        for column in target.columns.iter().filter(|column| column.scalar.operators().contains(&Operator::Eq)) {
            let value = &hidden[&column.name];
            if value.is_null() {
                continue;
            }
            let condition = comparison(column, Operator::Eq, value).0;
            let path = format!("/{table}?select={key},{name}!inner()&{name}.{condition}");
            let found: BTreeSet<_> = self.array(caller, &path).await.iter().map(|row| text(&row[key])).collect();
            let same = |rows: &[Row]| rows.iter().any(|row| row[&column.name] == *value);
            let expected = related.iter().filter(|(_, rows)| same(rows)).map(|(key, _)| key.clone());
            assert_eq!(found, expected.collect(), "{caller:?} {path}");
        }
    }

    /// A list is the same rows in every form, and every way of counting counts those.
    pub(super) async fn forms(&mut self, caller: Caller, index: usize) {
        let (catalog, visible) = (self.catalog, self.visible(caller, index));
        let resource = catalog.at(index);
        let path = format!("/{}?select={}", resource.name, resource.key_column().name);
        let whole = visible.len() == self.rows[index].len();
        for count in ["exact", "planned", "estimated"] {
            for method in ["GET", "HEAD"] {
                self.tried += 1;
                let prefer = format!("count={count}");
                let headers = [("prefer", prefer.as_str()), ("range", "0-999")];
                let answer = self.server.rest_with(caller, method, &path, Value::Null, &headers).await;
                if !matches!(answer.status, 200 | 206) {
                    assert!(visible.is_empty() && matches!(answer.status, 401 | 403), "{}", answer.request);
                    continue;
                }
                // What the database guesses of a table is nobody's secret where the whole table is not.
                if whole && count != "exact" {
                    continue;
                }
                let total = answer.header("content-range").rsplit('/').next().unwrap_or_default().to_owned();
                assert_eq!(total, visible.len().to_string(), "{caller:?} {} {count}", answer.request);
            }
        }
        self.tried += 1;
        let csv = self.server.rest_with(caller, "GET", &path, Value::Null, &[("accept", "text/csv")]).await;
        if csv.status == 200 {
            let keys: BTreeSet<_> = csv.text.lines().skip(1).map(str::to_owned).collect();
            assert_eq!(keys, visible, "{}", csv.request);
        } else {
            assert!(visible.is_empty() && matches!(csv.status, 401 | 403), "{}", csv.request);
        }
        self.tried += 1;
        let one = [("accept", "application/vnd.pgrst.object+json")];
        let answer = self.server.rest_with(caller, "GET", &path, Value::Null, &one).await;
        let told = answer.text.contains(&format!("contains {} rows", visible.len()));
        assert!(matches!(answer.status, 200 | 401 | 403) || told, "{}\n{}", answer.request, answer.text);
    }
}
