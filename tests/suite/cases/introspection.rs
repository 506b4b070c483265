//! Introspection: what code generators and GraphiQL ask, and what they must be told.

use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

/// What graphql-js's `getIntrospectionQuery` asks with every option, and GraphQL Code Generator with it.
const STANDARD: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
    subscriptionType { name kind } types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

#[tokio::test]
async fn the_standard_query_tells_the_whole_schema() {
    on_both(async |server| {
        let mut answers = Vec::new();
        for caller in [Anonymous, Admin] {
            let schema = server.data(caller, STANDARD).await["__schema"].clone();
            assert_eq!(schema["queryType"]["name"], "Query");
            assert_eq!(schema["mutationType"]["name"], "Mutation");
            answers.push(schema);
        }
        assert_eq!(answers[0], answers[1]);
        let schema = &answers[0];
        let named = |name: &str| {
            let types = schema["types"].as_array().unwrap();
            types.iter().find(|ty| ty["name"] == name).unwrap_or_else(|| panic!("no type {name}")).clone()
        };
        let fields = |ty: &Value| -> Vec<String> {
            ty["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect()
        };
        let mut tree = fields(&named("Tree"));
        tree.sort();
        assert_eq!(tree, ["id", "name", "nodeId", "species"]);
        assert_eq!(named("TreeOrderBy")["isOneOf"], true);
        assert_eq!(named("TreeFilter")["isOneOf"], false);
        for scalar in ["Decimal", "Date", "DateTime", "UUID"] {
            assert!(
                named(scalar)["specifiedByURL"].as_str().is_some_and(|url| url.starts_with("https://")),
                "{scalar}"
            );
        }
        let possible: Vec<_> =
            named("Node")["possibleTypes"].as_array().unwrap().iter().map(|ty| ty["name"].clone()).collect();
        for name in ["Tree", "User", "Expense"] {
            assert!(possible.contains(&json!(name)), "{possible:?}");
        }
        let whole = schema.to_string();
        for secret in ["passwordHash", "password_hash", "credential", "disabledAt"] {
            assert!(!whole.contains(secret), "{secret}");
        }
        for ty in schema["types"].as_array().unwrap() {
            let name = ty["name"].as_str().unwrap();
            // Of GraphQL's own types, GraphQL's own specification speaks.
            if name.starts_with("__") || ["ID", "Int", "Float", "String", "Boolean"].contains(&name) {
                continue;
            }
            assert!(ty["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} says nothing");
            for members in ["fields", "inputFields", "enumValues"] {
                for member in ty[members].as_array().into_iter().flatten() {
                    assert!(
                        member["description"].as_str().is_some_and(|text| !text.is_empty()),
                        "{name}.{} says nothing",
                        member["name"]
                    );
                    for argument in member["args"].as_array().into_iter().flatten() {
                        assert!(argument["description"].is_string(), "{name}.{}({})", member["name"], argument["name"]);
                    }
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn single_types_beside_data_and_by_variable() {
    on_both(async |server| {
        let document = r#"query ($name: String!) { tree(id: 1) { name } shape: __type(name: $name) { name kind fields { name } }
            none: __type(name: "Nothing") { name } __schema { queryType { fields { name } } } __typename }"#;
        let data = server.graphql(Anonymous, document, json!({ "name": "PageInfo" })).await.data();
        assert_eq!(data["tree"]["name"], "Banyan");
        assert_eq!(data["shape"]["kind"], "OBJECT");
        assert_eq!(data["shape"]["fields"].as_array().unwrap().len(), 4);
        assert_eq!(data["none"], Value::Null);
        let keys: Vec<_> = data.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["tree", "shape", "none", "__schema", "__typename"]);
        let again = server.graphql(Anonymous, document, json!({ "name": "SortOrder" })).await.data();
        assert_eq!(again["shape"], json!({ "name": "SortOrder", "kind": "ENUM", "fields": null }));
        server.graphql(Anonymous, "{ __schema { nothing } }", Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
        server.graphql(Anonymous, "{ __type { name } }", Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
    })
    .await;
}
