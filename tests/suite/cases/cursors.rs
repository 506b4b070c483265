//! Cursors that are not this list's: refused, and never silently taken for the start.

use super::ledger;
use crate::support::{Caller::*, Server, on_both};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

async fn cursor(server: &Server, list: &str) -> String {
    let document = format!("{{ {list} {{ pageInfo {{ endCursor }} }} }}");
    let data = server.data(Admin, &document).await;
    let list = data.as_object().expect("data").values().next().expect("a list");
    list["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn a_cursor_of_another_list_or_order_is_refused() {
    on_both(async |server| {
        ledger::fill(server).await;
        let list = "expenses(orderBy: [{ category: ASC }, { title: ASC }])";
        for other in [
            "expenses",
            "expenses(orderBy: { title: ASC })",
            "expenses(orderBy: [{ title: ASC }, { category: ASC }])",
            "expenses(orderBy: [{ category: DESC }, { title: ASC }])",
            "expenses(orderBy: [{ category: ASC_NULLS_FIRST }, { title: ASC }])",
            "expenses(orderBy: [{ category: ASC }, { title: ASC }, { amount: ASC }])",
            "trees",
            "users",
            "users(orderBy: [{ name: ASC }, { email: ASC }])",
        ] {
            let foreign = cursor(server, other).await;
            for place in ["after", "before"] {
                let document = format!("{}, {place}: \"{foreign}\") {{ nodes {{ id }} }} }}", list.replace("expenses", "{ expenses").trim_end_matches(')'));
                let answer = server.graphql(Admin, &document, Value::Null).await.refused("BAD_USER_INPUT");
                assert!(answer.json()["data"].is_null(), "{other}");
            }
        }
        // The same order said in another way is the same order.
        let own = cursor(server, list).await;
        let same = format!("{{ expenses(orderBy: [{{ category: ASC_NULLS_LAST }}, {{ title: ASC }}], after: \"{own}\") {{ nodes {{ id }} }} }}");
        server.data(Admin, &same).await;
        // A cursor says where, whatever is filtered.
        let filtered = format!("{{ expenses(filter: {{ title: {{ gt: \"c\" }} }}, orderBy: [{{ category: ASC }}, {{ title: ASC }}], after: \"{own}\") {{ nodes {{ id }} }} }}");
        server.data(Admin, &filtered).await;
    })
    .await;
}

/// As a literal and as a variable, alone and beside fields that could be answered.
#[tokio::test]
async fn a_malformed_cursor_is_refused() {
    on_both(async |server| {
        let own = cursor(server, "trees").await;
        let plain = String::from_utf8(BASE64.decode(&own).unwrap()).unwrap();
        let mark = plain.trim_start_matches('[').split(',').next().unwrap().to_owned();
        let encode = |text: String| BASE64.encode(text);
        for wrong in [
            String::new(),
            " ".to_owned(),
            "1".to_owned(),
            "cursor".to_owned(),
            "!!!".to_owned(),
            format!("{own}="),
            own[1..].to_owned(),
            own.to_uppercase(),
            encode(String::new()),
            encode("[]".to_owned()),
            encode("null".to_owned()),
            encode("{}".to_owned()),
            encode(format!("[{mark}]")),
            encode(format!("[{mark},null]")),
            encode(format!("[{mark},1.5]")),
            encode(format!("[{mark},true]")),
            encode(format!("[{mark},[1]]")),
            encode(format!("[{mark},1,1]")),
            encode(format!("[{mark},99999999999999999999]")),
            encode(format!("[{mark},1")),
            encode("[0,1]".to_owned()),
            encode("[-1,1]".to_owned()),
            encode(format!("[{mark},{}1{}]", "[".repeat(5000), "]".repeat(5000))),
            "A".repeat(100_000),
        ] {
            for place in ["after", "before"] {
                let document = format!("{{ trees({place}: {}) {{ nodes {{ id }} }} }}", json!(wrong));
                let answer = server.graphql(Anonymous, &document, Value::Null).await.refused("BAD_USER_INPUT");
                assert!(answer.json()["data"].is_null(), "{wrong:.99}");
                let document = format!("query ($at: String) {{ trees({place}: $at) {{ nodes {{ id }} }} }}");
                let answer =
                    server.graphql(Anonymous, &document, json!({ "at": wrong })).await.refused("BAD_USER_INPUT");
                assert!(answer.json()["data"].is_null(), "{wrong:.99}");
            }
        }
        // Null is no cursor at all.
        let document = "query ($at: String) { trees(after: $at, before: null) { totalCount nodes { id } } }";
        for variables in [json!({}), json!({ "at": null })] {
            let data = server.graphql(Anonymous, document, variables).await.data();
            assert_eq!(data["trees"]["nodes"].as_array().unwrap().len(), 4);
        }
    })
    .await;
}

/// The same document with cursors that need different statements: with and without NULLs.
#[tokio::test]
async fn one_document_pages_through_nulls_by_variable() {
    on_both(async |server| {
        ledger::fill(server).await;
        let document = "query ($after: String, $first: Int) {
            expenses(orderBy: [{ category: DESC }, { description: ASC }], first: $first, after: $after) {
                nodes { title } pageInfo { hasNextPage endCursor } } }";
        let whole = server.graphql(User, document, json!({ "first": 100 })).await.data()["expenses"].clone();
        for size in 1..=12 {
            let (mut met, mut after) = (String::new(), Value::Null);
            while met.len() < 12 {
                let page = server.graphql(User, document, json!({ "first": size, "after": after })).await.data();
                met += &ledger::titles(&page["expenses"]["nodes"]);
                after = page["expenses"]["pageInfo"]["endCursor"].clone();
                assert_eq!(page["expenses"]["pageInfo"]["hasNextPage"], met.len() < 12, "{size} at {met}");
            }
            assert_eq!(met, ledger::titles(&whole["nodes"]), "pages of {size}");
        }
    })
    .await;
}

