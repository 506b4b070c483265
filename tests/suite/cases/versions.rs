//! Writes of a row only in the state in which it was seen, and times of writing that never repeat.

use crate::support::{Caller::*, on_both};
use futures_util::future::join_all;
use serde_json::{Value, json};

const NOWHERE: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

#[tokio::test]
async fn another_state_is_a_conflict_and_nothing_changes() {
    on_both(async |server| {
        let row = server.expense(User, json!({ "title": "a", "amount": 1 })).await;
        let (id, seen) = (row["id"].as_str().unwrap(), row["updated_at"].as_str().unwrap());
        let update = "mutation ($id: ID!, $at: DateTime) { updateExpense(id: $id, set: { title: \"b\" }, ifUpdatedAt: $at) { updatedAt } }";
        let delete = "mutation ($id: ID!, $at: DateTime) { deleteExpense(id: $id, ifUpdatedAt: $at) { title } }";
        for document in [update, delete] {
            let with = |id: &str, at: &str| json!({ "id": id, "at": at });
            server.graphql(User, document, with(id, "2026-01-01T00:00:00Z")).await.refused("CONFLICT");
            server.graphql(User, document, with(NOWHERE, seen)).await.refused("NOT_FOUND");
            server.graphql(Other, document, with(id, seen)).await.refused("NOT_FOUND");
            server.graphql(Admin, document, with(id, seen)).await.refused("FORBIDDEN");
            server.graphql(Admin, document, with(id, "2026-01-01T00:00:00Z")).await.refused("FORBIDDEN");
            server.graphql(User, document, with(id, "soon")).await.refused("BAD_USER_INPUT");
        }
        assert_eq!(server.get(User, &format!("/expenses/{id}")).await.json(), row);
        let done = server.graphql(User, update, json!({ "id": id, "at": seen })).await.data();
        let now = done["updateExpense"]["updatedAt"].clone();
        server.graphql(User, update, json!({ "id": id, "at": seen })).await.refused("CONFLICT");
        server.graphql(User, delete, json!({ "id": id, "at": seen })).await.refused("CONFLICT");
        // Not said and said to be null: in any state.
        let done = server.graphql(User, update, json!({ "id": id, "at": null })).await.data();
        assert!(done["updateExpense"]["updatedAt"].as_str() > now.as_str());
        let last = done["updateExpense"]["updatedAt"].clone();
        let gone = server.graphql(User, delete, json!({ "id": id, "at": last })).await.data();
        assert_eq!(gone["deleteExpense"]["title"], "b");
        // Trees keep no time.
        let document = r#"mutation { deleteTree(id: 1, ifUpdatedAt: "2026-01-01T00:00:00Z") { id } }"#;
        server.graphql(Editor, document, Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
    })
    .await;
}

/// However fast updates follow, and wherever the clock stands, no two leave the same time.
#[tokio::test]
async fn a_time_of_writing_never_repeats() {
    on_both(async |server| {
        let row = server.expense(User, json!({ "title": "a", "amount": 1 })).await;
        let ahead = "2999-01-01T00:00:00.000000Z";
        server.sql(&format!("update expenses set updated_at = '{ahead}'")).await;
        let fields: String =
            (0..5).map(|n| format!("u{n}: updateExpense(id: {}, set: {{}}) {{ updatedAt }} ", row["id"])).collect();
        let data = server.data(User, &format!("mutation {{ {fields} }}")).await;
        let times: Vec<_> = (0..5).map(|n| data[format!("u{n}")]["updatedAt"].as_str().unwrap().to_owned()).collect();
        let expected: Vec<_> = (1..6).map(|n| ahead.replace("000000Z", &format!("00000{n}Z"))).collect();
        assert_eq!(times, expected);
        let path = format!("/expenses/{}", row["id"].as_str().unwrap());
        let put = server.rest(User, "PUT", &path, json!({ "title": "b", "amount": 2 })).await.expect(200).json();
        assert_eq!(put["updated_at"], "2999-01-01T00:00:00.000006Z");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_saw_the_same_state_one_wins() {
    on_both(async |server| {
        let row = server.expense(User, json!({ "title": "a", "amount": 1 })).await;
        let document = "mutation ($id: ID!, $at: DateTime, $title: String!) {
            updateExpense(id: $id, set: { title: $title }, ifUpdatedAt: $at) { title } }";
        let tries = (0..8).map(|number| {
            let variables = json!({ "id": row["id"], "at": row["updated_at"], "title": number.to_string() });
            server.graphql(User, document, variables)
        });
        let answers = join_all(tries).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.errors().is_empty());
        assert_eq!(won.len(), 1);
        lost.into_iter().for_each(|answer| drop(answer.refused("CONFLICT")));
        let title =
            server.get(User, &format!("/expenses/{}", row["id"].as_str().unwrap())).await.json()["title"].take();
        assert_eq!(won[0].data()["updateExpense"]["title"], title);
    })
    .await;
}
