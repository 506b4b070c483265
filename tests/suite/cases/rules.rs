//! Rules: what a body must keep to, every breach named at once, in the same words in both protocols.

use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

/// A member of a body, a value that it must not have, and what is said.
fn breaches() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("title", json!(""), "must not be empty"),
        ("title", json!("  \n"), "must not be empty"),
        ("title", json!("x".repeat(201)), "must be 1 to 200 characters long"),
        ("title", Value::Null, "must not be null"),
        ("title", json!("a\u{0}b"), "must not contain the NUL character"),
        ("description", json!("x".repeat(2001)), "must be 0 to 2000 characters long"),
        ("amount", Value::Null, "must not be null"),
        ("currency", json!("usd"), "must be an ISO 4217 code like USD"),
        ("currency", json!("US"), "must be an ISO 4217 code like USD"),
        ("currency", json!("EURO"), "must be an ISO 4217 code like USD"),
        ("currency", json!("ÄÖÜ"), "must be an ISO 4217 code like USD"),
        ("currency", Value::Null, "must not be null"),
        ("category", json!(""), "must not be empty"),
        ("category", json!("x".repeat(201)), "must be 1 to 200 characters long"),
        ("spent_on", json!("2026-02-30"), "must be a date like 2026-01-31"),
        ("spent_on", json!("31.01.2026"), "must be a date like 2026-01-31"),
        ("spent_on", json!("2026-01-31T00:00:00Z"), "must be a date like 2026-01-31"),
        ("spent_on", json!("10000-01-01"), "must be a date like 2026-01-31"),
        ("spent_on", Value::Null, "must not be null"),
    ]
}

fn field(column: &str) -> &str {
    if column == "spent_on" { "spentOn" } else { column }
}

