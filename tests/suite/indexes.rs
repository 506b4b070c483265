//! Which way the databases take to the rows of the commonest lists: by an index, to the page at once, however deep it is.

use rootstock::{
    catalog::scalar::Style,
    engine::{authorize::Who, compile::Bind, plan::Bounds},
    graphql::Operation,
};
use sea_orm::{ConnectionTrait as _, Statement};

use crate::support::{Caller::*, Dialect, Server, on_both};

const DEEP: &str = "00000000-0000-4000-8000-000000010000";

/// Twenty thousand trees of a hundred species, and as many expenses of Ann in ten categories.
async fn fill(server: &Server) {
    let id = &server.person(User).id;
    let (user, key, day, series) = match server.dialect {
        Dialect::Sqlite => (
            format!("x'{}'", id.replace('-', "")),
            "unhex(format('0000000000004000800000000%07d', i))",
            "date('2020-01-01', '+' || (i / 10) || ' days')",
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)",
        ),
        Dialect::Postgres => (
            format!("'{id}'"),
            "('00000000-0000-4000-8000-00000' || lpad(i::text, 7, '0'))::uuid",
            "date '2020-01-01' + i / 10",
            "with n(i) as (select generate_series(1, 20000))",
        ),
    };
    let time = "'2026-01-01T00:00:00.000000Z'";
    server
        .sql(&format!("insert into trees (name, species) {series} select 'tree', 'species ' || (i % 100) from n"))
        .await;
    server
        .sql(&format!(
            "insert into expenses (id, user_id, title, amount, currency, category, spent_on, created_at, updated_at)
             {series} select {key}, {user}, 'x', i, 'USD', 'c' || (i % 10), {day}, {time}, {time} from n"
        ))
        .await;
    server.sql("analyze").await;
}

/// What the database says of how it runs the statement of a query with these arguments.
async fn explained(server: &Server, list: &str, arguments: &str) -> String {
    let query = format!("{{ {list}({arguments}) {{ nodes {{ id }} }} }}");
    let operation = Operation { query: &query, safe: true, ..Operation::default() };
    let (question, values) = server.app.graphql.questions(&operation).expect("questions").remove(0);
    let who = Who { role: "user".to_owned(), authenticated: true };
    let bounds = Bounds { default_page: 20, max_page: 100 };
    let plan = server.app.engine.prepare(&question, Style::GraphQl, bounds, &who).expect("a plan");
    let statement = plan.read.as_ref().expect("a statement");
    let uuid = |text: &str| match server.dialect {
        Dialect::Sqlite => format!("x'{}'", text.replace('-', "")),
        Dialect::Postgres => format!("'{text}'"),
    };
    let mut sql = statement.sql.to_string();
    for (index, bind) in statement.binds.iter().enumerate().rev() {
        let value = match bind {
            Bind::Slot(slot) => format!("'{}'", values[*slot].text().expect("a text")),
            Bind::Position(_, 0) => "'2022-09-27'".to_owned(),
            Bind::Position(..) => uuid(DEEP),
            Bind::Claim(_) => uuid(&server.person(User).id),
            other => panic!("{other:?}"),
        };
        sql = sql.replace(&format!("${}", index + 1), &value).replace(&format!("?{}", index + 1), &value);
    }
    let (explain, column) = match server.dialect {
        Dialect::Sqlite => (format!("explain query plan {sql}"), "detail"),
        Dialect::Postgres => (format!("explain (analyze, costs off, timing off) {sql}"), "QUERY PLAN"),
    };
    let transaction = server.app.database.begin().await.expect("a transaction");
    let explain = Statement::from_string(transaction.get_database_backend(), explain);
    let rows = transaction.query_all_raw(explain).await.expect("a plan");
    let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).expect("a line")).collect();
    format!("{sql}\n{}", lines.join("\n"))
}

#[tokio::test]
async fn lists_are_read_by_an_index_and_no_further_than_their_page() {
    on_both(async |server| {
        fill(server).await;
        // A cursor deep in the list: what its values are does not matter here, they are put in above.
        let page = server
            .data(User, "{ expenses(first: 1, filter: { category: { eq: \"c0\" } }) { pageInfo { endCursor } } }")
            .await["expenses"]["pageInfo"]["endCursor"]
            .clone();
        for (list, arguments, index) in [
            ("trees", "filter: { species: { eq: \"species 7\" } }".to_owned(), "trees_species_id_idx"),
            (
                "expenses",
                "filter: { category: { eq: \"c0\" } }".to_owned(),
                "expenses_user_id_category_spent_on_id_idx",
            ),
            (
                "expenses",
                format!("filter: {{ category: {{ eq: \"c0\" }} }}, after: {page}"),
                "expenses_user_id_category_spent_on_id_idx",
            ),
            ("expenses", "first: 20".to_owned(), "expenses_user_id_spent_on_id_idx"),
            ("expenses", format!("after: {page}"), "expenses_user_id_spent_on_id_idx"),
            ("expenses", format!("before: {page}, last: 20"), "expenses_user_id_spent_on_id_idx"),
        ] {
            let plan = explained(server, list, &arguments).await;
            assert!(plan.contains(index), "{plan}");
            // Nothing is sorted, skipped, or read and thrown away.
            for word in ["TEMP B-TREE", "Sort", "Removed", "Seq Scan", "offset"] {
                assert!(!plan.contains(word), "{word}\n{plan}");
            }
            let deep = arguments.contains(": \"W");
            match server.dialect {
                Dialect::Sqlite if deep => assert!(plan.contains("(spent_on,id)"), "{plan}"),
                Dialect::Postgres if deep => assert!(plan.contains("Index Cond") && plan.contains("ROW("), "{plan}"),
                Dialect::Sqlite => assert!(plan.contains("SEARCH"), "{plan}"),
                Dialect::Postgres => assert!(plan.contains("rows=21"), "{plan}"),
            }
        }
    })
    .await;
}
