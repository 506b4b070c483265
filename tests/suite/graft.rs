//! A fourth resource: one migration, one entity, one line in the list. It must be there in both protocols, in both
//! documents and under its policy, on both databases, and every type of column must come back as it went in.

mod rows;
pub(crate) mod species;

use std::collections::BTreeSet;

use rootstock::engine::database::{Dialect, Migrate};
use serde_json::{Value, json};

use rows::{ASH, COLUMNS, ELM, OAK, REFERENCE, WRITTEN, in_graphql, rows};

use crate::support::{Caller::*, Server, Setup, start_with};

/// A server that has the grafted resource: the one line, and its migration.
pub(crate) async fn server(dialect: Dialect) -> Server {
    let catalog = rootstock::entities::resources().add::<species::Entity>().build().expect("a catalogue");
    let server = start_with(dialect, Setup { catalog, ..Setup::default() }).await;
    server.app.database.migrate::<species::Grafted>(Migrate::Up).await.expect("its migration");
    server
}

/// Runs a case on both databases; what it gives must be the same on both.
async fn the_same_on_both<T: PartialEq + std::fmt::Debug>(case: impl AsyncFn(&Server) -> T) {
    let sqlite = case(&server(Dialect::Sqlite).await).await;
    let postgres = case(&server(Dialect::Postgres).await).await;
    assert_eq!(sqlite, postgres, "SQLite on the left, PostgreSQL on the right");
}

