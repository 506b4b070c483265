//! Bad input: whatever is sent, the answer is the sender's mistake to read, never 5xx, and nothing is written.

use super::ledger;
use crate::support::{Caller::*, Server, on_both};
use serde_json::{Value, json};

/// Texts that mean something to somebody: a shell, a URL, JSON, SQL, a template, a font.
fn nasty() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        ".",
        "..",
        "/",
        "\\",
        "'",
        "\"",
        "`",
        ";",
        "--",
        "/*",
        "%",
        "%25",
        "%00",
        "\u{0}",
        "\u{1}",
        "\n",
        "\r\n",
        "\t",
        "null",
        "true",
        "NaN",
        "Infinity",
        "-0",
        "1e999",
        "0x1",
        "1,2",
        "(",
        ")",
        "()",
        "((",
        "[",
        "]",
        "{",
        "}",
        "{}",
        "[]",
        "' or '1'='1",
        "'; drop table trees; --",
        "1; select pg_sleep(10)",
        "1 union select 1",
        "$1",
        "?1",
        ":name",
        "@x",
        "#",
        "&",
        "=",
        "*",
        "!",
        "^",
        "|",
        "~",
        "<script>",
        "{{7*7}}",
        "${7*7}",
        "../../etc/passwd",
        "%2e%2e%2f",
        "eq.",
        "eq",
        "not.",
        "not.not.eq.1",
        "in.",
        "in.(",
        "in.()",
        "is.",
        "is.x",
        "like.",
        "like.\\",
        "ilike.*\\",
        "and",
        "or",
        "not.and",
        "(and(or(",
        "ÿ",
        "ü",
        "\u{fffd}",
        "\u{feff}",
        "\u{202e}abc",
        "😀",
        "\u{d7ff}",
        "\u{e000}",
        "\u{10ffff}",
        "a\u{301}",
        "99999999999999999999",
        "-99999999999999999999",
        "9223372036854775807",
        "9223372036854775808",
        "2147483648",
        "0000000000000000000001",
        "1e5",
        "１",
        "00000000-0000-0000-0000-000000000000",
    ]
    .map(str::to_owned)
    .into();
    texts.push("x".repeat(7000));
    texts.push("(".repeat(3000));
    texts.push("and(".repeat(1000));
    texts.push("not.".repeat(1500));
    texts.push("1,".repeat(3000));
    texts
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// What is in the database, as an admin sees it.
pub(super) async fn state(server: &Server) -> Value {
    server
        .data(
            Admin,
            "{ trees(first: 100) { totalCount nodes { id name species } } users { totalCount nodes { id name role } }
        expenses(first: 100) { totalCount nodes { id title amount updatedAt } } }",
        )
        .await
}

#[tokio::test]
async fn urls() {
    on_both(async |server| {
        ledger::fill(server).await;
        let before = state(server).await;
        for text in nasty() {
            let text = encode(&text);
            for path in [
                format!("/{text}"),
                format!("/trees/{text}"),
                format!("/expenses/{text}"),
                format!("/trees/{text}/{text}"),
                format!("/trees?{text}"),
                format!("/trees?{text}={text}"),
                format!("/trees?id={text}"),
                format!("/trees?id=eq.{text}"),
                format!("/trees?id=in.({text})"),
                format!("/trees?name={text}"),
                format!("/trees?name=like.{text}"),
                format!("/trees?or={text}"),
                format!("/trees?or=({text})"),
                format!("/trees?or=(name.eq.{text})"),
                format!("/trees?select={text}"),
                format!("/trees?select=x:{text},{text}:id"),
                format!("/trees?order={text}"),
                format!("/trees?limit={text}"),
                format!("/trees?offset={text}"),
                format!("/expenses?amount=eq.{text}"),
                format!("/expenses?spent_on=gt.{text}"),
                format!("/expenses?created_at=lt.{text}"),
                format!("/expenses?id=in.({text})"),
                format!("/auth/{text}"),
                format!("/graphql?query={text}"),
                format!("/graphql?query=%7Bme%7Bid%7D%7D&variables={text}"),
                format!("/assets/{text}"),
            ] {
                let answer = server.get(User, &path).await;
                assert!(answer.status < 500, "{path}: {} {}", answer.status, answer.text);
            }
        }
        assert_eq!(state(server).await, before);
    })
    .await;
}

