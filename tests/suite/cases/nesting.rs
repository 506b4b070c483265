//! Nesting: relations to one and to many, three deep and back, each level with the policy of its own resource.

use super::ledger;
use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

#[tokio::test]
async fn to_many_and_to_one_and_back() {
    on_both(async |server| {
        ledger::fill(server).await;
        let document = r#"{
            users(orderBy: { name: ASC }, filter: { role: { eq: "user" } }) {
                totalCount
                nodes { name
                    expenses(orderBy: [{ amount: DESC }, { title: ASC }], first: 2) {
                        totalCount
                        nodes { title amount
                            user { name
                                expenses(orderBy: { title: ASC }, last: 1) { edges { node { title user { email } } } }
                            }
                        }
                    }
                }
            }
        }"#;
        let back = |name: &str, email: &str, last: &str| {
            json!({ "name": name, "expenses": { "edges": [{ "node": { "title": last, "user": { "email": email } } }] } })
        };
        let (ann, bob) = (back("Ann", "ann@example.com", "l"), back("Bob", "bob@example.com", "z"));
        let row = |title: &str, amount: &str, user: &Value| json!({ "title": title, "amount": amount, "user": user });
        let anns = json!({ "totalCount": 12, "nodes": [row("h", "999999999999.99", &ann), row("e", "1200.00", &ann)] });
        let bobs = json!({ "totalCount": 3, "nodes": [row("b", "45.58", &bob), row("j", "45.58", &bob)] });
        assert_eq!(
            server.data(Admin, document).await,
            json!({ "users": { "totalCount": 2, "nodes": [{ "name": "Ann", "expenses": anns }, { "name": "Bob", "expenses": bobs }] } })
        );
        // The same question by somebody who sees less.
        assert_eq!(
            server.data(Other, document).await,
            json!({ "users": { "totalCount": 1, "nodes": [{ "name": "Bob", "expenses": bobs }] } })
        );
    })
    .await;
}

#[tokio::test]
async fn nested_lists_have_filters_orders_and_aliases_of_their_own() {
    on_both(async |server| {
        ledger::fill(server).await;
        let document = r#"query ($least: Decimal!) {
            me {
                food: expenses(filter: { category: { eq: "Food" } }, orderBy: { title: DESC }) { nodes { title } }
                dear: expenses(filter: { amount: { gte: $least } }, orderBy: { title: ASC }) { nodes { what: title } totalCount }
                none: expenses(filter: { title: { in: [] } }) { nodes { title } totalCount pageInfo { hasNextPage endCursor } }
                expenses(offset: 10) { totalCount nodes { title } }
                count: expenses { totalCount }
            }
        }"#;
        let data = server.graphql(User, document, json!({ "least": 1000 })).await.data();
        assert_eq!(
            data["me"],
            json!({
                "food": { "nodes": [{ "title": "i" }, { "title": "c" }, { "title": "b" }] },
                "dear": { "nodes": [{ "what": "e" }, { "what": "f" }, { "what": "h" }], "totalCount": 3 },
                "none": { "nodes": [], "totalCount": 0, "pageInfo": { "hasNextPage": false, "endCursor": null } },
                "expenses": { "totalCount": 12, "nodes": [{ "title": "d" }, { "title": "g" }] },
                "count": { "totalCount": 12 },
            })
        );
        // In the order of the document, whatever is null or a list.
        let keys: Vec<_> = data["me"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["food", "dear", "none", "expenses", "count"]);
    })
    .await;
}

/// Characters that JSON escapes come through the JSON that a database makes of nested rows, and so do NULLs.
#[tokio::test]
async fn nested_values_are_rendered_as_those_at_the_root() {
    on_both(async |server| {
        ledger::fill(server).await;
        server.expense(User, json!({ "title": "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}\u{2028}ü😀</", "amount": -0.5 })).await;
        let row = "id nodeId userId title description amount currency category spentOn createdAt updatedAt __typename";
        let root = server.data(User, &format!("{{ expenses {{ nodes {{ {row} }} edges {{ cursor }} }} }}")).await["expenses"].clone();
        let nested = format!("{{ me {{ expenses {{ nodes {{ {row} }} edges {{ cursor }} }} }} }}");
        assert_eq!(server.data(User, &nested).await["me"]["expenses"], root);
        let twice = format!("{{ me {{ expenses(first: 1) {{ nodes {{ user {{ expenses {{ nodes {{ {row} }} edges {{ cursor }} }} }} }} }} }} }}");
        assert_eq!(server.data(User, &twice).await["me"]["expenses"]["nodes"][0]["user"]["expenses"], root);
        let user = "id nodeId email name role createdAt updatedAt __typename";
        let me = server.data(User, &format!("{{ me {{ {user} }} }}")).await["me"].clone();
        let nested = format!("{{ expenses(first: 1) {{ nodes {{ user {{ {user} }} }} }} }}");
        assert_eq!(server.data(User, &nested).await["expenses"]["nodes"][0]["user"], me);
    })
    .await;
}

/// What a mutation answers is read as everything else.
#[tokio::test]
async fn a_mutation_answers_with_relations() {
    on_both(async |server| {
        ledger::fill(server).await;
        let document = r#"mutation {
            createExpense(input: { title: "m", amount: 1, category: "New" }) {
                title user { name expenses(filter: { category: { eq: "New" } }) { nodes { title } totalCount } }
            }
        }"#;
        let expected = json!({ "title": "m", "user": { "name": "Ann", "expenses": { "nodes": [{ "title": "m" }], "totalCount": 1 } } });
        assert_eq!(server.data(User, document).await["createExpense"], expected);
    })
    .await;
}
