//! What is no relation, no level of the request, or more than one may ask for: the code, and what would be right.

use crate::{
    graft,
    support::{Caller::*, Dialect, on_both},
};

#[tokio::test]
async fn a_relation_that_there_is_not() {
    on_both(async |server| {
        let error = server.get(Anonymous, "/trees?select=name,users(name)").await.expect(400).refused("PGRST200").json();
        assert_eq!(
            error["message"],
            "Could not find a relationship between 'trees' and 'users' in the schema cache"
        );
        assert_eq!(
            error["details"],
            "Searched for a foreign key relationship between 'trees' and 'users' in the schema 'public', but no matches \
             were found."
        );
        for (query, says) in [
            ("select=usr(name)", "Perhaps you meant 'user' instead of 'usr'."),
            ("select=user!wrong(name)", "using the hint 'wrong'"),
            ("select=zzz(name)", "The relations of 'expenses' are 'user'"),
            ("select=user(expense(title))", "Perhaps you meant 'expenses' instead of 'expense'."),
            ("select=user(budgets(trees()))", "between 'budgets' and 'trees'"),
        ] {
            server.get(User, &format!("/expenses?{query}")).await.expect(400).refused("PGRST200").saying(says);
        }
    })
    .await;
}

#[tokio::test]
async fn a_level_that_is_not_in_the_select_and_a_word_that_means_nothing_at_it() {
    on_both(async |server| {
        for (query, code, says) in [
            ("user.name=eq.Ann", "PGRST108", "'user' is not an embedded resource in this request"),
            ("user.name=eq.Ann", "PGRST108", "Verify that 'user' is included in the 'select' query parameter."),
            ("select=title,user(name)&user.expenses.title=eq.x", "PGRST108", "'expenses' is not an embedded"),
            (
                "select=title,who:user(name)&user.name=eq.x",
                "PGRST108",
                "Change 'user' to 'who' in filters, orders or limits.",
            ),
            ("select=title&user.order=name", "PGRST108", "'user'"),
            ("select=title&user.limit=1", "PGRST108", "'user'"),
            ("select=title&user.or=(name.eq.x)", "PGRST108", "'user'"),
            ("order=owner(name)", "PGRST108", "'owner'"),
            ("user=is.null", "42703", "user"),
            ("or=(user.is.null)", "42703", "user"),
            ("select=title,user()&user=eq.x", "PGRST120", "Bad operator on the 'user' embedded resource"),
            ("select=title,user()&user=is.true", "PGRST120", "Only is null or not is null"),
            ("select=title,user()&or=(title.eq.a,user.neq.x)", "PGRST120", "'user'"),
            ("select=title,user()&or=(user.name.eq.x)", "PGRST120", "'user'"),
            ("select=title,user(nme)", "42703", "\\\"users.name\\\""),
            ("select=title,user(name)&user.nme=eq.x", "42703", "\\\"users.name\\\""),
            ("select=title,user(name)&user.order=nme", "42703", "\\\"users.name\\\""),
            ("select=title,user(name)&user.name=x", "PGRST100", "operator"),
            ("select=title,user(name)&user.order=name.up", "PGRST100", "failed to parse order"),
            ("select=title,user(name)&user.limit=x", "PGRST100", "limit must be a number"),
            ("select=title,user(name)&user.or=(", "PGRST100", ""),
            ("select=user(name),user(role)", "42712", "other:user(…)"),
            ("select=title,user(name", "PGRST100", "failed to parse select parameter"),
            ("select=user!inner!x!y(name)", "PGRST100", "unexpected"),
            ("select=title&columns=title", "PGRST100", "columns"),
            ("select=title&on_conflict=title", "PGRST100", "on_conflict"),
            ("limit=abc", "PGRST100", "limit must be a number"),
            ("select=user(count())", "PGRST100", "at most one row"),
            ("select=title.max(),user(name)&user.name=eq.x", "PGRST127", "user!inner(…)"),
        ] {
            let answer = server.get(User, &format!("/expenses?{query}")).await.expect(400);
            answer.refused(code).saying(says);
        }
        let answer = server.get(User, "/users?select=expenses()&order=expenses(title)").await.expect(400);
        answer.refused("PGRST118").saying("A related order on 'expenses' is not possible");
        let answer = server.get(User, "/users?select=expenses(title)&expenses.limit=-1").await.expect(416);
        answer.refused("PGRST103");
        let id = &server.person(User).id;
        for query in ["select=name,expenses!inner()", "name=eq.Ann", "order=name", "limit=1", "select=count()"] {
            server.get(User, &format!("/users/{id}?{query}")).await.expect(400).refused("PGRST100");
        }
    })
    .await;
}

