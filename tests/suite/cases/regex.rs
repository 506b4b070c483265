//! Regular expressions: the same texts are found on both databases, and those that the `regex` crate finds.

use super::ledger;
use crate::support::{Caller::*, Server, on_both};
use serde_json::json;
use std::collections::BTreeSet;

const TEXTS: [&str; 22] = [
    "a",
    "ab",
    "aab",
    "abc",
    "ABC",
    "a.c",
    "a c",
    "a\nc",
    "line one\nline two",
    "x-1",
    "x_1",
    "42",
    "é",
    "É",
    "Ünïcode",
    "straße",
    "🌳 oak",
    "[b]",
    "a\\b",
    "end",
    "the end",
    "kK\u{212a}",
];

/// Each is read by the `regex` crate as it is, once its classes are those of ASCII.
const PATTERNS: [&str; 62] = [
    "",
    "a",
    "^a",
    "c$",
    "^a$",
    "^$",
    "a.c",
    "(?s)a.c",
    "a\\.c",
    "[a-c]+$",
    "[^a-z]",
    "[^\\n]c",
    "^[[:alpha:]]+$",
    "(?i)abc",
    "(?i)É",
    "(?i)k",
    "(?i:A)b",
    "(?i)STRASSE",
    "é|É",
    "(a|ab)(c|bcd)?$",
    "^(a|b)*$",
    "^(?:a|b)+c$",
    "a{2}",
    "a{2,}",
    "^a{1,2}b",
    "a{0}b",
    "(a*)*b",
    "(a|a)*$",
    "(x+x+)+y",
    "()",
    "(|a)b",
    "(?:)*a",
    "(^a)?b",
    "(a?){3}c",
    "\\d",
    "^\\d+$",
    "\\D",
    "\\w",
    "^\\w+$",
    "\\W",
    "\\s",
    "^\\S+$",
    "[\\d_]",
    "[^\\w\\s]",
    "\\bend",
    "end\\b",
    "\\bone\\b",
    "\\Bnd",
    "\\b",
    "\\B",
    "[\\[\\]]",
    "[]b]",
    "[a\\-z]",
    "\\\\",
    "\\x41",
    "\\u{1F333}",
    "🌳",
    "[🌲-🌴]",
    "\\Athe",
    "two\\z",
    "(?-i)A",
    "a*?b",
];

/// `\d` and its like, of ASCII.
fn ascii(pattern: &str) -> String {
    [
        ("[\\d_]", "[0-9_]"),
        ("[^\\w\\s]", "[^0-9A-Za-z_ \\t\\n\\r\\x0b\\x0c]"),
        ("\\d", "[0-9]"),
        ("\\D", "[^0-9]"),
        ("\\w", "[0-9A-Za-z_]"),
        ("\\W", "[^0-9A-Za-z_]"),
        ("\\s", "[ \\t\\n\\r\\x0b\\x0c]"),
        ("\\S", "[^ \\t\\n\\r\\x0b\\x0c]"),
        ("\\b", "(?-u:\\b)"),
        ("\\B", "(?-u:\\B)"),
    ]
    .iter()
    .fold(pattern.to_owned(), |text, (from, to)| if text.contains("\\\\") { text } else { text.replace(from, to) })
}

async fn names(server: &Server, pattern: &str) -> BTreeSet<String> {
    let document = "query ($filter: TreeFilter) { trees(filter: $filter, first: 100) { nodes { name } } }";
    let filter = json!({ "filter": { "name": { "match": pattern } } });
    let data = server.graphql(Anonymous, document, filter).await.data();
    let nodes = data["trees"]["nodes"].as_array().expect("rows").clone();
    nodes.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn what_is_found_is_what_the_crate_finds() {
    on_both(async |server| {
        server.sql("delete from trees").await;
        for text in TEXTS {
            let tree = json!({ "name": text, "species": "x" });
            server.rest(Admin, "POST", "/trees", tree).await.expect(201);
        }
        for pattern in PATTERNS {
            let oracle = regex::Regex::new(&ascii(pattern)).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            let expected: BTreeSet<_> =
                TEXTS.iter().filter(|text| oracle.is_match(text)).map(|text| (*text).to_owned()).collect();
            assert_eq!(names(server, pattern).await, expected, "{pattern}");
        }
    })
    .await;
}

/// Expressions over which a backtracking matcher would sit for ever, on texts as long as they can be.
#[tokio::test]
async fn no_expression_runs_away() {
    on_both(async |server| {
        for (title, description) in [("a", "a".repeat(2_000)), ("x", "x".repeat(2_000)), ("b", "ab".repeat(1_000))] {
            server.expense(User, json!({ "title": title, "amount": 1, "description": description })).await;
        }
        for (pattern, found) in [
            ("(a*)*b", "b"),
            ("^(a*)*c$", ""),
            ("(a|a)*$", "abx"),
            ("^(a|aa)+$", "a"),
            ("(x+x+)+y", ""),
            ("^(([a-z])+.)+[A-Z]([a-z])+$", ""),
            ("(.*){1,30}z", ""),
            ("^(a?){255}a{255}$", ""),
            ("(a|b|ab)*c", ""),
            ("(?i)(.*a){20}b", "b"),
        ] {
            let filter = json!({ "filter": { "description": { "match": pattern } } });
            let arguments = "filter: $filter, orderBy: { title: ASC }";
            assert_eq!(ledger::by_graphql(server, arguments, filter).await, found, "{pattern}");
        }
    })
    .await;
}

#[tokio::test]
async fn rest_has_a_word_for_either_case() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (query, found) in [
            ("description=match.^weekly", "ck"),
            ("description=imatch.^weekly", "bck"),
            ("description=imatch.^weekly$|SCORE", "bdk"),
            ("description=not.imatch.weekly", "deghil"),
            ("description=match(any).{^W,%22^w.*k%22}", "bck"),
            ("description=imatch(all).{^W,Y$}", "bk"),
            ("or=(description.match.\"^.{5,6}$\",title.eq.a)", "abgik"),
        ] {
            assert_eq!(
                ledger::by_rest(server, &format!("{}&order=title", query.replace('+', "%2B"))).await,
                found,
                "{query}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_the_same_everywhere_is_refused() {
    on_both(async |server| {
        for (pattern, says) in [
            ("(?=a)", "look-around"),
            ("(a)\\1", "backreferences"),
            ("(", "no regular expression"),
            ("\\p{L}", "class of Unicode"),
            ("(?m)^a", "flag"),
            ("((a{30}){30}){30}", "repeats too much"),
            ("a{999}", "255"),
            ("***=a", "no regular expression"),
            (&"a".repeat(1_001), "at most 1000"),
        ] {
            let document = "query ($filter: TreeFilter) { trees(filter: $filter) { totalCount } }";
            let filter = json!({ "filter": { "name": { "match": pattern } } });
            let answer = server.graphql(Anonymous, document, filter).await.refused("BAD_USER_INPUT").saying(says);
            assert_eq!(answer.errors()[0]["extensions"]["field"], "name", "{}", answer.text);
            let escaped: String = url::form_urlencoded::byte_serialize(pattern.as_bytes()).collect();
            server.get(Anonymous, &format!("/trees?name=match.{escaped}")).await.expect(400).refused("2201B");
        }
        assert_eq!(server.data(Anonymous, "{ trees { totalCount } }").await["trees"]["totalCount"], 4);
    })
    .await;
}
