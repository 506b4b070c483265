//! Bodies of writes: JSON, CSV and forms; which of their members are written, and what those are that a row lacks.

use super::quotas::with_quotas;
use crate::support::{Caller::*, Server, on_both};
use serde_json::{Value, json};

const CSV: &str = "text/csv";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const FULL: &str = "return=representation";

async fn send(
    server: &Server,
    method: &str,
    path: &str,
    media: &str,
    body: &str,
    prefer: &str,
) -> crate::support::Answer {
    let request = server.request(User, method, path).header("content-type", media).header("prefer", prefer);
    server.send(request.body(body.to_owned())).await
}

async fn count(server: &Server) -> usize {
    server.get(Admin, "/quotas").await.expect(200).json().as_array().expect("rows").len()
}

#[tokio::test]
async fn a_body_that_cannot_be_read_writes_nothing() {
    with_quotas(async |server| {
        for (media, body, status, code, message) in [
            (JSON, "", 400, "PGRST102", "Empty or invalid json"),
            (JSON, "{", 400, "PGRST102", "Empty or invalid json"),
            (JSON, r#"[{"name":"a"},{"name":"b","amount":1}]"#, 400, "PGRST102", "All object keys must match"),
            (CSV, "", 400, "PGRST102", "The body is no CSV"),
            (CSV, "name,amount\na,1\nb\n", 400, "PGRST102", "All lines must have same number of fields"),
            (CSV, "name,name\na,b\n", 400, "PGRST102", "A column is there twice"),
            (CSV, "name,amount\na,1\nb,NULL\n", 422, "23514", "1.amount must not be null"),
            (CSV, "name,amount\na,1\nb,\n", 422, "23514", ""),
            (CSV, "name,nam\na,b\n", 422, "PGRST204", ""),
            (FORM, "name=a&name=b", 400, "PGRST102", "A column is there twice"),
            (FORM, "name=a&amount=x", 422, "23514", ""),
            (FORM, "name=%ff", 400, "PGRST102", ""),
            (FORM, "name=a\0", 400, "PGRST102", ""),
            (FORM, "name=%00", 400, "PGRST102", ""),
            (FORM, "na\0me=a", 400, "PGRST102", ""),
            (CSV, "name\na\0\n", 422, "23514", ""),
            (CSV, "na\0me\na\n", 422, "PGRST204", ""),
            (JSON, r#"{"name":"a\u0000"}"#, 422, "23514", ""),
            ("text/plain", "name", 415, "PGRST107", ""),
            ("multipart/form-data; boundary=x", "--x--", 415, "PGRST107", ""),
        ] {
            let answer = send(server, "POST", "/quotas", media, body, "").await.expect(status).refused(code);
            assert!(message.is_empty() || answer.failure().message == message, "{media} {body}: {}", answer.text);
        }
        let big = format!("name\n{}", "x\n".repeat(1 << 20));
        send(server, "POST", "/quotas", CSV, &big, "").await.expect(413);
        assert_eq!(count(server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn lines_of_csv_are_rows_whose_columns_read_their_texts() {
    with_quotas(async |server| {
        let body = "name,amount,code,shared\r\n\"a, \"\"1\"\"\",5,NULL,true\r\nb,6,\"\",false\r\n";
        let path = "/quotas?select=name,amount,code,shared";
        let answer = send(server, "POST", path, "Text/CSV; charset=utf-8", body, FULL).await.expect(201);
        let expected = json!([
            { "name": "a, \"1\"", "amount": 5, "code": null, "shared": true },
            { "name": "b", "amount": 6, "code": "", "shared": false },
        ]);
        assert_eq!(answer.json(), expected);
        assert_eq!(send(server, "POST", path, CSV, "name\n", FULL).await.expect(201).text, "[]");
        // A line is what a list of one is.
        let answer = send(server, "POST", "/quotas", CSV, "name\nc\n", "").await.expect(201);
        assert_eq!((answer.text.as_str(), answer.header("location")), ("", ""));
        let answer = send(server, "PATCH", "/quotas?name=eq.c&select=amount", CSV, "amount\n8\n", FULL).await;
        assert_eq!(answer.expect(200).json(), json!([{ "amount": 8 }]));
        send(server, "PATCH", "/quotas?name=eq.c", CSV, "amount\n8\n9\n", "").await.expect(400).refused("PGRST102");
    })
    .await;
}

#[tokio::test]
async fn a_form_is_one_row() {
    on_both(async |server| {
        let form = "title=Tea+%26+cake&amount=4.50&spent_on=2026-02-03";
        let answer = send(server, "POST", "/expenses?select=title,amount,spent_on,category", FORM, form, "").await;
        let expected = r#"{"title":"Tea & cake","amount":4.50,"spent_on":"2026-02-03","category":null}"#;
        assert_eq!(answer.expect(201).text, expected);
        let made = server.rest(User, "POST", "/expenses", json!({ "title": "x", "amount": 1 })).await.expect(201);
        let path = made.header("location").to_owned();
        let answer = send(server, "PATCH", &path, FORM, "title=y", "").await.expect(200);
        assert_eq!(answer.json()["title"], "y");
        send(server, "PATCH", &path, FORM, "amount=1.005", "").await.expect(422).saying("amount");
    })
    .await;
}

/// A name takes four bytes of a URL and a row two of a body: together they would be more values than there is room for.
#[tokio::test]
async fn columns_make_no_more_of_a_body_than_it_is() {
    with_quotas(async |server| {
        let names = vec!["name"; 5_000].join(",");
        let row = json!([{ "name": "a", "code": "x" }]);
        let path = format!("/quotas?columns={names}&select=name,code");
        let answer = server.rest_with(User, "POST", &path, row, &[("prefer", FULL)]).await.expect(201);
        assert_eq!(answer.json(), json!([{ "name": "a", "code": null }]));
        let rows = format!("[{}]", vec!["{}"; 300_000].join(","));
        let refused = send(server, "POST", &path, JSON, &rows, "").await.expect(400).refused("54001");
        assert_eq!(refused.failure().message, "A request adds at most 10000 rows, and this one has 300000");
        assert_eq!(count(server).await, 1);
    })
    .await;
}

#[tokio::test]
async fn columns_say_which_members_are_written() {
    with_quotas(async |server| {
        for path in ["/quotas?columns=name,nam", "/quotas?columns=\"nam\"", "/quotas?columns=password_hash"] {
            let answer = server.rest(User, "POST", path, json!({ "name": "a" })).await.expect(400).refused("PGRST204");
            assert!(answer.failure().message.starts_with("Could not find the '"), "{}", answer.text);
            assert!(answer.failure().message.ends_with("' column of 'quotas' in the schema cache"), "{}", answer.text);
        }
        let answer = server.rest(User, "POST", "/quotas?columns=nam", json!({ "name": "a" })).await;
        assert_eq!(answer.failure().hint, "Did you mean \"name\"?");
        // What is named and may not be written.
        server.rest(User, "POST", "/quotas?columns=name,owner_id", json!({ "name": "a" })).await.expect(422);
        let full = |path: &'static str, prefer: &'static str, body: Value| async move {
            server.rest_with(User, "POST", path, body, &[("prefer", prefer)]).await
        };
        // As postgrest-js sends it: quoted, and rows with different members.
        let rows = json!([{ "name": "a", "amount": 3 }, { "name": "b", "ignored": true }]);
        let path = "/quotas?columns=\"name\",\"amount\"&select=name,amount";
        let answer = full(path, "return=representation", rows.clone()).await.expect(422);
        assert_eq!(answer.failure().message, "1.amount must not be null");
        let prefer = "missing=default, return=representation";
        let answer = full(path, prefer, rows).await.expect(201);
        assert_eq!(answer.json(), json!([{ "name": "a", "amount": 3 }, { "name": "b", "amount": 1 }]));
        assert_eq!(answer.header("preference-applied"), prefer);
        // Where a column may be null, it is.
        let path = "/quotas?columns=name,code&select=name,code,amount";
        let rows = json!([{ "name": "c", "code": "c", "amount": 9 }, { "name": "d" }]);
        let answer = full(path, "missing=null, return=representation", rows).await.expect(201);
        let expected = json!([{ "name": "c", "code": "c", "amount": 1 }, { "name": "d", "code": null, "amount": 1 }]);
        assert_eq!(answer.json(), expected);
        // Without columns it means nothing: what a row lacks is what it is by default.
        let answer = full("/quotas?select=amount", prefer, json!([{ "name": "e" }])).await.expect(201);
        assert_eq!((answer.json(), answer.header("preference-applied")), (json!([{ "amount": 1 }]), FULL));
        let patch = async |path: &str| {
            let body = json!({ "amount": 7, "code": "x", "more": 1 });
            server.rest_with(User, "PATCH", path, body, &[("prefer", FULL)]).await
        };
        let answer = patch("/quotas?name=eq.c&columns=amount&select=amount,code").await.expect(200);
        assert_eq!(answer.json(), json!([{ "amount": 7, "code": "c" }]));
        patch("/quotas?name=eq.c&columns=amout").await.expect(400).refused("PGRST204");
    })
    .await;
}
