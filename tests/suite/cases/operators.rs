//! PostgREST's operators, one by one: what each finds, negated too, and what is no operator of ours.

use super::ledger;
use crate::support::{Caller::*, on_both};

/// All that PostgREST has.
const ALL: [&str; 27] = [
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "like",
    "ilike",
    "match",
    "imatch",
    "in",
    "is",
    "isdistinct",
    "fts",
    "plfts",
    "phfts",
    "wfts",
    "cs",
    "cd",
    "ov",
    "sl",
    "sr",
    "nxr",
    "nxl",
    "adj",
    "any",
    "all",
];

/// The ones of arrays and ranges, which no column holds.
const OF_OTHER_TYPES: [&str; 8] = ["cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"];

/// A condition, the titles that it finds, and those for which it is unknown.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str)] = &[
    ("category=eq.Food", "bci", "afj"),
    ("description=eq.", "h", "afj"),
    ("description=eq.quo\"te", "i", "afj"),
    ("description=eq.\"Weekly\"", "", "afj"),
    ("category=eq.Food+%26+Drink", "l", "afj"),
    ("category=eq.Food%2B", "", "afj"),
    ("category=neq.Food", "deghkl", "afj"),
    ("amount=gt.100", "efh", ""),
    ("amount=gte.100", "efhl", ""),
    ("amount=lt.0", "d", ""),
    ("amount=lte.0", "di", ""),
    ("category=gt.Food", "deghkl", "afj"),
    ("description=like.*100*", "cl", "afj"),
    ("description=like.%25100%25", "cl", "afj"),
    ("description=like.W_ekly", "b", "afj"),
    ("description=like.*100\\%25", "c", "afj"),
    ("description=like.under\\_score", "d", "afj"),
    ("description=like.back\\\\slash", "e", "afj"),
    ("description=like.", "h", "afj"),
    ("description=ilike.WEEKLY", "bk", "afj"),
    ("description=ilike.ÜM*", "g", "afj"),
    ("description=match.^w", "ck", "afj"),
    ("description=imatch.^W", "bck", "afj"),
    ("category=in.(Food,Rent)", "bcdei", "afj"),
    ("category=in.()", "", ""),
    ("description=in.(\"\")", "h", "afj"),
    ("category=in.(\"a,b(c)\",food)", "gh", "afj"),
    ("description=in.(\"quo\\\"te\",\"back\\\\slash\",100 percent)", "eil", "afj"),
    ("category=is.null", "afj", ""),
    ("category=is.NULL", "afj", ""),
    ("category=is.not_null", "bcdeghikl", ""),
    ("category=is.Not_Null", "bcdeghikl", ""),
    ("category=isdistinct.Food", "adefghjkl", ""),
    ("description=isdistinct.", "abcdefgijkl", ""),
    ("amount=isdistinct.45.580", "adefghikl", ""),
    ("description=fts.weekly", "bck", "afj"),
    ("description=fts.weekly %26 100", "c", "afj"),
    ("description=plfts.100 Weekly", "c", "afj"),
    ("description=phfts.100 Percent", "l", "afj"),
    ("description=wfts.weekly -100", "bk", "afj"),
    ("description=fts(english).weeks | percents", "bckl", "afj"),
    ("category=eq(any).{Food,Rent}", "bcdei", "afj"),
    ("category=eq(all).{Food,Food}", "bci", "afj"),
    ("category=eq(any).{\"a,b(c)\",food}", "gh", "afj"),
    ("category=eq(any).{}", "", ""),
    ("description=like(any).{week*,*100*}", "ckl", "afj"),
    ("description=like(all).{week*,*100*}", "c", "afj"),
    ("description=ilike(any).{WEEK*,*LÄUT}", "bcgk", "afj"),
    ("amount=gt(any).{100,1200}", "efh", ""),
    ("amount=gte(all).{100,1200}", "efh", ""),
    ("amount=lt(any).{0,1}", "adi", ""),
    ("amount=lte(all).{0,1}", "di", ""),
    ("description=match(any).{^w,^b}", "cek", "afj"),
    ("description=imatch(all).{^w,y$}", "bk", "afj"),
];

