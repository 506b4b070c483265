//! The media types of answers: the best that the client accepts of those that there are, on lists, groups and items.

use super::ledger;
use crate::{
    graft,
    support::{Answer, Caller, Caller::*, Dialect, Server, on_both},
};
use serde_json::{Value, json};

const OBJECT: &str = "application/vnd.pgrst.object+json";
const OBJECT_STRIPPED: &str = "application/vnd.pgrst.object+json;nulls=stripped";
const ARRAY_STRIPPED: &str = "application/vnd.pgrst.array+json;nulls=stripped";

async fn accepting(server: &Server, caller: Caller, accept: &str, path: &str) -> Answer {
    server.rest_with(caller, "GET", path, Value::Null, &[("accept", accept)]).await
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    on_both(async |server| {
        for (accept, named) in [
            ("text/html, image/png", "text/html, image/png"),
            ("application/geo+json", "application/geo+json"),
            ("application/vnd.pgrst.plan", "application/vnd.pgrst.plan"),
            ("application/vnd.pgrst.plan+json", "application/vnd.pgrst.plan+json"),
            ("application/json;q=0", "application/json"),
        ] {
            for path in ["/trees", "/trees/1", "/trees?select=count()"] {
                let answer = accepting(server, Anonymous, accept, path).await.expect(406).refused("PGRST107");
                assert_eq!(answer.failure().message, format!("None of these media types are available: {named}"));
                assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
                assert_eq!(answer.header("proxy-status"), "PostgREST; error=PGRST107");
            }
        }
        // What is not there at all is told first.
        accepting(server, Anonymous, "text/html", "/leaves").await.expect(404).refused("PGRST205");
    })
    .await;
}

#[tokio::test]
async fn a_client_may_accept_very_many_types() {
    on_both(async |server| {
        let long = vec!["application/json"; 5_000].join(",");
        let refused = format!("application/json;q=0,{long}");
        accepting(server, Anonymous, &refused, "/trees").await.expect(406).refused("PGRST107");
        let accept = format!("{refused},text/csv;q=0.1");
        let answer = accepting(server, Anonymous, &accept, "/trees?select=id&limit=1").await.expect(200);
        assert_eq!(answer.text, "id\n1");
    })
    .await;
}

#[tokio::test]
async fn the_best_that_the_client_accepts_is_answered() {
    on_both(async |server| {
        let csv = "id,name\n1,Banyan\n2,Quaking Aspen";
        let json = r#"[{"id":1,"name":"Banyan"},{"id":2,"name":"Quaking Aspen"}]"#;
        for (accept, media, text) in [
            ("*/*", "application/json; charset=utf-8", json),
            ("Application/JSON", "application/json; charset=utf-8", json),
            ("application/vnd.pgrst.array+json", "application/json; charset=utf-8", json),
            ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json; charset=utf-8", json),
            ("text/csv", "text/csv; charset=utf-8", csv),
            ("TEXT/CSV;q=0.3, text/html", "text/csv; charset=utf-8", csv),
            ("application/json;q=0.1, text/*;q=0.2", "text/csv; charset=utf-8", csv),
            (ARRAY_STRIPPED, "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8", json),
        ] {
            let answer = accepting(server, Anonymous, accept, "/trees?select=id,name&limit=2").await.expect(200);
            assert_eq!((answer.text.as_str(), answer.header("content-type")), (text, media), "{accept}");
            assert_eq!(answer.header("vary"), "Accept, Prefer, Range");
            assert_eq!(answer.header("content-length"), text.len().to_string());
        }
    })
    .await;
}

