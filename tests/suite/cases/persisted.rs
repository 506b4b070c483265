//! Automatic persisted queries, by Apollo's protocol: a document is sent once, and then named by its hash.

use crate::support::{Answer, Caller, Caller::*, Server, on_both};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const RESPONSE: &str = "application/graphql-response+json";

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn post(server: &Server, caller: Caller, body: Value) -> Answer {
    server.rest_with(caller, "POST", "/graphql", body, &[("accept", RESPONSE)]).await
}

async fn by_get(server: &Server, caller: Caller, pairs: &[(&str, &str)]) -> Answer {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    server.get(caller, &format!("/graphql?{query}")).await
}

#[tokio::test]
async fn a_hash_that_nobody_has_sent_is_told_in_the_words_that_clients_read() {
    on_both(async |server| {
        let unknown = named(&sha256("{ me { id } }"));
        for (accept, status) in [("application/json", 200), (RESPONSE, 400)] {
            let headers = [("accept", accept)];
            let answer = server.rest_with(User, "POST", "/graphql", json!({ "extensions": unknown }), &headers).await;
            let answer = answer.expect(status);
            assert_eq!(answer.header("cache-control"), "no-store");
            let told =
                json!({ "message": "PersistedQueryNotFound", "extensions": { "code": "PERSISTED_QUERY_NOT_FOUND" } });
            assert_eq!(answer.json(), json!({ "errors": [told] }));
        }
        let answer = by_get(server, User, &[("extensions", &unknown.to_string())]).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.refused("PERSISTED_QUERY_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn a_document_that_was_sent_with_its_hash_is_found_by_it() {
    on_both(async |server| {
        let query = "query Q($id: ID!) { tree(id: $id) { name } }";
        let (hash, variables) = (sha256(query), json!({ "id": 1 }));
        let extensions = named(&hash);
        let first = json!({ "query": query, "variables": variables, "extensions": extensions });
        assert_eq!(post(server, Anonymous, first).await.data()["tree"]["name"], "Banyan");
        let upper = named(&hash.to_uppercase());
        for body in [
            json!({ "variables": variables, "extensions": extensions }),
            json!({ "variables": variables, "extensions": upper, "query": "" }),
            json!({ "variables": variables, "extensions": extensions, "query": null, "operationName": "Q" }),
            json!({ "variables": variables, "documentId": format!("sha256:{hash}") }),
        ] {
            assert_eq!(post(server, User, body.clone()).await.data()["tree"]["name"], "Banyan", "{body}");
        }
        let pairs = [("extensions", &*extensions.to_string()), ("variables", &*variables.to_string())];
        let answer = by_get(server, Anonymous, &pairs).await;
        assert_eq!(answer.data()["tree"]["name"], "Banyan");
        assert_eq!((answer.header("cache-control"), answer.header("vary")), ("", "Accept, Authorization"));
        // By GET it is kept as well.
        let query = "{ trees { totalCount } }";
        let extensions = named(&sha256(query)).to_string();
        for pairs in [vec![("query", query), ("extensions", &extensions)], vec![("extensions", &extensions)]] {
            assert_eq!(by_get(server, Anonymous, &pairs).await.data()["trees"]["totalCount"], 4);
        }
        // What the document may be run by is asked each time.
        let mutation = r#"mutation { createExpense(input: { title: "x", amount: 1 }) { id } }"#;
        let extensions = named(&sha256(mutation));
        post(server, User, json!({ "query": mutation, "extensions": extensions })).await.data();
        let answer = by_get(server, User, &[("extensions", &extensions.to_string())]).await.expect(405);
        assert_eq!(answer.header("allow"), "POST");
        post(server, Anonymous, json!({ "extensions": extensions })).await.refused("UNAUTHENTICATED");
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_kept_that_is_wrong() {
    on_both(async |server| {
        let good = "{ tree(id: 1) { id } }";
        // Under another document's hash.
        let other = named(&sha256("{ me { id } }"));
        post(server, User, json!({ "query": good, "extensions": other })).await.expect(400).refused("BAD_USER_INPUT");
        post(server, User, json!({ "extensions": other })).await.refused("PERSISTED_QUERY_NOT_FOUND");
        post(server, User, json!({ "extensions": named(&sha256(good)) })).await.refused("PERSISTED_QUERY_NOT_FOUND");
        for (query, code) in [
            ("{ tree(id: 1) {", "GRAPHQL_PARSE_FAILED"),
            ("{ leaves { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("query ($id: ID!) { tree(id: $id) { id } }", "BAD_USER_INPUT"),
        ] {
            let extensions = named(&sha256(query));
            post(server, User, json!({ "query": query, "extensions": extensions })).await.refused(code);
            post(server, User, json!({ "extensions": extensions })).await.refused("PERSISTED_QUERY_NOT_FOUND");
        }
        let long = format!("{{ tree(id: 1) {{ id }} }} #{}", "x".repeat(70_000));
        let extensions = named(&sha256(&long));
        post(server, User, json!({ "query": long, "extensions": extensions })).await.data();
        post(server, User, json!({ "extensions": extensions })).await.refused("PERSISTED_QUERY_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn what_does_not_keep_to_the_protocol_is_refused() {
    on_both(async |server| {
        let hash = sha256("{ me { id } }");
        for persisted in [
            json!({ "version": 2, "sha256Hash": hash }),
            json!({ "version": "1", "sha256Hash": hash }),
            json!({ "version": 1.5, "sha256Hash": hash }),
            json!({ "version": -1, "sha256Hash": hash }),
            json!({ "sha256Hash": hash }),
            json!({ "version": 1 }),
            json!({ "version": 1, "sha256Hash": null }),
            json!({ "version": 1, "sha256Hash": 7 }),
            json!({ "version": 1, "sha256Hash": "" }),
            json!({ "version": 1, "sha256Hash": &hash[1..] }),
            json!({ "version": 1, "sha256Hash": format!("{hash}0") }),
            json!({ "version": 1, "sha256Hash": hash.replace(&hash[..1], "g") }),
            json!([1, hash]),
            json!(hash),
            json!(true),
        ] {
            let extensions = json!({ "persistedQuery": persisted });
            let body = json!({ "query": "{ me { id } }", "extensions": extensions });
            post(server, User, body).await.expect(400).refused("BAD_USER_INPUT");
            let pairs = [("extensions", &*extensions.to_string())];
            by_get(server, User, &pairs).await.expect(400).refused("BAD_USER_INPUT");
        }
        for body in [
            json!({ "query": "{ me { id } }", "documentId": "x" }),
            json!({ "documentId": "x", "extensions": named(&hash) }),
            json!({ "documentId": 7 }),
        ] {
            post(server, User, body).await.expect(400).refused("BAD_USER_INPUT");
        }
        for id in ["x", "", "sha256:", "sha256:xyz", &hash] {
            post(server, User, json!({ "documentId": id })).await.expect(400).refused("PERSISTED_QUERY_NOT_FOUND");
        }
        // null is as if it were not there, and so is what others put there.
        for extensions in [json!({ "persistedQuery": null }), json!({ "clientLibrary": { "name": "x" } }), Value::Null]
        {
            post(server, User, json!({ "query": "{ me { id } }", "extensions": extensions })).await.data();
        }
    })
    .await;
}
