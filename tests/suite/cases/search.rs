//! Full text: all words of a query, in any order, by the same rule of words on both databases, and by an index.

use super::ledger;
use crate::support::{Caller::*, Dialect, Server, on_both};
use rootstock::{
    catalog::scalar::Style,
    engine::{authorize::Who, plan::Bounds, request::Question},
    graphql::Operation,
};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

#[rustfmt::skip]
const ROWS: [(&str, Option<&str>, Option<&str>); 9] = [
    ("a", Some("Coffee with milk"),              Some("Breakfast at Tiffany's")),
    ("b", Some("coffee_beans, don't grind!"),    Some("COFFEE")),
    ("c", Some("Café au lait; crème brûlée"),    None),
    ("d", Some("CAFÉ NOIR"),                     Some("café")),
    ("e", Some("Straße und Maße, 42 m²"),        None),
    ("f", Some("咖啡 コーヒー 커피"),                Some("咖啡")),
    ("g", Some("ΟΔΟΣ, οδος 007"),                Some("İstanbul")),
    ("h", None,                                  None),
    ("i", Some(""),                              Some("e\u{301}clair \u{1f333}oak")),
];

async fn fill(server: &Server) {
    for (title, description, category) in ROWS {
        let row = json!({ "title": title, "amount": 1, "description": description, "category": category });
        server.expense(User, row).await;
    }
    server.expense(Other, json!({ "title": "z", "amount": 1, "description": "coffee milk" })).await;
}

