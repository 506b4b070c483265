//! Money: exact on the way in, in the database and on the way out; more than two decimals are refused, not rounded.

use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

/// What a client writes as JSON, and what every answer says.
const EXACT: [(&str, &str); 18] = [
    ("45.58", "45.58"),
    ("45.580", "45.58"),
    ("45.5800000000000000000000000", "45.58"),
    ("\"45.58\"", "45.58"),
    ("\"45.580\"", "45.58"),
    ("4558e-2", "45.58"),
    ("0.4558E2", "45.58"),
    ("45", "45.00"),
    ("\"7\"", "7.00"),
    ("0.1", "0.10"),
    ("0", "0.00"),
    ("-0", "0.00"),
    ("-0.01", "-0.01"),
    ("\"-3\"", "-3.00"),
    ("0.07", "0.07"),
    ("90071992547.41", "90071992547.41"),
    ("999999999999.99", "999999999999.99"),
    ("-999999999999.99", "-999999999999.99"),
];

/// What is no amount, as JSON.
const REFUSED: [&str; 19] = [
    "45.585",
    "\"45.585\"",
    "0.001",
    "1e-3",
    "1000000000000",
    "-1000000000000",
    "999999999999.995",
    "1e12",
    "1e400",
    "\"\"",
    "\" 1\"",
    "\"1,5\"",
    "\"1 000\"",
    "\"NaN\"",
    "\"0x10\"",
    "\"٣\"",
    "true",
    "[1]",
    "{}",
];

fn mutation(amount: &str) -> String {
    let document = "mutation ($input: CreateExpenseInput!) { createExpense(input: $input) { id amount } }";
    format!(r#"{{"query":"{document}","variables":{{"input":{{"title":"x","amount":{amount}}}}}}}"#)
}

#[tokio::test]
async fn amounts_are_exact() {
    on_both(async |server| {
        for (written, shown) in EXACT {
            let body = format!(r#"{{"title":"x","amount":{written}}}"#);
            let created = server.text(User, "POST", "/expenses", "application/json", &body).await.expect(201);
            created.clone().saying(&format!("\"amount\":{shown},"));
            let path = format!("/expenses/{}", created.json()["id"].as_str().unwrap());
            server.get(User, &path).await.expect(200).saying(&format!("\"amount\":{shown},"));
            let found = format!("/expenses?select=amount&{}&amount=eq.{shown}", path.replace("/expenses/", "id=eq."));
            let found = server.get(User, &found).await.expect(200);
            assert_eq!(found.text, format!(r#"[{{"amount":{shown}}}]"#));

            let created = server.text(User, "POST", "/graphql", "application/json", &mutation(written)).await.data();
            assert_eq!(created["createExpense"]["amount"], shown, "{written}");
            let id = &created["createExpense"]["id"];
            let read = server.data(User, &format!("{{ expense(id: {id}) {{ amount }} }}")).await;
            assert_eq!(read["expense"]["amount"], shown, "{written}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_amount_is_refused_and_not_rounded() {
    on_both(async |server| {
        let row = server.expense(User, json!({ "title": "x", "amount": 1 })).await;
        let path = format!("/expenses/{}", row["id"].as_str().unwrap());
        for written in REFUSED {
            let body = format!(r#"{{"title":"x","amount":{written}}}"#);
            for (method, path) in [("POST", "/expenses"), ("PUT", &path), ("PATCH", &path)] {
                let answer = server.text(User, method, path, "application/json", &body).await.expect(422);
                answer.saying("amount must be a decimal number");
            }
            let answer = server.text(User, "POST", "/graphql", "application/json", &mutation(written)).await;
            let answer = answer.refused("BAD_USER_INPUT");
            assert_eq!(answer.errors()[0]["extensions"]["field"], "amount", "{written}");
        }
        // Not even JSON.
        for written in ["NaN", "Infinity", "01", ".5", "5.", "+1", "0x10", "1_000", "--1", "1e"] {
            let body = format!(r#"{{"title":"x","amount":{written}}}"#);
            server.text(User, "POST", "/expenses", "application/json", &body).await.expect(400).refused("PGRST102");
            server.text(User, "POST", "/graphql", "application/json", &mutation(written)).await.expect(400);
        }
        assert_eq!(server.get(User, "/expenses").await.json(), json!([row]));
    })
    .await;
}

/// A literal with a fraction would pass through a binary number in the parser: it has to be a string.
#[tokio::test]
async fn a_literal_amount_is_a_string_or_a_whole_number() {
    on_both(async |server| {
        for (literal, shown) in [
            ("45", Some("45.00")),
            ("\"45.58\"", Some("45.58")),
            ("-3", Some("-3.00")),
            ("45.58", None),
            ("4.5e1", None),
        ] {
            let document =
                format!(r#"mutation {{ createExpense(input: {{ title: "x", amount: {literal} }}) {{ amount }} }}"#);
            let answer = server.graphql(User, &document, Value::Null).await;
            match shown {
                Some(shown) => assert_eq!(answer.data()["createExpense"]["amount"], shown),
                None => drop(answer.refused("BAD_USER_INPUT").saying("write it as a string")),
            }
            let filter = format!("{{ expenses(filter: {{ amount: {{ eq: {literal} }} }}) {{ totalCount }} }}");
            let answer = server.graphql(User, &filter, Value::Null).await;
            match shown {
                Some(_) => assert_eq!(answer.data()["expenses"]["totalCount"], 1),
                None => drop(answer.refused("BAD_USER_INPUT")),
            }
        }
    })
    .await;
}
