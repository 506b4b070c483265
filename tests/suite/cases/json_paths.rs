//! Conditions on what is inside of JSON values: the same on both databases, whatever the values are.

use crate::{
    graft,
    support::{Caller::*, Dialect, Server},
};
use serde_json::{Value, json};

const ROWS: [(&str, &str); 10] = [
    ("a", r#"{"a": {"b": "x"}, "n": 1.50, "t": true, "l": [10, "x", null, {"b": [1]}]}"#),
    ("b", r#"{"a": {"b": "X%_\\"}, "n": 2, "t": false, "l": []}"#),
    ("c", r#"{"a": {"b": 7}, "n": "1.5", "t": "true"}"#),
    ("d", r#"{"a": null, "n": 1e400, "t": null}"#),
    ("e", r#"{"a": [], "n": -0.0, "": "empty", "a b": "spaced", "é\"": "quoted"}"#),
    ("f", r#"[1, {"b": "\u00e9"}, true]"#),
    ("g", r#""text""#),
    ("h", r#"{"a": {"b": "first"}, "a": {"b": "last"}}"#),
    ("i", r#"{"a": {"b": {"c": 1}}, "n": 12345678901234567890.123, "l": [2.5e3]}"#),
    ("j", r#"{"n": 1e-400}"#),
];

async fn both(case: impl AsyncFn(&Server)) {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        eprintln!("on {dialect:?}");
        let server = graft::server(dialect).await;
        for (name, traits) in ROWS {
            let row = format!(r#"{{"name": "{name}", "traits": {traits}}}"#);
            server.text(User, "POST", "/species", "application/json", &row).await.expect(201);
        }
        case(&server).await;
    }
}

fn names(rows: &Value) -> String {
    rows.as_array().expect("rows").iter().map(|row| row["name"].as_str().expect("a name")).collect()
}

async fn by_rest(server: &Server, query: &str) -> String {
    let path = format!("/species?select=name&order=name&{query}");
    names(&server.get(User, &path).await.expect(200).json())
}

async fn by_graphql(server: &Server, at: &str) -> String {
    let document = format!(
        "{{ speciesList(filter: {{ traits: {{ at: {at} }} }}, orderBy: {{ name: ASC }}) {{ nodes {{ name }} totalCount }} }}"
    );
    names(&server.data(User, &document).await["speciesList"]["nodes"])
}

/// A query string, the member `at` that says the same, and the rows that both find.
#[rustfmt::skip]
const CASES: [(&str, &str, &str); 38] = [
    ("traits->a->>b=eq.x", r#"{ path: ["a", "b"], text: { eq: "x" } }"#, "a"),
    ("traits->a->>b=neq.x", r#"{ path: ["a", "b"], text: { neq: "x" } }"#, "bch"),
    ("traits->a->>b=eq.7", r#"{ path: ["a", "b"], text: { eq: "7" } }"#, "c"),
    ("traits->a->>b=eq.last", r#"{ path: ["a", "b"], text: { eq: "last" } }"#, "h"),
    ("traits->a->>b=in.(x,7,nothing)", r#"{ path: ["a", "b"], text: { in: ["x", "7", "nothing"] } }"#, "ac"),
    ("traits->a->>b=not.in.(x,7)", r#"{ path: ["a", "b"], text: { notIn: ["x", "7"] } }"#, "bh"),
    ("traits->a->>b=gt.X", r#"{ path: ["a", "b"], text: { gt: "X" } }"#, "abh"),
    ("traits->a->>b=like.X*", r#"{ path: ["a", "b"], text: { like: "X%" } }"#, "b"),
    ("traits->a->>b=ilike.x*", r#"{ path: ["a", "b"], text: { ilike: "x%" } }"#, "ab"),
    ("traits->a->>b=like.X\\%25*", r#"{ path: ["a", "b"], text: { startsWith: "X%" } }"#, "b"),
    ("traits->a->>b=like.*\\\\", r#"{ path: ["a", "b"], text: { endsWith: "\\" } }"#, "b"),
    ("traits->a->>b=like.*as*", r#"{ path: ["a", "b"], text: { contains: "as" } }"#, "h"),
    ("traits->a->>b=match.^[a-z]%2B$", r#"{ path: ["a", "b"], text: { match: "^[a-z]+$" } }"#, "ah"),
    ("traits->a->>b=plfts.LAST", r#"{ path: ["a", "b"], text: { search: "LAST" } }"#, "h"),
    ("traits->a->>b=plfts.X", r#"{ path: ["a", "b"], text: { search: "x" } }"#, "ab"),
    ("traits->>n=eq.1.50", r#"{ path: ["n"], text: { eq: "1.50" } }"#, "a"),
    ("traits->>n=eq.1.5", r#"{ path: ["n"], text: { eq: "1.5" } }"#, "c"),
    ("traits->>n=eq.1e400", r#"{ path: "n", text: { eq: "1e400" } }"#, "d"),
    ("traits->n=eq.1.5", r#"{ path: ["n"], number: { eq: 1.5 } }"#, "a"),
    ("traits->n=eq.0", r#"{ path: ["n"], number: { eq: 0 } }"#, "e"),
    ("traits->n=gte.1.5", r#"{ path: ["n"], number: { gte: 1.5 } }"#, "abi"),
    ("traits->n=not.gte.1.5", r#"{ path: ["n"], number: { lt: 1.5 } }"#, "e"),
    ("traits->n=in.(2,1.5)", r#"{ path: ["n"], number: { in: [2, 1.5] } }"#, "ab"),
    ("traits->t=is.true", r#"{ path: ["t"], boolean: { eq: true } }"#, "a"),
    ("traits->t=eq.false", r#"{ path: ["t"], boolean: { eq: false } }"#, "b"),
    ("traits->>t=eq.true", r#"{ path: ["t"], text: { eq: "true" } }"#, "ac"),
    ("traits->a=is.null", r#"{ path: ["a"], isNull: true }"#, "dfgj"),
    ("traits->a=not.is.null", r#"{ path: ["a"], isNull: false }"#, "abcehi"),
    ("traits->>a=is.null", r#"{ path: ["a"], isNull: true }"#, "dfgj"),
    ("traits->>a=not.is.null", r#"{ path: ["a"], isNull: false }"#, "abcehi"),
    ("traits->n=is.not_null", r#"{ path: ["n"], isNull: false }"#, "abcdeij"),
    ("traits->l->0=gt.9", r#"{ path: ["l", "0"], number: { gt: 9 } }"#, "ai"),
    ("traits->l->>1=eq.x", r#"{ path: ["l", "1"], text: { eq: "x" } }"#, "a"),
    ("traits->l->3->b->0=eq.1", r#"{ path: ["l", "3", "b", "0"], number: { eq: 1 } }"#, "a"),
    ("traits->1->>b=eq.%C3%A9", r#"{ path: ["1", "b"], text: { eq: "é" } }"#, "f"),
    ("traits->>a%20b=eq.spaced", r#"{ path: ["a b"], text: { eq: "spaced" } }"#, "e"),
    ("traits->>%C3%A9%22=eq.quoted", r#"{ path: ["é\""], text: { eq: "quoted" } }"#, "e"),
    ("traits->99999999999=is.not_null", r#"{ path: ["99999999999"], isNull: false }"#, ""),
];

#[tokio::test]
async fn paths_lead_to_the_same_values_in_both_languages() {
    both(async |server| {
        for (query, at, found) in CASES {
            assert_eq!(by_rest(server, query).await, found, "{query}");
            assert_eq!(by_graphql(server, at).await, found, "{at}");
        }
    })
    .await;
}

#[tokio::test]
async fn all_of_at_holds_and_goes_with_every_other_condition() {
    both(async |server| {
        for (at, found) in [
            (r#"[{ path: ["n"], number: { gt: 1, lt: 2 } }, { path: ["t"], boolean: { eq: true } }]"#, "a"),
            (r#"{ path: [], text: { eq: "text" } }"#, "g"),
            (r#"{ path: [""], text: { eq: "empty" } }"#, "e"),
            (r#"{ path: ["n"], number: { isNull: true } }"#, "cdfghj"),
            (r#"{ path: ["a", "b"], text: { isNull: false }, number: { isNull: true } }"#, "abh"),
            (r#"{ path: ["a"] }"#, "abcdefghij"),
            // Neither an object nor an array is a text.
            (r#"{ path: ["a"], text: { isNull: true } }"#, "abcdefghij"),
            ("[]", "abcdefghij"),
        ] {
            assert_eq!(by_graphql(server, at).await, found, "{at}");
        }
        for (query, found) in [
            ("or=(traits->>n.eq.2,and(traits->t.is.true,traits->l->0.eq.10))", "ab"),
            ("traits->t=is.unknown", "cdefghij"),
            ("traits->t=not.is.true", "bcdefghij"),
            ("traits->a->>b=not.fts.last", "abc"),
            ("traits->a->>b=isdistinct.x", "bcdefghij"),
            ("traits->a->>b=eq(any).{x,7}", "ac"),
            ("traits->a->>b=like(all).{*a*,*t}", "h"),
            ("notes=is.null&traits->>n=eq.2", "b"),
        ] {
            assert_eq!(by_rest(server, query).await, found, "{query}");
        }
        // The path is a value as others are: it may come in a variable, and another path is the same plan.
        let document = "query ($path: [String!]!, $filter: SpeciesFilter) {
            a: speciesList(filter: { traits: { at: { path: $path, text: { eq: \"x\" } } } }) { totalCount }
            b: speciesList(filter: $filter) { totalCount } }";
        for (path, count) in [(json!(["a", "b"]), 1), (json!(["l", "1"]), 1), (json!(["l", "0"]), 0)] {
            let filter = json!({ "traits": { "at": [{ "path": path, "text": { "eq": "x" } }] } });
            let data = server.graphql(User, document, json!({ "path": path, "filter": filter })).await.data();
            assert_eq!((&data["a"]["totalCount"], &data["b"]["totalCount"]), (&json!(count), &json!(count)), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_path_that_leads_nowhere_by_its_form_is_refused() {
    both(async |server| {
        for (query, code, says) in [
            ("name->a=eq.1", "42883", "no path leads into it"),
            ("traits->>a->b=eq.1", "PGRST100", "->> only before the last"),
            ("traits->=eq.1", "PGRST100", "->> only before the last"),
            ("trait->a=eq.1", "42703", "traits"),
            ("traits->a=eq.x", "42883", "->> finds a text"),
            ("traits->a=like.x", "42883", ""),
            ("traits->l->-1=eq.1", "22P02", "counts from 0"),
            ("traits->l->01=eq.1", "22P02", "counts from 0"),
            ("traits->>a=is.true", "42804", "no boolean"),
            ("traits=eq.1", "42883", "filtered by is"),
            ("traits->a->a->a->a->a->a->a->a->a->a->>a=eq.1", "22P02", "at most 10"),
        ] {
            server.get(User, &format!("/species?{query}")).await.misunderstood(code).saying(says);
        }
        let long = "x".repeat(201);
        server.get(User, &format!("/species?traits->>{long}=eq.1")).await.expect(400).saying("200 characters");
        for at in [
            r#"{ path: ["-1"], isNull: true }"#,
            r#"{ path: null, isNull: true }"#,
            r#"{ isNull: true }"#,
            r#"{ path: ["a"], number: { eq: "x" } }"#,
            r#"{ path: ["a"], number: { like: "x" } }"#,
            r#"{ path: ["a"], text: { eq: null } }"#,
            r#"{ path: ["a"], text: null }"#,
            "null",
        ] {
            let document = format!("{{ speciesList(filter: {{ traits: {{ at: {at} }} }}) {{ nodes {{ id }} }} }}");
            let answer = server.graphql(User, &document, Value::Null).await;
            assert!(
                ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&&*answer.failure().code),
                "{}",
                answer.text
            );
        }
        let half = r#"{"name": "x", "traits": {"a": "\ud83c"}}"#;
        server.text(User, "POST", "/species", "application/json", half).await.expect(422).saying("surrogate");
    })
    .await;
}
