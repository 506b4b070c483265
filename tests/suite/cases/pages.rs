//! Pages: by cursor forward and back, by offset, by limit; every way to walk a list meets each row exactly once.

use super::ledger;
use crate::support::{Caller::*, Server, on_both};
use serde_json::{Value, json};

/// Orders with and without ties and NULLs.
const ORDERS: [&str; 12] = [
    "[]",
    "{ title: ASC }",
    "{ id: DESC }",
    "{ currency: ASC }",
    "{ category: ASC }",
    "{ category: DESC }",
    "{ category: ASC_NULLS_FIRST }",
    "{ category: DESC_NULLS_LAST }",
    "[{ category: ASC }, { description: DESC }, { amount: ASC }]",
    "[{ category: DESC_NULLS_LAST }, { description: ASC_NULLS_FIRST }, { title: DESC }]",
    "[{ createdAt: DESC }, { spentOn: ASC }]",
    "[{ amount: DESC }, { category: ASC_NULLS_FIRST }]",
];

/// A page of Ann's expenses.
async fn page(server: &Server, arguments: &str) -> Value {
    let document = format!(
        "{{ expenses({arguments}) {{ nodes {{ title }} edges {{ cursor node {{ title }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let page = server.data(User, &document).await["expenses"].clone();
    // The three ways to tell the rows agree.
    let edges = page["edges"].as_array().expect("edges");
    assert_eq!(page["nodes"], edges.iter().map(|edge| edge["node"].clone()).collect::<Value>());
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!(page["pageInfo"]["startCursor"], cursor(edges.first()));
    assert_eq!(page["pageInfo"]["endCursor"], cursor(edges.last()));
    page
}

#[tokio::test]
async fn a_walk_forward_meets_each_row_once_whatever_the_page() {
    on_both(async |server| {
        ledger::fill(server).await;
        for order in ORDERS {
            let whole = ledger::by_graphql(server, &format!("orderBy: {order}"), Value::Null).await;
            assert_eq!(whole.len(), 12);
            for size in [1, 2, 3, 5, 11, 12, 13] {
                let (mut met, mut after) = (String::new(), String::new());
                loop {
                    let page = page(server, &format!("orderBy: {order}, first: {size}{after}")).await;
                    let info = &page["pageInfo"];
                    assert_eq!(info["hasPreviousPage"], !met.is_empty(), "{order} {size} at {met}");
                    met += &ledger::titles(&page["nodes"]);
                    assert_eq!(info["hasNextPage"], met.len() < 12, "{order} {size} at {met}");
                    assert!(met.len() <= 12, "{order} {size}: {met}");
                    if info["hasNextPage"] == false {
                        break;
                    }
                    after = format!(", after: {}", info["endCursor"]);
                }
                assert_eq!(met, whole, "{order} in pages of {size}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_walk_back_meets_each_row_once_in_the_same_order() {
    on_both(async |server| {
        ledger::fill(server).await;
        for order in ORDERS {
            let whole = ledger::by_graphql(server, &format!("orderBy: {order}"), Value::Null).await;
            for size in [1, 2, 3, 5, 11, 12, 13] {
                let (mut met, mut before) = (String::new(), String::new());
                loop {
                    let page = page(server, &format!("orderBy: {order}, last: {size}{before}")).await;
                    let info = &page["pageInfo"];
                    assert_eq!(info["hasNextPage"], !met.is_empty(), "{order} {size} at {met}");
                    met.insert_str(0, &ledger::titles(&page["nodes"]));
                    assert_eq!(info["hasPreviousPage"], met.len() < 12, "{order} {size} at {met}");
                    assert!(met.len() <= 12, "{order} {size}: {met}");
                    if info["hasPreviousPage"] == false {
                        break;
                    }
                    before = format!(", before: {}", info["startCursor"]);
                }
                assert_eq!(met, whole, "{order} in pages of {size}");
            }
        }
    })
    .await;
}

/// From every row of the list, both ways, and between two.
#[tokio::test]
async fn every_cursor_is_a_place_in_the_list() {
    on_both(async |server| {
        ledger::fill(server).await;
        for order in ["{ category: ASC }", "[{ category: DESC_NULLS_LAST }, { description: ASC_NULLS_FIRST }]"] {
            let all = page(server, &format!("orderBy: {order}")).await;
            let whole = ledger::titles(&all["nodes"]);
            let cursors: Vec<_> = all["edges"].as_array().unwrap().iter().map(|edge| edge["cursor"].clone()).collect();
            for (at, cursor) in cursors.iter().enumerate() {
                let after = page(server, &format!("orderBy: {order}, after: {cursor}")).await;
                assert_eq!(ledger::titles(&after["nodes"]), whole[at + 1..], "{order} after {at}");
                let before = page(server, &format!("orderBy: {order}, before: {cursor}")).await;
                assert_eq!(ledger::titles(&before["nodes"]), whole[..at], "{order} before {at}");
                let end = (at + 4).min(11);
                let between = format!("orderBy: {order}, after: {cursor}, before: {}", cursors[end]);
                let between = page(server, &between).await;
                assert_eq!(ledger::titles(&between["nodes"]), whole[(at + 1).min(end)..end], "{order} {at} to {end}");
            }
            // The bounds the other way round hold nothing, and a page of it is a page of nothing.
            let crossed = format!("orderBy: {order}, after: {}, before: {}", cursors[7], cursors[3]);
            assert_eq!(page(server, &crossed).await["nodes"], json!([]));
            let two = format!("orderBy: {order}, after: {}, before: {}", cursors[2], cursors[9]);
            assert_eq!(ledger::titles(&page(server, &format!("{two}, first: 2")).await["nodes"]), whole[3..5]);
            assert_eq!(ledger::titles(&page(server, &format!("{two}, last: 2")).await["nodes"]), whole[7..9]);
        }
    })
    .await;
}

/// A cursor is a place, not a row: it holds when its row is gone, and for rows that come later.
#[tokio::test]
async fn a_cursor_outlives_its_row() {
    on_both(async |server| {
        ledger::fill(server).await;
        let first = page(server, "orderBy: { title: ASC }, first: 5").await;
        let cursor = &first["pageInfo"]["endCursor"];
        server.rest(User, "DELETE", &format!("/expenses/{}", ledger::key("e")), Value::Null).await.expect(204);
        server.expense(User, json!({ "title": "ee", "amount": 1 })).await;
        let next = page(server, &format!("orderBy: {{ title: ASC }}, first: 3, after: {cursor}")).await;
        assert_eq!(ledger::titles(&next["nodes"]), "eefg");
    })
    .await;
}

#[tokio::test]
async fn offset_and_limit_cut_the_same_pages() {
    on_both(async |server| {
        ledger::fill(server).await;
        let whole = "abcdefghijkl";
        for (offset, limit) in [(0, 1), (0, 12), (0, 100), (1, 1), (3, 4), (10, 5), (11, 1), (12, 1), (500, 3)] {
            let cut = &whole[offset.min(12)..(offset + limit).min(12)];
            let path = format!("/expenses?select=title&order=title&limit={limit}&offset={offset}");
            let answer = server.get(User, &path).await.expect(200);
            assert_eq!(ledger::titles(&answer.json()), cut, "{path}");
            let range =
                if cut.is_empty() { "*/*".to_owned() } else { format!("{offset}-{}/*", offset + cut.len() - 1) };
            assert_eq!(answer.header("content-range"), range, "{path}");
            let arguments = format!("orderBy: {{ title: ASC }}, offset: {offset}, first: {limit}");
            assert_eq!(ledger::titles(&page(server, &arguments).await["nodes"]), cut, "{arguments}");
        }
        for (query, cut) in [("offset=-3&limit=2", "ab"), ("limit=0", ""), ("offset=0", whole), ("offset=10", "kl")] {
            assert_eq!(ledger::by_rest(server, &format!("order=title&{query}")).await, cut, "{query}");
        }
        let page = page(server, "orderBy: { title: ASC }, offset: 2, first: 3").await;
        assert_eq!(
            (&page["pageInfo"]["hasNextPage"], &page["pageInfo"]["hasPreviousPage"]),
            (&json!(true), &json!(true))
        );
    })
    .await;
}

#[tokio::test]
async fn the_whole_list_is_counted_whatever_the_page() {
    on_both(async |server| {
        ledger::fill(server).await;
        let cursor = page(server, "first: 4").await["pageInfo"]["endCursor"].clone();
        for (arguments, total, rows) in [
            ("first: 3".to_owned(), 12, 3),
            ("first: 0".to_owned(), 12, 0),
            ("last: 0".to_owned(), 12, 0),
            ("last: 2".to_owned(), 12, 2),
            ("offset: 500".to_owned(), 12, 0),
            (format!("after: {cursor}, first: 3"), 12, 3),
            (r#"first: 1, filter: { category: { eq: "Food" } }"#.to_owned(), 3, 1),
            (r#"offset: 9, filter: { category: { eq: "Food" } }"#.to_owned(), 3, 0),
            (r#"filter: { category: { eq: "Nothing" } }"#.to_owned(), 0, 0),
        ] {
            let document = format!("{{ expenses({arguments}) {{ totalCount nodes {{ id }} }} }}");
            let list = server.data(User, &document).await["expenses"].clone();
            assert_eq!(list["totalCount"], total, "{arguments}");
            assert_eq!(list["nodes"].as_array().unwrap().len(), rows, "{arguments}");
            let document = format!("{{ expenses({arguments}) {{ totalCount }} }}");
            assert_eq!(
                server.data(User, &document).await,
                json!({ "expenses": { "totalCount": total } }),
                "{arguments}"
            );
        }
        let empty =
            "{ expenses(first: 0) { nodes { id } edges { cursor } pageInfo { hasNextPage startCursor endCursor } } }";
        let empty = server.data(User, empty).await["expenses"].clone();
        assert_eq!(empty["nodes"], json!([]));
        assert_eq!((&empty["pageInfo"]["startCursor"], &empty["pageInfo"]["endCursor"]), (&Value::Null, &Value::Null));
    })
    .await;
}

/// A page has 20 rows unless it says more, and at most 100; a REST answer 1,000.
#[tokio::test]
async fn pages_are_bounded() {
    on_both(async |server| {
        for batch in 0..5 {
            let rows: Vec<_> = (0..250).map(|row| format!("('tree {batch} {row}', 'x')")).collect();
            server.sql(&format!("insert into trees (name, species) values {}", rows.join(", "))).await;
        }
        let count = |data: &Value| data["trees"]["nodes"].as_array().unwrap().len();
        assert_eq!(count(&server.data(Anonymous, "{ trees { nodes { id } } }").await), 20);
        assert_eq!(count(&server.data(Anonymous, "{ trees(first: 100) { nodes { id } } }").await), 100);
        assert_eq!(count(&server.data(Anonymous, "{ trees(last: 100) { nodes { id } } }").await), 100);
        for (arguments, field) in [
            ("first: 101", "first"),
            ("last: 101", "last"),
            ("first: 2147483647", "first"),
            ("first: -1", "first"),
            ("last: -1", "last"),
            ("offset: -1", "offset"),
        ] {
            let document = format!("{{ trees({arguments}) {{ nodes {{ id }} }} }}");
            let answer = server.graphql(Anonymous, &document, Value::Null).await.refused("BAD_USER_INPUT");
            assert_eq!(answer.errors()[0]["extensions"]["field"], field, "{arguments}");
            let (name, value) = arguments.split_once(": ").unwrap();
            let document = format!("query ($n: Int) {{ trees({name}: $n) {{ nodes {{ id }} }} }}");
            let number: Value = value.parse::<i64>().unwrap().into();
            server.graphql(Anonymous, &document, json!({ "n": number })).await.refused("BAD_USER_INPUT");
        }
        server
            .graphql(Anonymous, "{ trees(first: 1, last: 1) { nodes { id } } }", Value::Null)
            .await
            .refused("BAD_USER_INPUT");

        for path in ["/trees", "/trees?limit=1000", "/trees?limit=1001", "/trees?limit=9223372036854775807"] {
            let answer = server.get(Anonymous, path).await.expect(200);
            assert_eq!(answer.json().as_array().unwrap().len(), 1000, "{path}");
            assert_eq!(answer.header("content-range"), "0-999/*");
        }
        for (query, status, code) in [
            ("limit=-1", 416, "PGRST103"),
            ("limit=ten", 400, "PGRST100"),
            ("limit=1.5", 400, "PGRST100"),
            ("limit=", 400, "PGRST100"),
            ("limit=99999999999999999999", 400, "PGRST100"),
            ("offset=ten", 400, "PGRST100"),
            ("offset=99999999999999999999", 400, "PGRST100"),
        ] {
            server.get(Anonymous, &format!("/trees?{query}")).await.expect(status).refused(code);
        }
        assert_eq!(server.get(Anonymous, "/trees?offset=9223372036854775807").await.expect(200).text, "[]");
    })
    .await;
}

/// However many related rows make it match.
#[tokio::test]
async fn a_row_that_is_left_out_is_left_out_once() {
    on_both(async |server| {
        ledger::fill(server).await;
        server.expense(Other, json!({ "title": "z", "amount": 1 })).await;
        for query in [
            "select=email,expenses!inner()",
            "select=email,expenses!inner(id)&expenses.limit=1",
            "select=email,expenses()&expenses=not.is.null",
        ] {
            let all = server.get(Admin, &format!("/users?{query}&order=email")).await.expect(200).json();
            let all = all.as_array().expect("rows");
            assert_eq!(all.len(), 2, "{query}");
            for order in ["id", "email", "role.desc,email"] {
                for offset in 0..4 {
                    let path = format!("/users?{query}&order={order}&offset={offset}");
                    let count = [("prefer", "count=exact")];
                    let answer = server.rest_with(Admin, "GET", &path, Value::Null, &count).await;
                    if offset > all.len() {
                        answer.expect(416);
                        continue;
                    }
                    let rows = answer.json();
                    assert_eq!(rows.as_array().expect("rows").len(), all.len() - offset, "{path}");
                }
            }
        }
        let users = "users(filter: { expenses: { some: { amount: { gt: 0 } } } }, orderBy: { email: ASC }, offset: 2)";
        let none = server.data(Admin, &format!("{{ {users} {{ nodes {{ id }} }} }}")).await;
        assert_eq!(none["users"]["nodes"], json!([]));
    })
    .await;
}
