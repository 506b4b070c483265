//! One question in two languages: what GraphQL and REST say alike is the same request, gets the same rows, and is one
//! statement on either database.

use rootstock::{
    catalog::{Operator, Resource, scalar::Style},
    engine::{
        authorize::Who,
        bind::Argument,
        plan::Bounds,
        request::{Question, Request},
    },
    graphql::Operation,
    rest::parse_list,
};
use serde_json::{Value, json};

use crate::{
    graft,
    spelling::comparison,
    support::{Caller, Dialect, Server, Setup, start_with},
};

const BOUNDS: Bounds = Bounds { default_page: 20, max_page: 1000 };

/// Lists in both languages: the resource, the query of a URL, the arguments of a field.
const LISTS: [(&str, &str, &str); 31] = [
    ("trees", "", ""),
    ("trees", "species=eq.Acer rubrum", r#"filter: { species: { eq: "Acer rubrum" } }"#),
    ("trees", "id=neq.2", "filter: { id: { neq: 2 } }"),
    ("trees", "id=in.(1,3)", "filter: { id: { in: [1, 3] } }"),
    ("trees", "id=in.()", "filter: { id: { in: [] } }"),
    ("trees", "id=not.in.(1,3)", "filter: { not: { id: { in: [1, 3] } } }"),
    ("trees", r#"name=in.("Red Maple",Banyan)"#, r#"filter: { name: { in: ["Red Maple", "Banyan"] } }"#),
    ("trees", "name=like.*a*", r#"filter: { name: { like: "%a%" } }"#),
    ("trees", "name=ilike.b_nyan", r#"filter: { name: { ilike: "b_nyan" } }"#),
    ("trees", "id=gt.1&id=lte.3", "filter: { id: { gt: 1, lte: 3 } }"),
    ("trees", "species=gte.F&name=lt.R", r#"filter: { name: { lt: "R" }, species: { gte: "F" } }"#),
    ("trees", "name=not.eq.Banyan", r#"filter: { not: { name: { eq: "Banyan" } } }"#),
    ("trees", "or=(id.eq.1,id.eq.4)", "filter: { or: [{ id: { eq: 1 } }, { id: { eq: 4 } }] }"),
    ("trees", "and=(id.gt.1,id.lt.4)", "filter: { and: [{ id: { gt: 1 } }, { id: { lt: 4 } }] }"),
    ("trees", "not.or=(id.eq.1,id.eq.4)", "filter: { not: { or: [{ id: { eq: 1 } }, { id: { eq: 4 } }] } }"),
    (
        "trees",
        r#"or=(id.in.(1,2),and(name.like."R*",not.or(id.eq.3,species.eq."a,b)")))"#,
        r#"filter: { or: [{ id: { in: [1, 2] } }, { and: [{ name: { like: "R%" } },
            { not: { or: [{ id: { eq: 3 } }, { species: { eq: "a,b)" } }] } }] }] }"#,
    ),
    (
        "trees",
        "and=(id.gte.1,id.lte.4)&or=(id.eq.2,id.eq.3)&name=neq.X",
        r#"filter: { and: [{ id: { gte: 1 } }, { id: { lte: 4 } }], or: [{ id: { eq: 2 } }, { id: { eq: 3 } }],
            name: { neq: "X" } }"#,
    ),
    ("trees", "name=match.^B", r#"filter: { name: { match: "^B" } }"#),
    ("trees", "name=imatch.^b", r#"filter: { name: { match: "(?i)^b" } }"#),
    ("trees", "species=plfts.acer rubrum", r#"filter: { species: { search: "acer rubrum" } }"#),
    ("trees", "name=like(any).{R*,B*}", r#"filter: { or: [{ name: { like: "R%" } }, { name: { like: "B%" } }] }"#),
    ("trees", "name=isdistinct.Banyan", r#"filter: { or: [{ name: { neq: "Banyan" } }, { name: { isNull: true } }] }"#),
    ("trees", "order=name", "orderBy: { name: ASC }"),
    ("trees", "order=species.desc,name.asc", "orderBy: [{ species: DESC }, { name: ASC }]"),
    ("trees", "limit=2", "first: 2"),
    ("trees", "limit=0", "first: 0"),
    ("trees", "order=id.desc&limit=2&offset=1", "orderBy: { id: DESC }, first: 2, offset: 1"),
    ("trees", "offset=0", "offset: 0"),
    ("expenses", "description=is.null", "filter: { description: { isNull: true } }"),
    (
        "expenses",
        "category=not.is.null&amount=gte.45.58&order=description.desc.nullslast,amount.asc.nullsfirst",
        r#"filter: { not: { category: { isNull: true } }, amount: { gte: "45.58" } },
            orderBy: [{ description: DESC_NULLS_LAST }, { amount: ASC_NULLS_FIRST }]"#,
    ),
    (
        "expenses",
        "category=is.not_null&spent_on=lt.2026-02-01&created_at=gt.2020-01-01T00:00:00Z",
        r#"filter: { category: { isNull: false }, spentOn: { lt: "2026-02-01" },
            createdAt: { gt: "2020-01-01T00:00:00Z" } }"#,
    ),
];

#[tokio::test]
async fn lists_in_both_languages_are_one_request_and_get_the_same_rows() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = start_with(dialect, Setup::default()).await;
        for (amount, category, description) in [
            ("45.58", json!("food"), Value::Null),
            ("-3", Value::Null, json!("refund")),
            ("1000", json!("rent"), json!("January")),
            ("45.59", json!("food"), json!("lunch")),
        ] {
            let body = json!({ "title": "x", "amount": amount, "category": category, "description": description,
                "spent_on": "2026-01-31" });
            server.rest(Caller::User, "POST", "/expenses", body).await.expect(201);
        }
        let mut found = 0;
        for (name, query, arguments) in LISTS {
            let resource = resource(&server, name);
            same_request(&server, resource, query, arguments, "");
            found += same_rows(&server, resource, query, arguments).await;
        }
        assert!(found > 40, "the lists have rows: {found}");
    }
}

/// Every operator of every column of every resource, a grafted one included.
#[tokio::test]
async fn every_operator_of_every_column_is_one_request_in_both_languages() {
    let server = graft::server(Dialect::Sqlite).await;
    let mut tried = 0;
    for resource in server.app.engine.catalog().resources() {
        for column in &resource.columns {
            for operator in column.scalar.operators() {
                let value = crate::policy::sample(column, 1);
                let (query, filter) = comparison(column, *operator, &value);
                // `not.in` in a URL is the negation of `in`; GraphQL has a word for it besides.
                let filter = match operator {
                    Operator::NotIn => {
                        json!({ "not": { column.field.clone(): { "in": filter[&column.field]["notIn"] } } })
                    }
                    Operator::StartsWith | Operator::EndsWith | Operator::Contains => {
                        let text = filter[&column.field][operator.graphql()].as_str().expect("a text");
                        let before = if *operator == Operator::StartsWith { "" } else { "%" };
                        let after = if *operator == Operator::EndsWith { "" } else { "%" };
                        json!({ column.field.clone(): { "like": format!("{before}{text}{after}") } })
                    }
                    // As has `not.is.null`, beside `isNull: false`.
                    Operator::IsNull => json!({ "not": { column.field.clone(): { "isNull": true } } }),
                    _ => filter,
                };
                let variables = json!({ "given": filter }).to_string();
                same_request(&server, resource, &query, "filter: $given", &variables);
                tried += 1;
            }
        }
    }
    assert!(tried > 250, "only {tried} conditions were tried");
}

/// The words that only one language has find the same rows as their paraphrase in the other.
#[tokio::test]
async fn a_paraphrase_finds_the_same_rows() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = start_with(dialect, Setup::default()).await;
        let trees = resource(&server, "trees");
        for (query, arguments) in [
            ("id=not.in.(1,3)", "filter: { id: { notIn: [1, 3] } }"),
            ("name=not.is.null", "filter: { name: { isNull: false } }"),
            ("order=id&limit=2&offset=2", "last: 2"),
        ] {
            assert!(same_rows(&server, trees, query, arguments).await > 1, "{query}");
        }
    }
}

fn resource<'s>(server: &'s Server, name: &str) -> &'s Resource {
    let catalog = server.app.engine.catalog();
    catalog.at(catalog.find(name).expect("a resource"))
}