/// A table that refers to itself has two relations to itself, and each has a name that is its alone.
#[tokio::test]
async fn a_table_that_refers_to_itself() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = graft::server(dialect).await;
        let oak = "c56a4180-65aa-42ec-a945-5fd21dec0538";
        for (id, name, parent) in
            [(oak, "Oak", "null".to_owned()), ("c56a4180-65aa-42ec-a945-5fd21dec0539", "Ash", format!("\"{oak}\""))]
        {
            let row = format!(r#"{{ "id": "{id}", "name": "{name}", "parent_id": {parent}, "traits": 1 }}"#);
            server.text(User, "POST", "/species", "application/json", &row).await.expect(201);
        }
        for (select, expected) in [
            ("name,parent(name)", r#"[{"name":"Ash","parent":{"name":"Oak"}},{"name":"Oak","parent":null}]"#),
            ("name,parent_id(name)", r#"[{"name":"Ash","parent_id":{"name":"Oak"}},{"name":"Oak","parent_id":null}]"#),
            ("name,children(name)", r#"[{"name":"Ash","children":[]},{"name":"Oak","children":[{"name":"Ash"}]}]"#),
            ("name,species(name)", r#"[{"name":"Ash","species":[]},{"name":"Oak","species":[{"name":"Ash"}]}]"#),
            (
                "name,species!parent_id(name)",
                r#"[{"name":"Ash","species":[]},{"name":"Oak","species":[{"name":"Ash"}]}]"#,
            ),
            ("...children!inner(name),of:name", r#"[{"name":["Ash"],"of":"Oak"}]"#),
        ] {
            let answer = server.get(User, &format!("/species?select={select}")).await.expect(200);
            assert_eq!(answer.text, expected, "{}", answer.request);
        }
        let error = server.get(User, "/species?select=species_parent_id_fkey(name)").await.expect(300);
        error.refused("PGRST201").saying("one-to-many");
    }
}

#[tokio::test]
async fn more_than_a_request_may_ask_for() {
    on_both(async |server| {
        let nested = |depth: usize| {
            let relations = ["user(", "expenses("].into_iter().cycle().take(depth);
            let select = format!("{}id{}", relations.collect::<String>(), ")".repeat(depth));
            format!("/expenses?select={select}&user.expenses.limit=1&user.expenses.user.expenses.limit=1")
        };
        server.get(User, &nested(5)).await.expect(200);
        server.get(User, &nested(6)).await.expect(400).refused("54001").saying("at most 5 times");
        server.get(User, &nested(60)).await.expect(400);
        // A row to one is told for each row that it belongs to, and so are all rows below it.
        for (query, status) in [
            ("/expenses?select=user(expenses(id))", 200),
            ("/expenses?select=user(expenses(user(expenses(id))))", 400),
            ("/expenses?select=user(expenses(user(expenses(id))))&limit=1", 200),
            ("/expenses?select=user(expenses(user(expenses(id))))&user.expenses.limit=10&limit=100", 200),
            ("/expenses?select=user(...expenses(...user(expenses(count()))))", 400),
            ("/users?select=expenses(user(expenses(id)))", 400),
            ("/users?select=expenses(user(id))", 200),
        ] {
            let answer = server.get(User, query).await.expect(status);
            assert!(status == 200 || answer.failure().code == "54001", "{query}");
        }
        let wide = |count: usize| {
            let embeds: Vec<_> = (0..count).map(|number| format!("e{number}:user(name)")).collect();
            format!("/expenses?select={}", embeds.join(","))
        };
        server.get(User, &wide(30)).await.expect(200);
        server.get(User, &wide(31)).await.expect(400).refused("54001").saying("at most 30 relations");
        let items = |count: usize| format!("/trees?select={}", vec!["id"; count].join(","));
        server.get(User, &items(500)).await.expect(200);
        server.get(User, &items(501)).await.expect(400).refused("54001").saying("at most 500 values");
        let filters = |count: usize| format!("/trees?{}", vec!["id=gt.0"; count].join("&"));
        server.get(User, &filters(500)).await.expect(200);
        server.get(User, &filters(501)).await.expect(400).refused("54001");
        server.get(User, &filters(6000)).await.expect(400).refused("54001");
        let below = format!("/users?select=expenses()&{}", vec!["expenses.title=neq.x"; 501].join("&"));
        server.get(User, &below).await.expect(200);
        let below = format!("/users?select=expenses(id)&{}", vec!["expenses.title=neq.x"; 501].join("&"));
        server.get(User, &below).await.expect(400).refused("54001");
    })
    .await;
}

#[tokio::test]
async fn a_query_string_that_is_none() {
    on_both(async |server| {
        for (query, says) in [
            ("name=eq.%", "unexpected \\\"%\\\""),
            ("name=eq.%zz", "unexpected \\\"%zz\\\""),
            ("name=eq.a%4", "unexpected \\\"%4\\\""),
            ("na%me=eq.a", "unexpected \\\"%me\\\""),
            ("name=eq.%+1", "unexpected"),
            ("name=eq.%ff", "UTF-8"),
            ("name=eq.%c3%28", "UTF-8"),
            ("name=eq.%00", "NUL"),
            ("name%00=eq.a", "NUL"),
            ("a..b=eq.1", "'a'"),
            (".=eq.1", "''"),
            ("%22name=eq.1", "is not understood"),
            ("%22name%22x=eq.1", "is not understood"),
        ] {
            let answer = server.get(Anonymous, &format!("/trees?{query}")).await.expect(400);
            answer.saying(says);
        }
        for (query, count) in [
            ("", 4),
            ("&&&", 4),
            ("order=", 4),
            ("select=", 4),
            ("order=id,", 4),
            ("name=eq.Banyan&&", 1),
            ("%22name%22=eq.Banyan", 1),
            ("n%61me=eq.B%61nyan", 1),
            // Of a parameter that is given twice the first counts, of limits the last; filters are all meant.
            ("limit=1&limit=2", 2),
            ("order=id&order=nonsense.up", 4),
            ("select=id&select=nonsense", 4),
            ("id=gt.1&id=gt.2", 2),
        ] {
            let rows = server.get(Anonymous, &format!("/trees?{query}")).await.expect(200).json();
            assert_eq!(rows.as_array().expect("rows").len(), count, "{query}");
        }
    })
    .await;
}
