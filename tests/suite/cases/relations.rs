//! Conditions and orders that reach through relations: of the rows at the other end, only those count that exist for the
//! caller.

use super::ledger;
use crate::support::{Caller::*, Server, on_both};
use serde_json::{Value, json};

/// The names of the users that `caller` is told of.
async fn users(server: &Server, caller: crate::support::Caller, arguments: &str) -> Vec<String> {
    let data = server.data(caller, &format!("{{ users({arguments}) {{ nodes {{ name }} totalCount }} }}")).await;
    let nodes = data["users"]["nodes"].as_array().expect("rows").clone();
    assert_eq!(data["users"]["totalCount"], nodes.len(), "{arguments}");
    nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn what_means_nothing_is_refused() {
    on_both(async |server| {
        for (arguments, code) in [
            ("filter: { expenses: { most: {} } }", "BAD_USER_INPUT"),
            ("filter: { expenses: null }", "BAD_USER_INPUT"),
            ("filter: { expenses: { some: null } }", "BAD_USER_INPUT"),
            ("filter: { expenses: { count: null } }", "BAD_USER_INPUT"),
            ("filter: { expenses: { sum: { title: { eq: 1 } } } }", "BAD_USER_INPUT"),
            ("filter: { expenses: { sum: { amount: { eq: \"much\" } } } }", "BAD_USER_INPUT"),
            ("filter: { expenses: { sum: { amount: { like: \"1%\" } } } }", "BAD_USER_INPUT"),
            ("orderBy: { expenses: ASC }", "BAD_USER_INPUT"),
            ("orderBy: { expenses: { count: ASC, sum: { amount: ASC } } }", "BAD_USER_INPUT"),
            ("orderBy: { expenses: { sum: {} } }", "BAD_USER_INPUT"),
        ] {
            let answer =
                server.graphql(User, &format!("{{ users({arguments}) {{ nodes {{ id }} }} }}"), Value::Null).await;
            let found = answer.failure().code;
            assert!(found == code || found == "GRAPHQL_VALIDATION_FAILED", "{arguments}: {}", answer.text);
        }
        for (order, code) in [("users(name)", "PGRST108"), ("user(colour)", "42703"), ("user(name).up", "PGRST100")] {
            server.get(User, &format!("/expenses?order={order}")).await.expect(400).refused(code);
        }
    })
    .await;
}

#[tokio::test]
async fn through_a_relation_to_many() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (filter, found) in [
            ("{ some: {} }", &["Ann", "Bob"][..]),
            ("{ none: {} }", &["Ada", "Eve"]),
            ("{ some: { title: { eq: \"z\" } } }", &["Bob"]),
            ("{ none: { title: { eq: \"z\" } } }", &["Ada", "Ann", "Eve"]),
            // Of no rows everything holds; what is unknown does not hold.
            ("{ every: { category: { eq: \"Food\" } } }", &["Ada", "Bob", "Eve"]),
            ("{ every: { category: { isNull: false } } }", &["Ada", "Bob", "Eve"]),
            ("{ every: { title: { lt: \"m\" } } }", &["Ada", "Ann", "Eve"]),
            ("{ some: { title: { eq: \"b\" } }, none: { title: { eq: \"a\" } } }", &["Bob"]),
            ("{ some: { or: [{ title: { eq: \"a\" } }, { title: { eq: \"z\" } }] } }", &["Ann", "Bob"]),
            ("{ some: { user: { name: { eq: \"Bob\" } } } }", &["Bob"]),
            ("{ some: { user: { expenses: { count: { eq: 12 } } } } }", &["Ann"]),
            ("{ count: { eq: 12 } }", &["Ann"]),
            ("{ count: { in: [0, 3] } }", &["Ada", "Bob", "Eve"]),
            ("{ filter: { category: { eq: \"Food\" } }, count: { eq: 3 } }", &["Ann", "Bob"]),
            ("{ filter: { category: { eq: \"Food\" }, currency: { eq: \"EUR\" } }, count: { gt: 0 } }", &["Ann"]),
            ("{ countDistinct: { category: { eq: 1 } } }", &["Bob"]),
            ("{ sum: { amount: { eq: \"136.74\" } } }", &["Bob"]),
            ("{ sum: { amount: { isNull: true } } }", &["Ada", "Eve"]),
            ("{ filter: { currency: { eq: \"EUR\" } }, avg: { amount: { eq: \"21.29\" } } }", &["Ann"]),
            ("{ min: { spentOn: { lt: \"2000-01-01\" } } }", &["Ann"]),
            ("{ max: { title: { eq: \"z\" } } }", &["Bob"]),
            ("{ max: { title: { like: \"_\" } }, count: { lte: 3 } }", &["Bob"]),
        ] {
            let arguments = format!("filter: {{ expenses: {filter} }}, orderBy: {{ name: ASC }}");
            assert_eq!(users(server, Admin, &arguments).await, found, "{filter}");
        }
        // Whose rows they are does not depend on what others may see of them.
        assert_eq!(users(server, User, "filter: { expenses: { some: {} } }").await, ["Ann"]);
        assert_eq!(users(server, User, "filter: { not: { expenses: { count: { gt: 11 } } } }").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn through_a_relation_to_one() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (caller, filter, count) in [
            (Admin, "{ name: { eq: \"Ann\" } }", 12),
            (Admin, "{}", 15),
            (Admin, "{ not: { name: { eq: \"Ann\" } } }", 3),
            (Admin, "{ expenses: { none: { title: { eq: \"z\" } } } }", 12),
            (User, "{}", 12),
            (User, "{ name: { eq: \"Bob\" } }", 0),
        ] {
            let query = format!("{{ expenses(filter: {{ user: {filter} }}) {{ totalCount }} }}");
            assert_eq!(server.data(caller, &query).await["expenses"]["totalCount"], count, "{filter}");
        }
        let query = "query ($of: UserFilter) { expenses(filter: { user: $of }) { totalCount } }";
        for (name, count) in [("Ann", 12), ("Bob", 3)] {
            let variables = json!({ "of": { "name": { "in": [name] } } });
            let data = server.graphql(Admin, query, variables).await.data();
            assert_eq!(data["expenses"]["totalCount"], count);
        }
    })
    .await;
}