/// The document of a list, with all columns in the order of the table.
fn document(resource: &Resource, arguments: &str) -> String {
    let fields: Vec<_> = resource.columns.iter().map(|column| column.field.as_str()).collect();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
    let declared = if arguments.contains("$given") {
        format!("query ($given: {}Filter)", resource.names.type_name)
    } else {
        String::new()
    };
    format!("{declared} {{ {}{arguments} {{ nodes {{ {} }} }} }}", resource.names.many, fields.join(" "))
}

/// Encoded as a browser does it.
fn encoded(query: &str) -> String {
    query.replace('%', "%25").replace(' ', "%20").replace('"', "%22")
}

fn same_request(server: &Server, resource: &Resource, query: &str, arguments: &str, variables: &str) {
    let escaped = if query.contains('%') { query.to_owned() } else { encoded(query) };
    let by_rest = parse_list(resource, server.app.engine.catalog(), &escaped, BOUNDS.max_page).expect("a list");
    let document = document(resource, arguments);
    let variables = Some(variables).filter(|variables| !variables.is_empty());
    let operation = Operation { query: &document, variables, safe: true, ..Operation::default() };
    let by_graphql = server.app.graphql.questions(&operation).unwrap_or_else(|error| panic!("{document}: {error}"));
    let [(question, values)] = by_graphql.as_slice() else { panic!("{document} asks one thing") };
    assert_eq!(by_rest.question.request, question.request, "?{query} and {document} {variables:?}");
    assert_eq!(plain(&by_rest.arguments), plain(values), "?{query} and {document} {variables:?}");
}

