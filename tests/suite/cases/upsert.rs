//! New rows whose values are taken: the row that is there gets them, or stays, if the caller sees it and may write it.

use super::quotas::with_quotas;
use crate::support::{Caller::*, Server, on_all};
use futures_util::future::join_all;
use serde_json::{Value, json};

const CREATE: &str = "mutation ($input: CreateQuotaInput!, $on: QuotaOnConflict) {
    createQuota(input: $input, onConflict: $on) { id name code amount shared } }";
const MANY: &str = "mutation ($rows: [CreateQuotaInput!]!, $on: QuotaOnConflict) {
    createQuotas(input: $rows, onConflict: $on) { name amount } }";
const NEW: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

async fn amounts(server: &Server) -> Value {
    server.get(Admin, "/quotas?select=name,amount&order=name,amount").await.expect(200).json()
}

#[tokio::test]
async fn what_tells_no_rows_apart_is_no_target() {
    with_quotas(async |server| {
        let on = json!({ "target": ["NAME"] });
        let answer = server.graphql(User, CREATE, json!({ "input": { "name": "a" }, "on": on })).await;
        let answer = answer.refused("BAD_USER_INPUT");
        let extensions = &answer.errors()[0]["extensions"];
        assert_eq!(extensions["field"], "target");
        assert_eq!(extensions["hint"], "What tells them apart: (ID), (CODE), (OWNER_ID, NAME)");
        let merge = [("prefer", "resolution=merge-duplicates")];
        for (target, code) in [("name", "42P10"), ("nam", "42703"), ("", "42P10")] {
            let path = format!("/quotas?on_conflict={target}");
            server.rest_with(User, "POST", &path, json!({ "name": "a" }), &merge).await.expect(400).refused(code);
        }
        // The server's own columns, and IGNORE that would write.
        for on in [
            json!({ "update": ["UPDATED_AT"] }),
            json!({ "update": ["ID"] }),
            json!({ "action": "IGNORE", "update": ["AMOUNT"] }),
            json!({ "action": null }),
        ] {
            let answer = server.graphql(User, CREATE, json!({ "input": { "name": "a" }, "on": on })).await;
            answer.refused("BAD_USER_INPUT");
        }
        assert_eq!(amounts(server).await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_taken_row_of_others_stays_as_it_is() {
    with_quotas(async |server| {
        for (caller, name, code, shared) in
            [(User, "mine", "a", false), (Other, "theirs", "b", false), (Other, "open", "c", true)]
        {
            let body = json!({ "name": name, "code": code, "shared": shared });
            server.rest(caller, "POST", "/quotas", body).await.expect(201);
        }
        let before = amounts(server).await;
        let on = json!({ "target": ["CODE"] });
        let with = |code: &str, on: &Value| json!({ "input": { "name": "new", "code": code, "amount": 9 }, "on": on });
        let answer = server.graphql(User, CREATE, with("b", &on)).await.refused("CONFLICT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "code");
        server.graphql(User, CREATE, with("c", &on)).await.refused("FORBIDDEN");
        let ignore = json!({ "target": ["CODE"], "action": "IGNORE" });
        server.graphql(User, CREATE, with("b", &ignore)).await.refused("CONFLICT");
        // It is seen, and so it is the answer.
        let kept = server.graphql(User, CREATE, with("c", &ignore)).await.data();
        assert_eq!((&kept["createQuota"]["name"], &kept["createQuota"]["amount"]), (&json!("open"), &json!(1)));
        let rows = json!([{ "name": "z", "code": "z", "amount": 2 }, { "name": "y", "code": "b", "amount": 2 }]);
        let answer = server.graphql(User, MANY, json!({ "rows": rows, "on": on })).await.refused("CONFLICT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "input.1.code");
        for (code, status) in [("b", 409), ("c", 403)] {
            let merge = [("prefer", "resolution=merge-duplicates")];
            let body = json!({ "name": "new", "code": code, "amount": 9 });
            server.rest_with(User, "POST", "/quotas?on_conflict=code", body, &merge).await.expect(status);
        }
        // What an update may not leave, an upsert may not either.
        let on = json!({ "target": ["CODE"], "update": ["NAME"] });
        let input = json!({ "input": { "name": "closed", "code": "a" }, "on": on });
        server.graphql(User, CREATE, input).await.refused("FORBIDDEN");
        assert_eq!(amounts(server).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_taken_row_gets_the_values_of_the_new_one() {
    with_quotas(async |server| {
        let one = server.rest(User, "POST", "/quotas", json!({ "name": "a", "code": "x", "amount": 1 })).await.json();
        let on = json!({ "target": ["NAME", "OWNER_ID"] });
        let input = json!({ "name": "a", "amount": 5 });
        let merged = server.graphql(User, CREATE, json!({ "input": input, "on": on })).await.data();
        let expected = json!({ "id": one["id"], "name": "a", "code": "x", "amount": 5, "shared": false });
        assert_eq!(merged["createQuota"], expected);
        // Only what is named.
        let on = json!({ "target": ["CODE"], "update": ["SHARED"] });
        let input = json!({ "name": "b", "code": "x", "amount": 7, "shared": true });
        let merged = server.graphql(User, CREATE, json!({ "input": input, "on": on })).await.data();
        let expected = json!({ "id": one["id"], "name": "a", "code": "x", "amount": 5, "shared": true });
        assert_eq!(merged["createQuota"], expected);
        let stamped = server.get(User, &format!("/quotas/{}", one["id"].as_str().unwrap())).await.json();
        assert!(stamped["updated_at"].as_str() > one["updated_at"].as_str());
        // The key is the target where none is named, and others' rows of the same name are others.
        let input = json!({ "id": NEW, "name": "c" });
        for amount in [3, 4] {
            let mut input = input.clone();
            input["amount"] = json!(amount);
            let made = server.graphql(User, CREATE, json!({ "input": input, "on": {} })).await.data();
            assert_eq!((&made["createQuota"]["id"], &made["createQuota"]["amount"]), (&json!(NEW), &json!(amount)));
        }
        server.rest(Other, "POST", "/quotas", json!({ "name": "a" })).await.expect(201);
        // Twice in one request: the later wins, and both are told.
        let on = json!({ "target": ["OWNER_ID", "NAME"] });
        let rows = json!([{ "name": "d", "amount": 1 }, { "name": "a", "amount": 2 }, { "name": "d", "amount": 3 }]);
        let made = server.graphql(User, MANY, json!({ "rows": rows, "on": on })).await.data();
        let row = |name: &str, amount: u32| json!({ "name": name, "amount": amount });
        assert_eq!(made["createQuotas"], json!([row("d", 3), row("a", 2), row("d", 3)]));
        let ignore = json!({ "target": ["OWNER_ID", "NAME"], "action": "IGNORE" });
        let rows = json!([{ "name": "d", "amount": 9 }, { "name": "e", "amount": 9 }]);
        let made = server.graphql(User, MANY, json!({ "rows": rows, "on": ignore })).await.data();
        assert_eq!(made["createQuotas"], json!([row("d", 3), row("e", 9)]));
    })
    .await;
}

#[tokio::test]
async fn by_rest_a_preference_says_what_becomes_of_it() {
    with_quotas(async |server| {
        let path = "/quotas?on_conflict=owner_id,name&select=name,amount";
        let post =
            async |prefer: &str, body: Value| server.rest_with(User, "POST", path, body, &[("prefer", prefer)]).await;
        let merge = "resolution=merge-duplicates, return=representation";
        let answer = post(merge, json!([{ "name": "a", "amount": 1 }, { "name": "b", "amount": 2 }])).await.expect(201);
        assert_eq!(answer.header("preference-applied"), merge);
        let answer = post(merge, json!([{ "name": "a", "amount": 3 }, { "name": "b", "amount": 4 }])).await.expect(200);
        assert_eq!(answer.json(), json!([{ "name": "a", "amount": 3 }, { "name": "b", "amount": 4 }]));
        let ignore = "resolution=ignore-duplicates,return=representation";
        let answer =
            post(ignore, json!([{ "name": "a", "amount": 9 }, { "name": "c", "amount": 5 }])).await.expect(201);
        assert_eq!(answer.json(), json!([{ "name": "c", "amount": 5 }]));
        assert_eq!(post(ignore, json!({ "name": "a", "amount": 9 })).await.expect(201).text, "[]");
        assert_eq!(post("resolution=ignore-duplicates", json!({ "name": "a" })).await.expect(201).text, "");
        // Without a preference a taken row is in the way.
        server.rest(User, "POST", path, json!({ "name": "a" })).await.expect(409);
        assert_eq!(amounts(server).await.as_array().unwrap().len(), 3);
    })
    .await;
}

/// Keys that count up are the server's: one that is there can be named, another cannot.
#[tokio::test]
async fn a_key_that_the_server_gives_must_be_there() {
    on_all(async |server| {
        let create = "mutation ($input: CreateTreeInput!, $on: TreeOnConflict) {
            createTree(input: $input, onConflict: $on) { id name species } }";
        let input = |id: &str| json!({ "id": id, "name": "New", "species": "Acer" });
        let answer = server.graphql(Editor, create, json!({ "input": input("1") })).await.refused("BAD_USER_INPUT");
        assert_eq!(answer.errors()[0]["extensions"]["field"], "id");
        let answer = server.graphql(Editor, create, json!({ "input": input("99"), "on": {} })).await;
        assert_eq!(answer.refused("BAD_USER_INPUT").errors()[0]["extensions"]["field"], "id");
        server.graphql(User, create, json!({ "input": input("1"), "on": {} })).await.refused("FORBIDDEN");
        let merged = server.graphql(Editor, create, json!({ "input": input("1"), "on": {} })).await.data();
        assert_eq!(merged["createTree"], input("1"));
        let kept = json!({ "input": { "id": 1, "name": "X", "species": "Y" }, "on": { "action": "IGNORE" } });
        assert_eq!(server.graphql(Editor, create, kept).await.data()["createTree"], input("1"));
        let merge = [("prefer", "resolution=merge-duplicates,return=representation")];
        let rows = json!([{ "id": 2, "name": "Two", "species": "S" }, { "id": 77, "name": "No", "species": "S" }]);
        let answer = server.rest_with(Editor, "POST", "/trees", rows, &merge).await.expect(400);
        assert!(answer.json()["details"].as_str().unwrap().starts_with("1.id"), "{}", answer.text);
        let rows = json!([{ "id": 2, "name": "Two", "species": "S" }, { "id": 3, "name": "Three", "species": "S" }]);
        let answer = server.rest_with(Editor, "POST", "/trees", rows.clone(), &merge).await.expect(200);
        assert_eq!(answer.json(), rows);
        assert_eq!(server.get(Anonymous, "/trees").await.json().as_array().unwrap().len(), 4);
    })
    .await;
}

/// Of many who bring the same row at once, one adds it, and the others write to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_row_by_many_at_once_is_one_row() {
    with_quotas(async |server| {
        let on = json!({ "target": ["OWNER_ID", "NAME"] });
        let writes = (0..16).map(|amount| {
            let input = json!({ "name": "a", "amount": amount });
            server.graphql(User, CREATE, json!({ "input": input, "on": on }))
        });
        let ids: std::collections::BTreeSet<_> =
            join_all(writes).await.into_iter().map(|answer| answer.data()["createQuota"]["id"].to_string()).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(amounts(server).await.as_array().unwrap().len(), 1);
    })
    .await;
}
