//! Writes as PostgREST's clients send them: of all rows that match, told as they prefer, and undone if they wish.

use super::quotas::with_quotas;
use crate::support::{Answer, Caller::*, Server, Setup, on_both, on_both_with};
use serde_json::{Value, json};

async fn plant(server: &Server) -> String {
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        server.rest(User, "POST", "/quotas", json!({ "name": name, "amount": 9 - number })).await.expect(201);
    }
    server.rest(Other, "POST", "/quotas", json!({ "name": "hidden", "amount": 1 })).await.expect(201);
    server.rest(Other, "POST", "/quotas", json!({ "name": "shown", "amount": 1, "shared": true })).await.expect(201);
    all(server).await
}

async fn all(server: &Server) -> String {
    server.get(Admin, "/quotas?order=name").await.expect(200).text
}

/// PATCH of the amount, or DELETE.
async fn send(server: &Server, method: &str, query: &str, prefer: &str) -> Answer {
    let body = if method == "PATCH" { json!({ "amount": 5 }) } else { Value::Null };
    server.rest_with(User, method, &format!("/quotas{query}"), body, &[("prefer", prefer)]).await
}

#[tokio::test]
async fn a_write_of_rows_that_are_not_said_is_refused() {
    with_quotas(async |server| {
        let before = plant(server).await;
        for method in ["PATCH", "DELETE"] {
            for (query, prefer) in [
                ("", ""),
                ("", "max-affected=9"),
                ("", "handling=strict"),
                ("?select=name", ""),
                ("?and=()", ""),
                ("?order=name", ""),
            ] {
                send(server, method, query, prefer).await.expect(400).refused("21000");
            }
            for query in
                ["?name=eq.a&limit=1", "?name=eq.a&offset=1", "?nam=eq.a", "?name=a", "?name=eq.a&select=amount.sum()"]
            {
                send(server, method, query, "return=representation").await.expect(400);
            }
            send(server, method, "?name=eq.a", "handling=strict, foo=bar").await.expect(400).refused("PGRST122");
            send(server, method, "?id=eq.a", "").await.expect(400).refused("22P02");
            // One among them that is seen and not to be written.
            send(server, method, "?name=in.(a,shown)", "").await.expect(403).refused("42501");
            for (caller, status) in [(Anonymous, 401), (Admin, 403)] {
                let body = if method == "PATCH" { json!({ "amount": 5 }) } else { Value::Null };
                server.rest(caller, method, "/quotas?name=eq.a", body).await.expect(status);
            }
        }
        // The policy's bound.
        send(server, "PATCH", "?name=in.(a,b,c)&amount=gt.0", "").await.expect(204);
        server.rest(User, "POST", "/quotas", json!({ "name": "d" })).await.expect(201);
        send(server, "PATCH", "?name=in.(a,b,c,d)", "").await.expect(403).saying("No more than 3");
        assert_ne!(all(server).await, before);
    })
    .await;
}

#[tokio::test]
async fn more_rows_than_are_allowed_for_change_nothing() {
    with_quotas(async |server| {
        let before = plant(server).await;
        for method in ["PATCH", "DELETE"] {
            for most in [0, 1, 2] {
                let prefer = format!("handling=strict, max-affected={most}");
                let answer = send(server, method, "?name=lt.d", &prefer).await.expect(400).refused("PGRST124");
                let message = "Query result exceeds max-affected preference constraint";
                assert_eq!(answer.failure().message, message);
                assert_eq!(answer.json()["details"], "The query affects 3 rows");
            }
        }
        let row = server.get(User, "/quotas?name=eq.a").await.json()[0]["id"].as_str().unwrap().to_owned();
        for method in ["PATCH", "DELETE"] {
            let answer = send(server, method, &format!("/{row}"), "handling=strict, max-affected=0").await;
            assert_eq!(answer.expect(400).refused("PGRST124").json()["details"], "The query affects 1 rows");
        }
        assert_eq!(all(server).await, before);
        let prefer = "handling=strict, max-affected=3";
        let answer = send(server, "DELETE", "?name=lt.d", prefer).await.expect(204);
        assert_eq!((answer.header("preference-applied"), answer.header("content-range")), (prefer, "*/*"));
    })
    .await;
}