/// Values as texts: a URL and a document spell the same number, and the same enumerated text, differently.
fn plain(arguments: &[Argument]) -> Vec<String> {
    let spelled = |text: &String| text.to_lowercase().replace('_', " ");
    arguments
        .iter()
        .map(|argument| match argument {
            Argument::Null => "null".to_owned(),
            Argument::Bool(value) => value.to_string(),
            Argument::Number(text) | Argument::String(text) | Argument::Text(text) | Argument::Json(text) => {
                spelled(text)
            }
            Argument::List(items) => format!("{:?}", plain(items)),
        })
        .collect()
}

/// How many rows both languages get, in the same order.
async fn same_rows(server: &Server, resource: &Resource, query: &str, arguments: &str) -> usize {
    let (name, key) = (&resource.name, resource.key_column());
    let by_rest = server.get(Caller::User, &format!("/{name}?{}", encoded(query))).await.expect(200).json();
    let answer = server.graphql(Caller::User, &document(resource, arguments), Value::Null).await;
    let by_graphql = answer.data()[&resource.names.many]["nodes"].take();
    let keys = |rows: &Value, name: &str| -> Vec<String> {
        rows.as_array().expect("rows").iter().map(|row| row[name].to_string().trim_matches('"').to_owned()).collect()
    };
    assert_eq!(keys(&by_rest, &key.name), keys(&by_graphql, &key.field), "{query} and {arguments}");
    by_rest.as_array().map_or(0, Vec::len)
}

