//! Expenses: the flow of the classic CRUD tutorial, over REST and in GraphQL.

use crate::support::{Caller::*, on_both};
use chrono::{NaiveDate, Utc};
use serde_json::{Value, json};

/// The columns, in their order.
const COLUMNS: [&str; 10] =
    ["id", "user_id", "title", "description", "amount", "currency", "category", "spent_on", "created_at", "updated_at"];

/// What the tutorial posts.
fn groceries() -> Value {
    json!({ "title": "Groceries", "description": "Weekly shopping", "amount": 45.58, "category": "Food" })
}

#[tokio::test]
async fn the_tutorials_flow() {
    on_both(async |server| {
        assert_eq!(server.get(User, "/expenses/").await.expect(200).text, "[]");
        let answer = server.rest(User, "POST", "/expenses/", groceries()).await.expect(201);
        let created = answer.json();
        let id = created["id"].as_str().unwrap();
        assert_eq!(answer.header("location"), format!("/expenses/{id}"));
        assert!(answer.text.contains(r#""amount":45.58,"#), "{}", answer.text);
        assert_eq!(created.as_object().unwrap().keys().collect::<Vec<_>>(), COLUMNS);
        assert_eq!(created["user_id"], server.person(User).id);
        assert_eq!(created["currency"], "USD");
        for (name, value) in groceries().as_object().unwrap() {
            assert_eq!(created[name], *value);
        }

        let path = format!("/expenses/{id}");
        assert_eq!(server.get(User, "/expenses/").await.expect(200).json(), json!([created]));
        assert_eq!(server.get(User, "/expenses?category=eq.Food").await.expect(200).json(), json!([created]));
        assert_eq!(server.get(User, "/expenses?category=eq.Rent").await.expect(200).json(), json!([]));
        assert_eq!(server.get(User, &path).await.expect(200).json(), created);

        // PUT replaces: what it does not name is as in a new row.
        let body = json!({ "title": "Dinner", "amount": 12.5 });
        let replaced = server.rest(User, "PUT", &path, body).await.expect(200);
        assert!(replaced.text.contains(r#""amount":12.50,"#), "{}", replaced.text);
        let replaced = replaced.json();
        for (name, value) in [
            ("id", json!(id)),
            ("title", json!("Dinner")),
            ("description", Value::Null),
            ("category", Value::Null),
            ("currency", json!("USD")),
            ("created_at", created["created_at"].clone()),
        ] {
            assert_eq!(replaced[name], value, "{name}");
        }
        // PATCH changes what it names.
        let patched = server.rest(User, "PATCH", &path, json!({ "category": "Food" })).await.expect(200).json();
        assert_eq!(
            (&patched["category"], &patched["title"], &patched["amount"]),
            (&json!("Food"), &json!("Dinner"), &json!(12.5))
        );
        let states: Vec<_> = [&created, &replaced, &patched].map(|row| row["updated_at"].as_str().unwrap()).into();
        assert!(states.is_sorted_by(|earlier, later| earlier < later), "{states:?}");

        let deleted = server.rest(User, "DELETE", &path, Value::Null).await.expect(204);
        assert_eq!(deleted.text, "");
        server.get(User, &path).await.expect(404);
        server.rest(User, "DELETE", &path, Value::Null).await.expect(404);
        server.rest(User, "PUT", &path, groceries()).await.expect(404);
        server.rest(User, "PATCH", &path, json!({ "title": "x" })).await.expect(404);
        assert_eq!(server.get(User, "/expenses").await.text, "[]");
    })
    .await;
}

#[tokio::test]
async fn the_same_flow_in_graphql() {
    on_both(async |server| {
        let row = "id user { id } title description amount currency category spentOn createdAt updatedAt";
        let create = format!("mutation ($input: CreateExpenseInput!) {{ createExpense(input: $input) {{ {row} }} }}");
        let created =
            server.graphql(User, &create, json!({ "input": groceries() })).await.data()["createExpense"].clone();
        let id = created["id"].as_str().unwrap();
        assert_eq!(created["amount"], "45.58");
        assert_eq!(created["user"]["id"], server.person(User).id);
        assert_eq!(server.data(User, &format!(r#"{{ expense(id: "{id}") {{ {row} }} }}"#)).await["expense"], created);
        let list = format!(r#"{{ expenses(filter: {{ category: {{ eq: "Food" }} }}) {{ nodes {{ {row} }} }} }}"#);
        assert_eq!(server.data(User, &list).await["expenses"]["nodes"], json!([created]));

        let update =
            format!("mutation ($set: UpdateExpenseInput!) {{ updateExpense(id: \"{id}\", set: $set) {{ {row} }} }}");
        let set = json!({ "amount": "12.5", "description": null });
        let updated = server.graphql(User, &update, json!({ "set": set })).await.data()["updateExpense"].clone();
        for (name, value) in [
            ("amount", json!("12.50")),
            ("description", Value::Null),
            ("title", json!("Groceries")),
            ("category", json!("Food")),
            ("createdAt", created["createdAt"].clone()),
        ] {
            assert_eq!(updated[name], value, "{name}");
        }
        assert!(updated["updatedAt"].as_str() > created["updatedAt"].as_str());

        let delete = format!(r#"mutation {{ deleteExpense(id: "{id}") {{ {row} }} }}"#);
        assert_eq!(server.data(User, &delete).await["deleteExpense"], updated);
        server.graphql(User, &delete, Value::Null).await.refused("NOT_FOUND");
        server.graphql(User, &update, json!({ "set": set })).await.refused("NOT_FOUND");
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 0);
    })
    .await;
}

#[tokio::test]
async fn both_protocols_show_the_same_row() {
    on_both(async |server| {
        let rest = server.expense(User, groceries()).await;
        let document = format!(
            r#"{{ expense(id: "{}") {{ id userId: user {{ id }} title description amount currency category
                spentOn createdAt updatedAt }} }}"#,
            rest["id"].as_str().unwrap()
        );
        let graphql = server.data(User, &document).await["expense"].clone();
        assert_eq!(graphql["userId"]["id"], rest["user_id"]);
        assert_eq!(graphql["amount"], "45.58");
        for (field, column) in [
            ("id", "id"),
            ("title", "title"),
            ("description", "description"),
            ("currency", "currency"),
            ("category", "category"),
            ("spentOn", "spent_on"),
            ("createdAt", "created_at"),
            ("updatedAt", "updated_at"),
        ] {
            assert_eq!(graphql[field], rest[column], "{field}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_row_is_filled_by_the_server() {
    on_both(async |server| {
        let before = Utc::now();
        let row = server.expense(User, json!({ "title": "Tea", "amount": 1 })).await;
        let after = Utc::now();
        let time = |name: &str| row[name].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap();
        assert!(before.timestamp_micros() <= time("created_at").timestamp_micros() && time("created_at") <= after);
        assert_eq!(row["created_at"], row["updated_at"]);
        assert_eq!(row["created_at"].as_str().unwrap().len(), "2026-01-01T00:00:00.000000Z".len());
        let day: NaiveDate = row["spent_on"].as_str().unwrap().parse().unwrap();
        assert!([before.date_naive(), after.date_naive()].contains(&day));
        let id: uuid::Uuid = row["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!((&row["description"], &row["category"]), (&Value::Null, &Value::Null));
    })
    .await;
}

#[tokio::test]
async fn a_client_may_choose_the_key_once() {
    on_both(async |server| {
        let chosen = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        let body = json!({ "id": chosen, "title": "Tea", "amount": 1 });
        let answer = server.rest(User, "POST", "/expenses", body.clone()).await.expect(201);
        assert_eq!(answer.header("location"), format!("/expenses/{chosen}"));
        // Whoever owns it: that it is taken can be told, and nothing else of it.
        for caller in [User, Other, Admin] {
            let answer = server.rest(caller, "POST", "/expenses", body.clone()).await.expect(409).refused("23505");
            assert!(!answer.text.contains(&server.person(User).id) && !answer.text.contains("Tea"), "{}", answer.text);
            let document = format!(r#"mutation {{ createExpense(input: {{ id: "{chosen}", title: "x", amount: 1 }}) {{ id }} }}"#);
            server.graphql(caller, &document, Value::Null).await.refused("CONFLICT");
        }
        assert_eq!(server.get(User, "/expenses").await.json().as_array().unwrap().len(), 1);
        assert_eq!(server.get(Other, "/expenses").await.text, "[]");

        let document = r#"mutation { createExpense(input: { id: "00000000-0000-4000-8000-000000000001", title: "x", amount: 1 }) { id } }"#;
        assert_eq!(server.data(Other, document).await["createExpense"]["id"], "00000000-0000-4000-8000-000000000001");
        for id in [json!("7"), json!(7), json!(""), json!("6ba7b810-9dad-11d1-80b4-00c04fd430c"), json!({}), json!(true)] {
            let body = json!({ "id": id, "title": "Tea", "amount": 1 });
            server.rest(User, "POST", "/expenses", body).await.expect(422).saying("id");
        }
    })
    .await;
}

/// PostgREST's way to write one row: what is not there is no error, and a preference says what comes back.
#[tokio::test]
async fn a_row_named_in_the_query_string_is_written_as_postgrest_does() {
    on_both(async |server| {
        let row = server.expense(User, groceries()).await;
        let id = row["id"].as_str().unwrap();
        let named = format!("/expenses?id=eq.{id}");
        let full = [("prefer", "return=representation")];
        let patch = json!({ "title": "Market" });
        assert_eq!(server.rest(User, "PATCH", &named, patch.clone()).await.expect(204).text, "");
        let answer = server.rest_with(User, "PATCH", &named, patch.clone(), &full).await.expect(200);
        assert_eq!(answer.header("preference-applied"), "return=representation");
        assert_eq!(answer.json()[0]["title"], "Market");
        let answer = server.rest_with(User, "PATCH", &format!("{named}&select=title"), patch, &full).await.expect(200);
        assert_eq!(answer.text, r#"[{"title":"Market"}]"#);

        let absent = "/expenses?id=eq.6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        for (method, body) in [("PATCH", json!({ "title": "x" })), ("DELETE", Value::Null)] {
            server.rest(User, method, absent, body.clone()).await.expect(204);
            assert_eq!(server.rest_with(User, method, absent, body, &full).await.expect(200).text, "[]");
        }
        // Without a filter every row would be meant.
        for path in ["/expenses", "/expenses?select=title", "/expenses?id=gt.0"] {
            server.rest(User, "PATCH", path, json!({ "title": "x" })).await.expect(400);
            server.rest(User, "DELETE", path, Value::Null).await.expect(400);
        }
        assert_eq!(server.get(User, "/expenses?select=title").await.text, r#"[{"title":"Market"}]"#);
        let gone = server.rest_with(User, "DELETE", &named, Value::Null, &full).await.expect(200);
        assert_eq!(gone.json()[0]["id"], id);
        assert_eq!(server.get(User, "/expenses").await.text, "[]");
    })
    .await;
}

#[tokio::test]
async fn a_preference_says_what_comes_back_of_a_new_row() {
    on_both(async |server| {
        for (prefer, applied) in [
            ("return=minimal", "return=minimal"),
            ("return=headers-only", "return=headers-only"),
            ("return=representation", "return=representation"),
            ("respond-async, return=minimal", "return=minimal"),
            ("return=everything", ""),
        ] {
            let answer =
                server.rest_with(User, "POST", "/expenses", groceries(), &[("prefer", prefer)]).await.expect(201);
            assert_eq!(answer.header("preference-applied"), applied, "{prefer}");
            match applied {
                "return=representation" => assert_eq!(answer.json()[0]["title"], "Groceries"),
                "" => assert_eq!(answer.json()["title"], "Groceries"),
                _ => assert_eq!(answer.text, ""),
            }
            let location = match applied {
                "return=minimal" => "",
                "return=headers-only" => "/expenses?id=eq.",
                _ => "/expenses/",
            };
            assert!(answer.header("location").starts_with(location), "{prefer}");
        }
        let answer = server.rest(User, "POST", "/expenses?select=title,price:amount", groceries()).await.expect(201);
        assert_eq!(answer.text, r#"{"title":"Groceries","price":45.58}"#);
    })
    .await;
}
