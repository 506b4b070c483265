//! How many rows a list has: counted one by one, as the planner expects, or one by one until it is many.

use super::ledger;
use crate::support::{Answer, Caller, Caller::*, Dialect, Server, Setup, on_both, on_both_with};
use serde_json::{Value, json};

async fn counted(server: &Server, caller: Caller, method: &str, path: &str, prefer: &str) -> Answer {
    server.rest_with(caller, method, path, Value::Null, &[("prefer", prefer)]).await
}

#[tokio::test]
async fn a_page_behind_the_end_is_416_if_the_end_is_known() {
    on_both(async |server| {
        let answer = counted(server, Anonymous, "GET", "/trees?offset=100", "count=exact").await.expect(416);
        assert_eq!(
            answer.text,
            r#"{"code":"PGRST103","message":"Requested range not satisfiable","details":"An offset of 100 was requested, but there are only 4 rows.","hint":null}"#
        );
        assert_eq!(answer.header("content-range"), "*/4");
        let answer = counted(server, Anonymous, "HEAD", "/trees?offset=5", "count=exact").await.expect(416);
        assert_eq!((answer.header("content-range"), answer.text.as_str()), ("*/4", ""));
        let ranged = [("prefer", "count=exact"), ("range", "7-9")];
        let answer = server.rest_with(Anonymous, "GET", "/trees", Value::Null, &ranged).await.expect(416);
        assert_eq!(answer.header("content-range"), "*/4");
        // Without a count nobody knows.
        assert_eq!(server.get(Anonymous, "/trees?offset=100").await.expect(200).text, "[]");
    })
    .await;
}

#[tokio::test]
async fn a_count_is_of_all_rows_that_match_whatever_the_page() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (query, status, range) in [
            ("", 200, "0-11/12"),
            ("limit=5", 206, "0-4/12"),
            ("limit=5&offset=9", 206, "9-11/12"),
            ("limit=0", 206, "*/12"),
            ("offset=12", 206, "*/12"),
            ("category=eq.Food", 200, "0-2/3"),
            ("category=eq.Food&limit=1", 206, "0-0/3"),
            ("category=eq.Nothing", 200, "*/0"),
            ("or=(category.is.null,title.eq.b)&limit=2", 206, "0-1/4"),
            ("select=title,user(name)&user.name=eq.Nobody&limit=2", 206, "0-1/12"),
            ("select=title,user!inner(name)&user.name=eq.Nobody", 200, "*/0"),
            ("select=currency,count()", 200, "0-3/4"),
            ("select=currency,count()&limit=2", 206, "0-1/4"),
            ("select=currency,count()&category=eq.Food&limit=1&offset=1&order=currency", 206, "1-1/2"),
            ("select=count()", 200, "0-0/1"),
        ] {
            let path = format!("/expenses?{query}");
            let get = counted(server, User, "GET", &path, "count=exact").await.expect(status);
            assert_eq!(get.header("content-range"), range, "{query}");
            assert_eq!(get.header("preference-applied"), "count=exact");
            let head = counted(server, User, "HEAD", &path, "count=exact").await.expect(status);
            assert_eq!(head.header("content-range"), range, "{query}");
            let plain = server.get(User, &path).await.expect(200);
            assert_eq!(plain.text, get.text, "{query}");
            assert_eq!(plain.header("preference-applied"), "");
        }
        // Bob counts his own, and nobody's are counted for nobody.
        let bob = counted(server, Other, "GET", "/expenses?limit=1", "count=exact").await.expect(206);
        assert_eq!(bob.header("content-range"), "0-0/3");
        counted(server, Anonymous, "HEAD", "/expenses", "count=exact").await.expect(401);
    })
    .await;
}

fn small() -> Setup {
    Setup { configure: |config| config.limits.max_rows = 10, ..Setup::default() }
}

/// An estimate is exact up to the most rows that an answer has. SQLite's planner tells nobody what it expects: there a
/// count is always exact.
#[tokio::test]
async fn an_estimate_is_exact_while_it_is_small() {
    on_both_with(small, async |server| {
        for prefer in ["count=estimated", "count=exact"] {
            let few = counted(server, Anonymous, "GET", "/trees?limit=2", prefer).await.expect(206);
            assert_eq!((few.header("content-range"), few.header("preference-applied")), ("0-1/4", prefer));
            let groups = counted(server, Anonymous, "GET", "/trees?select=name,count()&limit=2", prefer).await;
            assert_eq!(groups.expect(206).header("content-range"), "0-1/4");
        }
        let rows: Vec<_> = (0..500).map(|row| format!("('tree {row}', 'x')")).collect();
        server.sql(&format!("insert into trees (name, species) values {}", rows.join(", "))).await;
        server.sql("analyze trees").await;
        for (query, about) in [("", 504), ("species=eq.x", 500), ("id=lt.300", 299)] {
            for prefer in ["count=estimated", "count=planned"] {
                let many = counted(server, Anonymous, "GET", &format!("/trees?{query}"), prefer).await.expect(206);
                let range = many.header("content-range");
                let total: u64 = range.strip_prefix("0-9/").expect("a page of ten").parse().expect("a number");
                let near = if server.dialect == Dialect::Sqlite { about..=about } else { about / 2..=about * 2 };
                assert!(near.contains(&total), "{range} of about {about}");
            }
        }
        // What is there is there, whatever the planner expects, and what is behind an estimate's end may be there.
        let last = counted(server, Anonymous, "GET", "/trees?order=id&offset=503", "count=planned").await;
        assert!(last.header("content-range").starts_with("503-503/"), "{}", last.header("content-range"));
        counted(server, Anonymous, "GET", "/trees?offset=100000", "count=planned").await.expect(416);
    })
    .await;
}

/// What the planner expects is told of rows that everybody sees alone: it knows how often a value is another user's.
#[tokio::test]
async fn the_planner_is_not_asked_about_rows_of_others() {
    on_both(async |server| {
        for number in 0..40 {
            let caller = if number < 3 { User } else { Other };
            server.expense(caller, json!({ "title": "Rent", "amount": 1, "category": "Home" })).await;
        }
        if server.dialect == Dialect::Postgres {
            server.sql("analyze expenses").await;
        }
        for prefer in ["count=planned", "count=estimated"] {
            for (query, range) in [("limit=1", "0-0/3"), ("category=eq.Home", "0-2/3"), ("category=eq.Nothing", "*/0")]
            {
                let answer = counted(server, User, "GET", &format!("/expenses?{query}"), prefer).await;
                assert_eq!(answer.header("content-range"), range, "{prefer} {query}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_preferred_is_told_if_it_has_a_meaning() {
    on_both(async |server| {
        for (prefer, applied) in [
            ("count=exact, handling=strict", "count=exact, handling=strict"),
            ("return=minimal, resolution=merge-duplicates", ""),
            ("count=some", ""),
        ] {
            let answer = counted(server, Anonymous, "GET", "/trees", prefer).await.expect(200);
            assert_eq!(answer.header("preference-applied"), applied, "{prefer}");
        }
        counted(server, Anonymous, "GET", "/trees", "handling=strict, count=some")
            .await
            .expect(400)
            .refused("PGRST122");
    })
    .await;
}
