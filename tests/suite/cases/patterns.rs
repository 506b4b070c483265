//! Patterns: `like` tells case, `ilike` does not, `%`, `_` and the backslash mean the same on both databases.

use super::ledger;
use crate::support::{Caller::*, on_both};
use serde_json::{Value, json};

#[tokio::test]
async fn patterns_mean_the_same_everywhere() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (operator, pattern, found) in [
            ("like", "weekly%", "ck"),
            ("like", "Weekly", "b"),
            ("like", "weekly", "k"),
            ("like", "WEEKLY", ""),
            ("ilike", "WEEKLY", "bk"),
            ("ilike", "weekly%", "bck"),
            ("like", "%", "bcdeghikl"),
            ("like", "", "h"),
            ("like", "_%", "bcdegikl"),
            ("like", "______", "bgik"),
            ("like", "%ly", "bk"),
            ("like", "%er%", "dl"),
            ("like", "100%", "l"),
            ("like", r"%100\%", "c"),
            ("like", r"%\%%", "c"),
            ("like", r"under\_score", "d"),
            ("like", r"%\_%", "d"),
            ("like", "under_score", "d"),
            ("like", r"%\\%", "e"),
            ("like", r"back\\slash", "e"),
            ("like", r"\w\e\ekly", "k"),
            ("like", "%\"%", "i"),
            ("like", "%ml_ut", "g"),
            ("like", "Ümläut", "g"),
            ("like", "'%", ""),
            ("like", "[a-z]%", ""),
            ("like", "^w", ""),
            ("ilike", "WEEK__ 100\\%", "c"),
        ] {
            let filter = json!({ "filter": { "description": { operator: pattern } } });
            let arguments = "filter: $filter, orderBy: { title: ASC }";
            assert_eq!(ledger::by_graphql(server, arguments, filter).await, found, "{operator} {pattern}");
            // A variable's value is bound as a literal's is.
            let literal =
                format!("filter: {{ description: {{ {operator}: {} }} }}, orderBy: {{ title: ASC }}", json!(pattern));
            assert_eq!(ledger::by_graphql(server, &literal, Value::Null).await, found, "{literal}");
            let escaped: String = url::form_urlencoded::byte_serialize(pattern.as_bytes()).collect();
            let query = format!("description={operator}.{escaped}&order=title");
            assert_eq!(ledger::by_rest(server, &query).await, found, "{query}");
            let query = format!("description={operator}.{}&order=title", escaped.replace("%25", "*"));
            if !pattern.contains(r"\%") {
                assert_eq!(ledger::by_rest(server, &query).await, found, "{query}");
            }
        }
    })
    .await;
}

/// What PostgreSQL's `ilike` folds under collation "C" is what SQLite folds: ASCII.
#[tokio::test]
async fn letters_beyond_ascii_fold_alike_on_both() {
    let found = std::sync::Mutex::new(Vec::new());
    on_both(async |server| {
        ledger::fill(server).await;
        let query = "description=ilike.%C3%BCML%C3%84UT&order=title";
        let rows = ledger::by_rest(server, query).await;
        found.lock().unwrap().push(rows);
    })
    .await;
    let found = found.into_inner().unwrap();
    assert_eq!(found[0], found[1]);
}

#[tokio::test]
async fn a_pattern_is_only_a_pattern() {
    on_both(async |server| {
        for value in ["' or 1=1 --", "\\", "%'; drop table trees; --", "\u{1}", "a\u{301}", "\u{10ffff}"] {
            let filter = json!({ "filter": { "name": { "eq": value } } });
            let document = "query ($filter: TreeFilter) { trees(filter: $filter) { totalCount } }";
            let data = server.graphql(Anonymous, document, filter).await.data();
            assert_eq!(data["trees"]["totalCount"], 0, "{value}");
        }
        let nul = json!({ "filter": { "name": { "eq": "a\u{0}b" } } });
        let document = "query ($filter: TreeFilter) { trees(filter: $filter) { totalCount } }";
        server.graphql(Anonymous, document, nul).await.refused("BAD_USER_INPUT");
        assert_eq!(server.data(Anonymous, "{ trees { totalCount } }").await["trees"]["totalCount"], 4);
    })
    .await;
}
