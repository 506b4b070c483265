//! Documents: fragments, aliases, merged fields, directives, type names, several operations, global ids.

use super::ledger;
use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

/// A document, its variables, its data: asked by Ann.
async fn check(cases: Vec<(&str, Value, Value)>) {
    on_both(async |server| {
        ledger::fill(server).await;
        for (document, variables, data) in &cases {
            assert_eq!(server.graphql(User, document, variables.clone()).await.data(), *data, "{document}");
        }
    })
    .await;
}

#[tokio::test]
async fn fragments_named_inline_and_on_the_interface() {
    let elm = json!({ "tree": { "id": "3", "name": "American Elm", "nodeId": "dHJlZXM6Mw" } });
    check(vec![
        ("{ tree(id: 3) { ...A nodeId } } fragment A on Tree { id name }", Value::Null, elm.clone()),
        ("{ tree(id: 3) { ... on Tree { id name } ... on Node { nodeId } } }", Value::Null, elm.clone()),
        ("{ tree(id: 3) { ... { id } ...B } } fragment B on Tree { ...C nodeId } fragment C on Tree { name }", Value::Null, elm.clone()),
        ("query { ...Q } fragment Q on Query { tree(id: 3) { id name nodeId } }", Value::Null, elm.clone()),
        (
            "{ trees(first: 1) { ...Page } } fragment Page on TreeConnection { nodes { ...Row } edges { ...Edge } pageInfo { ...Info } }
             fragment Row on Tree { name } fragment Edge on TreeEdge { node { ...Row } } fragment Info on PageInfo { hasNextPage }",
            Value::Null,
            json!({ "trees": { "nodes": [{ "name": "Banyan" }], "edges": [{ "node": { "name": "Banyan" } }], "pageInfo": { "hasNextPage": true } } }),
        ),
        (
            "{ me { ...Person expenses(first: 1, orderBy: { title: ASC }) { nodes { user { ...Person } } } } } fragment Person on User { name role }",
            Value::Null,
            json!({ "me": { "name": "Ann", "role": "user", "expenses": { "nodes": [{ "user": { "name": "Ann", "role": "user" } }] } } }),
        ),
        // On an object, a fragment on another type says nothing.
        (
            r#"{ node(nodeId: "dHJlZXM6Mw") { nodeId ... on Tree { name } ... on Expense { title } ... on User { email } } }"#,
            Value::Null,
            json!({ "node": { "nodeId": "dHJlZXM6Mw", "name": "American Elm" } }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn aliases_and_merged_fields() {
    check(vec![
        (
            "{ one: tree(id: 1) { a: name b: name name } two: tree(id: 2) { name } }",
            Value::Null,
            json!({ "one": { "a": "Banyan", "b": "Banyan", "name": "Banyan" }, "two": { "name": "Quaking Aspen" } }),
        ),
        (
            "{ tree(id: 1) { id } tree(id: 1) { name id } }",
            Value::Null,
            json!({ "tree": { "id": "1", "name": "Banyan" } }),
        ),
        (
            "{ trees(first: 1) { nodes { id } } ...F } fragment F on Query { trees(first: 1) { nodes { name } totalCount } }",
            Value::Null,
            json!({ "trees": { "nodes": [{ "id": "1", "name": "Banyan" }], "totalCount": 4 } }),
        ),
        (
            "{ me { expenses(first: 1, orderBy: { title: ASC }) { nodes { title } } expenses(first: 1, orderBy: { title: ASC }) { nodes { amount } } } }",
            Value::Null,
            json!({ "me": { "expenses": { "nodes": [{ "title": "a", "amount": "0.10" }] } } }),
        ),
        // Names that mean something elsewhere.
        (
            "{ select: tree(id: 1) { from: name where: species __a: id \n data: name errors: name } }",
            Value::Null,
            json!({ "select": { "from": "Banyan", "where": "Ficus benghalensis", "__a": "1", "data": "Banyan", "errors": "Banyan" } }),
        ),
        (
            "{ trees(first: 1) { nodes: totalCount rows: nodes { x: id } edges: nodes { id } pageInfo: totalCount } }",
            Value::Null,
            json!({ "trees": { "nodes": 4, "rows": [{ "x": "1" }], "edges": [{ "id": "1" }], "pageInfo": 4 } }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_cannot_be_merged_is_refused() {
    on_both(async |server| {
        for document in [
            "{ tree(id: 1) { id } tree(id: 2) { id } }",
            "{ a: tree(id: 1) { id } a: trees { totalCount } }",
            "{ tree(id: 1) { x: id x: name } }",
            "{ trees(first: 1) { nodes { id } } trees(first: 2) { nodes { id } } }",
        ] {
            server.graphql(Anonymous, document, Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
        }
    })
    .await;
}

#[tokio::test]
async fn skip_and_include() {
    let query = "query ($yes: Boolean!, $no: Boolean = false) {
        tree(id: 1) { id name @include(if: $yes) species @skip(if: $yes) ...F @include(if: $no) ... on Tree @skip(if: $no) { x: id } }
        me @include(if: $no) { id } other: tree(id: 2) @skip(if: $yes) { id } } fragment F on Tree { nodeId }";
    check(vec![
        (query, json!({ "yes": true }), json!({ "tree": { "id": "1", "name": "Banyan", "x": "1" } })),
        (
            query,
            json!({ "yes": false }),
            json!({ "tree": { "id": "1", "species": "Ficus benghalensis", "x": "1" }, "other": { "id": "2" } }),
        ),
        (query, json!({ "yes": true, "no": false }), json!({ "tree": { "id": "1", "name": "Banyan", "x": "1" } })),
        ("{ tree(id: 1) { id @skip(if: false) @include(if: true) name @skip(if: true) @include(if: true) } }", Value::Null, json!({ "tree": { "id": "1" } })),
        ("{ tree(id: 1) { id @skip(if: true) } me @skip(if: true) { id } }", Value::Null, json!({ "tree": {} })),
        ("query ($s: Boolean!) { trees { nodes @skip(if: $s) { id } totalCount } }", json!({ "s": true }), json!({ "trees": { "totalCount": 4 } })),
        // A filter's variable beside them.
        (
            "query ($s: Boolean!, $f: TreeFilter) { trees(filter: $f) { totalCount @include(if: $s) nodes { id name @skip(if: $s) } } }",
            json!({ "s": true, "f": { "id": { "eq": 4 } } }),
            json!({ "trees": { "totalCount": 1, "nodes": [{ "id": "4" }] } }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn type_names_everywhere() {
    check(vec![
        (
            "{ __typename tree(id: 1) { __typename } trees(first: 1) { __typename nodes { t: __typename } edges { __typename node { __typename } } pageInfo { __typename } } }",
            Value::Null,
            json!({
                "__typename": "Query",
                "tree": { "__typename": "Tree" },
                "trees": {
                    "__typename": "TreeConnection",
                    "nodes": [{ "t": "Tree" }],
                    "edges": [{ "__typename": "TreeEdge", "node": { "__typename": "Tree" } }],
                    "pageInfo": { "__typename": "PageInfo" },
                },
            }),
        ),
        (
            "{ me { __typename expenses(first: 1) { __typename nodes { __typename user { __typename } } edges { __typename } pageInfo { __typename } } } }",
            Value::Null,
            json!({ "me": { "__typename": "User", "expenses": { "__typename": "ExpenseConnection",
                "nodes": [{ "__typename": "Expense", "user": { "__typename": "User" } }],
                "edges": [{ "__typename": "ExpenseEdge" }], "pageInfo": { "__typename": "PageInfo" } } } }),
        ),
        (r#"{ node(nodeId: "dHJlZXM6MQ") { __typename } }"#, Value::Null, json!({ "node": { "__typename": "Tree" } })),
        (
            r#"mutation { __typename createExpense(input: { title: "x", amount: 1 }) { __typename } }"#,
            Value::Null,
            json!({ "__typename": "Mutation", "createExpense": { "__typename": "Expense" } }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn one_of_several_operations_runs() {
    on_both(async |server| {
        let document = r#"query A { tree(id: 1) { name } } query B($id: ID!) { tree(id: $id) { name } }
            mutation C { createExpense(input: { title: "x", amount: 1 }) { title } }"#;
        let run = async |name: Value| {
            let body = json!({ "query": document, "operationName": name, "variables": { "id": 2 } });
            server.rest(User, "POST", "/graphql", body).await
        };
        assert_eq!(run(json!("A")).await.data(), json!({ "tree": { "name": "Banyan" } }));
        assert_eq!(run(json!("B")).await.data(), json!({ "tree": { "name": "Quaking Aspen" } }));
        assert_eq!(run(json!("C")).await.data(), json!({ "createExpense": { "title": "x" } }));
        for name in [Value::Null, json!("D"), json!(""), json!("a")] {
            run(name).await.refused("GRAPHQL_VALIDATION_FAILED");
        }
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 1);
        let body = json!({ "query": "query Only { tree(id: 1) { id } }" });
        server.rest(User, "POST", "/graphql", body.clone()).await.data();
        let mut named = body;
        named["operationName"] = json!("Only");
        server.rest(User, "POST", "/graphql", named.clone()).await.data();
        named["operationName"] = json!("Other");
        server.rest(User, "POST", "/graphql", named).await.refused("GRAPHQL_VALIDATION_FAILED");
    })
    .await;
}

#[tokio::test]
async fn a_global_id_leads_back_to_its_row() {
    on_both(async |server| {
        ledger::fill(server).await;
        let all = "{ trees { nodes { nodeId __typename } } expenses { nodes { nodeId __typename } } users { nodes { nodeId __typename } } }";
        let data = server.data(User, all).await;
        let mut met = 0;
        for list in ["trees", "expenses", "users"] {
            for row in data[list]["nodes"].as_array().unwrap() {
                let document = "query ($id: ID!) { node(nodeId: $id) { nodeId __typename } }";
                let node = server.graphql(User, document, json!({ "id": row["nodeId"] })).await.data();
                assert_eq!(node["node"], *row);
                met += 1;
            }
        }
        assert_eq!(met, 4 + 12 + 1);
        for id in ["", "x", "dHJlZXM6OQ", "dHJlZXM6", "dHJlZXM", "OjE", "bGVhdmVzOjE", "dHJlZXM6b25l", "dHJlZXM6MQ==", "Y3JlZGVudGlhbHM6MQ", "😀"] {
            let document = "query ($id: ID!) { node(nodeId: $id) { nodeId } }";
            assert_eq!(server.graphql(User, document, json!({ "id": id })).await.data(), json!({ "node": null }), "{id}");
        }
        // One document, ids of several resources.
        let document = r#"query ($a: ID!, $b: ID!) { a: node(nodeId: $a) { ...N } b: node(nodeId: $b) { ...N } }
            fragment N on Node { __typename ... on Tree { name } ... on Expense { title user { name } } }"#;
        let expense = server.data(User, "{ expenses(orderBy: { title: ASC }, first: 1) { nodes { nodeId } } }").await;
        let variables = json!({ "a": "dHJlZXM6MQ", "b": expense["expenses"]["nodes"][0]["nodeId"] });
        assert_eq!(
            server.graphql(User, document, variables).await.data(),
            json!({ "a": { "__typename": "Tree", "name": "Banyan" }, "b": { "__typename": "Expense", "title": "a", "user": { "name": "Ann" } } })
        );
    })
    .await;
}