#[tokio::test]
async fn values_in_bodies_and_variables() {
    on_both(async |server| {
        ledger::fill(server).await;
        let before = state(server).await;
        let own = format!("/expenses/{}", ledger::key("a"));
        let mut values: Vec<Value> = nasty().into_iter().map(Value::String).collect();
        values.extend([json!(null), json!(true), json!(-1), json!(1.5), json!(1e308), json!(u64::MAX), json!([]), json!({}), json!([[[]]]), json!({ "eq": 1 }), json!([null])]);
        for value in values {
            // Each of them names a member that is not there, so that no good value can slip through.
            for body in [json!({ "title": value, "zzz": 1 }), json!({ "amount": value, "zzz": 1 }), json!({ "spent_on": value, "zzz": value }), value.clone()] {
                // A change of nothing is one, and so are no rows at all.
                if body == json!({}) || body == json!([]) {
                    continue;
                }
                for (method, path) in [("POST", "/expenses"), ("PUT", &own), ("PATCH", &own), ("POST", "/auth/register"), ("POST", "/auth/login"), ("PATCH", "/auth/me")] {
                    let answer = server.text(User, method, path, "application/json", &body.to_string()).await;
                    assert!((400..500).contains(&answer.status), "{}: {} {}", answer.request, answer.status, answer.text);
                }
            }
            for (document, variables) in [
                ("query ($v: ID!) { tree(id: $v) { id } expense(id: $v) { id } node(nodeId: $v) { nodeId } }", json!({ "v": value })),
                ("query ($v: TreeFilter) { trees(filter: $v) { nodes { id } } }", json!({ "v": value })),
                ("query ($v: String) { trees(filter: { name: { like: $v } }, after: $v) { nodes { id } } }", json!({ "v": value })),
                ("query ($v: Decimal, $d: Date, $t: DateTime) { expenses(filter: { amount: { eq: $v }, spentOn: { lt: $d }, createdAt: { gt: $t } }) { totalCount } }",
                    json!({ "v": value, "d": value, "t": value })),
                ("query ($v: [TreeOrderBy!]) { trees(orderBy: $v) { nodes { id } } }", json!({ "v": value })),
                ("query ($v: Int) { trees(first: $v, offset: $v) { nodes { id } } }", json!({ "v": value })),
                ("mutation ($v: CreateExpenseInput!) { createExpense(input: $v) { id } }", json!({ "v": value })),
                ("mutation ($v: ID!) { deleteExpense(id: $v) { id } }", json!({ "v": value })),
                ("mutation ($v: ID!) { updateExpense(id: $v, set: { title: \"x\" }) { id } }", json!({ "v": value })),
                ("query ($v: Boolean!) { me { id @skip(if: $v) name } }", json!({ "v": value })),
            ] {
                let answer = server.graphql(User, document, variables).await;
                assert_eq!(answer.status, 200, "{}: {}", answer.request, answer.text);
                assert!(!answer.text.contains("INTERNAL_SERVER_ERROR"), "{}: {}", answer.request, answer.text);
            }
            let answer = server.rest(User, "POST", "/graphql", json!({ "query": value, "operationName": value, "variables": value })).await;
            assert!(answer.status < 500, "{}: {}", answer.request, answer.text);
        }
        assert_eq!(state(server).await, before);
    })
    .await;
}

