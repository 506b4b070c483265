//! GraphQL over HTTP: which bodies are read, which media types are answered, which status an outcome has.

use crate::support::{Answer, Caller::*, Server, on_both};
use serde_json::{Value, json};

const RESPONSE: &str = "application/graphql-response+json";

async fn accepting(server: &Server, accept: &str, query: &str) -> Answer {
    server.rest_with(Anonymous, "POST", "/graphql", json!({ "query": query }), &[("accept", accept)]).await
}

#[tokio::test]
async fn the_answers_media_type_is_the_one_that_is_liked_best() {
    on_both(async |server| {
        let json = "application/json; charset=utf-8";
        let response = "application/graphql-response+json; charset=utf-8";
        for (accept, media) in [
            ("*/*", json),
            ("application/json", json),
            ("application/*", json),
            (RESPONSE, response),
            ("application/graphql-response+json, application/json;q=0.9", response),
            ("application/json;q=0.5, application/graphql-response+json", response),
            ("text/html, application/json;q=0.1", json),
            ("APPLICATION/JSON", json),
        ] {
            let answer = accepting(server, accept, "{ tree(id: 1) { id } }").await.expect(200);
            assert_eq!(answer.header("content-type"), media, "{accept}");
            assert_eq!((answer.header("vary"), answer.header("cache-control")), ("Accept", "no-store"));
            assert_eq!(answer.data(), json!({ "tree": { "id": "1" } }));
        }
        for accept in [
            "text/html",
            "image/*",
            "application/json;q=0",
            "*/*;q=0",
            "text/event-stream, multipart/mixed",
            "application/json; charset=iso-8859-1",
        ] {
            let refused =
                accepting(server, accept, "{ tree(id: 1) { id } }").await.expect(406).refused("BAD_USER_INPUT");
            assert!(refused.json().get("data").is_none());
        }
        let hostile = "a/b;q=0.1,".repeat(10_000);
        accepting(server, &hostile, "{ tree(id: 1) { id } }").await.expect(406);
    })
    .await;
}

