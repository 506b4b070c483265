//! Trusted documents: named or sent, nothing else runs, by either method and by no protocol for naming documents.

use crate::{
    program::Place,
    support::{Answer, Caller::*, Server, Setup, on_both_with},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/trusted");
const TREES: &str = include_str!("../trusted/Trees.graphql");

fn setup() -> Setup {
    Setup { configure: |config| config.graphql.trusted_documents = Some(FOLDER.into()), ..Setup::default() }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn post(server: &Server, body: Value) -> Answer {
    server.rest(User, "POST", "/graphql", body).await
}

#[tokio::test]
async fn what_is_not_listed_does_not_run() {
    on_both_with(setup, async |server| {
        for query in [
            "{ __typename }",
            "{ me { name } }",
            "query Me { me { name } } ",
            "query Me {  me { name } }",
            "{ __schema { queryType { name } } }",
            "mutation { deleteTree(id: 1) { id } }",
            "nonsense",
        ] {
            let refused = post(server, json!({ "query": query })).await.expect(403).refused("FORBIDDEN");
            assert!(refused.json().get("data").is_none());
            let accept = [("accept", "application/graphql-response+json")];
            server.rest_with(User, "POST", "/graphql", json!({ "query": query }), &accept).await.expect(403);
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
            server.get(User, &format!("/graphql?{query}")).await.expect(403).refused("FORBIDDEN");
        }
        // A document that is sent with its hash is not kept.
        let query = "{ __typename }";
        let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": sha256(query) } });
        post(server, json!({ "query": query, "extensions": extensions })).await.expect(403).refused("FORBIDDEN");
        post(server, json!({ "extensions": extensions })).await.refused("PERSISTED_QUERY_NOT_FOUND");
        for id in
            ["", "trees", "Trees.graphql", "deep/Rename", "../trusted/Trees", &format!("sha256:{}", sha256(query))]
        {
            post(server, json!({ "documentId": id })).await.refused("PERSISTED_QUERY_NOT_FOUND");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_listed_runs_by_text_by_id_and_by_hash() {
    on_both_with(setup, async |server| {
        let hash = sha256(TREES.strip_suffix('\n').expect("a final newline"));
        let persisted = |hash: &str| json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
        for mut body in [
            json!({ "query": TREES }),
            json!({ "query": TREES.trim_end() }),
            json!({ "documentId": "Trees" }),
            json!({ "documentId": format!("sha256:{hash}") }),
            json!({ "extensions": persisted(&hash) }),
            json!({ "extensions": persisted(&sha256(TREES)) }),
            json!({ "query": TREES, "extensions": persisted(&sha256(TREES)) }),
        ] {
            body["operationName"] = "Trees".into();
            body["variables"] = json!({ "first": 1 });
            assert_eq!(post(server, body.clone()).await.data()["trees"]["nodes"][0]["name"], "Banyan", "{body}");
            // Which of its operations runs is the client's to say.
            body["operationName"] = "Count".into();
            assert_eq!(post(server, body.clone()).await.data()["trees"]["totalCount"], 4, "{body}");
            body["operationName"] = Value::Null;
            post(server, body).await.refused("GRAPHQL_VALIDATION_FAILED").saying("operationName");
        }
        assert_eq!(post(server, json!({ "documentId": "c0ffee" })).await.data()["me"]["name"], "Ann");
        let path = "/graphql?documentId=Trees&operationName=Count";
        assert_eq!(server.get(Anonymous, path).await.data()["trees"]["totalCount"], 4);

        let variables = json!({ "id": 1, "set": { "name": "Fig" } });
        let rename = json!({ "documentId": "Rename", "variables": variables });
        post(server, rename.clone()).await.refused("FORBIDDEN").saying("updateTree");
        let renamed = server.rest(Editor, "POST", "/graphql", rename).await.data();
        assert_eq!(renamed["updateTree"]["name"], "Fig");
        let answer = server.get(Editor, "/graphql?documentId=Rename&variables=%7B%7D").await.expect(405);
        assert_eq!(answer.header("allow"), "POST");
    })
    .await;
}

/// One line that names the variable, the file, and what is wrong with it.
#[test]
fn a_document_that_cannot_run_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = folder.path().display().to_string();
    let start = |files: &[(&str, &str)]| {
        for entry in fs::read_dir(folder.path()).expect("the folder") {
            fs::remove_file(entry.expect("a file").path()).expect("an empty folder");
        }
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        Place::empty().with("GRAPHQL_TRUSTED_DOCUMENTS", &shown).with("BIND_ADDR", "127.0.0.1:0").run(&["serve"])
    };
    for (files, says) in [
        (&[][..], ": there is no document"),
        (&[("A.graphql", "{ trees {")], "/A.graphql: the document \"A\" cannot be run: Syntax error"),
        (
            &[("A.graphql", "query A($id: ID!) {\n  tree(id: $id) { colour } }")],
            "/A.graphql: the document \"A\" cannot be run: Unknown field \"colour\" on type \"Tree\". (line 2, column 19)",
        ),
        (
            &[("A.graphql", "query ($id: Int) { tree(id: $id) { id } }")],
            "/A.graphql: the document \"A\" cannot be run: ",
        ),
        (
            &[("A.gql", "{ me { id } }"), ("A.graphql", "{ me { id } }")],
            "/A.graphql: the id \"A\" is that of a document in",
        ),
        (&[("m.json", "{\"a\": 1}")], "/m.json: it is no manifest of documents"),
    ] {
        let ended = start(files);
        assert_ne!(ended.code, Some(0), "{ended:?}");
        assert!(ended.err.starts_with(&format!("error: GRAPHQL_TRUSTED_DOCUMENTS {shown}{says}")), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    }
    let nowhere = Place::empty().with("GRAPHQL_TRUSTED_DOCUMENTS", "/nowhere/at/all").run(&["serve"]);
    assert!(nowhere.err.starts_with("error: GRAPHQL_TRUSTED_DOCUMENTS /nowhere/at/all: "), "{nowhere:?}");
}
