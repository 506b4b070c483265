//! A schema that is not shown: without a token there is no introspection, no suggestion and no GraphiQL; with one, all.

use crate::support::{Caller::*, Setup, on_both, on_both_with};
use serde_json::{Value, json};

const SCHEMA: &str = "{ __schema { queryType { name } } }";

fn off() -> Setup {
    Setup { configure: |config| config.graphql.introspection = false, ..Setup::default() }
}

#[tokio::test]
async fn nobody_without_a_token_is_shown_the_schema() {
    on_both_with(off, async |server| {
        // That a document is known, because somebody else has asked it, changes nothing.
        for _ in 0..2 {
            for query in [
                SCHEMA,
                "{ __type(name: \"Tree\") { name } }",
                "{ tree(id: 1) { id } __schema { types { name } } }",
                "{ x: __schema { types { name } } }",
                "{ ...F } fragment F on Query { __schema { types { name } } }",
                "{ ... on Query { __type(name: \"Tree\") { name } } }",
                "{ ... @include(if: true) { __schema { types { name } } } }",
            ] {
                let refused = server.graphql(Anonymous, query, Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
                assert_eq!(refused.failure().message, "The schema is not shown to anonymous callers");
                assert!(refused.json().get("data").is_none());
                server.data(User, query).await;
            }
        }
        for query in ["{ __typename }", "{ tree(id: 1) { __typename } }", "{ trees { nodes { __typename } } }"] {
            server.data(Anonymous, query).await;
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_without_a_token_learns_it_from_errors() {
    on_both_with(off, async |server| {
        for (query, variables, unsaid) in [
            ("{ tres { id } }", json!({}), vec!["trees", "Query"]),
            ("{ tree(id: 1) { speces } }", json!({}), vec!["species", "Tree"]),
            ("{ trees(filtr: {}) { totalCount } }", json!({}), vec!["filter\\\"", "Query"]),
            ("{ trees { nodes } }", json!({}), vec!["Tree"]),
            ("{ tree(id: 1) { ... on Expense { id } } }", json!({}), vec!["Tree"]),
            ("{ trees(filter: { speces: { eq: 1 } }) { totalCount } }", json!({}), vec!["species", "TreeFilter"]),
            (
                "query ($f: TreeFilter) { trees(filter: $f) { totalCount } }",
                json!({ "f": { "speces": 1 } }),
                vec!["species"],
            ),
            (
                "query ($f: TreeFilter) { trees(filter: $f) { totalCount } }",
                json!({ "f": { "id": 1 } }),
                vec!["IDFilter"],
            ),
            ("{ trees(orderBy: [{ name: UP }]) { totalCount } }", json!({}), vec!["ASC", "SortOrder"]),
            (
                "query ($o: [TreeOrderBy!]) { trees(orderBy: $o) { totalCount } }",
                json!({ "o": [{ "name": "UP" }] }),
                vec!["ASC"],
            ),
            ("mutation { createTree(input: {}) { id } }", json!({}), vec!["CreateTreeInput", "species"]),
            (
                "mutation ($i: CreateTreeInput!) { createTree(input: $i) { id } }",
                json!({ "i": {} }),
                vec!["name", "species"],
            ),
            (
                "mutation ($i: [CreateTreeInput!]!) { createTrees(input: $i) { id } }",
                json!({ "i": [{ "name": "Elm" }] }),
                vec!["species"],
            ),
        ] {
            for _ in 0..2 {
                let answer = server.graphql(Anonymous, query, variables.clone()).await;
                let told = json!(answer.errors()).to_string();
                assert!(!answer.errors().is_empty(), "{query}");
                for word in unsaid.iter().chain(&["Did you mean", "did you mean", "\"hint\""]) {
                    assert!(!told.contains(word), "{word}: {query} {told}");
                }
            }
        }
        // What is not about the schema is told in full.
        let refused =
            server.graphql(Anonymous, "{ expenses { totalCount } }", Value::Null).await.refused("UNAUTHENTICATED");
        assert!(refused.failure().hint.contains("token"));
        let answer = server.graphql(User, "{ tree(id: 1) { speces } }", Value::Null).await;
        assert_eq!(answer.refused("GRAPHQL_VALIDATION_FAILED").failure().hint, "Did you mean \"species\"?");
    })
    .await;
}

/// A browser asks for a page without a token.
#[tokio::test]
async fn there_is_no_graphiql_where_the_schema_is_not_shown() {
    on_both_with(off, async |server| {
        for caller in [Anonymous, Admin] {
            server.get(caller, "/graphiql").await.expect(404);
        }
        server.get(Anonymous, "/docs").await.expect(200);
    })
    .await;
    on_both(async |server| {
        assert_ne!(server.get(Anonymous, "/graphiql").await.status, 404);
        server.data(Anonymous, SCHEMA).await;
        let answer = server.graphql(Anonymous, "{ tree(id: 1) { speces } }", Value::Null).await;
        assert_eq!(answer.failure().hint, "Did you mean \"species\"?");
    })
    .await;
}
