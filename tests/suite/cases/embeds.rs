//! Related rows in REST reads: a request, a caller, an answer. What the caller does not see is not embedded, not
//! counted, not a reason to leave a row out or in, and not an order.

mod messages;
mod refused;

use super::ledger;
use crate::support::{Caller, Caller::*, Server, Setup, on_both, on_both_with};
use serde_json::json;

type Case = (Caller, &'static str, &'static str);

/// Asks each question, and compares the bytes of the answer.
async fn answers(server: &Server, cases: &[Case]) {
    for (caller, path, expected) in cases {
        let answer = server.get(*caller, path).await.expect(200);
        assert_eq!(answer.text, *expected, "{}", answer.request);
    }
}

const Z: &str = r#"[{"title":"z","user":{"name":"Bob"}}]"#;

#[tokio::test]
async fn a_row_to_one_is_an_object_or_null_by_any_of_its_names() {
    on_both(async |server| {
        ledger::fill(server).await;
        answers(
            server,
            &[
                (Admin, "/expenses?select=title,user(name)&title=eq.z", Z),
                (Admin, "/expenses?select=title,user!user_id(name)&title=eq.z", Z),
                (Admin, "/expenses?select=title,user:users!user(name)&title=eq.z", Z),
                (Admin, "/expenses?select=title,user:users!expenses_user_id_fkey!left(name)&title=eq.z", Z),
                (Admin, "/expenses?select=title,%22user%22(%22name%22)&title=eq.z", Z),
                (Admin, "/expenses?select=title,users(name)&title=eq.z", r#"[{"title":"z","users":{"name":"Bob"}}]"#),
                (
                    Admin,
                    "/expenses?select=title,user_id(name)&title=eq.z",
                    r#"[{"title":"z","user_id":{"name":"Bob"}}]"#,
                ),
                (Admin, "/expenses?select=title,who:user(n:name)&title=eq.z", r#"[{"title":"z","who":{"n":"Bob"}}]"#),
                // What does not match is not embedded, and takes no row with it.
                (
                    Admin,
                    "/expenses?select=title,user(name)&title=in.(a,z)&user.name=eq.Bob&order=title",
                    r#"[{"title":"a","user":null},{"title":"z","user":{"name":"Bob"}}]"#,
                ),
                (
                    Admin,
                    "/expenses?select=title,who:user(name)&title=in.(a,z)&who.or=(name.eq.Bob,name.eq.Eve)&order=title",
                    r#"[{"title":"a","who":null},{"title":"z","who":{"name":"Bob"}}]"#,
                ),
                (Admin, "/expenses?select=user(name)&title=eq.z&user.limit=0", r#"[{"user":null}]"#),
                (Admin, "/expenses?select=user(name)&title=eq.z&user.offset=1", r#"[{"user":null}]"#),
                (
                    Admin,
                    "/expenses?select=user(name)&title=eq.z&user.limit=1&user.order=name",
                    r#"[{"user":{"name":"Bob"}}]"#,
                ),
                // A key of another user's row is told with the row; who that is, is not.
                (User, "/expenses?select=title,user(name)&title=eq.a", r#"[{"title":"a","user":{"name":"Ann"}}]"#),
                (User, "/expenses?select=title,user(name)&title=eq.z", "[]"),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn rows_to_many_are_an_array_with_a_filter_an_order_and_a_part_of_their_own() {
    on_both(async |server| {
        ledger::fill(server).await;
        answers(
            server,
            &[
                (
                    Admin,
                    "/users?select=name,expenses(title)&order=name&expenses.order=title.desc&expenses.limit=2",
                    r#"[{"name":"Ada","expenses":[]},{"name":"Ann","expenses":[{"title":"l"},{"title":"k"}]},{"name":"Bob","expenses":[{"title":"z"},{"title":"j"}]},{"name":"Eve","expenses":[]}]"#,
                ),
                (
                    Admin,
                    "/users?select=name,expenses(title)&name=eq.Ann&expenses.order=title&expenses.limit=2&expenses.offset=3",
                    r#"[{"name":"Ann","expenses":[{"title":"d"},{"title":"e"}]}]"#,
                ),
                (
                    Admin,
                    "/users?select=e:expenses(title)&name=eq.Ann&e.or=(title.eq.a,and(title.gt.k,title.not.eq.l))&e.order=title",
                    r#"[{"e":[{"title":"a"}]}]"#,
                ),
                (
                    Admin,
                    "/users?select=expenses(title)&name=eq.Bob&expenses.not.or=(title.eq.b,title.eq.j)",
                    r#"[{"expenses":[{"title":"z"}]}]"#,
                ),
                (
                    Admin,
                    "/users?select=expenses(title)&name=eq.Bob&expenses.title=gt.b&expenses.title=lt.z",
                    r#"[{"expenses":[{"title":"j"}]}]"#,
                ),
                // The same rows twice, each with what is said of it.
                (
                    Admin,
                    "/users?select=first:expenses(title),last:expenses(title)&name=eq.Bob&first.order=title&last.order=title.desc&first.limit=1&last.limit=1",
                    r#"[{"first":[{"title":"b"}],"last":[{"title":"z"}]}]"#,
                ),
                (Admin, "/users?select=name,expenses(title)&name=eq.Bob&expenses.limit=0", r#"[{"name":"Bob","expenses":[]}]"#),
                (User, "/users?select=name,expenses(title)&expenses.title=in.(a,z)", r#"[{"name":"Ann","expenses":[{"title":"a"}]}]"#),
                (User, "/users?select=name,expenses(title)&expenses.title=eq.z", r#"[{"name":"Ann","expenses":[]}]"#),
            ],
        )
        .await;
        let all = server.get(Admin, "/users?select=expenses(*)&name=eq.Bob&expenses.title=eq.z").await.expect(200).json();
        let row = server.get(Admin, "/expenses?title=eq.z").await.expect(200).json();
        assert_eq!(all[0]["expenses"], row, "a star is every column");
    })
    .await;
}

#[tokio::test]
async fn relations_nest() {
    on_both(async |server| {
        ledger::fill(server).await;
        answers(
            server,
            &[
                (
                    Admin,
                    "/expenses?select=title,user(name,expenses(title,user(name)))&title=eq.z&user.expenses.order=title&user.expenses.limit=1",
                    r#"[{"title":"z","user":{"name":"Bob","expenses":[{"title":"b","user":{"name":"Bob"}}]}}]"#,
                ),
                (
                    Admin,
                    "/expenses?select=title,user(name,e:expenses(title,by:user(name)))&title=eq.z&user.e.order=title&user.e.title=gt.j&user.e.by.name=eq.Ann",
                    r#"[{"title":"z","user":{"name":"Bob","e":[{"title":"z","by":null}]}}]"#,
                ),
                (
                    Admin,
                    "/users?select=name,expenses(title,user(expenses(user(expenses(title)))))&name=eq.Bob&expenses.title=eq.z&expenses.user.expenses.title=eq.j&expenses.user.expenses.user.expenses.title=eq.b&limit=1&expenses.limit=1&expenses.user.expenses.limit=9",
                    r#"[{"name":"Bob","expenses":[{"title":"z","user":{"expenses":[{"user":{"expenses":[{"title":"b"}]}}]}}]}]"#,
                ),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn an_inner_relation_leaves_out_the_rows_that_have_none() {
    on_both(async |server| {
        ledger::fill(server).await;
        answers(
            server,
            &[
                (
                    Admin,
                    "/expenses?select=title,user!inner(name)&user.name=eq.Bob&order=title&limit=2&offset=1",
                    r#"[{"title":"j","user":{"name":"Bob"}},{"title":"z","user":{"name":"Bob"}}]"#,
                ),
                // Nothing is told of a relation that is there for its condition.
                (
                    Admin,
                    "/expenses?select=title,user!inner()&user.name=eq.Bob&order=title",
                    r#"[{"title":"b"},{"title":"j"},{"title":"z"}]"#,
                ),
                (
                    Admin,
                    "/users?select=name,expenses!inner(title)&expenses.title=in.(a,z)&order=name",
                    r#"[{"name":"Ann","expenses":[{"title":"a"}]},{"name":"Bob","expenses":[{"title":"z"}]}]"#,
                ),
                (Admin, "/users?select=name,expenses!inner()&order=name", r#"[{"name":"Ann"},{"name":"Bob"}]"#),
                (User, "/users?select=name,expenses!inner()&expenses.title=eq.z", "[]"),
                // Each level by its own condition and by those below it.
                (
                    Admin,
                    "/users?select=name,expenses!inner(title,user!inner(name))&expenses.user.name=eq.Bob&expenses.title=eq.z",
                    r#"[{"name":"Bob","expenses":[{"title":"z","user":{"name":"Bob"}}]}]"#,
                ),
                (
                    Admin,
                    "/users?select=name,expenses!inner(title,user!inner(name))&expenses.user.name=eq.Ann&expenses.title=eq.z",
                    "[]",
                ),
                (
                    Admin,
                    "/users?select=name,expenses(title,user!inner())&expenses.user.name=eq.Ann&expenses.title=lt.c&expenses.order=title&order=name",
                    r#"[{"name":"Ada","expenses":[]},{"name":"Ann","expenses":[{"title":"a"},{"title":"b"}]},{"name":"Bob","expenses":[]},{"name":"Eve","expenses":[]}]"#,
                ),
                (
                    Admin,
                    "/expenses?select=title,user!inner(name,expenses!inner(title))&user.expenses.title=eq.z&title=in.(b,l)&order=title",
                    r#"[{"title":"b","user":{"name":"Bob","expenses":[{"title":"z"}]}}]"#,
                ),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn rows_can_be_asked_whether_they_have_related_ones() {
    on_both(async |server| {
        ledger::fill(server).await;
        let bobs = r#"[{"title":"b"},{"title":"j"},{"title":"z"}]"#;
        answers(
            server,
            &[
                (Admin, "/users?select=name,expenses()&expenses=is.null&order=name", r#"[{"name":"Ada"},{"name":"Eve"}]"#),
                (Admin, "/users?select=name,expenses()&expenses=not.is.null&order=name", r#"[{"name":"Ann"},{"name":"Bob"}]"#),
                (Admin, "/users?select=name,expenses()&expenses=is.not_null&order=name", r#"[{"name":"Ann"},{"name":"Bob"}]"#),
                (Admin, "/users?select=name,e:expenses(title)&e=not.is.null&e.title=eq.z", r#"[{"name":"Bob","e":[{"title":"z"}]}]"#),
                (
                    Admin,
                    "/users?select=name,expenses()&expenses=is.null&expenses.category=eq.Rent&order=name",
                    r#"[{"name":"Ada"},{"name":"Bob"},{"name":"Eve"}]"#,
                ),
                (Admin, "/expenses?select=title,user()&user=is.null&user.name=eq.Ann&order=title", bobs),
                (Admin, "/expenses?select=title,user()&not.and=(user.not.is.null)&user.name=eq.Ann&order=title", bobs),
                (
                    Admin,
                    "/expenses?select=title,user()&or=(user.is.null,title.eq.c)&user.name=eq.Ann&order=title",
                    r#"[{"title":"b"},{"title":"c"},{"title":"j"},{"title":"z"}]"#,
                ),
                (
                    Admin,
                    "/users?select=name,expenses(title,user())&expenses.user=is.null&expenses.user.name=eq.Ann&expenses.order=title&name=in.(Ann,Bob)&order=name",
                    r#"[{"name":"Ann","expenses":[]},{"name":"Bob","expenses":[{"title":"b"},{"title":"j"},{"title":"z"}]}]"#,
                ),
                // What others have is no answer to it.
                (User, "/users?select=name,expenses()&expenses=is.null&expenses.title=eq.z", r#"[{"name":"Ann"}]"#),
                (Editor, "/users?select=name,expenses()&expenses=not.is.null", "[]"),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_is_spread_stands_among_the_members_around_it() {
    on_both(async |server| {
        ledger::fill(server).await;
        answers(
            server,
            &[
                (Admin, "/expenses?select=title,...user(who:name)&title=eq.z", r#"[{"title":"z","who":"Bob"}]"#),
                (Admin, "/expenses?select=...users!user_id(name,role),title&title=eq.z", r#"[{"name":"Bob","role":"user","title":"z"}]"#),
                (
                    Admin,
                    "/expenses?select=title,...user(name,expenses(title))&title=in.(a,z)&user.name=eq.Bob&user.expenses.title=eq.j&order=title",
                    r#"[{"title":"a","name":null,"expenses":[]},{"title":"z","name":"Bob","expenses":[{"title":"j"}]}]"#,
                ),
                (Admin, "/expenses?select=title,...user!inner(name)&title=in.(a,z)&user.name=eq.Bob", r#"[{"title":"z","name":"Bob"}]"#),
                (
                    Admin,
                    "/users?select=name,...expenses(title,kind:category)&expenses.order=title&expenses.limit=2&order=name",
                    r#"[{"name":"Ada","title":[],"kind":[]},{"name":"Ann","title":["a","b"],"kind":[null,"Food"]},{"name":"Bob","title":["b","j"],"kind":["Food","Food"]},{"name":"Eve","title":[],"kind":[]}]"#,
                ),
                (
                    Admin,
                    "/users?select=...expenses(title,...users(who:name),by:user(name))&name=eq.Bob&expenses.order=title.desc&expenses.limit=2",
                    r#"[{"title":["z","j"],"who":["Bob","Bob"],"by":[{"name":"Bob"},{"name":"Bob"}]}]"#,
                ),
                (
                    Admin,
                    "/expenses?select=title,...user(...expenses(all:title))&title=eq.z&user.expenses.order=title",
                    r#"[{"title":"z","all":["b","j","z"]}]"#,
                ),
                (
                    Admin,
                    "/users?select=...expenses(...user(...expenses(all:title)))&name=eq.Bob&limit=1&expenses.limit=9&expenses.title=gt.b&expenses.user.expenses.order=title",
                    r#"[{"all":[["b","j","z"],["b","j","z"]]}]"#,
                ),
                (Admin, "/users?select=name,...expenses()&name=eq.Bob", r#"[{"name":"Bob"}]"#),
                (Admin, "/users?select=...expenses!inner()&order=name", "[{},{}]"),
                (User, "/users?select=name,...expenses(title)&expenses.title=in.(a,z)", r#"[{"name":"Ann","title":["a"]}]"#),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn rows_are_ordered_by_those_to_one() {
    on_both(async |server| {
        ledger::fill(server).await;
        answers(
            server,
            &[
                (
                    Admin,
                    "/expenses?select=title,who:user()&order=who(name).desc,title.desc&limit=2",
                    r#"[{"title":"z"},{"title":"j"}]"#,
                ),
                (Admin, "/expenses?select=title&order=user(name).desc.nullslast,title&limit=1", r#"[{"title":"b"}]"#),
                (
                    Admin,
                    "/users?select=expenses(title)&name=eq.Bob&expenses.order=user(name),title.desc&expenses.limit=1",
                    r#"[{"expenses":[{"title":"z"}]}]"#,
                ),
                (Admin, "/expenses?select=t:title&order=t.desc&limit=1", r#"[{"t":"z"}]"#),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn no_level_has_more_rows_than_an_answer_may() {
    let setup = || Setup { configure: |config| config.limits.max_rows = 2, ..Setup::default() };
    on_both_with(setup, async |server| {
        ledger::fill(server).await;
        answers(
            server,
            &[
                (
                    Admin,
                    "/users?select=name,expenses(title)&order=name.desc&offset=1&expenses.order=title&expenses.limit=9",
                    r#"[{"name":"Bob","expenses":[{"title":"b"},{"title":"j"}]},{"name":"Ann","expenses":[{"title":"a"},{"title":"b"}]}]"#,
                ),
                (Admin, "/users?select=...expenses(title)&name=eq.Ann&expenses.order=title", r#"[{"title":["a","b"]}]"#),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn items_and_representations_have_related_rows_too() {
    on_both(async |server| {
        ledger::fill(server).await;
        let path = format!("/expenses/{}", ledger::key("a"));
        let query = "select=title,user(name,expenses(title))&user.expenses.title=lt.c&user.expenses.order=title";
        let expected = r#"{"title":"a","user":{"name":"Ann","expenses":[{"title":"a"},{"title":"b"}]}}"#;
        assert_eq!(server.get(User, &format!("{path}?{query}")).await.expect(200).text, expected);
        for (method, body) in [("PATCH", json!({ "amount": 2 })), ("PUT", json!({ "title": "a", "amount": 3 }))] {
            let answer = server.rest(User, method, &format!("{path}?{query}"), body).await.expect(200);
            assert_eq!(answer.text, expected, "{method}");
        }
        let prefer = [("prefer", "return=representation")];
        let path = format!("/expenses?title=eq.a&id=eq.{}&{query}", ledger::key("a"));
        let strict = [("prefer", "return=representation, handling=strict, max-affected=1")];
        let answer = server.rest_with(User, "PATCH", &path, json!({ "amount": 4 }), &strict).await.expect(200);
        assert_eq!(answer.text, format!("[{expected}]"));
        let rows = json!([{ "title": "n", "amount": 1 }]);
        let answer = server.rest_with(User, "POST", "/expenses?select=title,...user(name)", rows, &prefer).await;
        assert_eq!(answer.expect(201).text, r#"[{"title":"n","name":"Ann"}]"#);
    })
    .await;
}