#[tokio::test]
async fn documents() {
    on_both(async |server| {
        ledger::fill(server).await;
        let before = state(server).await;
        // Just below the bound on brackets, and far above it.
        let lists = [96, 500].map(|n| {
            let (open, close) = ("[".repeat(n), "]".repeat(n));
            format!("{{ trees(filter: {{ name: {{ in: {open}\"x\"{close} }} }}) {{ totalCount }} }}")
        });
        let objects = [96, 500].map(|n| {
            let (open, close) = ("{ not: ".repeat(n), " }".repeat(n));
            format!("{{ trees(filter: {open}{{}}{close}) {{ totalCount }} }}")
        });
        let types = [98, 500].map(|n| format!("query ($x: {}Int{}) {{ me {{ id }} }}", "[".repeat(n), "]".repeat(n)));
        let wide = format!("{{ trees(filter: {{ id: {{ in: [{}] }} }}) {{ totalCount }} }}", "1,".repeat(50_000));
        let orders = format!("{{ trees(orderBy: [{}]) {{ totalCount }} }}", "{ id: ASC }".repeat(1000));
        for document in [
            "\u{0}",
            "\u{feff}",
            "#",
            "# only a comment",
            "\"",
            "\"\"\"",
            "{ me { id } } }",
            "{{ me }}",
            "{ me { id } } { me { id } }",
            "query query query",
            "query $",
            "query (",
            "query () { me { id } }",
            "query ($a) { me { id } }",
            "query Q",
            "fragment F on Tree { id }",
            "fragment on on Tree { id } { me { id } }",
            "{ ...on }",
            "{ ... }",
            "{ ... on Tree { id } }",
            "{ me: me: me }",
            "{ __typename: id }",
            "{ tree(id: $) { id } }",
            "{ tree(id: 1e) { id } }",
            "{ tree(id: 01) { id } }",
            "{ tree(id: \"\\u{110000}\") { id } }",
            "{ tree(id: \"\\uD800\") { id } }",
            "{ tree(id: 1.0) { id } }",
            "{ tree(id: {}) { id } }",
            "{ tree(id: ENUM) { id } }",
            "{ tree(id: null) { id } }",
            "{ tree(id: true) { id } }",
            "type Query { x: Int }",
            "schema { query: Query }",
            "extend type Query { x: Int }",
            "subscription { me { id } }",
            "mutation { __schema { types { name } } }",
            "mutation { createTree { id } }",
            "mutation { createTree(input: null) { id } }",
            "mutation { createTree(input: []) { id } }",
            "mutation { createTree(input: {}) { id } }",
            "mutation { createExpense(input: { title: \"x\" }) { id } }",
            "mutation { createExpense(input: \"x\") { id } }",
            "{ trees(filter: []) { totalCount } }",
            "{ trees(filter: { and: [[]] }) { totalCount } }",
            "{ trees(filter: { and: 1 }) { totalCount } }",
            "{ trees(filter: { id: { eq: {} } }) { totalCount } }",
            "{ trees(first: \"x\") { totalCount } }",
            "{ trees(first: 1.5) { totalCount } }",
            "{ trees(first: 99999999999) { totalCount } }",
            "{ trees(first: []) { totalCount } }",
            "{ trees(orderBy: ASC) { totalCount } }",
            "{ trees(after: 7) { totalCount } }",
            "{ trees(after: null, before: null, first: null) { totalCount } }",
            "{ trees @skip { totalCount } }",
            "{ trees @skip(if: 1) { totalCount } }",
            "{ trees @skip(if: true) @skip(if: true) { totalCount } }",
            "{ trees @deprecated { totalCount } }",
            // Filters are only there as far as they are types: a variable of another one has no place.
            &lists[0],
            &lists[1],
            &objects[0],
            &objects[1],
            &types[0],
            &types[1],
            &wide,
            &orders,
            &"{".repeat(20_000),
            &format!("{}{}", "{ me ".repeat(99), "}".repeat(99)),
            &"{ me ".repeat(5000),
            &"[".repeat(20_000),
            &format!("{{ a{} }}", "a".repeat(100_000)),
            &"query A { me { id } } ".repeat(1000),
        ] {
            for _ in 0..2 {
                let answer = server.graphql(User, document, Value::Null).await;
                assert!(
                    answer.status < 500 && !answer.text.contains("INTERNAL_SERVER_ERROR"),
                    "{document:.200}: {}",
                    answer.text
                );
            }
        }
        assert_eq!(state(server).await, before);
    })
    .await;
}

/// Names come from the catalogue alone: one that is more than a name is none, wherever a client may write one.
#[tokio::test]
async fn names_that_are_statements() {
    on_both(async |server| {
        ledger::fill(server).await;
        let before = state(server).await;
        for name in [
            "name.x",
            "name.name",
            "expenses.title.x",
            "name\"; drop table trees; --",
            "\"name\"\"; drop table trees; --\"",
            "name' or 1=1",
            "name::text; select 1",
            "name) or (1=1",
            "(select role from users)",
            "trees.name",
            "t1.\"name\"",
            "password_hash",
            "rowid",
            "ctid",
            "*, 1",
        ] {
            let name = encode(name);
            for path in [
                format!("/expenses?order={name}"),
                format!("/expenses?order={name}.desc"),
                format!("/expenses?order=user({name})"),
                format!("/expenses?select=title,x:{name}.sum()"),
                format!("/expenses?select=title,{name}(id)"),
                format!("/expenses?{name}=eq.1"),
                format!("/expenses?user.{name}=eq.1&select=user(id)"),
                format!("/expenses?and=({name}.eq.1)"),
                format!("/expenses?select=title::{name}"),
            ] {
                let answer = server.get(User, &path).await;
                assert!((400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
            }
            for query in ["columns", "on_conflict"] {
                let path = format!("/expenses?{query}={name}");
                let row = json!({ "title": "x", "amount": 1 });
                let merge = [("prefer", "resolution=merge-duplicates")];
                let answer = server.rest_with(User, "POST", &path, row, &merge).await;
                assert!((400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
            }
        }
        for argument in [
            r#"orderBy: [{ name_x: ASC }]"#,
            r#"orderBy: ["name; drop table trees"]"#,
            r#"filter: { "name": { eq: "x" } }"#,
            r#"filter: { name: { eq_: "x" } }"#,
        ] {
            let document = format!("{{ trees({argument}) {{ totalCount }} }}");
            assert_eq!(server.graphql(User, &document, Value::Null).await.json().get("data"), None, "{argument}");
        }
        assert_eq!(state(server).await, before);
    })
    .await;
}
