//! What a request may ask for: each bound has words of its own, is told before anything runs, and lets its largest pass.

use crate::support::{Caller::*, Server, on_both};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Documents that are refused with a code, in these words.
async fn refused(server: &Server, cases: &[(&str, String, Value, &str)]) {
    for (code, document, variables, words) in cases {
        server.graphql(User, document, variables.clone()).await.refused(code).saying(words);
    }
}

/// Documents that are the largest of their kind.
async fn pass(server: &Server, cases: &[String]) {
    for document in cases {
        server.graphql(User, document, Value::Null).await.data();
    }
}

const COST: &str = "COST_LIMIT_EXCEEDED";
const INPUT: &str = "BAD_USER_INPUT";

/// `me { expenses { nodes { user { … } } } }`, this many fields deep: three more for each turn.
fn deep(turns: usize, leaf: &str) -> String {
    format!("{{ me {{ {}{leaf}{} }} }}", "expenses(first: 1) { nodes { user { ".repeat(turns), " } } }".repeat(turns))
}

#[tokio::test]
async fn fields_nest_twelve_deep() {
    on_both(async |server| {
        let words = "The operation is nested deeper than 12 fields";
        let through = "fragment F on User { expenses(first: 1) { nodes { user { ...G } } } } fragment G on User { id }";
        refused(
            server,
            &[
                (COST, deep(4, "id"), Value::Null, words),
                (COST, deep(3, "expenses(first: 1) { nodes { id } }"), Value::Null, words),
                (COST, deep(3, "expenses { aggregate { sum { amount } } }"), Value::Null, words),
                (COST, deep(3, "expenses { groups(by: [CATEGORY]) { key { category } } }"), Value::Null, words),
                (COST, format!("{} {through}", deep(3, "...F")), Value::Null, words),
                // A fragment that is shallow at its first use is as deep as it is at its last.
                (COST, format!("{{ me {{ ...F }} x: {} {through}", &deep(3, "...F")[2..]), Value::Null, words),
                // And the name of an introspection field makes none of another.
                (COST, deep(4, "id").replacen("me {", "__schema: me {", 1), Value::Null, ""),
            ],
        )
        .await;
        pass(
            server,
            &[
                deep(3, "expenses(first: 1) { totalCount }"),
                deep(3, "id"),
                format!("{} {through}", deep(2, "...F")),
                deep(2, "expenses { groups(by: [CATEGORY], first: 1) { key { category } } }"),
            ],
        )
        .await;
    })
    .await;
}

/// So many fields of one name in the answer each.
fn aliases(count: usize, field: &str) -> String {
    (0..count).fold(String::new(), |mut fields, number| {
        // Writing into a String cannot fail.
        let _ = write!(fields, "a{number}: {field} ");
        fields
    })
}

/// A mutation whose new rows are in a variable.
fn rows(count: usize) -> Value {
    json!({ "rows": (0..count).map(|_| json!({ "title": "x", "amount": "1" })).collect::<Vec<_>>() })
}

