//! Writes as PostgREST's clients send them: of all rows that match, told as they prefer, and undone if they wish.

use super::quotas::with_quotas;
use crate::support::{Answer, Caller::*, Server, Setup, on_all, on_both_with};
use reqwest::header::HeaderValue;
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
                ("?name=eq(all).{}", ""),
                ("?name=not.eq(any).{}", ""),
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
        }
        // As many as that are told, and more are written where none is told.
        let name = json!({ "name": "x" });
        let full = [("prefer", "return=representation")];
        let two = server.rest_with(Editor, "PATCH", "/trees?id=gt.2", name.clone(), &full).await.expect(200).json();
        assert_eq!(two.as_array().map(Vec::len), Some(2));
        let answer = server.rest(Editor, "PATCH", "/trees?id=gt.0", name).await.expect(204);
        assert_eq!(answer.header("content-range"), "0-3/*");
        let answer = server.rest(Editor, "DELETE", "/trees?name=eq.x", Value::Null).await.expect(204);
        assert_eq!(answer.header("content-range"), "*/*");
        assert_eq!(server.get(Anonymous, "/trees").await.text, "[]");
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
        for body in [json!([]), json!([{}])] {
            server.rest(User, "PATCH", "/quotas?name=eq.a", body).await.expect(204);
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
    on_all(async |server| {
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
        // Beside a preference that is no text, the others are what they are.
        let unclear = HeaderValue::from_bytes(b"return=\xff, tx=rollback").unwrap();
        let request = server.request(User, "DELETE", "/expenses?title=eq.a").header("prefer", unclear);
        assert_eq!(server.send(request).await.expect(204).header("preference-applied"), "tx=rollback");
        assert_eq!(server.get(User, "/expenses").await.text, before);
    })
    .await;
}