/// A relation that leaves rows out is a filter through it: `!inner`, `is.null` and `not.is.null` are what GraphQL says by
/// `some` and `none`, and what is read of it is the same.
#[tokio::test]
async fn a_condition_on_related_rows_is_one_request_in_both_languages() {
    let server = start_with(Dialect::Sqlite, Setup::default()).await;
    for (name, query, document) in [
        (
            "expenses",
            "select=title,user!inner(name)&title=eq.z&user.name=eq.Bob",
            r#"{ expenses(filter: { title: { eq: "z" }, user: { name: { eq: "Bob" } } }) { nodes { title user { name } } } }"#,
        ),
        (
            "expenses",
            "select=title,user!inner(expenses!inner())&user.expenses.title=eq.z",
            r#"{ expenses(filter: { user: { expenses: { some: { title: { eq: "z" } } } } }) { nodes { title } } }"#,
        ),
        (
            "users",
            "select=name,expenses()&expenses=is.null&expenses.title=eq.z&order=name",
            r#"{ users(filter: { expenses: { none: { title: { eq: "z" } } } }, orderBy: { name: ASC }) { nodes { name } } }"#,
        ),
        (
            "users",
            "select=name,expenses()&or=(name.eq.Eve,expenses.not.is.null)",
            r#"{ users(filter: { or: [{ name: { eq: "Eve" } }, { expenses: { some: {} } }] }) { nodes { name } } }"#,
        ),
        (
            "expenses",
            "select=title,user()&order=user(name).desc",
            "{ expenses(orderBy: { user: { name: DESC } }) { nodes { title } } }",
        ),
        ("expenses", "select=title,who:user(n:name)", "{ expenses { nodes { title who: user { n: name } } } }"),
    ] {
        let catalog = server.app.engine.catalog();
        let by_rest = parse_list(resource(&server, name), catalog, query, BOUNDS.max_page).expect("a list");
        let operation = Operation { query: document, safe: true, ..Operation::default() };
        let by_graphql = server.app.graphql.questions(&operation).unwrap_or_else(|error| panic!("{document}: {error}"));
        let [(question, values)] = by_graphql.as_slice() else { panic!("{document} asks one thing") };
        assert_eq!(by_rest.question.request, question.request, "?{query} and {document}");
        assert_eq!(plain(&by_rest.arguments), plain(values), "?{query} and {document}");
    }
}

/// A query nested as deep as the schema goes is one statement, and so is each of its root fields.
#[tokio::test]
async fn a_nested_query_is_one_statement() {
    let nested = "{ users(first: 3) { totalCount nodes { email expenses(first: 2, orderBy: { amount: DESC }) { totalCount \
                  pageInfo { endCursor } edges { cursor node { title user { name expenses { nodes { id } } } } } } } } }";
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = start_with(dialect, Setup::default()).await;
        for query in [nested, "{ me { expenses { nodes { user { id } } } } }", "{ trees { nodes { id } } }"] {
            let [question] = questions(&server, query).try_into().expect("one question");
            let sql = statement(&server, &question, "user");
            assert!(!sql.contains(';'), "{sql}");
            assert_eq!(sql.matches("select").count() > 1, query != "{ trees { nodes { id } } }", "{sql}");
        }
    }
}

fn questions(server: &Server, query: &str) -> Vec<Question> {
    let operation = Operation { query, safe: true, ..Operation::default() };
    let questions = server.app.graphql.questions(&operation).expect("questions");
    questions.into_iter().map(|(question, _)| question).collect()
}

/// The one statement of a question that reads, for a caller of a role.
fn statement(server: &Server, question: &Question, role: &str) -> String {
    let who = Who { role: role.to_owned(), authenticated: true };
    let plan = server.app.engine.prepare(question, Style::GraphQl, BOUNDS, &who).expect("a plan");
    assert_eq!(plan.write, None);
    plan.read.as_ref().expect("a statement").sql.to_string()
}

/// The SQL of a few shapes, as a reviewer should see it when it changes.
#[tokio::test]
async fn the_statements_are_the_reviewed_ones() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = start_with(dialect, Setup::default()).await;
        for (query, role, sqlite, postgres) in STATEMENTS {
            let [question] = questions(&server, query).try_into().expect("one question");
            let expected = if dialect == Dialect::Sqlite { sqlite } else { postgres };
            assert_eq!(statement(&server, &question, role), expected, "{query} as {role} on {dialect:?}");
        }
    }
}