#[tokio::test]
async fn an_operation_costs_five_thousand() {
    on_both(async |server| {
        let words = "The operation costs more than 5000";
        let create = |select: &str| {
            format!("mutation ($rows: [CreateExpenseInput!]!) {{ createExpenses(input: $rows) {{ {select} }} }}")
        };
        let by_filter =
            |at_most: u64| format!("mutation {{ deleteExpenses(filter: {{}}, atMost: {at_most}) {{ nodes {{ id title }} }} }}");
        // 1 for the list and 1 + count for each of 100 rows.
        let page = |count: usize| format!("{{ trees(first: 100) {{ nodes {{ {} }} }} }}", aliases(count, "id"));
        let spread = |count: usize| {
            let uses = aliases(count, "trees(first: 100) { nodes { ...F } }");
            format!("{{ {uses} }} fragment F on Tree {{ a: id b: id c: id d: id e: id f: id g: id h: id i: id }}")
        };
        refused(
            server,
            &[
                (COST, page(49), Value::Null, words),
                (COST, spread(5), Value::Null, words),
                // Of edges: the edge, its cursor and its node for each row.
                (
                    COST,
                    format!("{{ trees(first: 100) {{ edges {{ cursor node {{ {} }} }} }} }}", aliases(47, "id")),
                    Value::Null,
                    words,
                ),
                // Pages multiply: 20 rows if the client does not say.
                (
                    COST,
                    "{ users(first: 100) { nodes { expenses { nodes { id title } } } } }".into(),
                    Value::Null,
                    words,
                ),
                // So do groups, by the largest page if the client does not say, in a list of rows too.
                (
                    COST,
                    "{ users(first: 20) { nodes { expenses { groups(by: [CATEGORY]) { count key { category } } } } } }".into(),
                    Value::Null,
                    words,
                ),
                (
                    COST,
                    format!("{{ expenses {{ groups(by: [CATEGORY]) {{ {} }} }} }}", aliases(50, "count")),
                    Value::Null,
                    words,
                ),
                // A list that a mutation returns has a row for each input, or as many as it may touch; the field is 10.
                (COST, create("id title description amount"), rows(1000), words),
                (COST, by_filter(1664), Value::Null, words),
                (COST, format!("mutation {{ {} }}", aliases(417, "deleteExpenses(filter: {}, atMost: 0) { affected }")), Value::Null, words),
            ],
        )
        .await;
        pass(
            server,
            &[
                page(48),
                spread(4),
                "{ users(first: 100) { nodes { expenses(first: 15) { nodes { id title } } } } }".into(),
                "{ users(first: 100) { totalCount nodes { id expenses(first: 1) { totalCount aggregate { count } } } } }".into(),
                "{ users(first: 20) { nodes { expenses { groups(by: [CATEGORY], first: 50) { count key { category } } } } } }"
                    .into(),
                by_filter(1662),
                by_filter(0),
                format!("mutation {{ {} }}", aliases(416, "deleteExpenses(filter: {}, atMost: 0) { affected }")),
            ],
        )
        .await;
        // Nothing was written by what was refused, and a wide answer of many rows passes.
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 0);
        server.graphql(User, &create("id title"), rows(1000)).await.data();
    })
    .await;
}

#[tokio::test]
async fn what_is_told_of_the_cost_names_the_field() {
    on_both(async |server| {
        let document = "{ ok: trees { totalCount } dear: trees(first: 100) { nodes { a: id b: id } }
            dearer: users(first: 100) { nodes { expenses(first: 100) { nodes { id } } } } }";
        let answer = server.graphql(User, document, Value::Null).await.refused(COST).saying("the fields up to");
        answer.saying("dearer").saying("smaller pages");
    })
    .await;
}

#[tokio::test]
async fn a_document_is_bounded_before_it_is_parsed() {
    on_both(async |server| {
        let nested = |depth: usize| {
            format!(
                "{{ trees(filter: {{ id: {{ in: {}{} }} }}) {{ totalCount }} }}",
                "[".repeat(depth),
                "]".repeat(depth)
            )
        };
        refused(
            server,
            &[
                (COST, nested(98), Value::Null, "brackets nested deeper than 100"),
                (COST, "{".repeat(50_000), Value::Null, "brackets nested deeper than 100"),
                (COST, format!("{{ a(b: {}", "[{c:".repeat(50_000)), Value::Null, "brackets nested deeper than 100"),
                (COST, format!("{{ {} }}", "__typename ".repeat(20_000)), Value::Null, "more tokens than 20000"),
                (COST, format!("{{ __typename {} }}", "@x ".repeat(501)), Value::Null, "more directives than 500"),
                // A variable cannot hide depth either.
                (
                    INPUT,
                    "query ($f: TreeFilter) { trees(filter: $f) { totalCount } }".into(),
                    json!({ "f": (0..40).fold(json!({}), |inner, _| json!({ "not": inner })) }),
                    "nested deeper than 32",
                ),
            ],
        )
        .await;
        pass(server, &[format!("{{ {} }}", "__typename ".repeat(9_000))]).await;
    })
    .await;
}