/// Who accepts one object alone gets no other answer, and nothing is written where there is another.
#[tokio::test]
async fn what_must_be_one_row_is_one_or_nothing_is_written() {
    with_quotas(async |server| {
        let before = plant(server).await;
        let object = "application/vnd.pgrst.object+json";
        let ask = async |method: &str, path: &str, body: Value, prefer: &str| {
            server.rest_with(User, method, path, body, &[("accept", object), ("prefer", prefer)]).await
        };
        for prefer in ["", "return=minimal", "return=representation"] {
            for (method, path, body, rows) in [
                ("PATCH", "/quotas?name=lt.d", json!({ "amount": 5 }), 3),
                ("PATCH", "/quotas?name=eq.none", json!({ "amount": 5 }), 0),
                ("PATCH", "/quotas?name=eq.a", json!({}), 0),
                ("DELETE", "/quotas?name=lt.c", Value::Null, 2),
                ("POST", "/quotas", json!([{ "name": "x" }, { "name": "y" }]), 2),
                ("POST", "/quotas", json!([]), 0),
            ] {
                let answer = ask(method, path, body, prefer).await.expect(406).refused("PGRST116");
                let message = "Cannot coerce the result to a single JSON object";
                assert_eq!(answer.failure().message, message);
                assert_eq!(answer.json()["details"], format!("The result contains {rows} rows"), "{method} {prefer}");
            }
        }
        assert_eq!(all(server).await, before);
        let full = "return=representation";
        for (method, path, body, status) in [
            ("PATCH", "/quotas?name=eq.a&select=name", json!({ "amount": 5 }), 200),
            ("POST", "/quotas?select=name", json!([{ "name": "x" }]), 201),
            ("POST", "/quotas?select=name", json!({ "name": "y" }), 201),
            ("DELETE", "/quotas?name=eq.x&select=name", Value::Null, 200),
            ("PUT", "/quotas?id=eq.00000000-0000-7000-8000-000000000009&select=name", json!({ "name": "z" }), 201),
        ] {
            let answer = ask(method, path, body, full).await.expect(status);
            assert!(answer.text.starts_with("{\"name\":"), "{method}: {}", answer.text);
            assert!(answer.header("content-type").starts_with(object));
        }
        ask("PATCH", "/quotas?name=eq.a", json!({ "amount": 6 }), "return=minimal").await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn the_rows_are_told_in_the_form_that_is_accepted() {
    with_quotas(async |server| {
        plant(server).await;
        let ask = async |method: &str, path: &str, body: Value, accept: &str| {
            let headers = [("accept", accept), ("prefer", "return=representation")];
            server.rest_with(User, method, path, body, &headers).await
        };
        let csv = "text/csv";
        let answer = ask("POST", "/quotas?select=name,code", json!([{ "name": "x,y" }, { "name": "z" }]), csv).await;
        assert_eq!(answer.expect(201).text, "name,code\n\"x,y\",\nz,");
        let answer = ask("POST", "/quotas?select=name,code", json!({ "name": "w" }), csv).await.expect(201);
        assert_eq!((answer.text.as_str(), answer.header("content-type")), ("name,code\nw,", "text/csv; charset=utf-8"));
        let answer = ask("DELETE", "/quotas?name=eq.z&select=name,code", Value::Null, csv).await.expect(200);
        assert_eq!(answer.text, "name,code\nz,");
        let answer = ask("PATCH", "/quotas?name=eq.a&select=name", json!({}), csv).await.expect(200);
        assert_eq!(answer.text, "name");
        let stripped = "application/vnd.pgrst.array+json;nulls=stripped";
        let answer = ask("PATCH", "/quotas?name=eq.a&select=name,code", json!({ "amount": 1 }), stripped).await;
        assert_eq!(answer.expect(200).text, r#"[{"name":"a"}]"#);
        let answer = ask("POST", "/quotas?select=name,code", json!({ "name": "v" }), stripped).await.expect(201);
        assert_eq!(answer.text, r#"[{"name":"v"}]"#);
        ask("POST", "/quotas", json!({ "name": "u" }), "text/html").await.expect(406).refused("PGRST107");
        assert_eq!(server.get(User, "/quotas?name=eq.u").await.text, "[]");
    })
    .await;
}

/// What is told of a row may reach to those that it is related to.
#[tokio::test]
async fn related_rows_are_told_with_those_that_are_written() {
    on_all(async |server| {
        let full = [("prefer", "return=representation")];
        let ann = json!({ "name": "Ann" });
        let rows = json!([{ "title": "a", "amount": 1 }, { "title": "b", "amount": 2 }]);
        let path = "/expenses?select=title,user(name)&order=title.desc";
        let made = server.rest_with(User, "POST", path, rows, &full).await.expect(201);
        let row = |title: &str| json!({ "title": title, "user": ann });
        assert_eq!(made.json(), json!([row("b"), row("a")]));
        let body = json!({ "name": "Anna" });
        let path = format!("/users/{}?select=name,expenses(title)&expenses.title=eq.b", server.person(User).id);
        let changed = server.rest(User, "PATCH", &path, body).await.expect(200);
        assert_eq!(changed.json(), json!({ "name": "Anna", "expenses": [{ "title": "b" }] }));
        let path = "/expenses?title=in.(a,b)&select=title,...user(who:name)&order=user(name),title";
        let changed = server.rest_with(User, "PATCH", path, json!({ "amount": 3 }), &full).await.expect(200);
        assert_eq!(changed.json(), json!([{ "title": "a", "who": "Anna" }, { "title": "b", "who": "Anna" }]));
        // What an inner join leaves, is what is written.
        let path = "/expenses?title=not.is.null&select=title,user!inner(name)&user.name=eq.Nobody";
        assert_eq!(server.rest_with(User, "DELETE", path, Value::Null, &full).await.expect(200).text, "[]");
        server.rest_with(User, "POST", "/expenses?select=user!inner(name)", json!([]), &full).await.expect(400);
        let path = "/expenses?title=eq.a&select=title,user(name)";
        let gone = server.rest_with(User, "DELETE", path, Value::Null, &full).await.expect(200);
        assert_eq!(gone.json(), json!([{ "title": "a", "user": { "name": "Anna" } }]));
    })
    .await;
}
