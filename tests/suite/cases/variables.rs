//! Variables: as values, inside inputs, as whole inputs and lists; with defaults, missing, null and of a wrong type.

use super::ledger;
use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

#[tokio::test]
async fn a_value_may_be_a_variable_wherever_one_may_stand() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (document, variables, found) in [
            ("query ($c: String) { expenses(filter: { category: { eq: $c } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "c": "Food" }), "bci"),
            ("query ($f: StringFilter) { expenses(filter: { category: $f }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "f": { "eq": "Rent" } }), "de"),
            ("query ($f: ExpenseFilter!) { expenses(filter: $f, orderBy: { title: ASC }) { nodes { title } } }", json!({ "f": { "or": [{ "title": { "eq": "a" } }, { "amount": { "gt": 1000 } }] } }), "aefh"),
            ("query ($f: [ExpenseFilter!]) { expenses(filter: { or: $f }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "f": [{ "title": { "eq": "a" } }, { "title": { "eq": "b" } }] }), "ab"),
            ("query ($f: [ExpenseFilter!]) { expenses(filter: { or: $f }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "f": { "title": { "eq": "a" } } }), "a"),
            ("query ($a: ExpenseFilter!, $b: ExpenseFilter!) { expenses(filter: { or: [$a, $b] }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "a": { "title": { "eq": "a" } }, "b": { "title": { "eq": "b" } } }), "ab"),
            ("query ($t: [String!]) { expenses(filter: { title: { in: $t } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "t": ["a", "z", "c"] }), "ac"),
            ("query ($t: [String!]) { expenses(filter: { title: { in: $t } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "t": "a" }), "a"),
            ("query ($t: [String!]) { expenses(filter: { title: { in: $t } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "t": [] }), ""),
            ("query ($t: String!) { expenses(filter: { title: { in: [$t, \"b\"] } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "t": "a" }), "ab"),
            ("query ($o: [ExpenseOrderBy!], $n: Int) { expenses(orderBy: $o, first: $n) { nodes { title } } }", json!({ "o": [{ "title": "DESC" }], "n": 3 }), "lkj"),
            ("query ($o: SortOrder!, $n: Int, $s: Int) { expenses(orderBy: [{ title: $o }], first: $n, offset: $s) { nodes { title } } }", json!({ "o": "DESC", "n": 2, "s": 1 }), "kj"),
            ("query ($n: Boolean) { expenses(filter: { category: { isNull: $n } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "n": true }), "afj"),
            ("query ($n: Boolean) { expenses(filter: { category: { isNull: $n } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "n": false }), "bcdeghikl"),
            ("query ($d: Date, $m: Decimal) { expenses(filter: { spentOn: { eq: $d }, amount: { eq: $m } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "d": "2026-01-31", "m": "45.58" }), "bj"),
            ("query ($m: Decimal) { expenses(filter: { amount: { eq: $m } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "m": 45.58 }), "bcj"),
            ("query ($m: [Decimal!]) { expenses(filter: { amount: { in: $m } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "m": [45.58, "0.1"] }), "abcj"),
            ("query ($t: DateTime) { expenses(filter: { createdAt: { gt: $t } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "t": "2026-03-01T00:00:00.000002Z" }), "ijkl"),
            ("query ($id: ID) { expenses(filter: { id: { eq: $id } }) { nodes { title } } }", json!({ "id": ledger::key("e") }), "e"),
            // What the request leaves out, the default fills.
            ("query ($c: String = \"Rent\") { expenses(filter: { category: { eq: $c } }, orderBy: { title: ASC }) { nodes { title } } }", json!({}), "de"),
            ("query ($c: String = \"Rent\") { expenses(filter: { category: { eq: $c } }, orderBy: { title: ASC }) { nodes { title } } }", json!({ "c": "Food" }), "bci"),
            ("query ($f: ExpenseFilter = { category: { eq: \"Rent\" } }) { expenses(filter: $f, orderBy: { title: ASC }) { nodes { title } } }", Value::Null, "de"),
            ("query ($n: Int = 2) { expenses(orderBy: { title: ASC }, first: $n) { nodes { title } } }", json!({}), "ab"),
            // What is neither there nor has a default is as if it were not written.
            ("query ($f: ExpenseFilter, $n: Int) { expenses(filter: $f, orderBy: { title: ASC }, first: $n) { nodes { title } } }", json!({}), "abcdefghijkl"),
            ("query ($f: ExpenseFilter, $n: Int) { expenses(filter: $f, orderBy: { title: ASC }, first: $n) { nodes { title } } }", json!({ "f": null, "n": null }), "abcdefghijkl"),
            ("query ($c: String) { expenses(filter: { category: { eq: $c } }, orderBy: { title: ASC }) { nodes { title } } }", json!({}), "abcdefghijkl"),
            ("query ($f: StringFilter) { expenses(filter: { category: $f }, orderBy: { title: ASC }) { nodes { title } } }", json!({}), "abcdefghijkl"),
            // Others are nobody's business.
            ("query ($n: Int) { expenses(orderBy: { title: ASC }, first: $n) { nodes { title } } }", json!({ "n": 1, "x": { "y": [1] } }), "a"),
        ] {
            let data = server.graphql(User, document, variables.clone()).await.data();
            assert_eq!(ledger::titles(&data["expenses"]["nodes"]), found, "{document} {variables}");
        }
    })
    .await;
}

/// The same document with variables of different shapes, one after the other and again.
#[tokio::test]
async fn one_document_serves_every_shape() {
    on_both(async |server| {
        ledger::fill(server).await;
        let document =
            "query ($f: ExpenseFilter) { expenses(filter: $f, orderBy: { title: ASC }) { nodes { title } } }";
        let shapes = [
            (json!(null), "abcdefghijkl"),
            (json!({}), "abcdefghijkl"),
            (json!({ "title": { "eq": "a" } }), "a"),
            (json!({ "title": { "neq": "a" } }), "bcdefghijkl"),
            (json!({ "category": { "eq": "Rent" } }), "de"),
            (json!({ "category": { "isNull": true } }), "afj"),
            (json!({ "category": { "isNull": false } }), "bcdeghikl"),
            (json!({ "or": [{ "title": { "eq": "a" } }] }), "a"),
            (json!({ "or": [{ "title": { "eq": "a" } }, { "title": { "eq": "b" } }] }), "ab"),
            (json!({ "or": [] }), ""),
            (json!({ "and": [] }), "abcdefghijkl"),
            (json!({ "not": { "title": { "eq": "a" } } }), "bcdefghijkl"),
            (json!({ "title": { "in": ["a"] } }), "a"),
            (json!({ "title": { "in": ["a", "b", "c"] } }), "abc"),
            (json!({ "amount": { "gte": 100 }, "title": { "lt": "g" } }), "ef"),
            (json!({ "title": { "lt": "g" }, "amount": { "gte": 100 } }), "ef"),
        ];
        for _ in 0..2 {
            for (filter, found) in &shapes {
                let data = server.graphql(User, document, json!({ "f": filter })).await.data();
                assert_eq!(ledger::titles(&data["expenses"]["nodes"]), *found, "{filter}");
            }
        }
        // Values make no plans.
        let before = server.app.engine.cached_plans();
        for title in ["a", "b", "c", "zzz", "'", "\u{7f}"] {
            server.graphql(User, document, json!({ "f": { "title": { "eq": title } } })).await.data();
        }
        assert_eq!(server.app.engine.cached_plans(), before);
    })
    .await;
}

/// A document, and variables that it does not take: known or not seen before, what is said is the same.
#[tokio::test]
async fn a_wrong_variable_is_refused_and_named() {
    on_both(async |server| {
        let tree = "query ($id: ID!) { tree(id: $id) { id } }";
        let list = "query ($f: TreeFilter, $n: Int, $o: [TreeOrderBy!]) { trees(filter: $f, first: $n, orderBy: $o) { nodes { id } } }";
        let skip = "query ($s: Boolean!) { trees { nodes { id @skip(if: $s) name } } }";
        let create = "mutation ($i: CreateTreeInput!) { createTree(input: $i) { id } }";
        for (document, variables, says) in [
            (tree, json!({}), "$id is required"),
            (tree, Value::Null, "$id is required"),
            (tree, json!({ "id": null }), "$id must not be null"),
            (tree, json!({ "id": true }), "$id must be an ID"),
            (tree, json!({ "id": 1.5 }), "$id must be an ID"),
            (tree, json!({ "id": [1] }), "$id must be an ID"),
            (tree, json!({ "id": {} }), "$id must be an ID"),
            (tree, json!({ "id": "one" }), "must be an integer"),
            (tree, json!({ "id": "99999999999" }), "must be an integer"),
            (list, json!({ "n": "1" }), "$n must be an integer"),
            (list, json!({ "n": 1.5 }), "$n must be an integer"),
            (list, json!({ "n": 2147483648u64 }), "$n must be an integer"),
            (list, json!({ "n": true }), "$n must be an integer"),
            (list, json!({ "f": "x" }), "$f must be an object"),
            (list, json!({ "f": [{}] }), "$f must be an object"),
            (list, json!({ "f": { "speces": { "eq": "x" } } }), "Did you mean \\\"species\\\"?"),
            (list, json!({ "f": { "name": { "eqq": "x" } } }), "Did you mean \\\"eq\\\"?"),
            (list, json!({ "f": { "name": { "eq": 1 } } }), "$f.name.eq must be a string"),
            (list, json!({ "f": { "name": { "eq": null } } }), "must not be null"),
            (list, json!({ "f": { "name": { "in": [1] } } }), "$f.name.in.0 must be a string"),
            (list, json!({ "f": { "name": { "in": [null] } } }), "$f.name.in.0 must not be null"),
            (list, json!({ "f": { "name": { "isNull": "true" } } }), "must be true or false"),
            (list, json!({ "f": { "and": [null] } }), "$f.and.0 must not be null"),
            (list, json!({ "f": { "id": { "eq": "x" } } }), "must be an integer"),
            (list, json!({ "o": [{ "name": "DESCENDING" }] }), "must be one of ASC"),
            (list, json!({ "o": [{ "name": "ASC", "id": "ASC" }] }), "exactly one member"),
            (list, json!({ "o": [{}] }), "exactly one member"),
            (skip, json!({}), "$s is required"),
            (skip, json!({ "s": "true" }), "$s must be true or false"),
            (skip, json!({ "s": null }), "$s must not be null"),
            (create, json!({}), "$i is required"),
            (create, json!({ "i": {} }), "required"),
            (create, json!({ "i": { "name": "x" } }), "$i.species is required"),
            (create, json!({ "i": { "name": "x", "species": null } }), "must not be null"),
            (create, json!({ "i": { "name": "x", "species": "y", "spices": "z" } }), "Did you mean \\\"species\\\"?"),
            (create, json!({ "i": { "name": ["x"], "species": "y" } }), "$i.name must be a string"),
        ] {
            // The second time the document is known.
            let mut said = Vec::new();
            for _ in 0..2 {
                let answer = server.graphql(Editor, document, variables.clone()).await.refused("BAD_USER_INPUT").saying(says);
                let data = answer.json()["data"].clone();
                assert!(data.is_null() || data["tree"].is_null(), "{}", answer.text);
                said.push(answer.text);
            }
            assert_eq!(said[0], said[1], "{document}");
        }
        assert_eq!(server.data(Anonymous, "{ trees { totalCount } }").await["trees"]["totalCount"], 4);
    })
    .await;
}

/// What the document itself does wrong with its variables.
#[tokio::test]
async fn variables_must_be_declared_used_and_fit() {
    on_both(async |server| {
        for document in [
            "{ tree(id: $id) { id } }",
            "query ($id: ID!, $x: Int) { tree(id: $id) { id } }",
            "query ($id: ID) { tree(id: $id) { id } }",
            "query ($id: Int!) { tree(id: $id) { id } }",
            "query ($id: [ID!]!) { tree(id: $id) { id } }",
            "query ($id: ID = null) { tree(id: $id) { id } }",
            "query ($n: String) { trees(first: $n) { totalCount } }",
            "query ($f: ExpenseFilter) { trees(filter: $f) { totalCount } }",
            "query ($f: Boolean) { trees(filter: $f) { totalCount } }",
            "query ($f: StringFilter) { trees(filter: { id: $f }) { totalCount } }",
            "query ($f: TreeFilter) { trees(filter: { and: [$f] }) { totalCount } }",
            "query ($t: [String]) { trees(filter: { name: { in: $t } }) { totalCount } }",
            "query ($t: String!) { trees(filter: { name: { in: $t } }) { totalCount } }",
            "query ($o: String!) { trees(orderBy: { name: $o }) { totalCount } }",
            "query ($s: Boolean) { trees { totalCount @skip(if: $s) } }",
            "query ($s: String!) { trees { totalCount @skip(if: $s) } }",
            "query ($n: String) { ...F } fragment F on Query { trees(first: $n) { totalCount } }",
            "query ($n: String) { me { ... on User { expenses(first: $n) { totalCount } } } }",
            "mutation ($i: CreateExpenseInput!) { createTree(input: $i) { id } }",
            "mutation ($n: Int!) { createTree(input: { name: $n, species: \"x\" }) { id } }",
            "query ($id: ID!, $id: ID!) { tree(id: $id) { id } }",
            "query ($id: Tree!) { tree(id: $id) { id } }",
            "query ($id: Nothing!) { tree(id: $id) { id } }",
            "query ($n: Int = \"x\") { trees(first: $n) { totalCount } }",
        ] {
            let answer = server.graphql(Anonymous, document, json!({ "id": 1 })).await;
            let code = answer.failure().code;
            assert!(["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&&*code), "{document}: {}", answer.text);
            assert!(answer.json()["data"].is_null(), "{document}: {}", answer.text);
        }
        // What fits by a default, or is the list of one that a literal may be.
        for (document, variables) in [
            ("query ($id: ID = 1) { tree(id: $id) { id } }", json!({})),
            ("query ($s: Boolean = false) { tree(id: 1) { id @skip(if: $s) } }", json!({})),
            (
                "query ($id: ID!) { tree(id: $id) { id } trees(filter: { id: { in: [$id] } }) { totalCount } }",
                json!({ "id": 1 }),
            ),
            (
                "query ($f: TreeFilter!) { trees(filter: { and: $f }) { totalCount } tree(id: 1) { id } }",
                json!({ "f": {} }),
            ),
        ] {
            let answer = server.graphql(Anonymous, document, variables).await;
            if document.contains("and: $f") {
                answer.refused("GRAPHQL_VALIDATION_FAILED");
            } else {
                assert_eq!(answer.data()["tree"]["id"], "1", "{document}");
            }
        }
        for variables in [json!([]), json!("x"), json!(7), json!(true)] {
            let body = json!({ "query": "{ trees { totalCount } }", "variables": variables });
            let answer = server.rest(Anonymous, "POST", "/graphql", body).await;
            answer.refused("BAD_USER_INPUT");
        }
    })
    .await;
}
