//! PostgREST's protocol by its own tables: what each method answers by what is preferred, which preferences are said to
//! apply, what each code's status is, and what every answer carries. The other cases go deeper into each.

use crate::support::{Answer, Caller::*, Server, Setup, on_both, on_both_with};
use serde_json::{Value, json};

const OBJECT: &str = "application/vnd.pgrst.object+json";

/// A request to `/trees` by an admin.
async fn ask(server: &Server, method: &str, query: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
    server.rest_with(Admin, method, &format!("/trees{query}"), body.clone(), headers).await
}

fn tree(name: &str) -> Value {
    json!({ "name": name, "species": "s" })
}

#[tokio::test]
async fn each_code_has_its_status() {
    on_both(async |server| {
        let (named, two) = (tree("a"), json!([{ "name": "a", "species": "s" }, { "name": "b" }]));
        let (none, strict) = (&Value::Null, [("prefer", "handling=strict, foo=bar")]);
        let object = [("accept", OBJECT)];
        for (status, code, method, path, body, headers) in [
            (400, "PGRST100", "GET", "/trees?name=a", none, &[][..]),
            (400, "PGRST100", "GET", "/trees?name=", none, &[]),
            (400, "PGRST102", "POST", "/trees", &json!("a"), &[]),
            (400, "PGRST102", "POST", "/trees", &two, &[]),
            (416, "PGRST103", "GET", "/trees?limit=-1", none, &[]),
            (416, "PGRST103", "GET", "/trees", none, &[("range", "2-1")]),
            (416, "PGRST103", "GET", "/trees?offset=9", none, &[("prefer", "count=exact")]),
            (405, "PGRST105", "PUT", "/trees?name=eq.a", &named, &[]),
            (406, "PGRST106", "GET", "/trees", none, &[("accept-profile", "private")]),
            (406, "PGRST106", "DELETE", "/trees?id=eq.9", none, &[("content-profile", "private")]),
            (406, "PGRST107", "GET", "/trees", none, &[("accept", "application/vnd.pgrst.plan+json")]),
            (415, "PGRST107", "POST", "/trees", none, &[("content-type", "text/html")]),
            (400, "PGRST108", "GET", "/users?expenses.title=eq.a", none, &[]),
            (400, "PGRST114", "PUT", "/trees?id=eq.1&limit=1", &named, &[]),
            (400, "PGRST115", "PUT", "/trees?id=eq.1", &json!({ "id": 2, "name": "a", "species": "s" }), &[]),
            (406, "PGRST116", "GET", "/trees", none, &object),
            (404, "PGRST116", "GET", "/trees/9", none, &[]),
            (405, "PGRST117", "POST", "/users", &json!({}), &[]),
            (405, "PGRST117", "POST", "/trees/1", &named, &[]),
            (400, "PGRST118", "GET", "/users?select=*,expenses()&order=expenses(title)", none, &[]),
            (400, "PGRST120", "GET", "/users?select=*,expenses()&expenses=eq.1", none, &[]),
            (400, "PGRST122", "GET", "/trees", none, &strict),
            (400, "PGRST122", "GET", "/trees/1", none, &strict),
            (400, "PGRST122", "DELETE", "/trees?id=eq.1", none, &strict),
            (400, "PGRST122", "DELETE", "/trees/1", none, &strict),
            (400, "PGRST124", "DELETE", "/trees?id=gt.0", none, &[("prefer", "handling=strict, max-affected=1")]),
            (404, "PGRST125", "GET", "/trees/1/leaves", none, &[]),
            (400, "PGRST127", "GET", "/users?select=...expenses(amount.sum())", none, &[]),
            (400, "PGRST200", "GET", "/trees?select=leaves(name)", none, &[]),
            (400, "PGRST204", "POST", "/trees?columns=name,colour", &named, &[]),
            (404, "PGRST205", "GET", "/leaves", none, &[]),
            (400, "22P02", "GET", "/trees?id=eq.one", none, &[]),
            (400, "42703", "GET", "/trees?colour=eq.red", none, &[]),
            (404, "42883", "GET", "/trees?id=like.1", none, &[]),
            (404, "42883", "GET", "/trees?name=adj.(1,2)", none, &[]),
            (404, "42883", "GET", "/trees?select=name.sum()", none, &[]),
            (400, "21000", "DELETE", "/trees", none, &[]),
            (412, "55000", "DELETE", "/trees/1", none, &[("if-match", "\"old\"")]),
            (422, "23514", "POST", "/trees", &json!({ "name": "" }), &[]),
        ] {
            let answer = server.rest_with(Admin, method, path, body.clone(), headers).await;
            let answer = answer.expect(status).refused(code);
            assert_eq!(answer.header("proxy-status"), format!("PostgREST; error={code}"), "{path}");
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8", "{path}");
            assert!(!answer.header("x-request-id").is_empty(), "{path}");
            let members: Vec<_> = answer.json().as_object().unwrap().keys().cloned().collect();
            assert_eq!(members, ["code", "message", "details", "hint"], "{path}");
            if method == "GET" {
                let head = server.rest_with(Admin, "HEAD", path, Value::Null, headers).await.expect(status);
                assert_eq!((head.text.as_str(), head.header("proxy-status")), ("", answer.header("proxy-status")));
                assert!(!head.header("x-request-id").is_empty(), "{path}");
            }
        }
        server.get(Anonymous, "/expenses").await.expect(401).refused("PGRST302");
        assert_eq!(server.get(Anonymous, "/trees?select=id").await.text, r#"[{"id":1},{"id":2},{"id":3},{"id":4}]"#);
    })
    .await;
}

#[tokio::test]
async fn each_method_answers_as_it_is_preferred() {
    on_both(async |server| {
        let (new, name, full) = (tree("a"), json!({ "name": "a" }), json!({ "id": 1, "name": "a", "species": "s" }));
        let none = json!(null);
        let (one, all) = (r#"[{"name":"a"}]"#, r#"[{"name":"a"},{"name":"a"}]"#);
        let (minimal, headers, rows) = ("return=minimal", "return=headers-only", "return=representation");
        // Nothing of it stays, so that each request finds the same rows.
        for (method, query, body, prefer, status, text, range) in [
            ("POST", "?select=name", &new, "", 201, r#"{"name":"a"}"#, "*/*"),
            ("POST", "?select=name", &new, minimal, 201, "", "*/*"),
            ("POST", "?select=name", &new, headers, 201, "", "*/*"),
            ("POST", "?select=name", &new, rows, 201, one, "*/*"),
            ("POST", "?select=name", &json!([new, new]), "", 201, "", "*/*"),
            ("POST", "?select=name", &json!([new, new]), "return=minimal, count=exact", 201, "", "*/2"),
            ("POST", "?select=name", &json!([new, new]), rows, 201, all, "*/*"),
            ("POST", "?select=name", &json!([]), rows, 201, "[]", "*/*"),
            ("POST", "?select=name", &json!([full]), "resolution=merge-duplicates", 200, "", "*/*"),
            ("POST", "?select=name", &json!([full]), "resolution=ignore-duplicates", 201, "", "*/*"),
            ("PATCH", "?id=lt.3&select=name", &name, "", 204, "", "0-1/*"),
            ("PATCH", "?id=lt.3&select=name", &name, minimal, 204, "", "0-1/*"),
            ("PATCH", "?id=lt.3&select=name", &name, headers, 204, "", "0-1/*"),
            ("PATCH", "?id=lt.3&select=name", &name, rows, 200, all, "0-1/*"),
            ("PATCH", "?id=lt.3&select=name", &name, "count=exact", 204, "", "0-1/2"),
            ("PATCH", "?id=gt.9&select=name", &name, "", 204, "", "*/*"),
            ("PATCH", "?id=gt.9&select=name", &name, rows, 200, "[]", "*/*"),
            ("PATCH", "?id=lt.3&select=name", &json!({}), rows, 200, "[]", "*/*"),
            ("PUT", "?id=eq.1&select=name", &full, "", 204, "", ""),
            ("PUT", "?id=eq.1&select=name", &full, minimal, 204, "", ""),
            ("PUT", "?id=eq.1&select=name", &full, headers, 204, "", ""),
            ("PUT", "?id=eq.1&select=name", &full, rows, 200, one, ""),
            ("DELETE", "?id=lt.3&select=id", &none, "", 204, "", "*/*"),
            ("DELETE", "?id=lt.3&select=id", &none, minimal, 204, "", "*/*"),
            ("DELETE", "?id=lt.3&select=id", &none, "return=headers-only, count=exact", 204, "", "*/2"),
            ("DELETE", "?id=lt.3&select=id", &none, rows, 200, r#"[{"id":1},{"id":2}]"#, "*/*"),
            ("DELETE", "?id=gt.9&select=id", &none, "", 204, "", "*/*"),
            ("DELETE", "?id=gt.9&select=id", &none, rows, 200, "[]", "*/*"),
        ] {
            let asked = [("prefer", "tx=rollback"), ("prefer", prefer)];
            let answer = ask(server, method, query, body, &asked).await.expect(status);
            assert_eq!((answer.text.as_str(), answer.header("content-range")), (text, range), "{method} {prefer}");
            assert_eq!(answer.header("content-type").is_empty(), text.is_empty(), "{method} {prefer}");
            let location = answer.header("location");
            let item = method == "POST" && body.is_object();
            match prefer {
                "" | "return=representation" if item => assert!(location.starts_with("/trees/"), "{location}"),
                "return=headers-only" if item => assert!(location.starts_with("/trees?id=eq."), "{location}"),
                _ => assert_eq!(location, "", "{method} {prefer}"),
            }
            assert!(!answer.header("x-request-id").is_empty(), "{method} {prefer}");
        }
        assert_eq!(server.get(Anonymous, "/trees?select=id").await.text, r#"[{"id":1},{"id":2},{"id":3},{"id":4}]"#);
    })
    .await;
}

/// In one order, whatever the client's, and without what had no meaning for the request.
#[tokio::test]
async fn what_applies_is_told_and_nothing_else() {
    on_both(async |server| {
        let all = "max-affected=5, timezone=UTC, handling=lenient, tx=rollback, count=exact, return=minimal, \
                   missing=default, resolution=merge-duplicates";
        let strict = "max-affected=5, handling=strict, tx=rollback, count=exact, return=minimal, missing=default, \
                      resolution=merge-duplicates";
        let (new, name, none) = (tree("a"), json!({ "name": "a" }), json!(null));
        for (method, query, body, prefer, applied) in [
            ("GET", "", &none, all, "count=exact, handling=lenient"),
            ("GET", "", &none, strict, "count=exact, handling=strict"),
            ("HEAD", "", &none, all, "count=exact, handling=lenient"),
            ("GET", "", &none, "return=minimal", ""),
            ("GET", "", &none, "count=planned, count=exact", "count=planned"),
            ("GET", "", &none, "count=many", ""),
            ("GET", "/1", &none, all, "handling=lenient"),
            ("GET", "/1", &none, "count=exact", ""),
            (
                "POST",
                "?columns=name,species",
                &new,
                all,
                "resolution=merge-duplicates, missing=default, return=minimal, count=exact, tx=rollback, \
                 handling=lenient",
            ),
            (
                "POST",
                "",
                &new,
                strict,
                "resolution=merge-duplicates, return=minimal, count=exact, tx=rollback, handling=strict",
            ),
            ("PATCH", "?id=eq.1", &name, all, "return=minimal, count=exact, tx=rollback, handling=lenient"),
            (
                "PATCH",
                "?id=eq.1&columns=name",
                &name,
                strict,
                "missing=default, return=minimal, count=exact, tx=rollback, handling=strict, max-affected=5",
            ),
            ("PATCH", "/1", &name, strict, "return=minimal, tx=rollback, handling=strict, max-affected=5"),
            ("PUT", "?id=eq.1", &new, strict, "return=minimal, tx=rollback, handling=strict"),
            (
                "DELETE",
                "?id=eq.1",
                &none,
                strict,
                "return=minimal, count=exact, tx=rollback, handling=strict, max-affected=5",
            ),
            ("DELETE", "/1", &none, all, "return=minimal, tx=rollback, handling=lenient"),
        ] {
            // One list, or a header for each.
            let each: Vec<_> = prefer.split(", ").map(|preference| ("prefer", preference)).collect();
            for headers in [&[("prefer", prefer)][..], &each] {
                let answer = ask(server, method, query, body, headers).await;
                assert!(answer.status < 300, "{}: {}", answer.request, answer.text);
                assert_eq!(answer.header("preference-applied"), applied, "{}", answer.request);
            }
        }
    })
    .await;
}

/// Of new rows a part may be told: all of them are written, counted, and stay.
#[tokio::test]
async fn a_limit_is_of_the_new_rows_that_are_told() {
    on_both(async |server| {
        let rows = json!([tree("b"), tree("c"), tree("a")]);
        let full = "return=representation, count=exact, tx=rollback";
        for (query, accept, text) in [
            ("?select=name&limit=1", "*/*", r#"[{"name":"b"}]"#),
            ("?select=name&limit=1", OBJECT, r#"{"name":"b"}"#),
            ("?select=name&limit=9&offset=1", "*/*", r#"[{"name":"c"},{"name":"a"}]"#),
            ("?select=name&order=name&limit=1&offset=1", OBJECT, r#"{"name":"b"}"#),
            ("?select=name&order=name.desc&limit=2", "text/csv", "name\nc\nb"),
            ("?select=name&offset=3", "*/*", "[]"),
            ("?select=name&limit=0", "*/*", "[]"),
            ("?select=name&limit=0", "text/csv", "name"),
        ] {
            let answer = ask(server, "POST", query, &rows, &[("accept", accept), ("prefer", full)]).await.expect(201);
            assert_eq!((answer.text.as_str(), answer.header("content-range")), (text, "*/3"), "{query} {accept}");
            assert_eq!(answer.header("location"), "");
        }
        for (query, accept, text) in
            [("?select=name&limit=1", OBJECT, r#"{"name":"b"}"#), ("?select=name&limit=0", "*/*", "[]")]
        {
            let headers = [("accept", accept), ("prefer", full)];
            let answer = ask(server, "POST", query, &tree("b"), &headers).await.expect(201);
            assert_eq!((answer.text.as_str(), answer.header("content-range")), (text, "*/1"), "{query}");
            assert!(answer.header("location").starts_with("/trees/"));
        }
        // What must be one row, is one of those that are told.
        let headers = [("accept", OBJECT), ("prefer", "return=representation")];
        for query in ["?limit=2", "?offset=3", "?limit=0"] {
            ask(server, "POST", query, &rows, &headers).await.expect(406).refused("PGRST116");
        }
        // Where no list is told, and where a limit would have to be of what is written, there is none.
        for (method, query, body, prefer, status, code) in [
            ("POST", "?limit=1", &tree("b"), "", 400, "PGRST100"),
            ("POST", "?offset=1", &rows, "return=minimal", 400, "PGRST100"),
            ("POST", "?limit=-1", &rows, "return=representation", 416, "PGRST103"),
            ("POST", "?limit=x", &rows, "return=representation", 400, "PGRST100"),
            ("POST", "?cursor=x", &rows, "return=representation", 400, "PGRST100"),
            ("PATCH", "?id=gt.1&limit=1", &tree("b"), "return=representation", 400, "PGRST100"),
            ("DELETE", "?id=gt.1&limit=1", &Value::Null, "return=representation", 400, "PGRST100"),
            ("PUT", "?id=eq.1&limit=1", &tree("b"), "return=representation", 400, "PGRST114"),
        ] {
            ask(server, method, query, body, &[("prefer", prefer)]).await.expect(status).refused(code);
        }
        assert_eq!(server.get(Anonymous, "/trees?select=id").await.text, r#"[{"id":1},{"id":2},{"id":3},{"id":4}]"#);
    })
    .await;
}

/// Whoever is slow, the answer says whose fault it is.
#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let setup = || Setup {
        configure: |config| config.http.request_timeout = std::time::Duration::from_millis(500),
        ..Setup::default()
    };
    on_both_with(setup, async |server| {
        let token = &server.person(Admin).token;
        for path in ["/trees", "/auth/login", "/graphql"] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\ncontent-length: 99\r\n\r\n{{"
            );
            assert_eq!(server.raw(head.as_bytes()).await, Some(408), "{path}");
        }
        // What is refused without it, is not waited for.
        let unread = "DELETE /leaves/1/2 HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{";
        assert_eq!(server.raw(unread.as_bytes()).await, Some(404));
    })
    .await;
}