#[tokio::test]
async fn a_breach_is_named_with_its_field_and_nothing_is_written() {
    on_both(async |server| {
        let row = server.expense(User, json!({ "title": "x", "amount": 1, "category": "Food" })).await;
        let path = format!("/expenses/{}", row["id"].as_str().unwrap());
        let create = "mutation ($input: CreateExpenseInput!) { createExpense(input: $input) { id } }";
        let update =
            format!("mutation ($set: UpdateExpenseInput!) {{ updateExpense(id: {}, set: $set) {{ id }} }}", row["id"]);
        for (column, value, says) in breaches() {
            let said = format!("{column} {says}");
            let mut whole = json!({ "title": "x", "amount": 1 });
            whole[column] = value.clone();
            for (method, path, body) in [
                ("POST", "/expenses", whole.clone()),
                ("PUT", &path, whole),
                ("PATCH", &path, json!({ column: value })),
            ] {
                let body = server.rest(User, method, path, body).await.expect(422).json();
                assert_eq!(
                    (&body["code"], &body["details"]),
                    (&json!("23514"), &json!(said)),
                    "{method} {column} {value}"
                );
            }
            let mut input = json!({ "title": "x", "amount": 1 });
            input[field(column)] = value.clone();
            for (document, variables) in
                [(create, json!({ "input": input })), (&*update, json!({ "set": { field(column): value } }))]
            {
                let answer = server.graphql(User, document, variables).await.refused("BAD_USER_INPUT");
                let error = &answer.errors()[0];
                assert_eq!(error["extensions"]["field"], field(column), "{}", answer.text);
                assert!(error["message"].as_str().unwrap().ends_with(says), "{}", answer.text);
            }
        }
        assert_eq!(server.get(User, "/expenses").await.json(), json!([row]));
    })
    .await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    on_both(async |server| {
        let body = json!({ "title": "", "amount": 1.005, "currency": "usd", "category": "", "spent_on": "soon" });
        let answer = server.rest(User, "POST", "/expenses", body).await.expect(422);
        let details = answer.json()["details"].as_str().unwrap().to_owned();
        assert_eq!(details.split("; ").count(), 5, "{details}");
        for column in ["title", "amount", "currency", "category", "spent_on"] {
            assert!(details.contains(&format!("{column} must")), "{details}");
        }
        let input = json!({ "title": "", "amount": 1.005, "currency": "usd", "category": "", "spentOn": "soon" });
        let create = "mutation ($input: CreateExpenseInput!) { createExpense(input: $input) { id } }";
        let answer = server.graphql(User, create, json!({ "input": input })).await.refused("BAD_USER_INPUT");
        let fields = answer.errors()[0]["extensions"]["fields"].clone();
        let mut fields: Vec<_> =
            fields.as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["amount", "category", "currency", "spentOn", "title"]);

        // What is missing, and what does not exist, are said together as well.
        let answer = server.rest(User, "POST", "/expenses", json!({ "titel": "x", "prize": 1 })).await.expect(422);
        for said in ["titel", "prize", "title", "amount"] {
            let body = answer.text.clone();
            assert!(body.contains(said), "{said}: {body}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_longest_texts_fit_by_characters_and_not_by_bytes() {
    on_both(async |server| {
        let body = json!({ "title": "ü".repeat(200), "description": "😀".repeat(2000), "category": "安".repeat(200), "amount": 1 });
        let row = server.expense(User, body.clone()).await;
        for (name, value) in body.as_object().unwrap() {
            assert!(name == "amount" || row[name] == *value, "{name}");
        }
        for (name, value) in [("title", "\u{1}\u{7f}\u{2028}"), ("title", "</script>"), ("description", "\\\"\n\r\t"), ("title", " x ")] {
            let mut body = json!({ "title": "x", "amount": 1 });
            body[name] = json!(value);
            let row = server.expense(User, body).await;
            assert_eq!(row[name], value);
            let document = format!("{{ expense(id: {}) {{ {name} }} }}", row["id"]);
            assert_eq!(server.data(User, &document).await["expense"][name], value);
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_member_is_refused_with_the_nearest_name() {
    on_both(async |server| {
        for (member, says) in
            [("titel", "title"), ("amuont", "amount"), ("spentOn", "spent_on"), ("zzz", "zzz"), ("", "")]
        {
            let body = json!({ "title": "x", "amount": 1, member: "y" });
            let answer = server.rest(User, "POST", "/expenses", body).await.expect(422);
            let body = answer.text.clone();
            assert!(body.contains(says), "{body}");
        }
        let create = "mutation ($input: CreateExpenseInput!) { createExpense(input: $input) { id } }";
        for (member, near) in
            [("titel", Some("title")), ("amuont", Some("amount")), ("spent_on", Some("spentOn")), ("zzz", None)]
        {
            let input = json!({ "title": "x", "amount": 1, member: "y" });
            let answer = server.graphql(User, create, json!({ "input": input })).await.refused("BAD_USER_INPUT");
            let hint = answer.failure().hint;
            assert_eq!(hint, near.map_or(String::new(), |near| format!("Did you mean \"{near}\"?")), "{}", answer.text);
            assert_eq!(
                answer.errors()[0]["extensions"]["field"],
                json!(member).as_str().map(heck::ToLowerCamelCase::to_lower_camel_case).unwrap()
            );
        }
        assert_eq!(server.get(User, "/expenses").await.text, "[]");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    on_both(async |server| {
        for (media, body, status, code) in [
            ("application/json", "", 400, "PGRST102"),
            ("application/json", "{", 400, "PGRST102"),
            ("application/json", "{}x", 400, "PGRST102"),
            ("application/json", "null", 400, "PGRST102"),
            ("application/json", "7", 400, "PGRST102"),
            ("application/json", "\"title\"", 400, "PGRST102"),
            ("application/json", r#"{"title":"a","title":"b","amount":1}"#, 400, "PGRST102"),
            ("application/json", r#"{"title":"\ud800","amount":1}"#, 400, "PGRST102"),
            ("application/json", r#"{title:"a"}"#, 400, "PGRST102"),
            ("application/json", "{}", 422, "23514"),
            ("text/plain", "{}", 415, "PGRST107"),
            ("application/xml", "<a/>", 415, "PGRST107"),
            ("", "{}", 415, "PGRST107"),
        ] {
            let answer = server.text(User, "POST", "/expenses", media, body).await.expect(status);
            let failure = answer.failure();
            // What is wrong with the members has its own code.
            assert!(status == 422 || failure.code == code, "{media} {body}: {}", answer.text);
        }
        server.send(server.request(User, "POST", "/expenses")).await.expect(415);
        let answer =
            server.text(User, "POST", "/expenses", "Application/JSON; charset=utf-8", r#"{"title":"x","amount":1}"#);
        answer.await.expect(201);
        let big = format!(r#"{{"title":"x","amount":1,"description":"{}"}}"#, "x".repeat(2 << 20));
        server.text(User, "POST", "/expenses", "application/json", &big).await.expect(413).refused("PGRST102");
        server.text(User, "POST", "/graphql", "application/json", &big).await.expect(413);
        server.text(Anonymous, "POST", "/auth/login", "application/json", &big).await.expect(413);
        assert_eq!(server.get(User, "/expenses").await.json().as_array().unwrap().len(), 1);
    })
    .await;
}

/// An update that names nothing changes nothing but says what is there.
#[tokio::test]
async fn an_empty_change_and_nulls() {
    on_both(async |server| {
        let row = server.expense(User, json!({ "title": "x", "amount": 1, "category": "Food", "description": "d" })).await;
        let path = format!("/expenses/{}", row["id"].as_str().unwrap());
        let same = server.rest(User, "PATCH", &path, json!({})).await.expect(200).json();
        assert_eq!((&same["title"], &same["category"]), (&row["title"], &row["category"]));
        let emptied = server.rest(User, "PATCH", &path, json!({ "category": null, "description": null })).await.expect(200).json();
        assert_eq!((&emptied["category"], &emptied["description"]), (&Value::Null, &Value::Null));
        let update = format!("mutation ($set: UpdateExpenseInput!) {{ updateExpense(id: {}, set: $set) {{ title category description }} }}", row["id"]);
        for (set, shown) in [
            (json!({ "category": "Rent" }), json!({ "title": "x", "category": "Rent", "description": null })),
            (json!({}), json!({ "title": "x", "category": "Rent", "description": null })),
            (json!({ "category": null, "title": "y" }), json!({ "title": "y", "category": null, "description": null })),
        ] {
            let data = server.graphql(User, &update, json!({ "set": set })).await.data();
            assert_eq!(data["updateExpense"], shown);
        }
    })
    .await;
}
