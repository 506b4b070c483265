//! Writes of all rows that match: bounded, of what the caller sees, and of nothing that it may not write.

use super::quotas::with_quotas;
use crate::support::{Caller::*, Server};
use serde_json::{Value, json};

const UPDATE: &str = "mutation ($filter: QuotaFilter!, $set: UpdateQuotaInput!, $most: Int! = 1) {
    updateQuotas(filter: $filter, set: $set, atMost: $most) { affected nodes { name amount } } }";
const DELETE: &str = "mutation ($filter: QuotaFilter!, $most: Int! = 1) {
    deleteQuotas(filter: $filter, atMost: $most) { affected nodes { name amount } } }";

async fn plant(server: &Server) -> String {
    for (number, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let id = format!("00000000-0000-7000-8000-00000000000{number}");
        server.rest(User, "POST", "/quotas", json!({ "id": id, "name": name, "amount": number })).await.expect(201);
    }
    server.rest(Other, "POST", "/quotas", json!({ "name": "hidden", "amount": 1 })).await.expect(201);
    server.rest(Other, "POST", "/quotas", json!({ "name": "shown", "amount": 1, "shared": true })).await.expect(201);
    all(server).await
}

async fn all(server: &Server) -> String {
    server.get(Admin, "/quotas?order=name").await.expect(200).text
}

#[tokio::test]
async fn more_than_it_may_be_or_one_that_it_may_not_be_changes_nothing() {
    with_quotas(async |server| {
        let before = plant(server).await;
        let own = json!({ "name": { "lt": "f" } });
        let update = async |filter: Value, most: Value| {
            let mut variables = json!({ "filter": filter, "set": { "amount": 9 } });
            if !most.is_null() {
                variables["most"] = most;
            }
            server.graphql(User, UPDATE, variables).await
        };
        update(own.clone(), Value::Null).await.refused("CONFLICT").saying("more than 1 rows");
        update(own.clone(), json!(2)).await.refused("CONFLICT");
        update(own.clone(), json!(0)).await.refused("CONFLICT");
        update(own.clone(), json!(-1)).await.refused("BAD_USER_INPUT");
        // The policy's bound is lower than the client's.
        update(own.clone(), json!(5)).await.refused("FORBIDDEN").saying("No more than 3");
        // One of another user is among them.
        update(json!({ "shared": { "eq": true } }), json!(3)).await.refused("FORBIDDEN");
        update(json!({ "or": [{ "name": { "eq": "a" } }, { "name": { "eq": "shown" } }] }), json!(3))
            .await
            .refused("FORBIDDEN");
        // What an update may not leave.
        let closing = json!({ "filter": { "name": { "eq": "a" } }, "set": { "name": "closed" } });
        server.graphql(User, UPDATE, closing).await.refused("FORBIDDEN");
        let wrong = json!({ "filter": { "name": { "eq": "a" } }, "set": { "name": "" } });
        server.graphql(User, UPDATE, wrong).await.refused("BAD_USER_INPUT");
        let taken = json!({ "filter": { "name": { "in": ["a", "b"] } }, "set": { "name": "x" }, "most": 2 });
        let answer = server.graphql(User, UPDATE, taken).await.refused("CONFLICT");
        assert_eq!(answer.errors()[0]["extensions"]["details"], "name is taken");
        server.graphql(User, DELETE, json!({ "filter": own })).await.refused("CONFLICT");
        server.graphql(User, DELETE, json!({ "filter": {}, "most": 9 })).await.refused("FORBIDDEN");
        server.graphql(Anonymous, DELETE, json!({ "filter": {} })).await.refused("UNAUTHENTICATED");
        server.graphql(Admin, DELETE, json!({ "filter": { "name": { "eq": "a" } } })).await.refused("FORBIDDEN");
        // Rows that are not there for the caller match nothing.
        for caller in [User, Editor] {
            let hidden = json!({ "filter": { "name": { "eq": "hidden" } }, "set": { "amount": 9 } });
            let done = server.graphql(caller, UPDATE, hidden).await.data();
            assert_eq!(done["updateQuotas"], json!({ "affected": 0, "nodes": [] }));
        }
        let costly = json!({ "filter": {}, "set": {}, "most": 100_000 });
        server.graphql(User, UPDATE, costly).await.refused("COST_LIMIT_EXCEEDED");
        assert_eq!(all(server).await, before);
    })
    .await;
}