/// By the index (description) and without one (category).
#[tokio::test]
async fn every_word_of_a_query_must_be_there() {
    on_both(async |server| {
        fill(server).await;
        for (column, query, found) in [
            ("description", "coffee", "ab"),
            ("description", "milk COFFEE", "a"),
            ("description", "coffee tea", ""),
            ("description", "cof", ""),
            ("description", "cof*", "ab"),
            ("description", "cof* mil*", "a"),
            ("description", "beans", "b"),
            ("description", "don't", "b"),
            ("description", "dont", ""),
            ("description", "café", "cd"),
            ("description", "cafe", ""),
            ("description", "CAFÉ LAIT", "c"),
            ("description", "caf*", "cd"),
            ("description", "strasse", ""),
            ("description", "STRAßE", "e"),
            ("description", "42", "e"),
            ("description", "4*", "e"),
            ("description", "m", "e"),
            ("description", "咖啡", "f"),
            ("description", "咖", ""),
            ("description", "咖*", "f"),
            ("description", "コーヒー 커피", "f"),
            ("description", "οδος", "g"),
            ("description", "ΟΔΟΣ", "g"),
            ("description", "007", "g"),
            ("description", "7", ""),
            ("description", "", ""),
            ("description", "!!", ""),
            ("description", "*", ""),
            ("description", "coffee & !milk | (tea)", ""),
            ("description", "coffee & milk", "a"),
            ("description", "\"coffee\" 'milk' -with", "a"),
            ("description", "coffee NOT tea", ""),
            ("description", "title : coffee", ""),
            ("description", "\\ ' \" ; --", ""),
            ("category", "coffee", "b"),
            ("category", "tiffany", "a"),
            ("category", "café", "d"),
            ("category", "咖啡", "f"),
            ("category", "istanbul", "g"),
            ("category", "İSTANBUL", "g"),
            ("category", "e\u{301}clair", "i"),
            ("category", "eclair", ""),
            ("category", "oak", "i"),
            ("title", "A", "a"),
        ] {
            let filter = json!({ "filter": { column: { "search": query } } });
            let arguments = "filter: $filter, orderBy: { title: ASC }";
            assert_eq!(ledger::by_graphql(server, arguments, filter).await, found, "{column} {query}");
            let escaped: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
            // A URL's plain words have no prefixes.
            if !query.contains('*') {
                let query = format!("{column}=plfts.{escaped}&order=title");
                assert_eq!(ledger::by_rest(server, &query).await, found, "{query}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_search_goes_with_every_other_condition() {
    on_both(async |server| {
        fill(server).await;
        for (query, filter, found) in [
            // What is NULL has no words, and lacks none.
            ("description=not.fts.coffee", r#"{ not: { description: { search: "coffee" } } }"#, "cdefgi"),
            ("category=not.fts.coffee", r#"{ not: { category: { search: "coffee" } } }"#, "adfgi"),
            (
                "not.or=(description.fts.coffee,title.eq.c)",
                r#"{ not: { or: [{ description: { search: "coffee" } }, { title: { eq: "c" } }] } }"#,
                "defgi",
            ),
            (
                "or=(description.fts.milk,category.fts.café)",
                r#"{ or: [{ description: { search: "milk" } }, { category: { search: "café" } }] }"#,
                "ad",
            ),
            (
                "or=(description.plfts.\"milk, coffee\",title.eq.h)",
                r#"{ or: [{ description: { search: "milk, coffee" } }, { title: { eq: "h" } }] }"#,
                "ah",
            ),
            (
                "description=fts.coffee&title=neq.a",
                r#"{ description: { search: "coffee" }, title: { neq: "a" } }"#,
                "b",
            ),
        ] {
            assert_eq!(ledger::by_rest(server, &format!("{query}&order=title")).await, found, "{query}");
            let arguments = format!("filter: {filter}, orderBy: {{ title: ASC }}");
            assert_eq!(ledger::by_graphql(server, &arguments, Value::Null).await, found, "{filter}");
        }
        let long = "x".repeat(1_001);
        server.get(User, &format!("/expenses?title=fts.{long}")).await.expect(400).refused("22P02").saying("1000");
        server.get(User, "/expenses?amount=fts.1").await.misunderstood("42883");
    })
    .await;
}

#[tokio::test]
async fn what_is_written_is_found_and_what_is_gone_is_not() {
    on_both(async |server| {
        let long = "ab".repeat(1_000);
        let made = server.expense(User, json!({ "title": "one", "amount": 1, "description": long })).await;
        let path = format!("/expenses/{}", made["id"].as_str().expect("a key"));
        let found = async |query: &str| ledger::by_rest(server, query).await;
        assert_eq!(found(&format!("description=fts.{}", &long[..900])).await, "one");
        assert_eq!(found("title=fts.one").await, "one");
        server.rest(User, "PATCH", &path, json!({ "title": "two words", "description": null })).await.expect(200);
        assert_eq!(found("title=fts.one").await, "");
        assert_eq!(found("title=plfts.words+two").await, "two words");
        assert_eq!(found("description=fts.ab:*").await, "");
        server.rest(User, "DELETE", &path, Value::Null).await.expect(204);
        assert_eq!(found("title=fts.two").await, "");
        // The numbers of rows are given anew.
        server.expense(User, json!({ "title": "three", "amount": 1 })).await;
        assert_eq!(found("title=fts.thr:*").await, "three");
        let trees = server.get(Anonymous, "/trees?species=fts.acer&select=name").await.expect(200).text;
        assert_eq!(trees, r#"[{"name":"Red Maple"}]"#);
    })
    .await;
}

/// Both databases answer by the index of the column.
#[tokio::test]
async fn the_index_serves() {
    on_both(async |server| {
        fill(server).await;
        for (document, index) in [
            (
                r#"{ expenses(filter: { description: { search: "x" } }) { nodes { id } } }"#,
                "expenses_description_search_idx",
            ),
            (r#"{ trees(filter: { name: { search: "x" } }) { nodes { id } } }"#, "trees_name_search_idx"),
        ] {
            let operation = Operation { query: document, safe: true, ..Operation::default() };
            let questions = server.app.graphql.questions(&operation).expect("questions");
            by_index(server, &questions[0].0, Style::GraphQl, index, |sql| {
                sql.replace("$1", "'''milk'''").replace("?1", "'milk'")
            })
            .await;
        }
    })
    .await;
}

/// The rows of `question` are found by an index, on PostgreSQL by the one named `index`; `bound` puts values where the
/// statement has placeholders.
pub(super) async fn by_index(
    server: &Server,
    question: &Question,
    style: Style,
    index: &str,
    bound: impl FnOnce(&str) -> String,
) {
    let who = Who { role: "admin".to_owned(), authenticated: true };
    let bounds = Bounds { default_page: 20, max_page: 100 };
    let plan = server.app.engine.prepare(question, style, bounds, &who).expect("a plan");
    let sql = bound(&plan.read.as_ref().expect("a statement").sql);
    let (explain, column, used) = match server.dialect {
        Dialect::Sqlite => (format!("explain query plan {sql}"), "detail", "VIRTUAL TABLE INDEX"),
        Dialect::Postgres => (format!("explain {sql}"), "QUERY PLAN", index),
    };
    let transaction = server.app.database.begin().await.expect("a transaction");
    let orm = transaction.get_database_backend();
    if server.dialect == Dialect::Postgres {
        // So few rows are read whole otherwise.
        transaction.execute_unprepared("set local enable_seqscan = off").await.expect("a setting");
        transaction.execute_unprepared("set local enable_indexscan = off").await.expect("a setting");
    }
    let rows = transaction.query_all_raw(Statement::from_string(orm, explain)).await.expect("a plan");
    let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).expect("a line")).collect();
    assert!(lines.iter().any(|line| line.contains(used)), "{sql}\n{}", lines.join("\n"));
}