/// Gives Ann the rows at the edges of every type.
pub(crate) async fn plant(server: &Server) {
    for row in rows() {
        server.text(User, "POST", "/species", "application/json", row).await.expect(201);
    }
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in_by_rest() {
    the_same_on_both(async |server| {
        let ann = &server.person(User).id;
        let mut written = Vec::new();
        for (row, expected) in rows().iter().zip(WRITTEN) {
            let expected = expected.replace("ANN", ann);
            let made = server.text(User, "POST", "/species", "application/json", row).await.expect(201);
            assert_eq!(made.text, expected);
            let id = made.json()["id"].as_str().expect("a key").to_owned();
            assert_eq!(made.header("location"), format!("/species/{id}"));
            assert_eq!(server.get(User, &format!("/species/{id}")).await.expect(200).text, expected);
            written.push(expected);
        }
        let list = server.get(User, "/species?order=id").await.expect(200).text;
        assert_eq!(list, format!("[{}]", written.join(",")));
    })
    .await;
}

/// To the last bit, also where they are nested or counted; a cursor that were off by it would meet its row again.
#[tokio::test]
async fn very_large_numbers_come_back_as_they_went_in() {
    the_same_on_both(async |server| {
        const NUMBERS: [&str; 6] = ["1e300", "1.5e308", "1.7976931348623157e308", "5e-324", "1e23", "-1.1e-300"];
        let first = "0193a000-0000-7000-8000-000000000000";
        let row = json!({ "id": first, "name": "a", "traits": 0 });
        server.rest(User, "POST", "/species", row).await.expect(201);
        for number in NUMBERS {
            let row = format!(r#"{{"name":"b","parent_id":"{first}","height":{number},"traits":{{"n":{number}}}}}"#);
            server.text(User, "POST", "/species", "application/json", &row).await.expect(201);
        }
        let counted = [("prefer", "count=exact")];
        let heights = |rows: &Value| -> Vec<f64> {
            rows.as_array().expect("rows").iter().map(|row| row["height"].as_f64().expect("a number")).collect()
        };
        let mut expected: Vec<f64> = NUMBERS.iter().map(|number| number.parse().expect("a number")).collect();
        expected.sort_by(f64::total_cmp);
        let nested = "/species?name=eq.a&select=children(height)&children.order=height";
        let rows = server.get(User, nested).await.expect(200).json();
        assert_eq!(heights(&rows[0]["children"]), expected);
        for order in ["height", "traits->n"] {
            let order = order.replace('>', "%3E");
            let mut path = format!("/species?name=eq.b&select=height&order={order},id&limit=1");
            let mut met = Vec::new();
            loop {
                let page = server.rest_with(User, "GET", &path, Value::Null, &counted).await;
                met.extend(heights(&page.json()));
                let link = page.headers.get("link").and_then(|link| link.to_str().ok());
                let Some(next) = link.filter(|_| met.len() <= NUMBERS.len()) else { break };
                let (next, _) = next.trim_start_matches('<').split_once('>').expect("a link");
                next.clone_into(&mut path);
            }
            // In JSON, what is as small as this is ordered as if it were no number.
            met.sort_by(f64::total_cmp);
            assert_eq!(met, expected, "{order}");
        }
    })
    .await;
}

/// The same rows, read one by one, in a list, in a list that is counted, and as the children of a row: four ways
/// through the engine, of which the nested ones differ between the databases.
#[tokio::test]
async fn every_type_comes_back_as_it_went_in_by_graphql() {
    the_same_on_both(async |server| {
        plant(server).await;
        let rows = WRITTEN.map(|row| in_graphql(&row.replace("ANN", &server.person(User).id)));
        let [oak, ash, elm] = &rows;
        let ask = async |query: &str| server.graphql(User, query, Value::Null).await.expect(200).text;
        for (id, row) in [OAK, ASH, ELM].iter().zip(&rows) {
            let one = ask(&format!("{{ species(id: \"{id}\") {{ {COLUMNS} }} }}")).await;
            assert_eq!(one, format!(r#"{{"data":{{"species":{row}}}}}"#));
        }
        let list = format!("speciesList(orderBy: {{ id: ASC }}) {{ nodes {{ {COLUMNS} }}");
        let all = rows.join(",");
        assert_eq!(
            ask(&format!("{{ {list} }} }}")).await,
            format!(r#"{{"data":{{"speciesList":{{"nodes":[{all}]}}}}}}"#)
        );
        assert_eq!(
            ask(&format!("{{ {list} totalCount }} }}")).await,
            format!(r#"{{"data":{{"speciesList":{{"nodes":[{all}],"totalCount":3}}}}}}"#)
        );
        let nested = format!(
            "{{ species(id: \"{OAK}\") {{ children(orderBy: {{ id: ASC }}) {{ totalCount nodes {{ {COLUMNS} \
             parent {{ {COLUMNS} }} children {{ nodes {{ id }} }} }} }} }} }}"
        );
        let with_parent =
            |row: &str| format!(r#"{},"parent":{oak},"children":{{"nodes":[]}}}}"#, row.trim_end_matches('}'));
        let children = [with_parent(ash), with_parent(elm)].join(",");
        assert_eq!(
            ask(&nested).await,
            format!(r#"{{"data":{{"species":{{"children":{{"totalCount":2,"nodes":[{children}]}}}}}}}}"#)
        );
    })
    .await;
}

/// What GraphQL writes as literals and as variables is what it reads again.
#[tokio::test]
async fn every_type_is_taken_by_graphql() {
    the_same_on_both(async |server| {
        let create = "mutation ($input: CreateSpeciesInput!) { createSpecies(input: $input) { population height \
                      protected traits notes status density seenOn seenAt reference } }";
        let values = r#""population":"9007199254740993","height":2.5,"protected":true,"traits":{"b":[1,{"a":null}]},"notes":"x","status":"ENDANGERED","density":"0.000001","seenOn":"2024-02-29","seenAt":"2026-11-21T08:00:00.123456Z","reference":"c56a4180-65aa-42ec-a945-5fd21dec0538""#;
        let body = format!(r#"{{"query":"{create}","variables":{{"input":{{"name":"Yew",{values}}}}}}}"#);
        let made = server.text(User, "POST", "/graphql", "application/json", &body).await.expect(200);
        assert_eq!(made.text, format!(r#"{{"data":{{"createSpecies":{{{values}}}}}}}"#));

        let literal = r#"mutation { createSpecies(input: { name: "Fir", traits: { b: [1, "x", true, null] },
            population: 7, density: "1.5", status: EXTINCT, seenAt: "2026-11-21T09:00:00+01:00" })
            { traits population density status seenAt statusBefore } }"#;
        let made = server.data(User, literal).await["createSpecies"].take();
        let expected = json!({ "traits": { "b": [1, "x", true, null] }, "population": "7", "density": "1.500000",
            "status": "EXTINCT", "seenAt": "2026-11-21T08:00:00.000000Z", "statusBefore": null });
        assert_eq!(made, expected);

        for (member, says) in [
            (r#"population: "9223372036854775808""#, "population"),
            ("population: 1.5", "population"),
            (r#"density: "0.0000001""#, "density"),
            (r#"reference: "c56a4180""#, "reference"),
            (r#"seenOn: "2023-02-29""#, "seenOn"),
            ("status: GONE", "GONE"),
            ("height: true", "height"),
            ("protected: 1", "protected"),
        ] {
            let document = format!("mutation {{ createSpecies(input: {{ name: \"X\", traits: 1, {member} }}) {{ id }} }}");
            let answer = server.graphql(User, &document, Value::Null).await;
            assert!(answer.failure().message.contains(says), "{}\n{}", answer.request, answer.text);
        }
        assert_eq!(server.data(User, "{ speciesList { totalCount } }").await["speciesList"]["totalCount"], 2);
        // A zero with a sign, which SQLite does not keep as a number, and both keep in a JSON value.
        let zero = r#"{ "name": "Zero", "traits": -0.0, "height": -0.0, "height_before": -0 }"#;
        let zero = server.text(User, "POST", "/species", "application/json", zero).await.expect(201).json();
        (zero["traits"].to_string(), zero["height"].to_string(), zero["height_before"].to_string())
    })
    .await;
}

/// Every operator that a column's type has, by the values that its rows hold, in both protocols.
#[tokio::test]
async fn every_type_is_filtered() {
    the_same_on_both(async |server| {
        plant(server).await;
        let mut answers = Vec::new();
        for (filter, names) in [
            ("population=eq.9223372036854775807", "Ash"),
            ("population=in.(0,-9223372036854775808)", "Oak Elm"),
            ("population=gt.0", "Ash"),
            ("population_before=neq.-1", "Ash"),
            ("height=eq.0.1", "Ash"),
            ("height=in.(0.1,1.5)", "Ash Elm"),
            ("height_before=lt.1", "Oak"),
            ("height_before=eq.1e21", "Ash"),
            ("protected=is.true", "Ash"),
            ("protected=eq.false", "Oak Elm"),
            ("confirmed=in.(true,false)", "Oak Ash"),
            ("confirmed=is.null", "Elm"),
            ("notes=is.null", "Elm"),
            ("notes=not.is.null", "Oak Ash"),
            ("status=eq.extinct", "Oak"),
            ("status=neq.extinct", "Ash Elm"),
            ("status=in.(extinct,\"least concern\")", "Oak Elm"),
            ("status_before=is.null", "Elm"),
            ("density=gt.0.000001", "Ash"),
            ("density=eq.-999999999999.999999", "Oak"),
            ("seen_on=lte.0001-01-01", "Oak"),
            ("seen_at=gt.2026-11-21T08:00:00Z", "Ash"),
            (&format!("reference=eq.{REFERENCE}"), "Oak Ash"),
            (&format!("id=in.({OAK},{ELM})"), "Oak Elm"),
            (&format!("parent_id=neq.{ELM}"), "Ash Elm"),
            ("name=like.*🌳*", "Oak"),
            ("name=plfts.OAK+α", "Oak"),
            ("name=not.fts.oak", "Ash Elm"),
            ("height=in.(0.1,-1.7976931348623157e308)", "Oak Ash"),
            ("height_before=in.(5e-324,1e21)", "Oak Ash"),
            ("confirmed=is.unknown", "Elm"),
            ("confirmed=not.is.true", "Oak Elm"),
            ("confirmed=isdistinct.true", "Oak Elm"),
            ("population=eq(any).{0,9223372036854775807}", "Ash Elm"),
        ] {
            let answer = server.get(User, &format!("/species?select=name&order=id&{filter}")).await.expect(200);
            let found: Vec<String> = answer.json().as_array().expect("an array").iter().map(short).collect();
            assert_eq!(found.join(" "), names, "{}", answer.request);
            answers.push(answer.text);
        }
        for (filter, names) in [
            (r#"population: { in: ["0", 9223372036854775807] }"#, "Ash Elm"),
            ("heightBefore: { gte: 1e21 }", "Ash"),
            ("confirmed: { notIn: [true] }", "Oak"),
            ("status: { in: [EXTINCT, ENDANGERED] }", "Oak Ash"),
            ("statusBefore: { isNull: true }", "Elm"),
            (r#"density: { lt: "0" }"#, "Oak"),
            ("notes: { isNull: false }", "Oak Ash"),
            (&format!("reference: {{ eq: \"{REFERENCE}\" }}"), "Oak Ash"),
        ] {
            let query =
                format!("{{ speciesList(filter: {{ {filter} }}, orderBy: {{ id: ASC }}) {{ nodes {{ name }} }} }}");
            let data = server.data(User, &query).await;
            let nodes = data["speciesList"]["nodes"].as_array().expect("nodes");
            assert_eq!(nodes.iter().map(short).collect::<Vec<_>>().join(" "), names, "{query}");
        }
        answers
    })
    .await;
}

/// The first word of a row's name.
fn short(row: &Value) -> String {
    row["name"].as_str().expect("a name").split(' ').next().unwrap_or_default().to_owned()
}

/// Through a list page by page, by every column that has an order, with NULLs among its values, in both directions: no
/// row is lost or told twice, and both databases agree on the order.
#[tokio::test]
async fn cursors_go_through_every_order() {
    the_same_on_both(async |server| {
        plant(server).await;
        let resource = server.app.engine.catalog().find("species").expect("the resource");
        let mut told = Vec::new();
        for column in &server.app.engine.catalog().at(resource).columns {
            if column.scalar == rootstock::catalog::scalar::Scalar::Json {
                continue;
            }
            for direction in ["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_LAST"] {
                let order = format!("orderBy: {{ {}: {direction} }}", column.field);
                let whole = server.data(User, &format!("{{ speciesList({order}) {{ nodes {{ id }} }} }}")).await;
                let whole = whole["speciesList"]["nodes"].clone();
                for (page, position, backward) in [("first: 1", "after", false), ("last: 1", "before", true)] {
                    let (mut walked, mut cursor) = (Vec::new(), String::new());
                    loop {
                        let from = if cursor.is_empty() { String::new() } else { format!(", {position}: {cursor}") };
                        let query = format!(
                            "{{ speciesList({order}, {page}{from}) {{ nodes {{ id }} edges {{ cursor }} \
                             pageInfo {{ hasNextPage hasPreviousPage }} }} }}"
                        );
                        let list = server.data(User, &query).await["speciesList"].take();
                        walked.extend(list["nodes"].as_array().expect("nodes").clone());
                        cursor = list["edges"][0]["cursor"].to_string();
                        let more = if backward { "hasPreviousPage" } else { "hasNextPage" };
                        if list["pageInfo"][more] != true || walked.len() > 3 {
                            break;
                        }
                    }
                    if backward {
                        walked.reverse();
                    }
                    assert_eq!(json!(walked), whole, "{order} {page} on {:?}", server.dialect);
                }
                told.push((order, whole.to_string()));
            }
        }
        assert!(told.len() > 50, "every column has been an order");
        told
    })
    .await;
}

#[tokio::test]
async fn it_is_created_read_changed_and_deleted_by_both_protocols() {
    the_same_on_both(async |server| {
        plant(server).await;
        let path = format!("/species/{ELM}");
        let patched = server.rest(User, "PATCH", &path, json!({ "population": 12, "notes": { "a": 1 } })).await;
        let patched = patched.expect(200).json();
        assert_eq!((&patched["population"], &patched["notes"], &patched["height"]), (&json!(12), &json!({ "a": 1 }), &json!(1.5)));
        // A replacement forgets what it does not name, and gives defaults their turn again.
        let replaced = server.rest(User, "PUT", &path, json!({ "name": "Wych elm", "traits": [] })).await.expect(200).json();
        assert_eq!((&replaced["population"], &replaced["notes"], &replaced["parent_id"]), (&json!(0), &Value::Null, &Value::Null));

        let update = format!("mutation {{ updateSpecies(id: \"{ELM}\", set: {{ status: EXTINCT, parentId: \"{OAK}\" }}) {{ nodeId status parent {{ name }} owner {{ email }} }} }}");
        let updated = server.data(User, &update).await["updateSpecies"].take();
        assert_eq!((&updated["status"], &updated["owner"]["email"]), (&json!("EXTINCT"), &json!("ann@example.com")));
        let node = format!("{{ node(nodeId: {}) {{ __typename nodeId ... on Species {{ id status }} }} }}", updated["nodeId"]);
        let node = server.data(User, &node).await["node"].take();
        assert_eq!((&node["__typename"], &node["id"], &node["nodeId"]), (&json!("Species"), &json!(ELM), &updated["nodeId"]));

        let taken = json!({ "id": OAK, "name": "Again", "traits": 1 });
        server.rest(Other, "POST", "/species", taken).await.expect(409).refused("23505");
        let orphan = json!({ "name": "Orphan", "traits": 1, "parent_id": REFERENCE });
        server.rest(User, "POST", "/species", orphan).await.expect(409).refused("23503");
        let missing = server.rest(User, "POST", "/species", json!({})).await.expect(422);
        missing.saying("name is required").saying("traits is required");

        server.rest(User, "DELETE", &path, Value::Null).await.expect(204);
        server.get(User, &path).await.expect(404);
        let delete = format!("mutation {{ deleteSpecies(id: \"{OAK}\") {{ name children {{ totalCount }} }} }}");
        assert_eq!(server.data(User, &delete).await["deleteSpecies"]["children"]["totalCount"], 1);
        assert_eq!(server.data(User, "{ speciesList { totalCount } }").await["speciesList"]["totalCount"], 0);
    })
    .await;
}

/// A rule of the entity holds in both protocols with the same words, and a column that one role alone may write is
/// refused to the others by its name.
#[tokio::test]
async fn its_rules_hold_in_both_protocols() {
    the_same_on_both(async |server| {
        let long = "x".repeat(51);
        let by_rest = server.rest(User, "POST", "/species", json!({ "name": long, "traits": 1 })).await.expect(422);
        by_rest.saying("name must be 1 to 50 characters long");
        let document = format!("mutation {{ createSpecies(input: {{ name: \"{long}\", traits: 1 }}) {{ id }} }}");
        let by_graphql = server.graphql(User, &document, Value::Null).await.refused("BAD_USER_INPUT");
        by_graphql.saying("name must be 1 to 50 characters long");

        let ranked = json!({ "name": "Ranked", "traits": 1, "rank": 1 });
        server.rest(User, "POST", "/species", ranked.clone()).await.expect(403).saying("species.rank");
        server.rest(Editor, "POST", "/species", ranked).await.expect(201);
        for member in ["owner_id", "secret", "colour"] {
            let mut body = json!({ "name": "X", "traits": 1 });
            body[member] = json!(OAK);
            server.rest(User, "POST", "/species", body).await.expect(422).saying(member);
        }
    })
    .await;
}

#[tokio::test]
async fn both_documents_tell_of_it() {
    the_same_on_both(async |server| {
        let introspection = "{ __schema { types { name } } __type(name: \"Species\") { interfaces { name } fields { name type { name kind ofType { name } } } } }";
        let data = server.data(Anonymous, introspection).await;
        let types: BTreeSet<&str> =
            data["__schema"]["types"].as_array().expect("types").iter().filter_map(|ty| ty["name"].as_str()).collect();
        for name in [
            "Species", "SpeciesFilter", "SpeciesOrderBy", "SpeciesConnection", "SpeciesEdge", "CreateSpeciesInput",
            "UpdateSpeciesInput", "ConservationStatus", "BigInt", "BigIntFilter", "FloatFilter", "BooleanFilter", "JSON",
        ] {
            assert!(types.contains(name), "{name} is not in the schema: {types:?}");
        }
        assert_eq!(data["__type"]["interfaces"][0]["name"], "Node");
        let fields: Vec<&str> =
            data["__type"]["fields"].as_array().expect("fields").iter().filter_map(|field| field["name"].as_str()).collect();
        let expected = format!("nodeId {COLUMNS} owner parent children");
        assert_eq!(fields.iter().collect::<BTreeSet<_>>(), expected.split_whitespace().collect::<Vec<_>>().iter().collect());

        let document = server.get(Anonymous, "/openapi.json").await.expect(200).json();
        let methods = |path: &str| -> BTreeSet<String> {
            let methods = document["paths"][path].as_object().unwrap_or_else(|| panic!("{path} is not described"));
            methods.keys().filter(|name| *name != "parameters").cloned().collect()
        };
        for method in ["get", "post"] {
            assert!(methods("/species").contains(method), "{:?}", methods("/species"));
        }
        for method in ["get", "put", "patch", "delete"] {
            assert!(methods("/species/{id}").contains(method), "{:?}", methods("/species/{id}"));
        }
        let text = document.to_string();
        assert!(text.contains("least concern") && text.contains("population_before"), "its columns are described");
        assert!(!text.contains("secret"), "a hidden column is described");
    })
    .await;
}