#[tokio::test]
async fn lists_are_ordered_by_what_is_related() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (order, found) in [
            ("{ expenses: { count: DESC } }, { name: ASC }", ["Ann", "Bob", "Ada", "Eve"]),
            ("{ expenses: { count: ASC } }, { name: DESC }", ["Eve", "Ada", "Bob", "Ann"]),
            ("{ expenses: { sum: { amount: ASC } } }, { name: ASC }", ["Bob", "Ann", "Ada", "Eve"]),
            ("{ expenses: { sum: { amount: DESC } } }, { name: ASC }", ["Ada", "Eve", "Ann", "Bob"]),
            ("{ expenses: { min: { spentOn: ASC_NULLS_FIRST } } }, { name: DESC }", ["Eve", "Ada", "Ann", "Bob"]),
            ("{ expenses: { max: { title: DESC_NULLS_LAST } } }, { name: ASC }", ["Bob", "Ann", "Ada", "Eve"]),
            ("{ expenses: { countDistinct: { category: DESC } } }, { name: ASC }", ["Ann", "Bob", "Ada", "Eve"]),
        ] {
            assert_eq!(users(server, Admin, &format!("orderBy: [{order}]")).await, found, "{order}");
            // A page behind each cursor goes on where the one before it ended.
            let mut walked = Vec::new();
            let mut after = String::new();
            for _ in 0..found.len() {
                let query = format!(
                    "{{ users(orderBy: [{order}], first: 1{after}) {{ edges {{ cursor node {{ name }} }} pageInfo {{ hasNextPage }} }} }}"
                );
                let page = server.data(Admin, &query).await["users"].clone();
                walked.push(page["edges"][0]["node"]["name"].as_str().expect("a row").to_owned());
                after = format!(", after: {}", page["edges"][0]["cursor"]);
                assert_eq!(page["pageInfo"]["hasNextPage"], walked.len() < found.len());
            }
            assert_eq!(walked, found, "{order}");
        }
        for order in ["[{ user: { name: DESC } }, { title: ASC }]", "[{ user: { expenses: { count: ASC } } }, { title: ASC }]"] {
            let query = format!("{{ expenses(orderBy: {order}) {{ nodes {{ title user {{ name }} }} }} }}");
            let list = server.data(Admin, &query).await["expenses"]["nodes"].clone();
            assert_eq!(ledger::titles(&list), "bjzabcdefghijkl", "{order}");
            assert_eq!((&list[0]["user"]["name"], &list[3]["user"]["name"]), (&json!("Bob"), &json!("Ann")));
        }
        let list = server.get(Admin, "/expenses?order=user(name).desc,title&select=title").await.expect(200).json();
        assert_eq!(ledger::titles(&list), "bjzabcdefghijkl");
    })
    .await;
}
