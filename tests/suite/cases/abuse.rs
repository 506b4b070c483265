//! What scanners and published attacks on GraphQL servers try, each by its cause.

use crate::support::{Answer, Caller::*, Server, on_both};
use serde_json::{Value, json};

const MUTATION: &str = r#"mutation { createExpense(input: { title: "x", amount: 1 }) { id } }"#;

/// The most bytes that an answer to a document has which is refused.
const MAX_REFUSAL: usize = 64 * 1024;

async fn ask(server: &Server, query: &str) -> Answer {
    server.graphql(User, query, Value::Null).await
}

#[track_caller]
fn too_much(answer: Answer) {
    assert!(answer.json().get("data").is_none_or(Value::is_null), "{:.300}", answer.text);
    assert!(answer.text.len() < MAX_REFUSAL, "{} bytes", answer.text.len());
    answer.refused("COST_LIMIT_EXCEEDED");
}

fn repeated(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

#[tokio::test]
async fn alias_overloading() {
    on_both(async |server| {
        let aliases = repeated(2_000, |n| format!("a{n}: trees(first: 1) {{ nodes {{ id }} }} "));
        too_much(ask(server, &format!("{{ {aliases} }}")).await);
        let logins =
            repeated(600, |n| format!("l{n}: login(input: {{ email: \"a@b.c\", password: \"x\" }}) {{ tokenType }} "));
        too_much(ask(server, &format!("mutation {{ {logins} }}")).await);
    })
    .await;
}

#[tokio::test]
async fn array_batching() {
    on_both(async |server| {
        let body = Value::Array(vec![json!({ "query": MUTATION }); 10]);
        server.rest(User, "POST", "/graphql", body).await.expect(400).refused("BAD_USER_INPUT");
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 0);
    })
    .await;
}

/// CVE-2024-47614.
#[tokio::test]
async fn directive_overloading() {
    on_both(async |server| {
        too_much(ask(server, &format!("{{ __typename {} }}", "@skip(if: false) ".repeat(1_000))).await);
        too_much(ask(server, &format!("{{ __typename {} }}", "@aa ".repeat(5_000))).await);
    })
    .await;
}

/// CVE-2023-49559.
#[tokio::test]
async fn large_answers_to_unknown_directives_and_names() {
    on_both(async |server| {
        let long = "x".repeat(30_000);
        for query in [
            format!("{{ __typename {} }}", "@aa ".repeat(490)),
            format!("{{ {} }}", repeated(4_000, |n| format!("unknown{n} "))),
            format!("{{ tree(id: 1) {{ {} }} }}", repeated(4_000, |n| format!("{n}unknown "))),
            format!("{{ {long} }}"),
            format!("{{ tree(id: 1, {long}: 1) {{ {long} @{long} ...{long} }} }}"),
            format!("query ({}) {{ __typename }}", repeated(3_000, |n| format!("$v{n}: Int "))),
            format!("{{ {} }}", repeated(2_000, |n| format!("...F{n} "))),
            format!("{{ trees(filter: {{ {long}: 1 }}) {{ totalCount }} }}"),
            format!("{{ trees(first: \"{long}\") {{ totalCount }} }}"),
        ] {
            let answer = ask(server, &query).await;
            assert!(answer.errors().len() <= 101, "{query:.60} {}", answer.errors().len());
            assert!(answer.text.len() < MAX_REFUSAL, "{query:.60} {} bytes", answer.text.len());
            assert!(answer.json().get("data").is_none(), "{query:.60}");
        }
        let answer = ask(server, &format!("{{ {} }}", repeated(100, |n| format!("unknown{n} ")))).await;
        assert_eq!(answer.errors().last().expect("errors")["message"], "80 more errors are not told");
        let variables = json!({ "f": { &long: 1 } });
        let query = "query ($f: TreeFilter) { trees(filter: $f) { totalCount } }";
        let answer = server.graphql(User, query, variables).await.refused("BAD_USER_INPUT");
        assert!(answer.text.len() < MAX_REFUSAL + 2 * long.len(), "{} bytes", answer.text.len());
    })
    .await;
}

/// CVE-2024-39895: a field that is written often is one field.
#[tokio::test]
async fn field_duplication() {
    on_both(async |server| {
        let query = format!("{{ tree(id: 1) {{ {} }} }}", "name ".repeat(1_500));
        assert_eq!(ask(server, &query).await.data(), json!({ "tree": { "name": "Banyan" } }));
        let query = format!("{{ tree(id: 1) {{ name }} {} }}", "tree(id: 1) { name } ".repeat(300));
        assert_eq!(ask(server, &query).await.data(), json!({ "tree": { "name": "Banyan" } }));
        too_much(ask(server, &format!("{{ tree(id: 1) {{ {} }} }}", "name ".repeat(30_000))).await);
    })
    .await;
}