#[tokio::test]
async fn what_is_no_operator_here_is_refused_with_what_would_be_one() {
    on_both(async |server| {
        for word in OF_OTHER_TYPES {
            for query in
                [format!("title={word}.{{a}}"), format!("title=not.{word}.(1,2)"), format!("or=(amount.{word}.1)")]
            {
                let answer = server.get(User, &format!("/expenses?{query}")).await.expect(404);
                answer.refused("42883").saying("operator does not exist").saying("no column holds any");
            }
        }
        for (query, at, details) in [
            ("xyz.1", 1, "unexpected \"x\" expecting \"not\" or operator (eq, gt, ...)"),
            ("1", 1, "unexpected \"1\" expecting \"not\" or operator (eq, gt, ...)"),
            ("", 1, "unexpected end of input expecting \"not\" or operator (eq, gt, ...)"),
            ("not.xyz.1", 5, "unexpected \"x\" expecting \"not\" or operator (eq, gt, ...)"),
            ("not.not.eq.1", 5, "unexpected \"n\" expecting \"not\" or operator (eq, gt, ...)"),
            ("EQ.1", 1, "unexpected \"E\" expecting \"not\" or operator (eq, gt, ...)"),
            ("eq", 3, "unexpected end of input expecting \".\""),
            ("eq(any)", 8, "unexpected end of input expecting \".\""),
            ("neq(any).{a}", 4, "unexpected \"(\" expecting \".\""),
            ("in(any).{a}", 3, "unexpected \"(\" expecting \".\""),
            ("eq(some).{a}", 4, "unexpected \"s\" expecting \"any\" or \"all\""),
            ("eq(any).a", 9, "unexpected \"a\" expecting a list in braces"),
            ("in.a", 4, "unexpected \"a\" expecting a list in parentheses"),
            ("in.(\"a)", 4, "unexpected \"(\" expecting a list in parentheses"),
            ("is.nope", 4, "unexpected \"n\" expecting isVal: (null, not_null, true, false, unknown)"),
            ("is.", 4, "unexpected end of input expecting isVal: (null, not_null, true, false, unknown)"),
        ] {
            let answer = server.get(User, &format!("/expenses?title={query}")).await.expect(400).refused("PGRST100");
            let message = format!("\"failed to parse filter ({query})\" (line 1, column {at})");
            assert_eq!(
                (answer.json()["message"].as_str(), answer.json()["details"].as_str()),
                (Some(&*message), Some(details))
            );
        }
        for (query, code) in [
            ("title=is.true", "42804"),
            ("amount=is.unknown", "42804"),
            ("amount=like.1*", "42883"),
            ("amount=match.1", "42883"),
            ("id=gt.x", "22P02"),
            ("amount=in.(1,)", "22P02"),
            ("title=like.a\\", "22025"),
            ("title=match.(", "2201B"),
        ] {
            server.get(User, &format!("/expenses?{query}")).await.misunderstood(code);
        }
    })
    .await;
}

#[tokio::test]
async fn every_operator_finds_what_it_says_and_negated_the_rest() {
    for word in ALL {
        let written = |query: &str| {
            let (_, condition) = query.split_once('=').expect("a condition");
            condition.starts_with(&format!("{word}."))
                || condition.split('.').next().is_some_and(|head| head.ends_with(&format!("({word})")))
        };
        assert!(OF_OTHER_TYPES.contains(&word) || ROWS.iter().any(|(query, ..)| written(query)), "{word} has no row");
    }
    on_both(async |server| {
        ledger::fill(server).await;
        for (query, found, unknown) in ROWS {
            let (column, condition) = query.split_once('=').expect("a condition");
            let rest: String =
                "abcdefghijkl".chars().filter(|title| !found.contains(*title) && !unknown.contains(*title)).collect();
            assert_eq!(ledger::by_rest(server, &format!("{query}&order=title")).await, *found, "{query}");
            let negated = format!("{column}=not.{condition}&order=title");
            assert_eq!(ledger::by_rest(server, &negated).await, rest, "{negated}");
            // In a tree a value with a comma, a parenthesis or a quote is quoted; a list has quotes of its own.
            let (word, value) = condition.split_once('.').expect("a value");
            let listed = word == "in" || word.ends_with("(any)") || word.ends_with("(all)");
            let value = if listed {
                value.to_owned()
            } else {
                format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            };
            let tree = format!("or=({column}.{word}.{value},title.eq.nothing)&order=title");
            assert_eq!(ledger::by_rest(server, &tree).await, *found, "{tree}");
            let tree = format!("and=({column}.not.{word}.{value},title.neq.nothing)&order=title");
            assert_eq!(ledger::by_rest(server, &tree).await, rest, "{tree}");
        }
    })
    .await;
}
