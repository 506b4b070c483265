//! Pages by cursor over REST: the `Link` of a page leads to the next one, whatever the order, until there is none.

use super::ledger;
use crate::support::{Answer, Caller::*, Setup, on_both, on_both_with};
use serde_json::{Value, json};

/// Orders with and without ties and NULLs.
const ORDERS: [&str; 9] = [
    "",
    "order=title&",
    "order=id.desc&",
    "order=currency&",
    "order=category&",
    "order=category.desc&",
    "order=category.nullsfirst&",
    "order=category.desc.nullslast,description.nullsfirst,title.desc&",
    "order=user(name),created_at.desc,spent_on&",
];

/// Where the next page is.
fn next(answer: &Answer) -> Option<&str> {
    let link = answer.header("link");
    let next = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"");
    Some(next.unwrap_or_else(|| panic!("no link to a next page: {link}")))
}

#[tokio::test]
async fn a_cursor_of_another_list_or_order_is_refused() {
    on_both(async |server| {
        ledger::fill(server).await;
        let page = server.get(User, "/expenses?order=title&limit=2").await.expect(200);
        let cursor = next(&page).and_then(|next| next.split_once("cursor=")).expect("a cursor").1;
        for path in [
            format!("/expenses?order=title.desc&cursor={cursor}"),
            format!("/expenses?cursor={cursor}"),
            format!("/trees?order=name&cursor={cursor}"),
            format!("/expenses?order=title&cursor={}", &cursor[..cursor.len() - 3]),
            format!("/expenses?order=title&cursor={cursor}AAAA"),
            "/expenses?order=title&cursor=".to_owned(),
            "/expenses?order=title&cursor=x".to_owned(),
            "/expenses?order=title&cursor=%2B%2F".to_owned(),
            "/expenses?order=title&cursor=WzFd".to_owned(),
            format!("/expenses?select=currency,count()&cursor={cursor}"),
            format!("/trees/1?cursor={cursor}"),
        ] {
            server.get(User, &path).await.expect(400).refused("PGRST100");
        }
    })
    .await;
}

#[tokio::test]
async fn a_walk_meets_each_row_once_whatever_the_order() {
    on_both(async |server| {
        ledger::fill(server).await;
        for order in ORDERS {
            let whole = ledger::by_rest(server, order).await;
            assert_eq!(whole.len(), 12);
            for size in [1, 2, 5, 11, 12, 13] {
                let mut path = format!("/expenses?select=title&{order}limit={size}");
                let mut met = String::new();
                loop {
                    let page = server.get(User, &path).await.expect(200);
                    let rows = ledger::titles(&page.json());
                    assert_eq!(page.header("content-range"), format!("0-{}/*", rows.len() - 1));
                    met += &rows;
                    assert!(met.len() <= 12, "{path}: {met}");
                    let Some(next) = next(&page) else { break };
                    assert_eq!(rows.len(), size, "{path}");
                    path = next.to_owned();
                }
                assert_eq!(met, whole, "{order} in pages of {size}");
            }
        }
    })
    .await;
}

/// A link has what the client asks for, and neither the place where this page begins nor anything of a body.
#[tokio::test]
async fn a_link_keeps_what_the_client_asks_for() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (query, headers, kept) in [
            ("limit=3", &[][..], "/expenses?limit=3&cursor="),
            ("category=is.null&limit=1&select=title", &[], "/expenses?category=is.null&limit=1&select=title&cursor="),
            ("offset=3&limit=3&order=title", &[], "/expenses?limit=3&order=title&cursor="),
            ("order=title", &[("range", "0-2")], "/expenses?order=title&limit=3&cursor="),
            ("order=title&limit=9", &[("range", "2-4")], "/expenses?order=title&limit=3&cursor="),
            ("limit=3", &[("prefer", "count=exact")], "/expenses?limit=3&cursor="),
            ("limit=3", &[("accept", "text/csv")], "/expenses?limit=3&cursor="),
            ("title=eq.a%2Cb&or=(title.eq.a,title.eq.b)&limit=1", &[], ""),
            ("limit=12", &[], ""),
            ("limit=0", &[], ""),
            ("offset=500", &[], ""),
            ("select=currency,count()&limit=1", &[], ""),
        ] {
            let path = format!("/expenses?{query}");
            let answer = server.rest_with(User, "GET", &path, Value::Null, headers).await;
            let told = next(&answer).and_then(|next| next.split_once("cursor=")).map_or("", |(before, _)| before);
            assert_eq!(told, kept.trim_end_matches("cursor="), "{query}");
        }
        let first = server.get(User, "/expenses?order=title&limit=5&select=title").await.expect(200);
        let second = server.get(User, next(&first).expect("a next page")).await.expect(200);
        assert_eq!(ledger::titles(&second.json()), "fghij");
        // The old cursor is gone from the next link, and the total is that of the whole list.
        assert_eq!(next(&second).expect("a next page").matches("cursor=").count(), 1);
        let counted = [("prefer", "count=exact")];
        let path = next(&first).expect("a next page");
        let counted = server.rest_with(User, "GET", path, Value::Null, &counted).await.expect(206);
        assert_eq!(counted.header("content-range"), "0-4/12");
    })
    .await;
}

/// A cursor is a place, and not a row.
#[tokio::test]
async fn a_cursor_outlives_its_row_and_tells_nothing_of_others() {
    on_both(async |server| {
        ledger::fill(server).await;
        let first = server.get(User, "/expenses?select=title&order=title&limit=5").await.expect(200);
        server.rest(User, "DELETE", &format!("/expenses/{}", ledger::key("e")), Value::Null).await.expect(204);
        server.expense(User, json!({ "title": "ee", "amount": 1 })).await;
        let path = next(&first).expect("a next page");
        assert_eq!(ledger::titles(&server.get(User, path).await.expect(200).json()), "eefghi");
        // Bob's rows behind the same place.
        assert_eq!(ledger::titles(&server.get(Other, path).await.expect(200).json()), "jz");
    })
    .await;
}

fn small() -> Setup {
    Setup { configure: |config| config.limits.max_rows = 3, ..Setup::default() }
}

#[tokio::test]
async fn a_page_that_the_server_cuts_off_goes_on() {
    on_both_with(small, async |server| {
        for query in ["", "?limit=100"] {
            let page = server.get(Anonymous, &format!("/trees{query}")).await.expect(200);
            assert_eq!(page.header("content-range"), "0-2/*");
            let rest = server.get(Anonymous, next(&page).expect("a next page")).await.expect(200);
            assert_eq!((rest.json()[0]["id"].clone(), next(&rest)), (json!(4), None));
        }
        assert_eq!(next(&server.get(Anonymous, "/trees?id=gt.1").await), None);
    })
    .await;
}
