//! A dozen expenses with ties, NULLs and characters that mean something elsewhere, and how both protocols list them.

use crate::support::{Caller, Server};
use serde_json::{Value, json};

/// Title, description, amount, currency, category, day.
type Row = (&'static str, Option<&'static str>, &'static str, &'static str, Option<&'static str>, &'static str);

/// Ann's.
#[rustfmt::skip]
const ROWS: [Row; 12] = [
    ("a", None,                "0.10",            "USD", None,                 "2026-01-31"),
    ("b", Some("Weekly"),      "45.58",           "USD", Some("Food"),         "2026-01-31"),
    ("c", Some("weekly 100%"), "45.58",           "EUR", Some("Food"),         "2026-02-28"),
    ("d", Some("under_score"), "-3.00",           "EUR", Some("Rent"),         "2024-02-29"),
    ("e", Some("back\\slash"), "1200.00",         "USD", Some("Rent"),         "2026-02-01"),
    ("f", None,                "1200.00",         "USD", None,                 "2026-02-01"),
    ("g", Some("Ümläut"),      "9.99",            "CHF", Some("food"),         "1999-12-31"),
    ("h", Some(""),            "999999999999.99", "JPY", Some("a,b(c)"),       "2026-12-31"),
    ("i", Some("quo\"te"),     "0.00",            "USD", Some("Food"),         "2026-01-31"),
    ("j", None,                "45.58",           "USD", None,                 "2026-01-31"),
    ("k", Some("weekly"),      "7.00",            "USD", Some("Ärger"),        "2026-06-01"),
    ("l", Some("100 percent"), "100.00",          "USD", Some("Food & Drink"), "2026-06-02"),
];

/// The key of the row with this title: not in the order of the titles.
pub(super) fn key(title: &str) -> String {
    let index = title.bytes().next().map_or(0, |letter| u32::from(letter - b'a'));
    format!("00000000-0000-4000-8000-0000000000{}", 10 + (index * 5) % 12)
}

/// Gives Ann the ledger, and Bob rows that look alike.
pub(super) async fn fill(server: &Server) {
    for (title, description, amount, currency, category, day) in ROWS {
        let row = json!({ "id": key(title), "title": title, "description": description, "amount": amount,
            "currency": currency, "category": category, "spent_on": day });
        server.expense(Caller::User, row).await;
    }
    for title in ["b", "j", "z"] {
        let row = json!({ "title": title, "amount": 45.58, "category": "Food", "spent_on": "2026-01-31" });
        server.expense(Caller::Other, row).await;
    }
    for (titles, time) in [
        ("'a','b','c','d'", "2026-03-01T00:00:00.000001Z"),
        ("'e','f','g','h'", "2026-03-01T00:00:00.000002Z"),
        ("'i','j','k','l'", "2026-03-02T12:00:00.000000Z"),
    ] {
        server.sql(&format!("update expenses set created_at = '{time}' where title in ({titles})")).await;
    }
}

/// The titles of an array of rows, one after the other.
pub(super) fn titles(rows: &Value) -> String {
    let rows = rows.as_array().unwrap_or_else(|| panic!("no array: {rows}"));
    rows.iter().map(|row| row["title"].as_str().expect("a title")).collect()
}

/// The titles of Ann's list, as REST lists it with this query string.
#[track_caller]
pub(super) fn by_rest(server: &Server, query: &str) -> impl Future<Output = String> {
    let path = format!("/expenses?select=title&{query}");
    async move { titles(&server.get(Caller::User, &path).await.expect(200).json()) }
}

/// The titles of Ann's list, as GraphQL lists it with these arguments; as many as it counts.
pub(super) async fn by_graphql(server: &Server, arguments: &str, variables: Value) -> String {
    let declared = if variables.is_null() { "" } else { "query ($filter: ExpenseFilter) " };
    let document = format!("{declared}{{ expenses({arguments}, first: 100) {{ nodes {{ title }} totalCount }} }}");
    let list = server.graphql(Caller::User, &document, variables).await.data()["expenses"].clone();
    assert_eq!(list["totalCount"], list["nodes"].as_array().expect("rows").len(), "{document}");
    titles(&list["nodes"])
}