/// Pages inside a page: the nested list's cursors are good in the nested list, and in the same list at the root.
#[tokio::test]
async fn nested_pages_have_cursors_of_their_own() {
    on_both(async |server| {
        ledger::fill(server).await;
        let nested = |arguments: &str| {
            format!(
                "{{ users(filter: {{ name: {{ in: [\"Ann\", \"Bob\", \"Eve\"] }} }}, orderBy: {{ name: ASC }}) {{ nodes {{ name
                    expenses({arguments}) {{ nodes {{ title }} totalCount pageInfo {{ hasNextPage hasPreviousPage endCursor startCursor }} }} }} }} }}"
            )
        };
        let order = "orderBy: [{ category: ASC }, { title: ASC }]";
        let data = server.data(Admin, &nested(&format!("{order}, first: 5"))).await["users"]["nodes"].clone();
        assert_eq!(ledger::titles(&data[0]["expenses"]["nodes"]), "bcild");
        assert_eq!(ledger::titles(&data[1]["expenses"]["nodes"]), "bjz");
        assert_eq!(data[2]["expenses"]["nodes"], json!([]));
        assert_eq!([&data[0], &data[1], &data[2]].map(|user| user["expenses"]["totalCount"].clone()), [12, 3, 0]);
        let next = |user: &Value| user["expenses"]["pageInfo"]["hasNextPage"].clone();
        assert_eq!([next(&data[0]), next(&data[1]), next(&data[2])], [true, false, false]);
        let end = &data[0]["expenses"]["pageInfo"]["endCursor"];

        let data = server.data(Admin, &nested(&format!("{order}, first: 3, after: {end}"))).await["users"]["nodes"].clone();
        assert_eq!(ledger::titles(&data[0]["expenses"]["nodes"]), "ehg");
        assert_eq!(data[0]["expenses"]["pageInfo"]["hasPreviousPage"], true);
        let data = server.data(Admin, &nested(&format!("{order}, last: 2, before: {end}"))).await["users"]["nodes"].clone();
        assert_eq!(ledger::titles(&data[0]["expenses"]["nodes"]), "il");
        let root = format!("{{ expenses({order}, first: 2, after: {end}) {{ nodes {{ title }} }} }}");
        assert_eq!(ledger::titles(&server.data(User, &root).await["expenses"]["nodes"]), "eh");
        for wrong in ["after: \"x\"", "first: 101", "first: -1", "orderBy: { title: ASC }, after: "] {
            let wrong = if wrong.ends_with(' ') { format!("{wrong}{end}") } else { wrong.to_owned() };
            server.graphql(Admin, &nested(&wrong), Value::Null).await.refused("BAD_USER_INPUT");
        }
    })
    .await;
}