#[tokio::test]
async fn one_object_is_asked_for_and_there_must_be_one() {
    on_both(async |server| {
        let stripped = "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8";
        for (accept, media) in [(OBJECT, "application/vnd.pgrst.object+json; charset=utf-8"), (OBJECT_STRIPPED, stripped)]
        {
            let answer = accepting(server, Anonymous, accept, "/trees?id=eq.3").await.expect(200);
            assert_eq!(answer.text, r#"{"id":3,"name":"American Elm","species":"Ulmus americana"}"#);
            assert_eq!((answer.header("content-type"), answer.header("content-range")), (media, "0-0/*"));
            for (query, rows) in [("id=eq.9", 0), ("id=gt.1", 3), ("limit=0", 0), ("select=name", 4)] {
                let answer = accepting(server, Anonymous, accept, &format!("/trees?{query}")).await.expect(406);
                let told = format!(
                    r#"{{"code":"PGRST116","message":"Cannot coerce the result to a single JSON object","details":"The result contains {rows} rows","hint":null}}"#
                );
                assert_eq!(answer.text, told, "{query}");
                assert_eq!(answer.header("proxy-status"), "PostgREST; error=PGRST116");
            }
        }
        // Of all rows together there is always one group.
        let count = accepting(server, Anonymous, OBJECT, "/trees?select=count()").await.expect(200);
        assert_eq!(count.text, r#"{"count":4}"#);
    })
    .await;
}

#[tokio::test]
async fn an_item_is_what_is_asked_for() {
    on_both(async |server| {
        let row = r#"{"id":1,"name":"Banyan"}"#;
        for (accept, text) in [
            ("*/*", row.to_owned()),
            (OBJECT, row.to_owned()),
            (OBJECT_STRIPPED, row.to_owned()),
            (ARRAY_STRIPPED, format!("[{row}]")),
            ("text/csv", "id,name\n1,Banyan".to_owned()),
        ] {
            let answer = accepting(server, Anonymous, accept, "/trees/1?select=id,name").await.expect(200);
            assert_eq!(answer.text, text, "{accept}");
            assert_eq!(answer.header("content-location"), "/trees/1?select=id%2Cname");
            assert_eq!(answer.header("vary"), "Accept, Prefer, Range");
            accepting(server, Anonymous, accept, "/trees/9").await.expect(404).refused("PGRST116");
        }
    })
    .await;
}

/// Lines as PostgREST has them: a line of names, then a line a row, and no line feed behind the last.
#[tokio::test]
async fn csv_quotes_what_must_be_quoted_and_tells_null_from_nothing() {
    on_both(async |server| {
        ledger::fill(server).await;
        let path = "/expenses?select=title,description,amount,kind:category&order=title";
        let answer = accepting(server, User, "text/csv", path).await.expect(200);
        let lines = r#"title,description,amount,kind
a,,0.10,
b,Weekly,45.58,Food
c,weekly 100%,45.58,Food
d,under_score,-3.00,Rent
e,back\slash,1200.00,Rent
f,,1200.00,
g,Ümläut,9.99,food
h,"",999999999999.99,"a,b(c)"
i,"quo""te",0.00,Food
j,,45.58,
k,weekly,7.00,Ärger
l,100 percent,100.00,Food & Drink"#;
        assert_eq!(answer.text, lines);
        assert_eq!(answer.header("content-range"), "0-11/*");
        let empty = accepting(server, User, "text/csv", "/expenses?select=id,title&title=eq.none").await.expect(200);
        assert_eq!((empty.text.as_str(), empty.header("content-range")), ("id,title", "*/*"));
        let groups = "/expenses?select=currency,amount.sum(),count()&order=currency&limit=2";
        let groups = accepting(server, User, "text/csv", groups).await.expect(200);
        assert_eq!(groups.text, "currency,sum,count\nCHF,9.99,1\nEUR,42.58,2");
        let counted = [("accept", "text/csv"), ("prefer", "count=exact")];
        let path = "/expenses?select=title&order=title&limit=2";
        let counted = server.rest_with(User, "GET", path, Value::Null, &counted).await.expect(206);
        assert_eq!((counted.text.as_str(), counted.header("content-range")), ("title\na\nb", "0-1/12"));
        // A row around another has it as the text of its JSON.
        let nested =
            accepting(server, User, "text/csv", "/expenses?select=title,user(name)&title=eq.a").await.expect(200);
        assert_eq!(nested.text, "title,user\na,\"{\"\"name\"\":\"\"Ann\"\"}\"");
    })
    .await;
}

#[tokio::test]
async fn every_type_is_a_field() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = graft::server(dialect).await;
        let row = json!({ "name": "x", "traits": { "a": [1, null, "b\"c"] }, "notes": null, "protected": true,
            "confirmed": null, "height": 2.5, "population": 9_007_199_254_740_993_i64 });
        server.rest(User, "POST", "/species", row).await.expect(201);
        let select = "select=name,traits,notes,protected,confirmed,height,population,status";
        let answer = accepting(&server, User, "text/csv", &format!("/species?{select}")).await.expect(200);
        assert_eq!(
            answer.text,
            "name,traits,notes,protected,confirmed,height,population,status\n\
             x,\"{\"\"a\"\":[1,null,\"\"b\\\"\"c\"\"]}\",,true,,2.5,9007199254740993,least concern"
        );
        // What is inside of a JSON value is the client's own.
        let answer = accepting(&server, User, ARRAY_STRIPPED, &format!("/species?{select}")).await.expect(200);
        let stripped = r#"[{"name":"x","traits":{"a":[1,null,"b\"c"]},"protected":true,"height":2.5,"population":9007199254740993,"status":"least concern"}]"#;
        assert_eq!(answer.text, stripped);
    }
}