#[tokio::test]
async fn the_rows_that_match_are_told_as_it_is_preferred() {
    with_quotas(async |server| {
        plant(server).await;
        for (query, prefer, status, range, applied) in [
            ("?name=lt.c", "", 204, "0-1/*", ""),
            ("?name=lt.c", "return=minimal", 204, "0-1/*", "return=minimal"),
            ("?name=lt.c", "return=headers-only, count=exact", 204, "0-1/2", "return=headers-only, count=exact"),
            ("?name=eq.none", "", 204, "*/*", ""),
            ("?name=eq.hidden", "count=exact", 204, "*/0", "count=exact"),
            ("?name=eq.none", "return=representation", 200, "*/*", "return=representation"),
            ("?name=lt.c", "resolution=merge-duplicates, missing=default, max-affected=1", 204, "0-1/*", ""),
            ("?name=lt.c", "handling=lenient, max-affected=1, foo=bar", 204, "0-1/*", "handling=lenient"),
            ("?name=lt.c", "tx=commit", 204, "0-1/*", "tx=commit"),
        ] {
            let answer = send(server, "PATCH", query, prefer).await.expect(status);
            assert_eq!(answer.text, if status == 200 { "[]" } else { "" }, "{prefer}");
            assert_eq!(answer.header("content-range"), range, "{query} {prefer}");
            assert_eq!(answer.header("preference-applied"), applied, "{prefer}");
            assert_eq!(answer.header("content-type").is_empty(), status == 204);
        }
        // By their keys, or in the order that is asked for; `id` grows with time.
        let full = "return=representation";
        let names = async |method: &str, query: &str| {
            let answer = send(server, method, query, full).await.expect(200).json();
            answer.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<String>()
        };
        assert_eq!(names("PATCH", "?name=lt.d&order=name.desc").await, "cba");
        assert_eq!(names("PATCH", "?name=lt.d&order=updated_at,name&select=name").await.len(), 3);
        let body = json!([{ "name": "x", "amount": 2 }, { "name": "y", "amount": 1 }, { "name": "z", "amount": 3 }]);
        let post = server.rest_with(User, "POST", "/quotas?select=name&order=amount", body, &[("prefer", full)]).await;
        assert_eq!(post.expect(201).text, r#"[{"name":"y"},{"name":"x"},{"name":"z"}]"#);
        let answer = send(server, "DELETE", "?name=in.(x,y,z)&order=amount.desc&select=n:name", full).await.expect(200);
        assert_eq!(answer.text, r#"[{"n":"z"},{"n":"x"},{"n":"y"}]"#);
        assert_eq!(answer.header("content-range"), "*/*");
        let answer = send(server, "DELETE", "?name=eq.c", "count=exact").await.expect(204);
        assert_eq!(answer.header("content-range"), "*/1");
    })
    .await;
}

#[tokio::test]
async fn an_answer_never_has_more_rows_than_it_may_and_then_nothing_is_written() {
    let setup = || Setup { configure: |config| config.limits.max_rows = 2, ..Setup::default() };
    on_both_with(setup, async |server| {
        let before = server.get(Anonymous, "/trees?order=id").await.text;
        for method in ["PATCH", "DELETE"] {
            let body = if method == "PATCH" { json!({ "name": "x" }) } else { Value::Null };
            let full = [("prefer", "return=representation")];
            let answer = server.rest_with(Editor, method, "/trees?id=gt.1", body.clone(), &full).await.expect(400);
            assert!(answer.failure().hint.contains("return=minimal"), "{}", answer.text);
            assert_eq!(server.get(Anonymous, "/trees?order=id").await.text, before);
            let two = server.rest_with(Editor, method, "/trees?id=gt.2", body.clone(), &full).await.expect(200);
            assert_eq!(two.json().as_array().unwrap().len(), if method == "PATCH" { 2 } else { 2 });
            if method == "PATCH" {
                let answer = server.rest(Editor, method, "/trees?id=gt.0", body).await.expect(204);
                assert_eq!(answer.header("content-range"), "0-3/*");
                for (id, name) in [(1, 0), (2, 1)] {
                    let rows: Value = serde_json::from_str(&before).unwrap();
                    let back = json!({ "name": rows[name]["name"] });
                    server.rest(Editor, "PATCH", &format!("/trees/{id}"), back).await.expect(200);
                }
                break;
            }
        }
    })
    .await;
}

/// An object without members writes nothing, and is told as nothing; who may not write at all, is told so.
#[tokio::test]
async fn an_empty_object_writes_nothing() {
    with_quotas(async |server| {
        let before = plant(server).await;
        for (prefer, status, text) in [("", 204, ""), ("return=representation", 200, "[]")] {
            let prefer = [("prefer", prefer)];
            let answer = server.rest_with(User, "PATCH", "/quotas?name=eq.a", json!({}), &prefer).await.expect(status);
            assert_eq!((answer.text.as_str(), answer.header("content-range")), (text, "*/*"));
        }
        server.rest(Anonymous, "PATCH", "/quotas?name=eq.a", json!({})).await.expect(401);
        server.rest(User, "PATCH", "/quotas?nam=eq.a", json!({})).await.expect(400);
        server.rest(User, "PATCH", "/quotas", json!({})).await.expect(400).refused("21000");
        assert_eq!(all(server).await, before);
    })
    .await;
}

#[tokio::test]
async fn new_rows_are_told_as_it_is_preferred() {
    with_quotas(async |server| {
        let mut number = 0;
        let mut post = async |prefer: &str, many: bool| {
            number += 1;
            let row = json!({ "name": format!("n{number}") });
            let body = if many { json!([row]) } else { row };
            server.rest_with(User, "POST", "/quotas?select=name", body, &[("prefer", prefer)]).await.expect(201)
        };
        let answer = post("", false).await;
        assert_eq!((answer.text.as_str(), answer.header("content-range")), (r#"{"name":"n1"}"#, "*/*"));
        assert!(answer.header("location").starts_with("/quotas/"));
        let path = answer.header("location").to_owned();
        assert_eq!(server.get(User, &format!("{path}?select=name")).await.header("etag"), answer.header("etag"));
        for many in [false, true] {
            let answer = post("return=headers-only, count=exact", many).await;
            assert_eq!((answer.text.as_str(), answer.header("content-range")), ("", "*/1"));
            let location = answer.header("location").to_owned();
            assert!(location.starts_with("/quotas?id=eq."), "{location}");
            assert_eq!(server.get(User, &location).await.json().as_array().unwrap().len(), 1);
            assert_eq!(post("return=minimal", many).await.text, "");
            assert!(post("return=representation", many).await.text.starts_with("[{"));
        }
        assert_eq!(post("", true).await.text, "");
        for path in ["/quotas?name=eq.a", "/quotas?limit=1", "/quotas?select=count()"] {
            server.rest(User, "POST", path, json!({ "name": "z" })).await.expect(400);
        }
        let full = [("prefer", "return=representation, resolution=merge-duplicates")];
        let answer = server.rest_with(User, "POST", "/quotas", json!([]), &full).await.expect(200);
        assert_eq!(answer.text, "[]");
        assert_eq!(answer.header("preference-applied"), "resolution=merge-duplicates, return=representation");
    })
    .await;
}

/// What is undone is told as if it had happened, also where one statement would have done.
#[tokio::test]
async fn a_write_can_be_tried() {
    on_both(async |server| {
        let row = server.expense(User, json!({ "title": "a", "amount": 1 })).await;
        let before = server.get(User, "/expenses").await.text;
        let item = format!("/expenses/{}", row["id"].as_str().unwrap());
        let try_it = async |method: &str, path: &str, body: Value, prefer: &str| {
            let answer = server.rest_with(User, method, path, body, &[("prefer", prefer)]).await;
            assert_eq!(answer.header("preference-applied"), prefer);
            assert_eq!(server.get(User, "/expenses").await.text, before, "{method} {path}");
            answer
        };
        let body = json!({ "title": "b", "amount": 2 });
        let made = try_it("POST", "/expenses", body.clone(), "tx=rollback").await.expect(201);
        assert_eq!(made.json()["title"], "b");
        server.get(User, made.header("location")).await.expect(404);
        let full = "return=representation, tx=rollback";
        try_it("POST", "/expenses", json!([body, body]), full).await.expect(201);
        assert_eq!(try_it("PUT", &item, body.clone(), "tx=rollback").await.expect(200).json()["title"], "b");
        assert_eq!(
            try_it("PATCH", "/expenses?title=eq.a", body.clone(), full).await.expect(200).json()[0]["title"],
            "b"
        );
        try_it("DELETE", &item, Value::Null, "tx=rollback").await.expect(204);
        try_it("DELETE", "/expenses?title=eq.a", Value::Null, "tx=rollback").await.expect(204);
        // What would fail, fails.
        server.rest_with(User, "POST", "/expenses", json!({}), &[("prefer", "tx=rollback")]).await.expect(422);
    })
    .await;
}