/// A document, a role, and the statement on SQLite and on PostgreSQL.
const STATEMENTS: [(&str, &str, &str, &str); 5] = [
    // A list of values is one placeholder; one row more than the page tells whether others follow.
    (
        r#"{ trees(filter: { species: { in: ["a", "b"] } }, first: 2) { nodes { name } } }"#,
        "user",
        r#"select t1."name" as c0 from "trees" t1 where 1 = 1 and t1."species" in (select value from json_each(?1)) order by t1."id" limit 3"#,
        r#"select t1."name" as c0 from "trees" t1 where 1 = 1 and t1."species" = any($1::text[]) order by t1."id" limit 3"#,
    ),
    // The policy's condition is in the statement, and the claim in it a placeholder.
    (
        r#"{ expense(id: "x") { title } }"#,
        "user",
        r#"select t1."title" from "expenses" t1 where t1."id" = ?1 and t1."user_id" = ?2"#,
        r#"select t1."title" from "expenses" t1 where t1."id" = $1::uuid and t1."user_id" = $2::uuid"#,
    ),
    // Who may see all is asked no condition.
    (
        r#"{ expense(id: "x") { title } }"#,
        "admin",
        r#"select t1."title" from "expenses" t1 where t1."id" = ?1 and 1 = 1"#,
        r#"select t1."title" from "expenses" t1 where t1."id" = $1::uuid and 1 = 1"#,
    ),
    (
        r#"{ expenses(filter: { category: { ilike: "f%" } }) { nodes { amount } } }"#,
        "user",
        r#"select t1."amount" as c0 from "expenses" t1 where t1."user_id" = ?1 and matches_ilike(t1."category", ?2) order by t1."spent_on" desc, t1."id" desc limit 21"#,
        r#"select t1."amount" as c0 from "expenses" t1 where t1."user_id" = $1::uuid and t1."category" collate "und-x-icu" ilike $2::text order by t1."spent_on" desc, t1."id" desc limit 21"#,
    ),
    // A nested list is a cell of its parent, under its own policy; so is its number.
    (
        "{ me { expenses(first: 1) { totalCount nodes { amount } } } }",
        "user",
        r#"select (select json_group_array(json_array(c0)) from (select t2."amount" as c0 from "expenses" t2 where t2."user_id" = t1."id" and t2."user_id" = ?1 order by t2."spent_on" desc, t2."id" desc limit 2)), (select count(*) from "expenses" t3 where t3."user_id" = t1."id" and t3."user_id" = ?1) from "users" t1 where t1."id" = ?1 and t1."id" = ?1"#,
        r#"select (select array_agg(r) from (select t2."amount" as c0 from "expenses" t2 where t2."user_id" = t1."id" and t2."user_id" = $1::uuid order by t2."spent_on" desc, t2."id" desc limit 2) r), (select count(*) from "expenses" t3 where t3."user_id" = t1."id" and t3."user_id" = $1::uuid) from "users" t1 where t1."id" = $1::uuid and t1."id" = $1::uuid"#,
    ),
];

/// Callers of one role share a plan, whatever they ask for; another role, or another shape, has its own.
#[tokio::test]
async fn a_plan_is_shared_by_all_who_ask_alike() {
    let server = start_with(Dialect::Sqlite, Setup::default()).await;
    let count = || server.app.engine.cached_plans();
    let ask = async |caller, path: &str| drop(server.get(caller, path).await.expect(200));
    let before = count();
    ask(Caller::User, "/expenses?title=eq.a").await;
    assert_eq!(count(), before + 1);
    for caller in [Caller::User, Caller::Other] {
        ask(caller, "/expenses?title=eq.b").await;
    }
    assert_eq!(count(), before + 1, "another value and another caller of the role need no other plan");
    ask(Caller::Admin, "/expenses?title=eq.a").await;
    ask(Caller::User, "/expenses?title=neq.a").await;
    assert_eq!(count(), before + 3);
}

/// Requests are plain values: what is not asked alike is not equal.
#[tokio::test]
async fn what_differs_is_another_request() {
    let server = start_with(Dialect::Sqlite, Setup::default()).await;
    let trees = resource(&server, "trees");
    let request = |query: &str| -> Request {
        parse_list(trees, server.app.engine.catalog(), query, BOUNDS.max_page).expect("a list").question.request
    };
    assert_eq!(request("name=eq.a&id=gt.1"), request("id=gt.2&name=eq.b"), "neither values nor their order matter");
    let all = [
        "",
        "name=eq.a",
        "name=neq.a",
        "species=eq.a",
        "name=not.eq.a",
        "or=(name.eq.a,id.eq.1)",
        "and=(name.eq.a,id.eq.1)",
        "order=name",
        "order=name.desc",
        "order=name.nullsfirst",
        "limit=1",
        "limit=2",
        "offset=1",
        "select=name",
    ];
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            assert_ne!(request(one), request(other), "?{one} and ?{other}");
        }
    }
}
