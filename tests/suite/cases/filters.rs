//! Filters: every operator of every type, said in both protocols, finds the same rows on both databases.

use super::ledger;
use crate::support::{Caller::*, on_all};
use serde_json::{Value, json};

/// A query string, the filter that says the same in GraphQL, and the titles that both find.
type Case = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const TEXTS: &[Case] = &[
    ("category=eq.Food", r#"{ category: { eq: "Food" } }"#, "bci"),
    ("category=eq.food", r#"{ category: { eq: "food" } }"#, "g"),
    ("category=eq.Nothing", r#"{ category: { eq: "Nothing" } }"#, ""),
    ("category=eq.%C3%84rger", r#"{ category: { eq: "Ärger" } }"#, "k"),
    ("category=eq.Food+%26+Drink", r#"{ category: { eq: "Food & Drink" } }"#, "l"),
    ("category=eq.a,b(c)", r#"{ category: { eq: "a,b(c)" } }"#, "h"),
    ("description=eq.", r#"{ description: { eq: "" } }"#, "h"),
    ("description=eq.back\\slash", r#"{ description: { eq: "back\\slash" } }"#, "e"),
    ("description=eq.quo%22te", r#"{ description: { eq: "quo\"te" } }"#, "i"),
    ("category=eq.null", r#"{ category: { eq: "null" } }"#, ""),
    ("category=neq.Food", r#"{ category: { neq: "Food" } }"#, "deghkl"),
    ("category=in.(Food,Rent)", r#"{ category: { in: ["Food", "Rent"] } }"#, "bcdei"),
    ("category=in.(\"a,b(c)\",food)", r#"{ category: { in: ["a,b(c)", "food"] } }"#, "gh"),
    ("description=in.(\"quo\\\"te\",\"back\\\\slash\")", r#"{ description: { in: ["quo\"te", "back\\slash"] } }"#, "ei"),
    ("category=in.(Food)", r#"{ category: { in: "Food" } }"#, "bci"),
    ("category=in.()", r#"{ category: { in: [] } }"#, ""),
    ("category=not.in.(Food,Rent)", r#"{ category: { notIn: ["Food", "Rent"] } }"#, "ghkl"),
    ("category=not.in.()", r#"{ category: { notIn: [] } }"#, "abcdefghijkl"),
    ("category=lt.Food", r#"{ category: { lt: "Food" } }"#, ""),
    ("category=lte.Food", r#"{ category: { lte: "Food" } }"#, "bci"),
    ("category=gt.a", r#"{ category: { gt: "a" } }"#, "ghk"),
    ("category=gte.food", r#"{ category: { gte: "food" } }"#, "gk"),
    ("category=is.null", r#"{ category: { isNull: true } }"#, "afj"),
    ("category=not.is.null", r#"{ category: { isNull: false } }"#, "bcdeghikl"),
    ("category=is.not_null", r#"{ category: { isNull: false } }"#, "bcdeghikl"),
    ("title=is.null", r#"{ title: { isNull: true } }"#, ""),
    ("category=like.Food*", r#"{ category: { startsWith: "Food" } }"#, "bcil"),
    ("category=like.*", r#"{ category: { startsWith: "" } }"#, "bcdeghikl"),
    ("category=like.%C3%84*", r#"{ category: { startsWith: "Ä" } }"#, "k"),
    ("category=like.F\\_od*", r#"{ category: { startsWith: "F_od" } }"#, ""),
    ("description=like.*100\\%25", r#"{ description: { endsWith: "100%" } }"#, "c"),
    ("description=like.*y", r#"{ description: { endsWith: "y" } }"#, "bk"),
    ("description=like.*", r#"{ description: { endsWith: "" } }"#, "bcdeghikl"),
    ("description=like.*r\\_s*", r#"{ description: { contains: "r_s" } }"#, "d"),
    ("description=like.*\\\\*", r#"{ description: { contains: "\\" } }"#, "e"),
    ("description=like.*", r#"{ description: { contains: "" } }"#, "bcdeghikl"),
    ("description=like.*WEEK*", r#"{ description: { contains: "WEEK" } }"#, ""),
    ("description=match.^w", r#"{ description: { match: "^w" } }"#, "ck"),
    ("description=plfts.WEEKLY", r#"{ description: { search: "weekly" } }"#, "bck"),
    ("category=isdistinct.Food", r#"{ or: [{ category: { neq: "Food" } }, { category: { isNull: true } }] }"#, "adefghjkl"),
    ("category=not.isdistinct.Food", r#"{ category: { eq: "Food" } }"#, "bci"),
    ("category=eq(any).{Food,Rent}", r#"{ category: { in: ["Food", "Rent"] } }"#, "bcdei"),
    ("category=eq(any).{}", r#"{ or: [] }"#, ""),
    ("category=eq(all).{}", r#"{ and: [] }"#, "abcdefghijkl"),
    ("category=eq(any).{\"a,b(c)\",food}", r#"{ category: { in: ["a,b(c)", "food"] } }"#, "gh"),
    ("description=like(any).{week*,*100*}", r#"{ or: [{ description: { like: "week%" } }, { description: { like: "%100%" } }] }"#, "ckl"),
    ("description=ilike(all).{WEEK*,*100*}", r#"{ description: { ilike: "week%", contains: "100" } }"#, "c"),
    ("description=not.like(any).{week*,*100*}", r#"{ not: { or: [{ description: { startsWith: "week" } }, { description: { contains: "100" } }] } }"#, "bdeghi"),
    ("or=(title.gte(all).{k,l},title.lt(any).{\"b\",\"a}\"})", r#"{ or: [{ title: { gte: "l" } }, { title: { lt: "b" } }] }"#, "al"),
    ("or=(not.and(title.gt(all).{b},title.lt.l),category.eq(any).{\"a,b(c)\"})",
        r#"{ or: [{ not: { title: { gt: "b", lt: "l" } } }, { category: { eq: "a,b(c)" } }] }"#, "abhl"),
];

#[rustfmt::skip]
const DECIMALS: &[Case] = &[
    ("amount=eq.45.58", r#"{ amount: { eq: "45.58" } }"#, "bcj"),
    ("amount=eq.45.580", r#"{ amount: { eq: "45.580" } }"#, "bcj"),
    ("amount=eq.0.1", r#"{ amount: { eq: "0.1" } }"#, "a"),
    ("amount=eq.1200", r#"{ amount: { eq: 1200 } }"#, "ef"),
    ("amount=eq.999999999999.99", r#"{ amount: { eq: "999999999999.99" } }"#, "h"),
    ("amount=neq.45.58", r#"{ amount: { neq: "45.58" } }"#, "adefghikl"),
    ("amount=in.(0,-3,7.00)", r#"{ amount: { in: [0, -3, "7.00"] } }"#, "dik"),
    ("amount=not.in.(0,-3,7.00)", r#"{ amount: { notIn: ["0", "-3", 7] } }"#, "abcefghjl"),
    ("amount=lt.0", r#"{ amount: { lt: 0 } }"#, "d"),
    ("amount=lte.0", r#"{ amount: { lte: "0" } }"#, "di"),
    ("amount=gt.100", r#"{ amount: { gt: 100 } }"#, "efh"),
    ("amount=gte.100", r#"{ amount: { gte: "100.00" } }"#, "efhl"),
    ("amount=gte.9.99&amount=lt.100", r#"{ amount: { gte: "9.99", lt: 100 } }"#, "bcgj"),
    ("amount=is.null", r#"{ amount: { isNull: true } }"#, ""),
];

#[rustfmt::skip]
const DAYS_AND_TIMES: &[Case] = &[
    ("spent_on=eq.2026-01-31", r#"{ spentOn: { eq: "2026-01-31" } }"#, "abij"),
    ("spent_on=neq.2026-01-31", r#"{ spentOn: { neq: "2026-01-31" } }"#, "cdefghkl"),
    ("spent_on=in.(2024-02-29,1999-12-31)", r#"{ spentOn: { in: ["2024-02-29", "1999-12-31"] } }"#, "dg"),
    ("spent_on=not.in.(2024-02-29,1999-12-31)", r#"{ spentOn: { notIn: ["2024-02-29", "1999-12-31"] } }"#, "abcefhijkl"),
    ("spent_on=lt.2024-02-29", r#"{ spentOn: { lt: "2024-02-29" } }"#, "g"),
    ("spent_on=lte.2024-02-29", r#"{ spentOn: { lte: "2024-02-29" } }"#, "dg"),
    ("spent_on=gt.2026-06-01", r#"{ spentOn: { gt: "2026-06-01" } }"#, "hl"),
    ("spent_on=gte.2026-06-01", r#"{ spentOn: { gte: "2026-06-01" } }"#, "hkl"),
    ("spent_on=is.null", r#"{ spentOn: { isNull: true } }"#, ""),
    ("created_at=eq.2026-03-01T00:00:00.000001Z", r#"{ createdAt: { eq: "2026-03-01T00:00:00.000001Z" } }"#, "abcd"),
    ("created_at=eq.2026-03-02T13:00:00%2B01:00", r#"{ createdAt: { eq: "2026-03-02T13:00:00+01:00" } }"#, "ijkl"),
    ("created_at=neq.2026-03-02T12:00:00Z", r#"{ createdAt: { neq: "2026-03-02T12:00:00Z" } }"#, "abcdefgh"),
    ("created_at=in.(2026-03-02T12:00:00Z)", r#"{ createdAt: { in: ["2026-03-02T12:00:00Z"] } }"#, "ijkl"),
    ("created_at=not.in.(2026-03-02T12:00:00Z)", r#"{ createdAt: { notIn: ["2026-03-02T12:00:00Z"] } }"#, "abcdefgh"),
    ("created_at=lt.2026-03-01T00:00:00.000002Z", r#"{ createdAt: { lt: "2026-03-01T00:00:00.000002Z" } }"#, "abcd"),
    ("created_at=lte.2026-03-01T00:00:00.000002Z", r#"{ createdAt: { lte: "2026-03-01T00:00:00.000002Z" } }"#, "abcdefgh"),
    ("created_at=gt.2026-03-01T00:00:00.000001Z", r#"{ createdAt: { gt: "2026-03-01T00:00:00.000001Z" } }"#, "efghijkl"),
    ("created_at=gte.2026-03-02T12:00:00-00:00", r#"{ createdAt: { gte: "2026-03-02T12:00:00-00:00" } }"#, "ijkl"),
    ("created_at=not.is.null", r#"{ createdAt: { isNull: false } }"#, "abcdefghijkl"),
];

// Keys: a 10, b 15, c 20, d 13, e 18, f 11, g 16, h 21, i 14, j 19, k 12, l 17.
#[rustfmt::skip]
const KEYS: &[Case] = &[
    ("id=eq.00000000-0000-4000-8000-000000000013", r#"{ id: { eq: "00000000-0000-4000-8000-000000000013" } }"#, "d"),
    ("id=eq.00000000000040008000000000000013", r#"{ id: { eq: "00000000-0000-4000-8000-000000000013" } }"#, "d"),
    ("id=neq.00000000-0000-4000-8000-000000000013", r#"{ id: { neq: "00000000-0000-4000-8000-000000000013" } }"#, "abcefghijkl"),
    ("id=in.(00000000-0000-4000-8000-000000000010,00000000-0000-4000-8000-000000000099)",
        r#"{ id: { in: ["00000000-0000-4000-8000-000000000010", "00000000-0000-4000-8000-000000000099"] } }"#, "a"),
    ("id=not.in.(00000000-0000-4000-8000-000000000010)", r#"{ id: { notIn: ["00000000-0000-4000-8000-000000000010"] } }"#, "bcdefghijkl"),
    ("id=is.null", r#"{ id: { isNull: true } }"#, ""),
    ("user_id=not.is.null", r#"{ userId: { isNull: false } }"#, "abcdefghijkl"),
    ("user_id=eq.00000000-0000-4000-8000-000000000000", r#"{ userId: { eq: "00000000-0000-4000-8000-000000000000" } }"#, ""),
];

#[rustfmt::skip]
const LOGIC: &[Case] = &[
    ("", "{}", "abcdefghijkl"),
    ("category=eq.Food&currency=eq.USD", r#"{ category: { eq: "Food" }, currency: { eq: "USD" } }"#, "bi"),
    ("and=(category.eq.Food,currency.eq.USD)", r#"{ and: [{ category: { eq: "Food" } }, { currency: { eq: "USD" } }] }"#, "bi"),
    ("or=(category.eq.Food,currency.eq.EUR)", r#"{ or: [{ category: { eq: "Food" } }, { currency: { eq: "EUR" } }] }"#, "bcdi"),
    ("category=not.eq.Food", r#"{ not: { category: { eq: "Food" } } }"#, "deghkl"),
    ("not.or=(category.eq.Food,currency.eq.EUR)", r#"{ not: { or: [{ category: { eq: "Food" } }, { currency: { eq: "EUR" } }] } }"#, "eghkl"),
    ("not.and=(category.eq.Food,currency.eq.EUR)", r#"{ not: { and: [{ category: { eq: "Food" } }, { currency: { eq: "EUR" } }] } }"#, "abdefghijkl"),
    ("or=(category.is.null,and(amount.gt.40,amount.lt.101))",
        r#"{ or: [{ category: { isNull: true } }, { and: [{ amount: { gt: 40 } }, { amount: { lt: 101 } }] }] }"#, "abcfjl"),
    ("or=(category.in.(\"a,b(c)\",food),title.eq.a)", r#"{ or: [{ category: { in: ["a,b(c)", "food"] } }, { title: { eq: "a" } }] }"#, "agh"),
    ("or=(category.eq.\"a,b(c)\",title.eq.\"a\")", r#"{ or: [{ category: { eq: "a,b(c)" } }, { title: { eq: "a" } }] }"#, "ah"),
    ("or=(not.and(title.gt.b,title.lt.l),title.eq.e)", r#"{ or: [{ not: { and: [{ title: { gt: "b" } }, { title: { lt: "l" } }] } }, { title: { eq: "e" } }] }"#, "abel"),
    ("and=(or(title.eq.a,title.eq.b),or(title.eq.b,title.eq.c))",
        r#"{ and: [{ or: [{ title: { eq: "a" } }, { title: { eq: "b" } }] }, { or: [{ title: { eq: "b" } }, { title: { eq: "c" } }] }] }"#, "b"),
    ("or=(title.not.eq.a)&title=lt.d", r#"{ or: [{ not: { title: { eq: "a" } } }], title: { lt: "d" } }"#, "bc"),
];

async fn check(cases: &[Case]) {
    on_all(async |server| {
        ledger::fill(server).await;
        for (query, filter, found) in cases {
            assert_eq!(ledger::by_rest(server, &format!("{query}&order=title")).await, *found, "{query}");
            let arguments = format!("filter: {filter}, orderBy: {{ title: ASC }}");
            assert_eq!(ledger::by_graphql(server, &arguments, Value::Null).await, *found, "{filter}");
        }
    })
    .await;
}

#[tokio::test]
async fn texts() {
    check(TEXTS).await;
}

#[tokio::test]
async fn decimals() {
    check(DECIMALS).await;
}

#[tokio::test]
async fn days_and_times() {
    check(DAYS_AND_TIMES).await;
}

#[tokio::test]
async fn keys() {
    check(KEYS).await;
}

#[tokio::test]
async fn and_or_and_not() {
    check(LOGIC).await;
}

/// Only GraphQL can say these.
#[tokio::test]
async fn an_empty_and_holds_and_an_empty_or_does_not() {
    on_all(async |server| {
        ledger::fill(server).await;
        for (filter, found) in [
            ("{ and: [] }", "abcdefghijkl"),
            ("{ or: [] }", ""),
            ("{ not: {} }", ""),
            ("{ not: { or: [] } }", "abcdefghijkl"),
            ("{ and: [{}, {}] }", "abcdefghijkl"),
            ("{ or: [{}] }", "abcdefghijkl"),
            ("{ and: null, or: null, not: null }", "abcdefghijkl"),
            ("null", "abcdefghijkl"),
            ("{ title: {} }", "abcdefghijkl"),
            (r#"{ or: { title: { eq: "a" } } }"#, "a"),
        ] {
            let arguments = format!("filter: {filter}, orderBy: [{{ title: ASC }}]");
            assert_eq!(ledger::by_graphql(server, &arguments, Value::Null).await, found, "{filter}");
        }
    })
    .await;
}

/// The integer key of a tree, in every operator.
#[tokio::test]
async fn integers() {
    on_all(async |server| {
        for (query, filter, found) in [
            ("id=eq.2", "{ id: { eq: 2 } }", vec![2]),
            ("id=eq.2", "{ id: { eq: \"2\" } }", vec![2]),
            ("id=neq.2", "{ id: { neq: 2 } }", vec![1, 3, 4]),
            ("id=in.(4,2,9)", "{ id: { in: [4, \"2\", 9] } }", vec![2, 4]),
            ("id=not.in.(4,2,9)", "{ id: { notIn: [4, 2, 9] } }", vec![1, 3]),
            ("id=is.null", "{ id: { isNull: true } }", vec![]),
            ("id=not.is.null", "{ id: { isNull: false } }", vec![1, 2, 3, 4]),
            ("id=eq.2147483647", "{ id: { eq: 2147483647 } }", vec![]),
            ("id=eq.-1", "{ id: { eq: -1 } }", vec![]),
        ] {
            let rows = server.get(Anonymous, &format!("/trees?select=id&order=id&{query}")).await.expect(200).json();
            assert_eq!(rows, found.iter().map(|id| json!({ "id": id })).collect::<Value>(), "{query}");
            let document = format!("{{ trees(filter: {filter}, orderBy: {{ id: ASC }}) {{ nodes {{ id }} }} }}");
            let rows = server.data(Anonymous, &document).await["trees"]["nodes"].clone();
            assert_eq!(rows, found.iter().map(|id| json!({ "id": id.to_string() })).collect::<Value>(), "{filter}");
        }
        for (query, found) in [("id=lt.2", 1), ("id=lte.2", 2), ("id=gt.1", 3), ("id=gte.1", 4), ("id=lt.-5", 0)] {
            let rows = server.get(Anonymous, &format!("/trees?{query}")).await.expect(200).json();
            assert_eq!(rows.as_array().unwrap().len(), found, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn users_are_found_by_every_column() {
    on_all(async |server| {
        let ann = server.person(User).id.clone();
        for (query, filter, found) in [
            ("email=eq.ann@example.com", r#"{ email: { eq: "ann@example.com" } }"#.to_owned(), vec!["Ann"]),
            (
                "email=like.*example.com",
                r#"{ email: { like: "%example.com" } }"#.to_owned(),
                vec!["Ada", "Ann", "Bob", "Eve"],
            ),
            ("role=eq.user", r#"{ role: { eq: "user" } }"#.to_owned(), vec!["Ann", "Bob"]),
            ("role=neq.user", r#"{ role: { neq: "user" } }"#.to_owned(), vec!["Ada", "Eve"]),
            ("name=ilike.a*", r#"{ name: { ilike: "a%" } }"#.to_owned(), vec!["Ada", "Ann"]),
            (&format!("id=eq.{ann}"), format!(r#"{{ id: {{ eq: "{ann}" }} }}"#), vec!["Ann"]),
            (
                "created_at=gt.2000-01-01T00:00:00Z&role=eq.admin",
                r#"{ createdAt: { gt: "2000-01-01T00:00:00Z" }, role: { eq: "admin" } }"#.to_owned(),
                vec!["Ada"],
            ),
            (
                "updated_at=lt.2000-01-01T00:00:00Z",
                r#"{ updatedAt: { lt: "2000-01-01T00:00:00Z" } }"#.to_owned(),
                vec![],
            ),
        ] {
            let names: Value = found.iter().map(|name| json!({ "name": name })).collect();
            let rows = server.get(Admin, &format!("/users?select=name&order=name&{query}")).await.expect(200).json();
            assert_eq!(rows, names, "{query}");
            let document = format!("{{ users(filter: {filter}, orderBy: {{ name: ASC }}) {{ nodes {{ name }} }} }}");
            assert_eq!(server.data(Admin, &document).await["users"]["nodes"], names, "{filter}");
        }
        // A filter narrows what the caller may see, and never widens it.
        assert_eq!(server.get(User, "/users?role=eq.admin").await.expect(200).text, "[]");
        assert_eq!(
            server.get(User, "/users?or=(id.not.is.null,name.is.null)&select=name").await.text,
            r#"[{"name":"Ann"}]"#
        );
    })
    .await;
}

#[tokio::test]
async fn a_filter_that_means_nothing_is_refused_with_what_would_mean_something() {
    on_all(async |server| {
        for (query, code, says) in [
            ("colour=eq.red", "42703", "column trees.colour does not exist"),
            ("speces=eq.Acer", "42703", "Perhaps you meant to reference the column \\\"trees.species\\\"."),
            ("name=equals.Yew", "PGRST100", "equals"),
            ("name=eqq.Yew", "PGRST100", "Did you mean \\\"eq\\\"?"),
            ("name=Yew", "PGRST100", "failed to parse filter (Yew)"),
            ("name=", "PGRST100", "operator"),
            ("id=eq.one", "22P02", "must be an integer"),
            ("id=eq.", "22P02", "must be an integer"),
            ("id=eq.1.0", "22P02", "must be an integer"),
            ("id=eq.99999999999999999999", "22P02", "must be an integer"),
            ("id=in.(1,two)", "22P02", "must be an integer"),
            ("id=in.1,2", "PGRST100", "list"),
            ("id=in.(1,2", "PGRST100", "list"),
            ("name=in.(\"a)", "PGRST100", "list"),
            ("id=like.1*", "42883", "has no meaning"),
            ("id=not.not.eq.1", "PGRST100", "(line 1, column 5)"),
            ("or=(id.not.not.eq.1)", "PGRST100", "failed to parse"),
            ("id=is.seven", "PGRST100", "null, not_null, true, false and unknown"),
            ("or=name.eq.x", "PGRST100", "not understood"),
            ("or=(name.eq.x", "PGRST100", "not understood"),
            ("or=()", "PGRST100", "not understood"),
            ("or=(name.eq.x)y", "PGRST100", "not understood"),
            ("or=(name.eq.x,)", "PGRST100", "not understood"),
            ("and=(nothing)", "PGRST100", "not understood"),
            ("name=like.a\\", "22025", "escape"),
            ("name=neq(any).{a}", "PGRST100", "takes no any or all"),
            ("name=ilik(any).{a}", "PGRST100", "Did you mean \\\"ilike\\\"?"),
            ("name=eq(some).{a}", "PGRST100", "\\\"any\\\" or \\\"all\\\""),
            ("name=eq(any).(a)", "PGRST100", "takes a list"),
            ("name=eq(any).a", "PGRST100", "takes a list"),
            ("name=mach.a", "PGRST100", "Did you mean \\\"match\\\"?"),
            ("name=is.true", "42804", "no boolean"),
            ("name=is.unknwn", "PGRST100", "Did you mean \\\"unknown\\\"?"),
            ("id=match.1", "42883", "has no meaning"),
            ("id=in.(1", "PGRST100", "list"),
        ] {
            server.get(Anonymous, &format!("/trees?{query}")).await.misunderstood(code).saying(says);
        }
        for (path, says) in [
            ("/expenses?amount=eq.1.005", "must be a decimal number"),
            ("/expenses?amount=eq.ten", "must be a decimal number"),
            ("/expenses?spent_on=eq.2026-02-30", "must be a date"),
            ("/expenses?spent_on=eq.yesterday", "must be a date"),
            ("/expenses?created_at=gt.2026-01-01", "must be an RFC 3339 time"),
            ("/expenses?id=eq.7", "UUID"),
        ] {
            server.get(User, path).await.expect(400).refused("22P02").saying(says);
        }
        // The schema finds most of these by itself; what it does not look into, the coercion of values does.
        for arguments in [
            r#"filter: { colour: { eq: "red" } }"#,
            r#"filter: { name: { equals: "red" } }"#,
            r#"filter: { name: "red" }"#,
            "filter: { name: { eq: 7 } }",
            "filter: { name: { eq: null } }",
            "filter: { name: null }",
            r#"filter: { id: { eq: "one" } }"#,
            "filter: { id: { isNull: 1 } }",
            "filter: { name: { in: [null] } }",
            r#"filter: { name: { like: "a\\" } }"#,
        ] {
            let document = format!("{{ trees({arguments}) {{ nodes {{ id }} }} }}");
            let answer = server.graphql(Anonymous, &document, Value::Null).await;
            let code = answer.failure().code;
            assert!(["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&&*code), "{}", answer.text);
            assert!(answer.json()["data"].is_null(), "{}", answer.text);
        }
    })
    .await;
}

/// More than a statement should be made of, each with its own words.
#[tokio::test]
async fn filters_have_bounds() {
    on_all(async |server| {
        let conditions = |count: usize| vec!["id.gt.0"; count].join(",");
        server.get(Anonymous, &format!("/trees?and=({})", conditions(500))).await.expect(200);
        let answer = server.get(Anonymous, &format!("/trees?or=({})", conditions(501))).await;
        answer.expect(400).refused("54001").saying("at most 500 conditions");
        let nested = |depth: usize| format!("{}id.gt.0{}", "and(".repeat(depth), ")".repeat(depth));
        server.get(Anonymous, &format!("/trees?and=({})", nested(30))).await.expect(200);
        for depth in [40, 2_000] {
            let answer = server.get(Anonymous, &format!("/trees?and=({})", nested(depth))).await;
            answer.expect(400).saying("nested deeper than");
        }

        let document = "query ($filter: TreeFilter) { trees(filter: $filter) { totalCount } }";
        let with = |count: usize| json!({ "filter": { "and": vec![json!({ "id": { "gt": 0 } }); count] } });
        server.graphql(Anonymous, document, with(500)).await.data();
        let answer = server.graphql(Anonymous, document, with(501)).await.refused("COST_LIMIT_EXCEEDED");
        answer.saying("at most 500 conditions");
        let mut filter = json!({ "id": { "gt": 0 } });
        for depth in 1..=40 {
            filter = json!({ "not": filter });
            let answer = server.graphql(Anonymous, document, json!({ "filter": filter })).await;
            if depth <= 20 {
                answer.data();
            } else if depth > 32 {
                answer.saying("nested deeper than");
            }
        }

        let list = |count: i32| json!({ "filter": { "id": { "in": (0..count).collect::<Vec<_>>() } } });
        assert_eq!(server.graphql(Anonymous, document, list(10_000)).await.data()["trees"]["totalCount"], 4);
        let answer = server.graphql(Anonymous, document, list(10_001)).await.refused("BAD_USER_INPUT");
        answer.saying("at most 10000 elements");
    })
    .await;
}