#[tokio::test]
async fn all_that_match_are_written_and_told_in_the_order_of_their_keys() {
    with_quotas(async |server| {
        plant(server).await;
        let row = |name: &str, amount: u32| json!({ "name": name, "amount": amount });
        let some = json!({ "filter": { "amount": { "gte": 3 } }, "set": { "amount": 7 }, "most": 3 });
        let done = server.graphql(User, UPDATE, some).await.data();
        assert_eq!(done["updateQuotas"], json!({ "affected": 2, "nodes": [row("d", 7), row("e", 7)] }));
        let one = json!({ "filter": { "name": { "eq": "a" } } });
        let done = server.graphql(User, DELETE, one.clone()).await.data();
        assert_eq!(done["deleteQuotas"], json!({ "affected": 1, "nodes": [row("a", 0)] }));
        let none = server.graphql(User, DELETE, one).await.data();
        assert_eq!(none["deleteQuotas"], json!({ "affected": 0, "nodes": [] }));
        let literal = r#"mutation { deleteQuotas(filter: { owner: null }) { affected } }"#;
        server.graphql(User, literal, Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
        let rest = json!({ "filter": { "not": { "shared": { "eq": true } } }, "most": 10 });
        let done = server.graphql(User, DELETE, rest).await.data();
        assert_eq!(done["deleteQuotas"]["affected"], 4);
    })
    .await;
}

#[tokio::test]
async fn by_rest_a_preference_bounds_them() {
    with_quotas(async |server| {
        let before = plant(server).await;
        let strict = |most: u32| format!("handling=strict, max-affected={most}");
        let send = async |method: &str, query: &str, prefer: &str| {
            let body = if method == "PATCH" { json!({ "amount": 9 }) } else { Value::Null };
            server.rest_with(User, method, &format!("/quotas{query}"), body, &[("prefer", prefer)]).await
        };
        for method in ["PATCH", "DELETE"] {
            for (query, prefer) in [
                ("", "max-affected=10"),
                ("", "handling=lenient,max-affected=10"),
                ("?name=lt.f&limit=1", "handling=strict,max-affected=10"),
                ("?nam=lt.f", "handling=strict,max-affected=10"),
            ] {
                send(method, query, prefer).await.expect(400);
            }
            let answer = send(method, "?name=lt.f", &strict(2)).await.expect(400).refused("PGRST124");
            assert_eq!(answer.json()["details"], "The query affects 5 rows");
            send(method, "?shared=is.true", &strict(2)).await.expect(403);
        }
        send("PATCH", "?name=lt.f", &strict(5)).await.expect(403);
        send("PUT", "?name=lt.f", &strict(5)).await.expect(405);
        assert_eq!(all(server).await, before);

        let answer = send("PATCH", "?amount=gte.3", &strict(3)).await.expect(204);
        assert_eq!(answer.header("preference-applied"), strict(3));
        let full = format!("return=representation, {}", strict(1));
        let answer = send("PATCH", "?name=eq.a&select=name,amount", &full).await.expect(200);
        assert_eq!(answer.json(), json!([{ "name": "a", "amount": 9 }]));
        assert_eq!(answer.header("preference-applied"), full);
        assert_eq!(send("PATCH", "?name=eq.hidden", &full).await.expect(200).text, "[]");
        send("DELETE", "?name=eq.hidden", &strict(1)).await.expect(204);
        let answer =
            send("DELETE", "?or=(name.eq.b,name.eq.c)&select=name", &format!("{}, return=representation", strict(2)))
                .await;
        assert_eq!(answer.expect(200).json(), json!([{ "name": "b" }, { "name": "c" }]));
        send("DELETE", "?shared=is.false", &strict(9)).await.expect(204);
        assert_eq!(
            server.get(Admin, "/quotas?select=name&order=name").await.json(),
            json!([{ "name": "hidden" }, { "name": "shown" }])
        );
    })
    .await;
}