/// `application/json` is 200 for every well-formed request; the newer media type tells by the status.
#[tokio::test]
async fn what_did_not_run_is_400_in_the_newer_media_type_and_200_in_the_older() {
    on_both(async |server| {
        for (document, code) in [
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("nonsense", "GRAPHQL_PARSE_FAILED"),
            ("{ trees { nodes { id } }", "GRAPHQL_PARSE_FAILED"),
            ("{}", "GRAPHQL_PARSE_FAILED"),
            ("query { }", "GRAPHQL_PARSE_FAILED"),
            ("{ leaves { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ trees }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1) }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1) { id { x } } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1, colour: 2) { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1) { ...F } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1) { ...F } } fragment F on Tree { ...F id }", "COST_LIMIT_EXCEEDED"),
            ("{ tree(id: 1) { id @nothing } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ __typename @nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ __typename @skip }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1) { __typename(x: 1) } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1) { ...F } } fragment F on Tree { __typename { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1) { id } } fragment F on Tree { id }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ tree(id: 1) { ... on Expense { id } } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { treeChanged { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("mutation { plantTree { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("query A { me { id } } query B { me { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ] {
            let older = accepting(server, "application/json", document).await.expect(200).refused(code);
            let newer = accepting(server, RESPONSE, document).await.expect(400).refused(code);
            for answer in [older, newer] {
                assert!(answer.json().get("data").is_none(), "{}", answer.text);
                assert!(answer.errors()[0]["message"].is_string());
            }
        }
        // What ran and failed is 200 in both.
        for accept in ["application/json", RESPONSE] {
            let answer = accepting(server, accept, "{ expenses { totalCount } }").await.expect(200);
            assert_eq!(answer.refused("UNAUTHENTICATED").json()["data"], Value::Null);
        }
        // A parse error says where.
        let answer = accepting(server, RESPONSE, "{ tree(id: 1) { id }\n  ] }").await;
        assert_eq!(answer.errors()[0]["locations"][0]["line"], 2, "{}", answer.text);
    })
    .await;
}

/// A browser sends other types across origins without asking.
#[tokio::test]
async fn only_json_is_read() {
    on_both(async |server| {
        let body = r#"{"query":"{ tree(id: 1) { id } }"}"#;
        for media in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/graphql",
            "application/json; charset=latin1",
            "application/json2",
            "json",
        ] {
            server.text(Anonymous, "POST", "/graphql", media, body).await.expect(415);
        }
        server.send(server.request(Anonymous, "POST", "/graphql").body(body)).await.expect(415);
        for media in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
            server.text(Anonymous, "POST", "/graphql", media, body).await.expect(200).data();
        }
        for (body, says) in [
            ("", "no GraphQL request"),
            ("{", "no GraphQL request"),
            ("null", "no GraphQL request"),
            ("7", "no GraphQL request"),
            ("\"{ me { id } }\"", "no GraphQL request"),
            (r#"{"query":7}"#, "no GraphQL request"),
            (r#"{"query":["{ me { id } }"]}"#, "no GraphQL request"),
            (r#"{"query":"{ me { id } }","operationName":7}"#, "no GraphQL request"),
            (r#"{"query":"{ me { id } }"} again"#, "no GraphQL request"),
            (r#"{"query":"{ me { id } }","query":"{ me { name } }"}"#, "no GraphQL request"),
            ("\u{feff}{\"query\":\"{ me { id } }\"}", "no GraphQL request"),
            (r#"{"query":"{ me { id } }","variables":[]}"#, "\\\"variables\\\" must be a JSON object"),
            (r#"{"query":"{ me { id } }","variables":"{}"}"#, "\\\"variables\\\" must be a JSON object"),
            (r#"{"query":"{ me { id } }","extensions":[]}"#, "\\\"extensions\\\" must be a JSON object"),
            (r#"{"query":"{ me { id } }","extensions":7}"#, "\\\"extensions\\\" must be a JSON object"),
            ("{}", "needs the member"),
            (r#"{"query":null}"#, "needs the member"),
            (r#"{"query":""}"#, "needs the member"),
            (r#"{"Query":"{ me { id } }"}"#, "needs the member"),
            (r#"[{"query":"{ me { id } }"}]"#, "Batches"),
            ("[]", "Batches"),
        ] {
            server.text(Anonymous, "POST", "/graphql", "application/json", body).await.expect(400).saying(says);
        }
        let invalid = server.request(Anonymous, "POST", "/graphql").header("content-type", "application/json");
        server.send(invalid.body(vec![b'{', 0xff, b'}'])).await.expect(400);
        // Members that nobody knows are ignored, and null is as if it were not there.
        let body =
            r#"{"query":"{ tree(id: 1) { id } }","variables":null,"operationName":null,"extensions":{"a":[1]},"x":7}"#;
        server.text(Anonymous, "POST", "/graphql", "application/json", body).await.data();
        // The byte order mark is no part of JSON (RFC 8259, section 8.1); a document may begin with one.
        let body = "{\"query\":\"\\ufeff{ tree(id: 1) { id } }\"}";
        server.text(Anonymous, "POST", "/graphql", "application/json", body).await.data();
    })
    .await;
}

#[tokio::test]
async fn queries_may_come_by_get_and_mutations_may_not() {
    on_both(async |server| {
        let encode = |pairs: &[(&str, &str)]| {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            format!("/graphql?{query}")
        };
        let document = "query Q($id: ID!) { tree(id: $id) { name } }";
        for pairs in [
            vec![("query", "{ tree(id: 1) { name } }")],
            vec![("query", document), ("variables", r#"{"id":1}"#)],
            vec![("query", document), ("variables", r#"{"id":"1"}"#), ("operationName", "Q"), ("extensions", "{}")],
            vec![("query", "{ tree(id: 1) { name } }"), ("variables", ""), ("operationName", "")],
            vec![("query", "{ tree(id: 1) { name } }"), ("variables", "null")],
        ] {
            let answer = server.get(Anonymous, &encode(&pairs)).await.expect(200);
            assert_eq!(answer.data(), json!({ "tree": { "name": "Banyan" } }), "{pairs:?}");
        }
        let path = encode(&[("query", "{ me { name } }")]);
        assert_eq!(server.get(User, &path).await.data()["me"]["name"], "Ann");
        let head = server.rest(Anonymous, "HEAD", &path, Value::Null).await.expect(200);
        assert_eq!(head.text, "");

        let mutation = r#"mutation { createExpense(input: { title: "x", amount: 1 }) { id } }"#;
        for accept in ["application/json", RESPONSE] {
            let path = encode(&[("query", mutation)]);
            let answer = server.rest_with(User, "GET", &path, Value::Null, &[("accept", accept)]).await.expect(405);
            assert_eq!(answer.header("allow"), "POST");
            let both = encode(&[("query", &format!("{mutation} query Q {{ me {{ id }} }}"))]);
            let answer = server.rest_with(User, "GET", &both, Value::Null, &[("accept", accept)]).await;
            assert_ne!(answer.status, 500);
        }
        let named = encode(&[
            ("query", &format!("{}  query Q {{ me {{ name }} }}", mutation.replace("mutation", "mutation M"))),
            ("operationName", "Q"),
        ]);
        assert_eq!(server.get(User, &named).await.data()["me"]["name"], "Ann");
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 0);
        for path in ["/graphql", "/graphql?", "/graphql?query=", "/graphql?variables=%7B%7D"] {
            server.get(Anonymous, path).await.expect(400);
        }
        let query = ("query", "{ tree(id: 1) { name } }");
        for pairs in [
            vec![query, ("variables", "{")],
            vec![query, ("variables", "[]")],
            vec![query, ("variables", "{} {}")],
            vec![query, ("extensions", "{")],
            vec![query, ("extensions", "7")],
            // Who reads the first one, and who the last?
            vec![query, query],
            vec![query, ("variables", "{}"), ("variables", "{}")],
            vec![query, ("operationName", ""), ("operationName", "Q")],
        ] {
            let refused = server.get(Anonymous, &encode(&pairs)).await.expect(400).refused("BAD_USER_INPUT");
            assert_eq!(refused.header("cache-control"), "no-store", "{pairs:?}");
        }
        for method in ["PUT", "DELETE", "PATCH"] {
            let answer =
                server.rest(Anonymous, method, "/graphql", json!({ "query": "{ me { id } }" })).await.expect(405);
            assert!(answer.header("allow").contains("POST"), "{method}");
        }
    })
    .await;
}

/// Depth, cost and the number of fields are found before anything runs.
#[tokio::test]
async fn an_operation_that_asks_too_much_is_refused_whole() {
    on_both(async |server| {
        let nest = |times: usize| {
            let open = "expenses(first: 1) { nodes { user { ".repeat(times);
            format!("{{ me {{ {open} id {} }} }}", "} } } ".repeat(times))
        };
        server.data(User, &nest(3)).await;
        for document in [
            nest(4),
            nest(200),
            nest(2000),
            "{ me { expenses(first: 100) { nodes { user { expenses(first: 100) { nodes { id } } } } } } }".to_owned(),
            format!(
                "{{ {} }}",
                (0..600).map(|n| format!("t{n}: trees(first: 100) {{ nodes {{ id }} }}")).collect::<String>()
            ),
            format!("{{ {} }}", (0..6000).map(|n| format!("t{n}: tree(id: 1) {{ id }} ")).collect::<String>()),
            // Fragments that double themselves: 2^30 fields.
            format!(
                "{{ tree(id: 1) {{ ...F0 }} }} {} fragment F30 on Tree {{ id }}",
                (0..30).map(|n| format!("fragment F{n} on Tree {{ ...F{m} ...F{m} }} ", m = n + 1)).collect::<String>()
            ),
            // Fragments in a row, each in the one before; and such as no operation spreads.
            format!(
                "{{ tree(id: 1) {{ ...F0 }} }} {} fragment F9000 on Tree {{ id }}",
                (0..9000).map(|n| format!("fragment F{n} on Tree {{ ...F{} }} ", n + 1)).collect::<String>()
            ),
            format!(
                "{{ tree(id: 1) {{ id }} }} {} fragment F30 on Tree {{ id }}",
                (0..30).map(|n| format!("fragment F{n} on Tree {{ ...F{m} ...F{m} }} ", m = n + 1)).collect::<String>()
            ),
            "{ tree(id: 1) { ...F } } fragment F on Tree { ...F ...F id }".to_owned(),
        ] {
            let answer = server.graphql(User, &document, Value::Null).await;
            let code = answer.failure().code;
            assert!(
                ["COST_LIMIT_EXCEEDED", "GRAPHQL_PARSE_FAILED"].contains(&&*code),
                "{document:.200} {}",
                answer.text
            );
            assert!(answer.json()["data"].is_null());
        }
    })
    .await;
}
