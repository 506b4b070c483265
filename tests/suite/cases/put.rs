//! PUT: of a collection, the one row with a key is there afterwards; of an item, it must have been there.

use super::quotas::with_quotas;
use crate::support::{Answer, Caller, Caller::*, Server, on_both};
use serde_json::{Value, json};

const NEW: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const FULL: [(&str, &str); 1] = [("prefer", "return=representation")];

async fn put(server: &Server, caller: Caller, path: &str, body: Value) -> Answer {
    server.rest_with(caller, "PUT", path, body, &FULL).await
}

#[tokio::test]
async fn what_does_not_name_one_row_by_its_key_is_refused() {
    on_both(async |server| {
        let tree = json!({ "name": "Yew", "species": "Taxus" });
        let before = server.get(Anonymous, "/trees").await.text;
        for path in [
            "/trees",
            "/trees?name=eq.Oak",
            "/trees?id=not.eq.1",
            "/trees?id=in.(1)",
            "/trees?and=(id.eq.1,id.eq.1)",
            "/trees?id=eq.1&name=eq.x",
        ] {
            let answer = put(server, Editor, path, tree.clone()).await.expect(405).refused("PGRST105");
            let message = "Filters must include all and only primary key columns with 'eq' operators";
            assert_eq!(answer.failure().message, message, "{path}");
            assert!(answer.header("allow").contains("PUT"), "{path}");
        }
        for path in ["/trees?id=eq.1&limit=1", "/trees?id=eq.1&offset=1"] {
            let answer = put(server, Editor, path, tree.clone()).await.expect(400).refused("PGRST114");
            assert_eq!(answer.failure().message, "limit/offset querystring parameters are not allowed for PUT");
        }
        let mut other = tree.clone();
        other["id"] = json!(2);
        let answer = put(server, Editor, "/trees?id=eq.1", other.clone()).await.expect(400).refused("PGRST115");
        assert_eq!(answer.failure().message, "Payload values do not match URL in primary key column(s)");
        put(server, Editor, "/trees/1", other).await.expect(400).refused("PGRST115");
        // The same number in other digits is the same key.
        let same = json!({ "id": "01", "name": "Yew", "species": "Taxus" });
        let tried = [("prefer", "tx=rollback")];
        server.rest_with(Editor, "PUT", "/trees?id=eq.1", same, &tried).await.expect(204);
        put(server, Editor, "/trees?id=eq.1", json!([])).await.expect(400).refused("PGRST115");
        put(server, Editor, "/trees?id=eq.one", tree.clone()).await.expect(400).refused("22P02");
        put(server, Editor, "/trees?id=eq.1", json!({ "name": "Yew" })).await.expect(422).saying("species");
        put(server, User, "/trees?id=eq.1", tree.clone()).await.expect(403);
        put(server, Anonymous, "/trees?id=eq.1", tree.clone()).await.expect(401);
        // A number is the server's to give.
        put(server, Editor, "/trees?id=eq.77", tree.clone()).await.expect(400);
        put(server, Editor, "/trees/77", tree).await.expect(404);
        assert_eq!(server.get(Anonymous, "/trees").await.text, before);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_is_not_there_is_added_and_one_that_is_there_is_replaced() {
    with_quotas(async |server| {
        let path = format!("/quotas?id=eq.{NEW}&select=id,name,code,amount");
        let row = json!({ "id": NEW, "name": "a", "code": "x", "amount": 5 });
        let answer = put(server, User, &path, row.clone()).await.expect(201);
        assert_eq!((answer.json(), answer.header("preference-applied")), (json!([row]), FULL[0].1));
        // What the body leaves out is what a new row would get; of several rows the first counts.
        let rows = json!([{ "name": "b" }, { "name": "c" }]);
        let answer = put(server, User, &path, rows).await.expect(200);
        assert_eq!(answer.json(), json!([{ "id": NEW, "name": "b", "code": null, "amount": 1 }]));
        for prefer in ["", "return=minimal", "return=headers-only"] {
            let body = json!({ "name": "d" });
            let answer = server.rest_with(User, "PUT", &path, body, &[("prefer", prefer)]).await.expect(204);
            assert_eq!((answer.text.as_str(), answer.header("preference-applied")), ("", prefer));
            assert!(!answer.header("etag").is_empty());
        }
        // Others' rows: one that is hidden is in the way, one that is seen may not be written.
        put(server, Other, &path, row.clone()).await.expect(409).refused("23505");
        server.rest(User, "PATCH", &format!("/quotas/{NEW}"), json!({ "shared": true })).await.expect(200);
        put(server, Other, &path, row.clone()).await.expect(403).refused("42501");
        // What an update may not leave.
        put(server, User, &path, json!({ "name": "closed" })).await.expect(403);
        let undone = [("prefer", "tx=rollback, return=representation")];
        let gone = "00000000-0000-7000-8000-000000000001";
        let answer =
            server.rest_with(User, "PUT", &format!("/quotas?id=eq.{gone}"), json!({ "name": "z" }), &undone).await;
        assert_eq!(answer.expect(201).json()[0]["id"], gone);
        assert_eq!(server.get(User, "/quotas?select=name").await.text, r#"[{"name":"d"}]"#);
    })
    .await;
}

#[tokio::test]
async fn a_number_that_is_there_may_be_named() {
    on_both(async |server| {
        let tree = json!({ "name": "Yew", "species": "Taxus" });
        let answer = put(server, Editor, "/trees?id=eq.1", tree.clone()).await.expect(200);
        assert_eq!(answer.text, r#"[{"id":1,"name":"Yew","species":"Taxus"}]"#);
        let answer =
            server.rest(Editor, "PUT", "/trees/1", json!({ "id": 1, "name": "Elm", "species": "Ulmus" })).await;
        assert_eq!(answer.expect(200).text, r#"{"id":1,"name":"Elm","species":"Ulmus"}"#);
    })
    .await;
}

/// Whoever it is, one row cannot be made twice.
#[tokio::test]
async fn a_row_that_must_not_be_there_is_only_added() {
    with_quotas(async |server| {
        let path = format!("/quotas?id=eq.{NEW}");
        let only = [("if-none-match", "*")];
        server.rest_with(User, "PUT", &path, json!({ "name": "a" }), &only).await.expect(204);
        server.rest_with(User, "PUT", &path, json!({ "name": "b" }), &only).await.expect(412);
        server.rest_with(User, "PUT", &path, json!({ "name": "b" }), &[("if-match", "*")]).await.expect(412);
        server.rest_with(User, "PUT", &format!("/quotas/{NEW}"), json!({ "name": "b" }), &only).await.expect(412);
        assert_eq!(server.get(User, "/quotas?select=name").await.text, r#"[{"name":"a"}]"#);
    })
    .await;
}
