//! Order: several columns, each way, NULLs where they are said to be; the same on both databases and in both protocols.

use super::ledger;
use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

#[tokio::test]
async fn lists_are_ordered_alike() {
    on_both(async |server| {
        ledger::fill(server).await;
        // Keys: a 10, f 11, k 12, d 13, i 14, b 15, g 16, l 17, e 18, j 19, c 20, h 21.
        for (query, order, found) in [
            ("title", "[{ title: ASC }]", "abcdefghijkl"),
            ("title.asc", "{ title: ASC }", "abcdefghijkl"),
            ("title.desc", "[{ title: DESC }]", "lkjihgfedcba"),
            ("id", "[{ id: ASC }]", "afkdibglejch"),
            ("id.desc", "[{ id: DESC }]", "hcjelgbidkfa"),
            // Numbers by their value, not by their digits.
            ("amount,title", "[{ amount: ASC }, { title: ASC }]", "diakgbcjlefh"),
            ("amount.desc,title", "[{ amount: DESC }, { title: ASC }]", "heflbcjgkaid"),
            // Texts by code point: upper case before lower, Ä behind both.
            ("category,title", "[{ category: ASC }, { title: ASC }]", "bcildehgkafj"),
            ("category.desc,title", "[{ category: DESC }, { title: ASC }]", "afjkghdelbci"),
            ("category.asc.nullsfirst,title", "[{ category: ASC_NULLS_FIRST }, { title: ASC }]", "afjbcildehgk"),
            ("category.asc.nullslast,title", "[{ category: ASC_NULLS_LAST }, { title: ASC }]", "bcildehgkafj"),
            ("category.desc.nullslast,title", "[{ category: DESC_NULLS_LAST }, { title: ASC }]", "kghdelbciafj"),
            (
                "category.desc.nullsfirst,title.desc",
                "[{ category: DESC_NULLS_FIRST }, { title: DESC }]",
                "jfakghedlicb",
            ),
            ("category.nullsfirst,title", "[{ category: ASC_NULLS_FIRST }, { title: ASC }]", "afjbcildehgk"),
            // The key breaks ties, in the direction of the last column.
            ("spent_on", "[{ spentOn: ASC }]", "gdaibjfecklh"),
            ("spent_on.desc", "[{ spentOn: DESC }]", "hlkcefjbiadg"),
            ("currency,amount.desc,title", "[{ currency: ASC }, { amount: DESC }, { title: ASC }]", "gcdheflbjkai"),
            ("created_at,title.desc", "[{ createdAt: ASC }, { title: DESC }]", "dcbahgfelkji"),
            ("description.desc,title", "[{ description: DESC }, { title: ASC }]", "afjgckdieblh"),
            // What an earlier column has decided, a later mention of it cannot.
            ("title,title.desc", "[{ title: ASC }, { title: DESC }]", "abcdefghijkl"),
        ] {
            let by_rest = ledger::by_rest(server, &format!("order={query}")).await;
            assert_eq!(by_rest, found, "{query}");
            let by_graphql = ledger::by_graphql(server, &format!("orderBy: {order}"), Value::Null).await;
            assert_eq!(by_graphql, by_rest, "{order}");
        }
    })
    .await;
}

/// Nobody says an order: the declaration's, with the key behind it.
#[tokio::test]
async fn without_an_order_the_declared_one_holds() {
    on_both(async |server| {
        ledger::fill(server).await;
        for query in ["", "order=", "order=spent_on.desc", "order=spent_on.desc,id.desc"] {
            assert_eq!(ledger::by_rest(server, query).await, "hlkcefjbiadg", "{query}");
        }
        for arguments in ["offset: 0", "orderBy: []", "orderBy: null", "orderBy: { spentOn: DESC }"] {
            assert_eq!(ledger::by_graphql(server, arguments, Value::Null).await, "hlkcefjbiadg", "{arguments}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_order_that_means_nothing_is_refused() {
    on_both(async |server| {
        for (order, code, says) in [
            ("colour", "42703", "column trees.colour does not exist"),
            ("speces", "42703", "species"),
            ("name.up", "PGRST100", "failed to parse order"),
            ("name.desc.nulls", "PGRST100", "failed to parse order"),
            ("name.desc.nullslast.asc", "PGRST100", "failed to parse order"),
            ("name.nullslast.desc", "PGRST100", "failed to parse order"),
            ("user(name)", "PGRST108", "not an embedded resource"),
        ] {
            let answer = server.get(Anonymous, &format!("/trees?order={order}")).await.expect(400);
            answer.refused(code).saying(says);
        }
        for order in [
            "{ colour: ASC }",
            "{ name: UP }",
            "{ name: \"ASC\" }",
            "{ name: ASC, species: ASC }",
            "[{}]",
            "{}",
            "[null]",
            "{ name: null }",
            "[[{ name: ASC }]]",
        ] {
            let document = format!("{{ trees(orderBy: {order}) {{ nodes {{ id }} }} }}");
            let answer = server.graphql(Anonymous, &document, Value::Null).await;
            let code = answer.failure().code;
            assert!(["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&&*code), "{order}: {}", answer.text);
        }
        let document = "query ($order: [TreeOrderBy!]) { trees(orderBy: $order) { nodes { id } } }";
        for order in
            [json!({ "name": "UP" }), json!({ "name": "ASC", "id": "ASC" }), json!([null]), json!("name"), json!([{}])]
        {
            server.graphql(Anonymous, document, json!({ "order": order })).await.refused("BAD_USER_INPUT");
        }
        let data = server.graphql(Anonymous, document, json!({ "order": { "name": "DESC" } })).await.data();
        assert_eq!(data["trees"]["nodes"][0]["id"], "4");
    })
    .await;
}
