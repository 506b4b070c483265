//! Several operations in one request: refused, unless the server is told to take some; then each by itself, in order.

use crate::support::{Answer, Caller, Caller::*, Server, Setup, on_both, on_both_with};
use serde_json::{Value, json};

const CREATE: &str = r#"mutation { createExpense(input: { title: "x", amount: 1 }) { title } }"#;

fn three() -> Setup {
    Setup { configure: |config| config.graphql.batch_limit = 3, ..Setup::default() }
}

async fn send(server: &Server, caller: Caller, body: Value) -> Answer {
    server.rest(caller, "POST", "/graphql", body).await
}

async fn expenses(server: &Server) -> Value {
    server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"].clone()
}

#[tokio::test]
async fn a_list_is_refused_and_nothing_of_it_runs() {
    on_both(async |server| {
        for body in
            [json!([{ "query": CREATE }]), json!([{ "query": CREATE }, { "query": CREATE }]), json!([]), json!([[]])]
        {
            let refused = send(server, User, body).await.expect(400).refused("BAD_USER_INPUT");
            assert!(refused.json().is_object(), "{}", refused.text);
        }
        assert_eq!(expenses(server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_list_that_cannot_be_taken_is_refused_whole() {
    on_both_with(three, async |server| {
        let one = json!({ "query": CREATE });
        for body in [
            json!([]),
            json!([one, one, one, one]),
            json!([one, 7]),
            json!([one, null]),
            json!([one, [one]]),
            json!([one, ["{ me { id } }"]]),
            json!([one, {}]),
            json!([one, { "query": 7 }]),
            json!([one, { "query": "{ me { id } }", "variables": [] }]),
        ] {
            let refused = send(server, User, body).await.expect(400).refused("BAD_USER_INPUT");
            assert!(refused.json().is_object(), "{}", refused.text);
        }
        send(server, Caller::Anonymous, json!([one])).await.expect(200);
        let stale = server.request(Anonymous, "POST", "/graphql").bearer_auth("stale").json(&json!([one]));
        server.send(stale).await.expect(401).refused("UNAUTHENTICATED");
        assert_eq!(expenses(server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_operations_run_one_after_the_other_each_by_itself() {
    on_both_with(three, async |server| {
        let count = json!({ "query": "{ expenses { totalCount } }" });
        let body = json!([count, { "query": CREATE }, count]);
        let answers = send(server, User, body).await.expect(200).json();
        let counted = |count: u64| json!({ "data": { "expenses": { "totalCount": count } } });
        assert_eq!(answers, json!([counted(0), { "data": { "createExpense": { "title": "x" } } }, counted(1)]));
        // One that fails undoes nothing of the others.
        let failing = r#"mutation { createExpense(input: { title: "", amount: 1 }) { title } }"#;
        let body = json!([{ "query": CREATE }, { "query": failing }, { "query": "{ leaves { id } }" }]);
        let answers = send(server, User, body).await.expect(200).json();
        assert_eq!(answers[0]["data"]["createExpense"]["title"], "x");
        assert_eq!(answers[1]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(answers[2]["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        assert!(answers[2].get("data").is_none());
        assert_eq!(expenses(server).await, 2);
        let answer = server.rest(User, "POST", "/graphql", json!([{ "query": "{ me { name } }" }])).await;
        assert_eq!(answer.expect(200).json(), json!([{ "data": { "me": { "name": "Ann" } } }]));
    })
    .await;
}

/// Together they cost no more than one may.
#[tokio::test]
async fn the_costs_of_a_list_are_added_up() {
    let setup = || Setup {
        configure: |config| {
            config.graphql.batch_limit = 3;
            config.limits.max_cost = 100;
        },
        ..Setup::default()
    };
    on_both_with(setup, async |server| {
        let query = json!({ "query": "{ trees(first: 40) { nodes { id } } }" });
        send(server, Anonymous, query.clone()).await.data();
        send(server, Anonymous, json!([query, { "query": "{ me { id } }" }])).await.expect(200);
        let refused = send(server, User, json!([{ "query": CREATE }, query, query])).await.expect(400);
        assert!(refused.refused("COST_LIMIT_EXCEEDED").json().is_object());
        assert_eq!(expenses(server).await, 0);
    })
    .await;
}