#[tokio::test]
async fn members_that_are_null_are_left_out_on_every_level() {
    on_both(async |server| {
        ledger::fill(server).await;
        let path = "/expenses?select=title,description,category,user(name,expenses(title,category))\
                    &user.expenses.title=in.(a,b)&user.expenses.order=title&title=in.(a,b)&order=title";
        let user = r#""user":{"name":"Ann","expenses":[{"title":"a"},{"title":"b","category":"Food"}]}"#;
        let a = format!(r#"{{"title":"a",{user}}}"#);
        let b = format!(r#"{{"title":"b","description":"Weekly","category":"Food",{user}}}"#);
        assert_eq!(accepting(server, User, ARRAY_STRIPPED, path).await.expect(200).text, format!("[{a},{b}]"));
        let counted = [("accept", ARRAY_STRIPPED), ("prefer", "count=exact")];
        let counted = server.rest_with(User, "GET", path, Value::Null, &counted).await.expect(200);
        assert_eq!((counted.text, counted.headers["content-range"].to_str().unwrap()), (format!("[{a},{b}]"), "0-1/2"));
        let one = accepting(server, User, OBJECT_STRIPPED, &format!("{path}&limit=1")).await.expect(200);
        assert_eq!(one.text, a);
        let nothing = "/expenses?select=description,category&title=eq.a";
        assert_eq!(accepting(server, User, ARRAY_STRIPPED, nothing).await.expect(200).text, "[{}]");
        let groups = "/expenses?select=category,count()&title=in.(a,b)&order=category";
        let groups = accepting(server, User, ARRAY_STRIPPED, groups).await.expect(200);
        assert_eq!(groups.text, r#"[{"category":"Food","count":1},{"count":1}]"#);
    })
    .await;
}

#[tokio::test]
async fn the_only_profile_is_public() {
    on_both(async |server| {
        for (method, header) in [("GET", "accept-profile"), ("HEAD", "accept-profile"), ("DELETE", "content-profile")] {
            for path in ["/trees", "/trees/1"] {
                let answer = server.rest_with(Anonymous, method, path, Value::Null, &[(header, "private")]).await;
                let answer = answer.expect(406);
                if method == "HEAD" {
                    assert_eq!(answer.text, "");
                    continue;
                }
                let failure = answer.refused("PGRST106").failure();
                assert_eq!(failure.message, "Invalid schema: private");
                assert_eq!(failure.hint, "Only the following schemas are exposed: public");
            }
        }
        let named = [("accept-profile", "public")];
        let answer = server.rest_with(Anonymous, "GET", "/trees", Value::Null, &named).await.expect(200);
        assert_eq!(answer.header("content-profile"), "public");
        // A read takes no notice of what a write is told.
        let other = [("content-profile", "private")];
        let answer = server.rest_with(Anonymous, "GET", "/trees", Value::Null, &other).await.expect(200);
        assert_eq!(answer.header("content-profile"), "");
        let named = [("content-profile", "public")];
        let tree = json!({ "name": "Oak", "species": "Quercus robur" });
        let answer = server.rest_with(Editor, "POST", "/trees", tree, &named).await.expect(201);
        assert_eq!(answer.header("content-profile"), "public");
    })
    .await;
}

#[tokio::test]
async fn an_answer_says_where_it_is_found() {
    on_both(async |server| {
        for (path, found) in [
            ("/trees", "/trees"),
            ("/trees/?", "/trees"),
            ("/trees?select=name&id=gt.1", "/trees?id=gt.1&select=name"),
            ("/trees?order=id&select=*&id=lt.4&id=gt.1", "/trees?id=lt.4&id=gt.1&order=id&select=%2A"),
            ("/trees?name=eq.Red+Maple", "/trees?name=eq.Red%20Maple"),
            ("/trees?name=eq.Red%20Maple", "/trees?name=eq.Red%20Maple"),
        ] {
            let answer = server.get(Anonymous, path).await.expect(200);
            assert_eq!(answer.header("content-location"), found, "{path}");
            let again = server.get(Anonymous, found).await.expect(200);
            assert_eq!((&again.text, again.header("content-location")), (&answer.text, found));
        }
        let failure = server.get(Anonymous, "/trees?colour=eq.red").await.expect(400);
        assert_eq!(
            (failure.header("content-location"), failure.header("proxy-status")),
            ("", "PostgREST; error=42703")
        );
    })
    .await;
}
