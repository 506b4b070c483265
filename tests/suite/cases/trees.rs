//! Trees: the tutorial's array, byte for byte; what everybody reads, and what gardeners write.

use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

/// What the tutorial's `curl …/trees` prints.
const TUTORIAL: &str = r#"[{"id":1,"name":"Banyan","species":"Ficus benghalensis"},{"id":2,"name":"Quaking Aspen","species":"Populus tremula"},{"id":3,"name":"American Elm","species":"Ulmus americana"},{"id":4,"name":"Red Maple","species":"Acer rubrum"}]"#;

#[tokio::test]
async fn the_list_is_the_tutorials_array() {
    on_both(async |server| {
        for path in ["/trees", "/trees/", "/trees?", "/trees?select=*", "/trees?select=id,name,species"] {
            let answer = server.get(Anonymous, path).await.expect(200);
            assert_eq!(answer.text, TUTORIAL, "{path}");
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
            assert_eq!(answer.header("content-range"), "0-3/*");
            assert_eq!(answer.header("content-length"), TUTORIAL.len().to_string());
        }
    })
    .await;
}

#[tokio::test]
async fn graphql_has_the_same_trees() {
    on_both(async |server| {
        let data = server.data(Anonymous, "{ trees { nodes { id name species } totalCount } }").await;
        // An ID is a string (GraphQL specification, section 3.5.5).
        let ids_as_texts = TUTORIAL.replace(r#""id":"#, r#""id":""#).replace(r#","name""#, r#"","name""#);
        assert_eq!(data["trees"]["nodes"], serde_json::from_str::<Value>(&ids_as_texts).unwrap());
        assert_eq!(data["trees"]["totalCount"], 4);
        for id in ["2", "\"2\""] {
            let data = server.data(Anonymous, &format!("{{ tree(id: {id}) {{ name }} }}")).await;
            assert_eq!(data, json!({ "tree": { "name": "Quaking Aspen" } }));
        }
        assert_eq!(server.data(Anonymous, "{ tree(id: 5) { name } }").await, json!({ "tree": null }));
    })
    .await;
}

#[tokio::test]
async fn every_caller_reads_the_same() {
    on_both(async |server| {
        for caller in crate::support::Caller::ALL {
            assert_eq!(server.get(caller, "/trees").await.expect(200).text, TUTORIAL, "{caller:?}");
            let data = server.data(caller, "{ trees { totalCount } }").await;
            assert_eq!(data["trees"]["totalCount"], 4, "{caller:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_item_is_an_object_and_a_missing_one_is_404() {
    on_both(async |server| {
        let elm = r#"{"id":3,"name":"American Elm","species":"Ulmus americana"}"#;
        for path in ["/trees/3", "/trees/3/", "/trees/3?select=*"] {
            assert_eq!(server.get(Anonymous, path).await.expect(200).text, elm, "{path}");
        }
        assert_eq!(server.get(Anonymous, "/trees/3?select=species,tree:name").await.text, {
            r#"{"species":"Ulmus americana","tree":"American Elm"}"#
        });
        for path in ["/trees/5", "/trees/0", "/trees/-1", "/trees/2147483647"] {
            let answer = server.get(Anonymous, path).await.expect(404);
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
            let body = answer.json();
            assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["code", "message", "details", "hint"]);
        }
    })
    .await;
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    on_both(async |server| {
        for path in ["/trees", "/trees/1", "/trees/5", "/trees?name=eq.Nobody", "/trees?colour=eq.red", "/leaves"] {
            let get = server.get(Anonymous, path).await;
            let head = server.rest(Anonymous, "HEAD", path, Value::Null).await.expect(get.status);
            assert_eq!(head.text, "", "{path}");
            for header in ["content-type", "content-range", "content-location", "vary", "proxy-status"] {
                assert_eq!(head.header(header), get.header(header), "{header} of {path}");
            }
            // What the body would be is not told, as PostgREST does not tell it.
            assert!(!head.headers.contains_key("content-length"), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_resource_is_404_and_a_near_name_is_suggested() {
    on_both(async |server| {
        for (path, hint) in [
            ("/tree", "Perhaps you meant the table 'public.trees'"),
            ("/Trees", "Perhaps you meant the table 'public.trees'"),
            ("/expense", "Perhaps you meant the table 'public.expenses'"),
            ("/zzz", ""),
            ("/credentials", ""),
            ("/seaql_migrations", ""),
            ("/sqlite_master", ""),
            ("/pg_user", ""),
        ] {
            let failure = server.get(Anonymous, path).await.expect(404).failure();
            assert_eq!((failure.code.as_str(), failure.hint.as_str()), ("PGRST205", hint), "{path}");
            server.get(Admin, &format!("{path}/1")).await.expect(404).refused("PGRST205");
        }
        server.get(Anonymous, "/trees/1/leaves").await.expect(404).refused("PGRST125");
    })
    .await;
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_405_and_says_which_it_has() {
    on_both(async |server| {
        for (method, path, allow) in [
            ("POST", "/trees/1", "OPTIONS, GET, HEAD, PUT, PATCH, DELETE"),
            ("TRACE", "/trees", "OPTIONS, GET, HEAD, POST, PUT, PATCH, DELETE"),
            ("PURGE", "/trees", "OPTIONS, GET, HEAD, POST, PUT, PATCH, DELETE"),
            ("POST", "/users", "OPTIONS, GET, HEAD, PATCH"),
            ("DELETE", "/users/0190a5c8-0000-7000-8000-000000000000", "OPTIONS, GET, HEAD, PUT, PATCH"),
            ("DELETE", "/users?id=eq.0190a5c8-0000-7000-8000-000000000000", "OPTIONS, GET, HEAD, PATCH"),
        ] {
            for caller in [Anonymous, Admin] {
                let answer = server.rest(caller, method, path, Value::Null).await.expect(405).refused("PGRST117");
                assert_eq!(answer.header("allow"), allow, "{method} {path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn gardeners_write_and_others_do_not() {
    on_both(async |server| {
        let yew = json!({ "name": "Yew", "species": "Taxus baccata" });
        let mutation = r#"mutation { createTree(input: { name: "Yew", species: "Taxus baccata" }) { id } }"#;
        for (caller, status, code) in [(Anonymous, 401, "UNAUTHENTICATED"), (User, 403, "FORBIDDEN")] {
            server.rest(caller, "POST", "/trees", yew.clone()).await.expect(status);
            server.rest(caller, "PUT", "/trees/1", yew.clone()).await.expect(status);
            server.rest(caller, "PATCH", "/trees/1", yew.clone()).await.expect(status);
            server.rest(caller, "PATCH", "/trees?id=eq.1", yew.clone()).await.expect(status);
            server.rest(caller, "DELETE", "/trees/1", Value::Null).await.expect(status);
            server.graphql(caller, mutation, Value::Null).await.refused(code);
            server.graphql(caller, "mutation { deleteTree(id: 1) { id } }", Value::Null).await.refused(code);
            let update = r#"mutation { updateTree(id: 1, set: { name: "Yew" }) { id } }"#;
            server.graphql(caller, update, Value::Null).await.refused(code);
        }
        assert_eq!(server.get(Anonymous, "/trees").await.text, TUTORIAL);

        let created = server.rest(Editor, "POST", "/trees", yew).await.expect(201);
        assert_eq!(created.text, r#"{"id":5,"name":"Yew","species":"Taxus baccata"}"#);
        assert_eq!(created.header("location"), "/trees/5");
        assert_eq!(server.data(Admin, mutation).await, json!({ "createTree": { "id": "6" } }));
        let changed = server.rest(Editor, "PATCH", "/trees/5", json!({ "name": "Common Yew" })).await.expect(200);
        assert_eq!(changed.text, r#"{"id":5,"name":"Common Yew","species":"Taxus baccata"}"#);
        server.rest(Admin, "DELETE", "/trees/5", Value::Null).await.expect(204);
        assert_eq!(server.data(Editor, "mutation { deleteTree(id: 6) { name } }").await["deleteTree"]["name"], "Yew");
        assert_eq!(server.get(Anonymous, "/trees").await.text, TUTORIAL);
    })
    .await;
}

#[tokio::test]
async fn integer_keys_are_the_servers() {
    on_both(async |server| {
        let chosen = json!({ "id": 77, "name": "Yew", "species": "Taxus baccata" });
        let answer = server.rest(Editor, "POST", "/trees", chosen.clone()).await;
        assert!([400, 422].contains(&answer.status), "{}", answer.text);
        server.rest(Editor, "PUT", "/trees/77", chosen).await.expect(404);
        let document = r#"mutation { createTree(input: { id: 77, name: "Yew", species: "x" }) { id } }"#;
        server.graphql(Editor, document, Value::Null).await.refused("BAD_USER_INPUT").saying("which the server gives");
        assert_eq!(server.get(Anonymous, "/trees").await.text, TUTORIAL);
        // A key that was given up is not given out again.
        let yew = json!({ "name": "Yew", "species": "Taxus baccata" });
        assert_eq!(server.rest(Editor, "POST", "/trees", yew.clone()).await.expect(201).json()["id"], 5);
        server.rest(Editor, "DELETE", "/trees/5", Value::Null).await.expect(204);
        assert_eq!(server.rest(Editor, "POST", "/trees", yew).await.expect(201).json()["id"], 6);
    })
    .await;
}

#[tokio::test]
async fn every_answer_carries_a_request_id_and_a_sane_one_of_the_callers_is_kept() {
    on_both(async |server| {
        let made = server.get(Anonymous, "/trees").await.header("x-request-id").to_owned();
        assert_eq!(made.len(), 32, "{made}");
        assert_ne!(server.get(Anonymous, "/trees").await.header("x-request-id"), made);
        for (sent, kept) in [("trace-7/a_b.c:d", true), ("with space", false), (&"x".repeat(129), false)] {
            for path in ["/trees", "/nothing", "/graphql", "/livez"] {
                let answer = server.rest_with(Anonymous, "GET", path, Value::Null, &[("x-request-id", sent)]).await;
                assert_eq!(answer.header("x-request-id") == sent, kept, "{path} {sent}");
                assert_ne!(answer.header("x-request-id"), "", "{path}");
            }
        }
    })
    .await;
}
