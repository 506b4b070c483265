//! Ownership: other people's rows do not exist, in any way of asking, and what an admin sees is not an admin's to write.

use crate::support::{Caller::*, Server, on_both};
use serde_json::{Value, json};

const NOWHERE: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

async fn secret_of_ann(server: &Server) -> String {
    let row = server.expense(User, json!({ "title": "A secret", "amount": 7, "category": "Private" })).await;
    row["id"].as_str().expect("a key").to_owned()
}

/// The row of somebody else is answered as one that is not there, to the byte.
#[tokio::test]
async fn other_peoples_rows_do_not_exist() {
    on_both(async |server| {
        let id = secret_of_ann(server).await;
        let before = server.get(User, &format!("/expenses/{id}")).await.text;
        for caller in [Other, Editor] {
            for (method, body) in [
                ("GET", Value::Null),
                ("HEAD", Value::Null),
                ("PUT", json!({ "title": "Mine", "amount": 1 })),
                ("PATCH", json!({ "title": "Mine" })),
                ("PATCH", json!({})),
                ("DELETE", Value::Null),
            ] {
                let theirs = server.rest(caller, method, &format!("/expenses/{id}"), body.clone()).await.expect(404);
                let absent = server.rest(caller, method, &format!("/expenses/{NOWHERE}"), body).await.expect(404);
                assert_eq!(theirs.text, absent.text, "{method}");
            }
            let full = [("prefer", "return=representation")];
            for (method, body) in [("PATCH", json!({ "title": "Mine" })), ("DELETE", Value::Null)] {
                let answer = server.rest_with(caller, method, &format!("/expenses?id=eq.{id}"), body, &full).await;
                assert_eq!(answer.expect(200).text, "[]");
            }
            for path in [
                "/expenses",
                "/expenses?title=like.*secret*",
                "/expenses?amount=gt.0",
                "/expenses?or=(id.not.is.null,title.eq.x)",
            ] {
                assert_eq!(server.get(caller, path).await.expect(200).text, "[]", "{path}");
            }
            assert_eq!(server.get(caller, &format!("/expenses?id=eq.{id}")).await.text, "[]");
            let one = format!(r#"{{ expense(id: "{id}") {{ id }} }}"#);
            assert_eq!(server.data(caller, &one).await, json!({ "expense": null }));
            for document in [
                format!(r#"mutation {{ updateExpense(id: "{id}", set: {{ title: "Mine" }}) {{ id }} }}"#),
                format!(r#"mutation {{ updateExpense(id: "{id}", set: {{}}) {{ id }} }}"#),
                format!(r#"mutation {{ deleteExpense(id: "{id}") {{ id }} }}"#),
            ] {
                let theirs = server.graphql(caller, &document, Value::Null).await.refused("NOT_FOUND").text;
                let absent = server.graphql(caller, &document.replace(&id, NOWHERE), Value::Null).await.text;
                assert_eq!(theirs, absent);
            }
        }
        assert_eq!(server.get(User, &format!("/expenses/{id}")).await.expect(200).text, before);
    })
    .await;
}

/// Through a relation, a global id, a count or a cursor neither.
#[tokio::test]
async fn no_detour_leads_to_other_peoples_rows() {
    on_both(async |server| {
        let id = secret_of_ann(server).await;
        let ann = &server.person(User).id;
        let ids = format!(r#"{{ expense(id: "{id}") {{ nodeId user {{ nodeId }} }} }}"#);
        let ids = server.data(User, &ids).await["expense"].clone();
        for caller in [Anonymous, Other, Editor] {
            for node in [&ids["nodeId"], &ids["user"]["nodeId"]] {
                assert_eq!(
                    server.data(caller, &format!("{{ node(nodeId: {node}) {{ nodeId }} }}")).await,
                    json!({ "node": null })
                );
            }
        }
        for caller in [Other, Editor] {
            let counts = "{ expenses { totalCount nodes { id } } me { expenses { totalCount nodes { id } } }
                users { totalCount nodes { id expenses { totalCount nodes { id } } } } }";
            let data = server.data(caller, counts).await;
            let empty = json!({ "totalCount": 0, "nodes": [] });
            assert_eq!(data["expenses"], empty);
            assert_eq!(data["me"]["expenses"], empty);
            let own = &server.person(caller).id;
            assert_eq!(data["users"], json!({ "totalCount": 1, "nodes": [{ "id": own, "expenses": empty }] }));
            let user = format!(r#"{{ user(id: "{ann}") {{ expenses {{ totalCount }} }} }}"#);
            assert_eq!(server.data(caller, &user).await, json!({ "user": null }));
            server.get(caller, &format!("/users/{ann}")).await.expect(404);
            assert_eq!(server.get(caller, &format!("/expenses?user_id=eq.{ann}")).await.text, "[]");
        }
        // A cursor of Ann's, used by Bob, is a place in Bob's own list.
        let cursor =
            server.data(User, "{ expenses { pageInfo { endCursor } } }").await["expenses"]["pageInfo"]["endCursor"]
                .clone();
        let mine = server.expense(Other, json!({ "title": "Mine", "amount": 1, "spent_on": "2000-01-01" })).await;
        let page = format!("{{ expenses(after: {cursor}) {{ nodes {{ id }} }} }}");
        assert_eq!(server.data(Other, &page).await["expenses"]["nodes"], json!([{ "id": mine["id"] }]));
    })
    .await;
}

#[tokio::test]
async fn an_admin_sees_everybodys_and_writes_only_its_own() {
    on_both(async |server| {
        let id = secret_of_ann(server).await;
        server.expense(Other, json!({ "title": "Bob's", "amount": 1 })).await;
        let path = format!("/expenses/{id}");
        let before = server.get(Admin, &path).await.expect(200).text;
        assert_eq!(server.get(User, &path).await.text, before);
        assert_eq!(server.data(Admin, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 2);
        let shown = format!(r#"{{ expense(id: "{id}") {{ user {{ email expenses {{ nodes {{ title }} }} }} }} }}"#);
        let expected = json!({ "email": "ann@example.com", "expenses": { "nodes": [{ "title": "A secret" }] } });
        assert_eq!(server.data(Admin, &shown).await["expense"]["user"], expected);

        for (method, path, body) in [
            ("PATCH", path.clone(), json!({ "title": "Mine" })),
            ("PUT", path.clone(), json!({ "title": "Mine", "amount": 1 })),
            ("DELETE", path.clone(), Value::Null),
            ("PATCH", format!("/expenses?id=eq.{id}"), json!({ "title": "Mine" })),
            ("DELETE", format!("/expenses?id=eq.{id}"), Value::Null),
        ] {
            server.rest(Admin, method, &path, body).await.expect(403).refused("42501");
        }
        for document in [
            format!(r#"mutation {{ updateExpense(id: "{id}", set: {{ title: "Mine" }}) {{ id }} }}"#),
            format!(r#"mutation {{ deleteExpense(id: "{id}") {{ id }} }}"#),
        ] {
            server.graphql(Admin, &document, Value::Null).await.refused("FORBIDDEN");
        }
        server.rest(Admin, "PATCH", &format!("/expenses/{NOWHERE}"), json!({ "title": "x" })).await.expect(404);
        assert_eq!(server.get(User, &path).await.text, before);
        let own = server.expense(Admin, json!({ "title": "Own", "amount": 1 })).await;
        server
            .rest(Admin, "DELETE", &format!("/expenses/{}", own["id"].as_str().unwrap()), Value::Null)
            .await
            .expect(204);
    })
    .await;
}

#[tokio::test]
async fn the_owner_comes_from_the_token_and_never_from_input() {
    on_both(async |server| {
        let bob = server.person(Other).id.clone();
        let own = server.expense(User, json!({ "title": "Own", "amount": 1 })).await;
        let path = format!("/expenses/{}", own["id"].as_str().unwrap());
        for column in ["user_id", "created_at", "updated_at"] {
            let value = if column == "user_id" { json!(bob) } else { json!("2020-01-01T00:00:00Z") };
            for caller in [User, Admin] {
                let body = json!({ "title": "x", "amount": 1, column: value });
                server.rest(caller, "POST", "/expenses", body).await.expect(422).saying(column);
            }
            server.rest(User, "PATCH", &path, json!({ column: value })).await.expect(422).saying(column);
            let body = json!({ "title": "x", "amount": 1, column: value });
            server.rest(User, "PUT", &path, body).await.expect(422).saying(column);
        }
        for (document, input) in [
            ("mutation ($input: CreateExpenseInput!) { createExpense(input: $input) { id } }", "input"),
            (
                &format!(
                    "mutation ($set: UpdateExpenseInput!) {{ updateExpense(id: {}, set: $set) {{ id }} }}",
                    own["id"]
                ),
                "set",
            ),
        ] {
            for member in ["userId", "createdAt", "updatedAt", "user_id"] {
                let variables = json!({ input: { "title": "x", "amount": 1, member: bob } });
                server.graphql(User, document, variables).await.refused("BAD_USER_INPUT").saying(member);
            }
        }
        assert_eq!(server.get(User, &path).await.json(), own);
        assert_eq!(server.get(Admin, "/expenses?select=user_id").await.json(), json!([{ "user_id": own["user_id"] }]));
    })
    .await;
}

/// Users see and rename themselves; roles are an admin's to give, addresses nobody's to change.
#[tokio::test]
async fn users_change_their_name_and_admins_give_roles() {
    on_both(async |server| {
        let (ann, bob) = (server.person(User).id.clone(), server.person(Other).id.clone());
        let path = format!("/users/{ann}");
        assert_eq!(
            server.rest(User, "PATCH", &path, json!({ "name": "Anna" })).await.expect(200).json()["name"],
            "Anna"
        );
        let rename = format!(r#"mutation {{ updateUser(id: "{ann}", set: {{ name: null }}) {{ name }} }}"#);
        assert_eq!(server.data(User, &rename).await["updateUser"]["name"], Value::Null);
        for caller in [User, Editor] {
            let own = format!("/users/{}", server.person(caller).id);
            server.rest(caller, "PATCH", &own, json!({ "role": "admin" })).await.expect(403);
            let id = &server.person(caller).id;
            let rise = format!(r#"mutation {{ updateUser(id: "{id}", set: {{ role: "admin" }}) {{ id }} }}"#);
            server.graphql(caller, &rise, Value::Null).await.refused("FORBIDDEN");
        }
        for caller in [User, Admin] {
            server.rest(caller, "PATCH", &path, json!({ "email": "x@example.com" })).await.expect(422).saying("email");
            server.rest(caller, "DELETE", &path, Value::Null).await.expect(405);
            server.rest(caller, "POST", "/users", json!({ "email": "x@example.com" })).await.expect(405);
        }
        server.rest(User, "PATCH", &format!("/users/{bob}"), json!({ "name": "Bobby" })).await.expect(404);
        server
            .rest(Admin, "PATCH", &path, json!({ "role": "emperor" }))
            .await
            .expect(422)
            .saying("must be one of user, editor, admin");
        server.rest(Admin, "PATCH", &path, json!({ "role": null })).await.expect(422).saying("role");
        let raised =
            server.rest(Admin, "PATCH", &path, json!({ "role": "editor", "name": "Ann" })).await.expect(200).json();
        assert_eq!((&raised["role"], &raised["name"]), (&json!("editor"), &json!("Ann")));
        let me = server.get(Other, "/auth/me").await.json();
        assert_eq!(
            (&me["role"], &me["name"], &me["email"]),
            (&json!("user"), &json!("Bob"), &json!("bob@example.com"))
        );
    })
    .await;
}

#[tokio::test]
async fn password_hashes_are_nowhere() {
    on_both(async |server| {
        let ann = server.person(User).id.clone();
        for path in ["/users".to_owned(), format!("/users/{ann}"), "/auth/me".to_owned()] {
            let text = server.get(Admin, &path).await.expect(200).text;
            assert!(!text.contains("argon2") && !text.contains("password"), "{text}");
        }
        for column in ["password_hash", "password", "disabled_at"] {
            server.get(Admin, &format!("/users?select={column}")).await.expect(400).refused("42703");
            server.get(Admin, &format!("/users?{column}=like.*")).await.expect(400).refused("42703");
            server.get(Admin, &format!("/users?order={column}")).await.expect(400).refused("42703");
            server.rest(Admin, "PATCH", &format!("/users/{ann}"), json!({ column: "x" })).await.expect(422);
        }
        for field in ["passwordHash", "password", "credentials"] {
            let document = format!("{{ users {{ nodes {{ {field} }} }} }}");
            server.graphql(Admin, &document, Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
        }
    })
    .await;
}