/// Seventy fragments, each of which spreads the next one twice.
fn doubling(leaf: &str) -> String {
    let fragments: String =
        (0..70).map(|n| format!("fragment F{n} on Tree {{ ...F{m} ...F{m} }} ", m = n + 1)).collect();
    format!("{{ tree(id: 1) {{ ...F0 }} }} {fragments} fragment F70 on Tree {{ {leaf} }}")
}

#[tokio::test]
async fn shared_fragments_are_not_walked_once_a_spread() {
    on_both(async |server| {
        let words = "fields and fragments";
        let circle = "{ tree(id: 1) { ...A } } fragment A on Tree { ...B } fragment B on Tree { ...A id }";
        refused(
            server,
            &[
                (COST, doubling("id"), Value::Null, words),
                // Nor where they are skipped, or their type does not apply.
                (COST, doubling("id").replace("...F0", "...F0 @skip(if: true)"), Value::Null, words),
                (COST, circle.into(), Value::Null, ""),
            ],
        )
        .await;
    })
    .await;
}

/// Unknown names cost a client two bytes each, and an answer a sentence.
#[tokio::test]
async fn of_very_many_errors_the_first_are_told_in_the_order_of_the_document() {
    on_both(async |server| {
        for (fields, errors) in [("x ", 5_000), ("x @y ", 250), ("...Z ", 5_000)] {
            let document = format!("{{ tree(id: 1) {{ {} }} }}", fields.repeat(errors));
            let answer = server.graphql(User, &document, Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
            // Twenty, and how many more there are.
            assert_eq!(answer.errors().len(), 21, "{fields}");
            assert!(answer.text.len() < 32_000, "{}", answer.text.len());
        }
        let fragments: String = (0..20).map(|n| format!("...F{n} ")).collect();
        let wrong: String = (0..20).map(|n| format!("fragment F{n} on Tree {{ x{n} }} ")).collect();
        let document = format!("{{ tree(id: 1) {{ {fragments} }} }} {wrong}");
        let answer = server.graphql(User, &document, Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
        let places: Vec<_> = (0..20).map(|n| answer.text.find(&format!("\\\"x{n}\\\"")).expect("told")).collect();
        assert!(places.is_sorted(), "{}", answer.text);
    })
    .await;
}

#[tokio::test]
async fn pages_end_at_a_hundred_rows() {
    on_both(async |server| {
        for (arguments, field, words) in [
            ("first: 101", "first", "a page has at most 100 rows"),
            ("last: 101", "last", "a page has at most 100 rows"),
            ("first: -1", "first", "first must not be negative"),
            ("last: -1", "last", "last must not be negative"),
            ("offset: -1", "offset", "offset must not be negative"),
            ("first: 1, last: 1", "last", "not both"),
            ("after: \"\"", "after", "not one of this list"),
            ("before: \"WzEsMV0\"", "before", "not one of this list"),
        ] {
            for list in [
                format!("trees({arguments}) {{ totalCount nodes {{ id }} }}"),
                format!("me {{ expenses({arguments}) {{ totalCount nodes {{ id }} }} }}"),
            ] {
                let answer =
                    server.graphql(User, &format!("{{ {list} }}"), Value::Null).await.refused(INPUT).saying(words);
                assert_eq!(answer.errors()[0]["extensions"]["field"], field, "{list}");
            }
        }
        for (arguments, words) in [("first: 101", "first is 101"), ("first: -1", "first must not be negative")] {
            let document = format!("{{ expenses {{ groups(by: [CATEGORY], {arguments}) {{ count }} }} }}");
            let answer = server.graphql(User, &document, Value::Null).await.refused(INPUT).saying(words);
            assert_eq!(answer.errors()[0]["extensions"]["field"], "first");
        }
        pass(
            server,
            &["{ trees(first: 100) { nodes { id } } expenses { groups(by: [CATEGORY], first: 100) { count } } }"
                .into()],
        )
        .await;
        // PostgREST gives what it may.
        server.get(Anonymous, "/trees?limit=-1").await.expect(416).refused("PGRST103");
        server.get(Anonymous, "/trees?limit=9223372036854775807").await.expect(200);
        server.get(Anonymous, "/trees?limit=9223372036854775808").await.expect(400).refused("PGRST100");
    })
    .await;
}

/// A filter of users through their expenses and back, through so many relations.
fn there_and_back(relations: usize) -> Value {
    let inner = if relations.is_multiple_of(2) {
        json!({ "name": { "neq": "x" } })
    } else {
        json!({ "title": { "neq": "x" } })
    };
    (0..relations).rev().fold(inner, |inner, at| {
        if at.is_multiple_of(2) { json!({ "expenses": { "some": inner } }) } else { json!({ "user": inner }) }
    })
}

#[tokio::test]
async fn filters_lead_through_five_relations() {
    on_both(async |server| {
        let users = "query ($f: UserFilter) { users(filter: $f) { totalCount } }";
        let expenses = "query ($f: ExpenseFilter) { expenses(filter: $f) { totalCount } }";
        let words = "leads through more than 5 relations";
        let measured = |depth: usize| {
            (0..depth).fold(json!({}), |inner, _| json!({ "expenses": { "filter": { "user": inner }, "count": { "gte": 0 } } }))
        };
        refused(
            server,
            &[
                (COST, users.into(), json!({ "f": there_and_back(6) }), words),
                (COST, users.into(), json!({ "f": { "not": { "or": [there_and_back(6)] } } }), words),
                (COST, expenses.into(), json!({ "f": { "user": there_and_back(5) } }), words),
                (COST, users.into(), json!({ "f": measured(3) }), words),
                (COST, "query ($f: UserFilter!) { a: users(filter: $f) { nodes { expenses(filter: { user: $f }) { totalCount } } } }".into(), json!({ "f": there_and_back(5) }), words),
            ],
        )
        .await;
        for (document, filter) in [
            (users, there_and_back(5)),
            (expenses, json!({ "user": there_and_back(4) })),
            (users, json!({ "and": [there_and_back(5), { "not": there_and_back(5) }] })),
            (users, measured(2)),
        ] {
            server.graphql(User, document, json!({ "f": filter })).await.data();
        }
    })
    .await;
}

#[tokio::test]
async fn logic_nests_as_deep_in_both_protocols() {
    on_both(async |server| {
        let document = "query ($f: TreeFilter) { trees(filter: $f) { totalCount } }";
        let having = "query ($h: ExpenseHaving) { expenses { groups(by: [CATEGORY], having: $h) { count } } }";
        let nested = |depth: usize, leaf: Value| (0..depth).fold(leaf, |inner, _| json!({ "not": inner }));
        let tree = json!({ "name": { "eq": "x" } });
        let count = json!({ "count": { "eq": 1 } });
        refused(
            server,
            &[
                (INPUT, document.into(), json!({ "f": nested(33, tree.clone()) }), "nested deeper than 32"),
                (INPUT, having.into(), json!({ "h": nested(33, count.clone()) }), "nested deeper than 32"),
            ],
        )
        .await;
        server.graphql(User, document, json!({ "f": nested(29, tree) })).await.data();
        server.graphql(User, having, json!({ "h": nested(29, count) })).await.data();
        let url = |depth: usize| format!("/trees?and=({}name.eq.x{})", "not.and(".repeat(depth), ")".repeat(depth));
        server.get(Anonymous, &url(15)).await.expect(200);
        server.get(Anonymous, &url(33)).await.expect(400).refused("54001").saying("nested deeper than 32");
        for depth in [50, 700] {
            server.get(Anonymous, &url(depth)).await.expect(400).refused("PGRST100").saying("nested deeper than 40");
        }
    })
    .await;
}

#[tokio::test]
async fn a_filter_has_five_hundred_conditions() {
    on_both(async |server| {
        let words = "at most 500 conditions";
        let document = "query ($f: UserFilter) { users(filter: $f) { totalCount } }";
        let any = |count: usize| json!({ "f": { "or": vec![json!({ "name": { "eq": "x" } }); count] } });
        let related = |count: usize| json!({ "f": { "expenses": { "some": { "or": vec![json!({ "title": { "eq": "x" } }); count] } } } });
        let groups = "query ($f: ExpenseFilter, $h: ExpenseHaving) { expenses(filter: $f) { groups(by: [CATEGORY], having: $h) { count } } }";
        let both = |count: usize| json!({ "f": { "or": vec![json!({ "title": { "eq": "x" } }); 250] }, "h": { "or": vec![json!({ "count": { "eq": 1 } }); count] } });
        refused(
            server,
            &[
                (COST, document.into(), any(501), words),
                (COST, document.into(), related(500), words),
                (COST, groups.into(), both(251), words),
            ],
        )
        .await;
        server.graphql(User, document, any(500)).await.data();
        server.graphql(User, document, related(499)).await.data();
        server.graphql(User, groups, both(250)).await.data();
        let url = |count: usize| format!("/trees?or=({})", vec!["id.eq.1"; count].join(","));
        server.get(Anonymous, &url(501)).await.expect(400).refused("54001").saying(words);
        server.get(Anonymous, &url(500)).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn lists_patterns_and_searches_are_bounded() {
    on_both(async |server| {
        let document = "query ($f: TreeFilter) { trees(filter: $f) { totalCount } }";
        let named = |operator: &str, value: Value| json!({ "f": { "name": { operator: value } } });
        let list = |count: usize| named("in", json!(vec!["x"; count]));
        refused(
            server,
            &[
                (INPUT, document.into(), list(10_001), "at most 10000 elements, and this one has 10001"),
                (INPUT, document.into(), named("match", json!("a".repeat(1_001))), "1000"),
                (INPUT, document.into(), named("match", json!("(a{200}){200}")), "name"),
                (INPUT, document.into(), named("match", json!("(".repeat(900))), "name"),
                (INPUT, document.into(), named("search", json!("a".repeat(1_001))), "at most 1000 characters"),
            ],
        )
        .await;
        for variables in
            [list(10_000), named("match", json!("a".repeat(1_000))), named("search", json!("a".repeat(1_000)))]
        {
            server.graphql(User, document, variables).await.data();
        }
        server.get(Anonymous, &format!("/trees?name=match.{}", "a".repeat(1_001))).await.expect(400).refused("2201B");
        server.get(Anonymous, &format!("/trees?name=fts.{}", "a".repeat(1_001))).await.expect(400).refused("22P02");
    })
    .await;
}

#[tokio::test]
async fn groups_are_bounded_in_keys_buckets_and_order() {
    on_both(async |server| {
        let groups = |arguments: &str| format!("{{ expenses {{ groups({arguments}) {{ count }} }} }}");
        let keys = "TITLE, DESCRIPTION, AMOUNT, CURRENCY, CATEGORY, SPENT_ON, SPENT_ON_WEEK, SPENT_ON_MONTH";
        let fill = |to: &str| groups(&format!(r#"by: [SPENT_ON_DAY], fill: {{ from: "2020-01-01", to: "{to}" }}"#));
        for (document, field, words) in [
            (groups("by: []"), "by", "must name"),
            (groups("by: [SPENT_ON_MONTH, SPENT_ON_MONTH]"), "by", "SPENT_ON_MONTH is twice"),
            (groups(&format!("by: [{keys}, SPENT_ON_YEAR]")), "by", "8 keys at most"),
            (fill("2022-09-27"), "fill", "more than 1000 buckets"),
            (fill("9999-12-31"), "fill", "more than 1000 buckets"),
            (fill("2019-12-31"), "fill", "which is before it"),
        ] {
            let answer = server.graphql(User, &document, Value::Null).await.refused(INPUT).saying(words);
            assert_eq!(answer.errors()[0]["extensions"]["field"], field, "{document}");
        }
        pass(server, &[groups(&format!("by: [{keys}]")), fill("2022-09-26")]).await;
    })
    .await;
}

#[tokio::test]
async fn very_deep_json_is_a_value_or_an_error() {
    on_both(async |server| {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let create = "mutation ($i: CreateExpenseInput!) { createExpense(input: $i) { id } }";
        for depth in [200, 50_000] {
            let variables = format!(r#"{{"i":{{"title":{},"amount":"1"}}}}"#, deep(depth));
            let body = format!(r#"{{"query":{},"variables":{variables}}}"#, Value::from(create));
            let answer = server.text(User, "POST", "/graphql", "application/json", &body).await;
            assert!(answer.status < 500 && answer.text.contains("errors"), "{}", answer.text);
            let body = format!(r#"{{"title":{},"amount":1}}"#, deep(depth));
            let answer = server.text(User, "POST", "/expenses", "application/json", &body).await;
            assert!((400..500).contains(&answer.status), "{}", answer.text);
            let answer = server.text(User, "POST", "/expenses", "application/json", &deep(depth)).await;
            answer.expect(400).refused("PGRST102");
        }
    })
    .await;
}

#[tokio::test]
async fn the_answer_has_the_order_of_the_document() {
    on_both(async |server| {
        let query = "{ z: trees(first: 1) { totalCount } __typename a: me { id } nothing: tree(id: 99) { id } ...F __schema { queryType { name } } m: tree(id: 1) { species id name } }
            fragment F on Query { f: tree(id: 2) { id } a: me { name } }";
        let answer = server.graphql(User, query, Value::Null).await;
        answer.data();
        let keys = |names: &[&str], text: &str| {
            let places: Vec<_> = names.iter().map(|name| text.find(&format!("\"{name}\":")).expect(name)).collect();
            assert!(places.is_sorted(), "{text}");
        };
        keys(&["z", "__typename", "a", "nothing", "f", "__schema", "m", "species"], &answer.text);
        let mutation = r#"mutation { z: createExpense(input: { title: "1", amount: "1" }) { title }
            a: createExpenses(input: [{ title: "2", amount: "1" }]) { title }
            m: deleteExpenses(filter: { title: { eq: "1" } }) { affected } }"#;
        let answer = server.graphql(User, mutation, Value::Null).await;
        assert_eq!(answer.data()["m"]["affected"], 1);
        keys(&["z", "a", "m"], &answer.text);
    })
    .await;
}

#[tokio::test]
async fn a_request_adds_ten_thousand_rows_and_an_answer_has_a_thousand() {
    on_both(async |server| {
        let body = |count: usize| json!(vec![json!({ "title": "x", "amount": 1 }); count]);
        let representation = [("prefer", "return=representation")];
        let send = async |count: usize| server.rest_with(User, "POST", "/expenses", body(count), &representation).await;
        server.rest(User, "POST", "/expenses", body(10_001)).await.expect(400).refused("54001").saying("at most 10000");
        send(1_001).await.expect(400).refused("54001").saying("at most 1000 rows").saying("return=minimal");
        assert_eq!(server.data(User, "{ expenses { totalCount } }").await["expenses"]["totalCount"], 0);
        assert_eq!(send(1_000).await.expect(201).json().as_array().map(Vec::len), Some(1_000));
        // Of very many problems the first are told.
        let answer = server.rest(User, "POST", "/expenses", json!(vec![json!({}); 1_000])).await.expect(422);
        let answer = answer.saying("0.title is required; 0.amount is required").saying("; and 1900 more");
        assert!(answer.text.len() < 10_000, "{}", answer.text.len());
    })
    .await;
}
