//! The vocabulary of policies, in declarations that the shipped resources do without: columns that only some may read,
//! conditions by comparison, NULL and relation, bounds on pages. What a caller may not read must not be told, counted,
//! compared with, ordered or grouped by.

use rootstock::{
    catalog::{
        Builder, Declaration, Operator, Options,
        policy::{Operand, Policy, anyone, authenticated, compare, equals, is_null, not, owner, related, role},
        scalar::{Money, Value as Constant},
    },
    entities::users,
};
use sea_orm::entity::prelude::*;
use serde_json::{Value, json};

use crate::support::{Caller::*, Server, Setup, on_both_with};

/// The expenses' table under another policy.
mod open {
    #![expect(clippy::disallowed_methods, reason = "SeaORM's macros write them")]

    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "expenses")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) user_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub(super) title: String,
        #[sea_orm(column_type = "Decimal(Some((14, 2)))")]
        pub(super) amount: Money,
        #[sea_orm(column_type = "Text", nullable)]
        pub(super) category: Option<String>,
        #[sea_orm(belongs_to, from = "user_id", to = "id")]
        pub(super) user: HasOne<users::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}

    impl Declaration for Entity {
        /// Everybody sees the rows, the owner alone the amounts, and nobody but admins the categories. Rows of admins
        /// and rows beyond a thousand are seen by nobody without a token.
        fn policy() -> Policy {
            let text = |text: &str| Operand::Value(Constant::Text(text.to_owned()));
            let small = compare(Column::Amount, Operator::Lt, Operand::Value(Constant::Int(100_000)));
            let of_users = related("user", not(equals(users::Column::Role, text("admin"))));
            let plain = of_users.and(small).and(not(is_null(Column::Category)));
            Policy::deny()
                .read(authenticated().or(anyone().and(plain)))
                .read_column(Column::Amount, owner(Column::UserId))
                .read_column(Column::Category, role("admin"))
                .page(3)
        }

        fn options() -> Options {
            Options::default()
        }
    }
}

fn setup() -> Setup {
    let catalog = Builder::default().add::<users::Entity>().add::<open::Entity>().build().expect("a catalogue");
    Setup { catalog, ..Setup::default() }
}

/// Ann's rows, Bob's, and Ada's, who is an admin.
async fn fill(server: &Server) {
    for (caller, title, amount, category) in [
        (User, "a", 100, "'Food'"),
        (User, "b", 200, "null"),
        (Other, "c", 300, "'Food'"),
        (Other, "d", 100_000, "'Rent'"),
        (Admin, "e", 500, "'Food'"),
    ] {
        let id = |uuid: &str| match server.dialect {
            crate::support::Dialect::Sqlite => format!("x'{}'", uuid.replace('-', "")),
            crate::support::Dialect::Postgres => format!("'{uuid}'"),
        };
        let (key, owner) = (id(&key(title)), id(&server.person(caller).id));
        let time = "'2026-01-01T00:00:00.000000Z'";
        server
            .sql(&format!(
                "insert into expenses (id, user_id, title, amount, currency, category, spent_on, created_at, updated_at)
                 values ({key}, {owner}, '{title}', {amount}, 'USD', {category}, '2026-01-01', {time}, {time})"
            ))
            .await;
    }
}

fn key(title: &str) -> String {
    format!("00000000-0000-4000-8000-0000000000{title}{title}")
}