#[tokio::test]
async fn circular_introspection() {
    on_both(async |server| {
        let nest = |times: usize| {
            let (open, close) = ("fields { type { ".repeat(times), "} } ".repeat(times));
            format!("{{ __schema {{ types {{ {open} name {close} }} }} }}")
        };
        for times in [4, 8, 20] {
            too_much(ask(server, &nest(times)).await);
        }
    })
    .await;
}

/// GHSA-224p-v68g-5g8f: what is called like introspection is not deeper for it.
#[tokio::test]
async fn depth_under_a_name_of_introspection() {
    on_both(async |server| {
        let open = "expenses(first: 1) { nodes { user { ".repeat(5);
        let close = "} } } ".repeat(5);
        too_much(ask(server, &format!("{{ __schema: me {{ {open} id {close} }} }}")).await);
        too_much(ask(server, &format!("query __schema {{ me {{ {open} id {close} }} }}")).await);
        too_much(
            ask(server, &format!("{{ me {{ ...__schema }} }} fragment __schema on User {{ {open} id {close} }}")).await,
        );
        let twice = format!("{{ __schema {{ queryType {{ name }} }} me {{ {open} id {close} }} }}");
        too_much(ask(server, &twice).await);
    })
    .await;
}

/// RUSTSEC-2022-0037, CVE-2022-31173, CVE-2026-47706, CVE-2026-34573.
#[tokio::test]
async fn circular_and_doubling_fragments() {
    on_both(async |server| {
        for query in [
            "{ ...A } fragment A on Query { ...A }".to_owned(),
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
            "{ tree(id: 1) { ...A } } fragment A on Tree { id ...B } fragment B on Tree { name ...A }".to_owned(),
            format!(
                "{{ ...F0 }} {} fragment F40 on Query {{ __typename }}",
                repeated(40, |n| format!("fragment F{n} on Query {{ ...F{m} ...F{m} }} ", m = n + 1))
            ),
        ] {
            let answer = ask(server, &query).await;
            assert!(
                ["COST_LIMIT_EXCEEDED", "GRAPHQL_VALIDATION_FAILED"].contains(&&*answer.failure().code),
                "{}",
                answer.text
            );
        }
        ask(server, "{ __typename }").await.data();
    })
    .await;
}

#[tokio::test]
async fn mutations_by_get() {
    on_both(async |server| {
        for query in [MUTATION, "mutation { __typename }"] {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
            server.get(User, &format!("/graphql?{query}")).await.expect(405);
            server.rest(User, "HEAD", &format!("/graphql?{query}"), Value::Null).await.expect(405);
        }
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 0);
    })
    .await;
}

/// GHSA-9q82-xgwf-vj6h: what a browser sends across origins without asking is not read.
#[tokio::test]
async fn forms_and_plain_text() {
    on_both(async |server| {
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", MUTATION).finish();
        let json = json!({ "query": MUTATION }).to_string();
        for (media, body) in [
            ("application/x-www-form-urlencoded", &form),
            ("application/x-www-form-urlencoded", &json),
            ("text/plain", &json),
            ("text/plain; application/json", &json),
            ("multipart/form-data; boundary=application/json", &json),
            ("application/graphql", &MUTATION.to_owned()),
            ("application/json, text/plain", &json),
            ("application/json; charset=utf-7", &json),
            ("application/json; charset=utf-16", &json),
        ] {
            server.text(User, "POST", "/graphql", media, body).await.expect(415).refused("BAD_USER_INPUT");
        }
        let both = server.request(User, "POST", "/graphql").header("content-type", "application/json");
        server.send(both.header("content-type", "text/plain").body(json)).await.expect(415);
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 0);
    })
    .await;
}

#[tokio::test]
async fn traces_and_debugging() {
    on_both(async |server| {
        let body = json!({ "query": "{ me { id } }", "extensions": { "tracing": true, "debug": true } });
        let headers =
            [("apollo-federation-include-trace", "ftv1"), ("x-apollo-tracing", "1"), ("apollographql-trace", "1")];
        let answer = server.rest_with(User, "POST", "/graphql", body, &headers).await.expect(200);
        assert!(answer.json().get("extensions").is_none(), "{}", answer.text);
        let refused = ask(server, "{ leaves }").await;
        for word in ["stack", "exception", "src/", ".rs"] {
            assert!(!refused.text.contains(word), "{}", refused.text);
        }
    })
    .await;
}