/// The titles of a list in the order of the key.
async fn titles(server: &Server, caller: crate::support::Caller, filter: &str) -> String {
    let query = format!("{{ expenses(filter: {filter}, first: 3, orderBy: {{ id: ASC }}) {{ nodes {{ title }} }} }}");
    let nodes = server.data(caller, &query).await["expenses"]["nodes"].clone();
    nodes.as_array().expect("rows").iter().map(|row| row["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test]
async fn rows_are_visible_by_comparison_null_and_relation() {
    on_both_with(setup, async |server| {
        fill(server).await;
        let count = "{ expenses { totalCount aggregate { count } } }";
        for (caller, rows) in [(Anonymous, 2), (User, 5), (Admin, 5)] {
            let list = server.data(caller, count).await["expenses"].clone();
            assert_eq!((&list["totalCount"], &list["aggregate"]["count"]), (&json!(rows), &json!(rows)), "{caller:?}");
        }
        assert_eq!(titles(server, Anonymous, "{}").await, "ac");
        // The users themselves are not for everybody to see: as relations they are not there.
        assert_eq!(titles(server, Anonymous, "{ user: {} }").await, "");
        assert_eq!(titles(server, User, "{ user: {} }").await, "ab");
        for (title, status) in [("a", 200), ("b", 404), ("d", 404), ("e", 404)] {
            server.get(Anonymous, &format!("/expenses/{}", key(title))).await.expect(status);
        }
    })
    .await;
}

#[tokio::test]
async fn a_masked_column_is_null_wherever_it_is_named() {
    on_both_with(setup, async |server| {
        fill(server).await;
        // In an answer.
        let list = server.get(User, "/expenses?select=title,amount,category&order=id").await.expect(200).text;
        assert_eq!(
            list,
            r#"[{"title":"a","amount":1.00,"category":null},{"title":"b","amount":2.00,"category":null},{"title":"c","amount":null,"category":null}]"#
        );
        let list = server.get(Admin, "/expenses?select=title,amount,category&order=id&limit=2").await.expect(200).text;
        assert_eq!(
            list,
            r#"[{"title":"a","amount":null,"category":"Food"},{"title":"b","amount":null,"category":null}]"#
        );
        // In a condition.
        for (caller, filter, found) in [
            (User, "{ amount: { gt: 0 } }", "ab"),
            (User, "{ not: { amount: { gt: 1 } } }", "a"),
            (User, "{ amount: { in: [3] } }", ""),
            (User, "{ and: [{ amount: { isNull: true } }, { title: { lt: \"d\" } }] }", "c"),
            (User, "{ category: { eq: \"Food\" } }", ""),
            (User, "{ category: { neq: \"Food\" } }", ""),
            (User, "{ category: { like: \"%\" } }", ""),
            (User, "{ category: { search: \"food\" } }", ""),
            (Admin, "{ category: { eq: \"Food\" } }", "ace"),
            (Admin, "{ amount: { gt: 4 } }", "e"),
        ] {
            assert_eq!(titles(server, caller, filter).await, found, "{filter}");
        }
        // In an order: as the NULL that it is, so that no value can be guessed by it.
        let query = "{ expenses(orderBy: [{ amount: ASC_NULLS_LAST }, { title: DESC }], first: 3) { nodes { title } pageInfo { endCursor } } }";
        let page = server.data(User, query).await["expenses"].clone();
        assert_eq!(page["nodes"], json!([{ "title": "a" }, { "title": "b" }, { "title": "e" }]));
        let after = page["pageInfo"]["endCursor"].as_str().expect("a cursor");
        let query = format!(
            "{{ expenses(orderBy: [{{ amount: ASC_NULLS_LAST }}, {{ title: DESC }}], first: 3, after: \"{after}\") {{ nodes {{ title }} }} }}"
        );
        assert_eq!(server.data(User, &query).await["expenses"]["nodes"], json!([{ "title": "d" }, { "title": "c" }]));
        // In aggregates and groups.
        let query = "{ expenses { aggregate { sum { amount } max { amount category } countDistinct { category amount } } groups(by: [CATEGORY], first: 3) { key { category } count sum { amount } } } }";
        let list = server.data(User, query).await["expenses"].clone();
        assert_eq!(
            list,
            json!({
                "aggregate": { "sum": { "amount": "3.00" }, "max": { "amount": "2.00", "category": null }, "countDistinct": { "category": 0, "amount": 2 } },
                "groups": [{ "key": { "category": null }, "count": 5, "sum": { "amount": "3.00" } }],
            })
        );
        let list = server.get(Other, "/expenses?select=category,amount.sum()").await.expect(200).text;
        assert_eq!(list, r#"[{"category":null,"sum":1003.00}]"#);
        // Through a relation, and in what is told of related rows.
        let query = "{ users(filter: { expenses: { some: { amount: { gt: 0 } } } }) { nodes { name expenses(orderBy: { id: ASC }, first: 1) { nodes { amount category } aggregate { sum { amount } } } } } }";
        assert_eq!(
            server.data(Admin, query).await["users"]["nodes"],
            json!([{ "name": "Ada", "expenses": { "nodes": [{ "amount": "5.00", "category": "Food" }], "aggregate": { "sum": { "amount": "5.00" } } } }])
        );
        let query = "{ users(orderBy: [{ expenses: { sum: { amount: DESC_NULLS_LAST } } }, { name: ASC }]) { nodes { name } } }";
        assert_eq!(
            server.data(Admin, query).await["users"]["nodes"],
            json!([{ "name": "Ada" }, { "name": "Ann" }, { "name": "Bob" }, { "name": "Eve" }])
        );
    })
    .await;
}

#[tokio::test]
async fn a_policy_bounds_pages() {
    on_both_with(setup, async |server| {
        fill(server).await;
        let rows = |answer: &Value| answer.as_array().expect("rows").len();
        assert_eq!(rows(&server.get(User, "/expenses").await.expect(200).json()), 3);
        assert_eq!(rows(&server.get(User, "/expenses?limit=100").await.expect(200).json()), 3);
        let nodes = |data: Value| data["expenses"]["nodes"].clone();
        assert_eq!(rows(&nodes(server.data(User, "{ expenses { nodes { id } } }").await)), 3);
        let answer = server.graphql(User, "{ expenses(first: 4) { nodes { id } } }", Value::Null).await;
        answer.refused("BAD_USER_INPUT").saying("at most 3 rows");
        let query = "{ expenses { groups(by: [TITLE]) { key { title } } } }";
        assert_eq!(rows(&server.data(User, query).await["expenses"]["groups"]), 3);
    })
    .await;
}

/// A policy that names what there is not stops the start, in words.
#[test]
fn a_misspelt_policy_stops_the_start() {
    mod wrong {
        use super::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = "expenses")]
        pub(super) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub(super) id: Uuid,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(super) enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}

        impl Declaration for Entity {
            fn policy() -> Policy {
                Policy::deny().read(related("owner", anyone()))
            }
        }
    }
    let error = Builder::default().add::<wrong::Entity>().build().expect_err("no catalogue");
    assert!(error.contains("expenses") && error.contains("\"owner\""), "{error}");
}
