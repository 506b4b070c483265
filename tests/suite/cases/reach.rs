//! How far a caller reaches: not to rows by a write that it does not see, nor to what a column keeps from it by a
//! relation, a computed column or the state of a row.

use super::quotas::with_quotas;
use crate::{
    graft,
    support::{Caller::*, Dialect, Server, Setup, on_both_with},
};
use serde_json::{Value, json};

mod letters {
    use rootstock::catalog::{
        Computed, Declaration, Operator, Options,
        policy::{Claim, Condition, Operand, Policy, authenticated, claim, not, owner, role},
        scalar::{Scalar, Value},
    };
    use sea_orm::{RelationType, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "letters")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) owner_id: Uuid,
        pub(super) answers_id: Option<Uuid>,
        #[sea_orm(column_type = "Text")]
        pub(super) title: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub(super) body: Option<String>,
        #[sea_orm(column_type = "Text", nullable, unique)]
        pub(super) code: Option<String>,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub(super) updated_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter)]
    pub(super) enum Relation {
        Letter,
        Answers,
    }

    impl RelationTrait for Relation {
        fn def(&self) -> RelationDef {
            let letter = || Entity::belongs_to(Entity).from(Column::AnswersId).to(Column::Id).into();
            match self {
                Self::Letter => letter(),
                Self::Answers => RelationDef { rel_type: RelationType::HasMany, ..RelationDef::rev(letter()) },
            }
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    impl Declaration for Entity {
        /// Everybody may write all letters that they see, which are their own, and none that is closed; what is in one,
        /// what it answers and when it was written are for admins, who alone say what it answers.
        fn policy() -> Policy {
            let closed = Operand::Value(Value::Text("CLOSED".to_owned()));
            let closed = Condition::Compare { column: "loud".to_owned(), operator: Operator::Eq, operand: closed };
            Policy::deny()
                .read(owner(Column::OwnerId).or(role("admin")))
                .create(authenticated().set(Column::OwnerId, claim(Claim::Sub)))
                .update(authenticated().and(not(closed)))
                .delete(authenticated())
                .read_column(Column::AnswersId, role("admin"))
                .read_column(Column::Body, role("admin"))
                .read_column(Column::UpdatedAt, role("admin"))
                .write_column(Column::AnswersId, role("admin"))
                .write_column(Column::OwnerId, Condition::Never)
                .write_column(Column::UpdatedAt, Condition::Never)
        }

        fn options() -> Options {
            Options::default().touch(Column::UpdatedAt).computed("loud", Computed::new(Scalar::Text, "upper({body})"))
        }
    }
}

const TABLE: &str = "create table letters (
    id uuid not null primary key,
    owner_id uuid not null references users (id) on delete cascade,
    answers_id uuid references letters (id),
    title text not null,
    body text,
    code text unique,
    updated_at timestamptz not null)";

fn key(number: usize) -> String {
    format!("00000000-0000-4000-8000-00000000000{number}")
}

/// Ann's letter and its answer, and Bob's.
async fn with_letters(case: impl AsyncFn(&Server)) {
    let setup = || Setup {
        catalog: rootstock::entities::resources().add::<letters::Entity>().build().expect("a catalogue"),
        sql: vec![TABLE.to_owned()],
        ..Setup::default()
    };
    on_both_with(setup, async |server| {
        for (number, caller, code) in [(1, User, "a"), (2, User, "b"), (3, Other, "c")] {
            let row = json!({ "id": key(number), "title": "t", "body": "text", "code": code });
            server.rest(caller, "POST", "/letters", row).await.expect(201);
        }
        let answers = json!({ "answers_id": key(1) });
        server.rest(Admin, "PATCH", &format!("/letters/{}", key(2)), answers).await.expect(200);
        case(server).await;
    })
    .await;
}

async fn all(server: &Server) -> Value {
    server.get(Admin, "/letters?order=id").await.expect(200).json()
}

/// A policy lets these callers write what it does not let them see: that does not tell them that it is there.
#[tokio::test]
async fn a_row_that_is_not_seen_is_not_there_to_write() {
    with_letters(async |server| {
        let before = all(server).await;
        let at = before[2]["updated_at"].as_str().unwrap();
        for (id, state) in [(key(3), ""), (key(9), ""), (key(3), at), (key(9), at)] {
            let state = if state.is_empty() { String::new() } else { format!(", ifUpdatedAt: \"{state}\"") };
            for document in [
                format!("mutation {{ updateLetter(id: \"{id}\", set: {{ title: \"x\" }}{state}) {{ id }} }}"),
                format!("mutation {{ deleteLetter(id: \"{id}\"{state}) {{ id }} }}"),
            ] {
                server.graphql(User, &document, Value::Null).await.refused("NOT_FOUND");
            }
            server.rest(User, "PATCH", &format!("/letters/{id}"), json!({ "title": "x" })).await.expect(404);
            server.rest(User, "DELETE", &format!("/letters/{id}"), Value::Null).await.expect(404);
        }
        for target in ["ID", "CODE"] {
            let document = format!(
                "mutation {{ createLetter(input: {{ id: \"{}\", title: \"x\", code: \"c\" }}, \
                 onConflict: {{ target: [{target}] }}) {{ id }} }}",
                key(3)
            );
            server.graphql(User, &document, Value::Null).await.refused("CONFLICT");
        }
        assert_eq!(all(server).await, before);
        // Where it is seen, it is written.
        let query = format!("mutation {{ updateLetter(id: \"{}\", set: {{ title: \"x\" }}) {{ title }} }}", key(3));
        assert_eq!(server.data(Admin, &query).await["updateLetter"]["title"], "x");
    })
    .await;
}

/// The state of a row is what a column tells, and this column tells it to admins alone.
#[tokio::test]
async fn a_masked_state_cannot_be_guessed() {
    with_letters(async |server| {
        let at = all(server).await[0]["updated_at"].clone();
        let document = |at: &Value| {
            format!(
                "mutation {{ updateLetter(id: \"{}\", set: {{ title: \"x\" }}, ifUpdatedAt: {at}) {{ id }} }}",
                key(1)
            )
        };
        for at in [&at, &json!("2020-01-01T00:00:00Z")] {
            server.graphql(User, &document(at), Value::Null).await.refused("CONFLICT");
        }
        server.graphql(Admin, &document(&at), Value::Null).await.data();
    })
    .await;
}

/// Nor does the tag of a row tell it: it is of what its reader sees.
#[tokio::test]
async fn a_masked_column_is_in_no_tag() {
    with_letters(async |server| {
        let path = format!("/letters/{}", key(1));
        let tag = async |caller| server.get(caller, &path).await.expect(200).header("etag").to_owned();
        let (user, admin) = (tag(User).await, tag(Admin).await);
        assert_ne!(user, admin);
        server.rest(Admin, "PATCH", &path, json!({ "body": "other" })).await.expect(200);
        assert_eq!(tag(User).await, user);
        assert_ne!(tag(Admin).await, admin);
        let change = async |caller, tag: &str| {
            server.rest_with(caller, "PATCH", &path, json!({ "title": "y" }), &[("if-match", tag)]).await
        };
        for other in [&admin, &tag(Admin).await] {
            change(User, other).await.expect(412);
        }
        let changed = change(User, &user).await.expect(200);
        assert_eq!(changed.header("etag"), tag(User).await);
    })
    .await;
}

/// Nor is it told as another type, or what it is not.
#[tokio::test]
async fn a_masked_column_is_no_other_value() {
    with_letters(async |server| {
        for (select, told) in [
            ("body::text,number:body::int,loud::bool", r#"{"body":null,"number":null,"loud":null}"#),
            ("body::int.sum(),n:body::text.count(),loud::text.max()", r#"{"sum":null,"n":0,"max":null}"#),
            ("body::date,count()", r#"{"body":null,"count":2}"#),
            ("answers_id::text,letter(id),count()", r#"{"answers_id":null,"letter":null,"count":2}"#),
            ("...letter(title::int),n:count()", r#"{"title":null,"n":2}"#),
        ] {
            let answer = server.get(User, &format!("/letters?select={select}")).await.expect(200).json();
            let told: Value = serde_json::from_str(told).expect("a row");
            assert_eq!(answer[0], told, "{select}");
        }
        server.get(Admin, "/letters?select=body::int").await.expect(400).refused("22P02");
    })
    .await;
}

#[tokio::test]
async fn a_masked_column_leads_nowhere() {
    with_letters(async |server| {
        let select = "letter { id } answers { totalCount nodes { id } aggregate { count } }";
        let list = format!("{{ letters(orderBy: {{ id: ASC }}, first: 2) {{ nodes {{ id loud {select} }} }} }}");
        let nodes = server.data(User, &list).await["letters"]["nodes"].take();
        let none = json!({ "totalCount": 0, "nodes": [], "aggregate": { "count": 0 } });
        for (index, node) in nodes.as_array().unwrap().iter().enumerate() {
            let expected = json!({ "id": key(index + 1), "loud": null, "letter": null, "answers": none });
            assert_eq!(*node, expected);
        }
        let nodes = server.data(Admin, &list).await["letters"]["nodes"].take();
        assert_eq!((&nodes[1]["letter"]["id"], &nodes[1]["loud"]), (&json!(key(1)), &json!("TEXT")));
        assert_eq!(nodes[0]["answers"]["totalCount"], 1);
        for (filter, found, by_admin) in [
            ("letter: {}", 0, 1),
            ("answers: { some: {} }", 0, 1),
            ("answers: { none: {} }", 2, 2),
            ("answers: { count: { gt: 0 } }", 0, 1),
            ("loud: { eq: \"TEXT\" }", 0, 3),
            ("loud: { isNull: true }", 2, 0),
        ] {
            let query = format!("{{ letters(filter: {{ {filter} }}) {{ totalCount }} }}");
            assert_eq!(server.data(User, &query).await["letters"]["totalCount"], found, "{filter}");
            assert_eq!(server.data(Admin, &query).await["letters"]["totalCount"], by_admin, "{filter}");
        }
        for order in ["{ letter: { title: ASC_NULLS_FIRST } }", "{ answers: { count: DESC } }", "{ loud: DESC }"] {
            let query = format!("{{ letters(orderBy: [{order}, {{ id: DESC }}]) {{ nodes {{ id }} }} }}");
            let nodes = server.data(User, &query).await["letters"]["nodes"].take();
            assert_eq!(nodes, json!([{ "id": key(2) }, { "id": key(1) }]), "{order}");
        }
        let written =
            format!("mutation {{ updateLetter(id: \"{}\", set: {{ body: \"new\" }}) {{ body loud }} }}", key(1));
        assert_eq!(server.data(User, &written).await["updateLetter"], json!({ "body": null, "loud": null }));
    })
    .await;
}

/// A row that is made below another says to which it belongs, which not everybody may say.
#[tokio::test]
async fn a_column_that_a_caller_may_not_write_is_not_written_by_nesting() {
    with_letters(async |server| {
        let create = r#"mutation { createLetter(input: { title: "x", answers: [{ title: "y" }] }) { id } }"#;
        server.graphql(User, create, Value::Null).await.refused("FORBIDDEN");
        assert_eq!(all(server).await.as_array().unwrap().len(), 3);
        server.data(Admin, create).await;
    })
    .await;
}

/// A condition on a computed column is asked again when what it is computed of is written.
#[tokio::test]
async fn a_computed_column_is_looked_at_after_a_write() {
    with_letters(async |server| {
        let before = all(server).await;
        let set = "body: \"closed\"";
        for write in [
            format!("updateLetter(id: \"{}\", set: {{ {set} }}) {{ id }}", key(1)),
            format!("updateLetters(filter: {{ code: {{ eq: \"a\" }} }}, set: {{ {set} }}) {{ affected }}"),
            format!(
                "createLetter(input: {{ title: \"t\", code: \"a\", {set} }}, onConflict: {{ target: [CODE] }}) {{ id }}"
            ),
        ] {
            server.graphql(User, &format!("mutation {{ {write} }}"), Value::Null).await.refused("FORBIDDEN");
        }
        assert_eq!(all(server).await, before);
    })
    .await;
}

/// What bounds an update bounds new rows that become updates.
#[tokio::test]
async fn an_upsert_writes_no_more_rows_than_an_update_may() {
    with_quotas(async |server| {
        let rows = |count: usize, amount: u32| {
            let rows = (0..count).map(|number| json!({ "name": format!("n{number}"), "amount": amount }));
            json!(rows.collect::<Vec<_>>())
        };
        server.rest(User, "POST", "/quotas", rows(5, 1)).await.expect(201);
        let many = "mutation ($rows: [CreateQuotaInput!]!) {
            createQuotas(input: $rows, onConflict: { target: [OWNER_ID, NAME] }) { amount } }";
        let answer = server.graphql(User, many, json!({ "rows": rows(4, 2) })).await.refused("FORBIDDEN");
        answer.saying("No more than 3");
        let merge = [("prefer", "resolution=merge-duplicates")];
        server.rest_with(User, "POST", "/quotas?on_conflict=owner_id,name", rows(4, 2), &merge).await.expect(403);
        assert_eq!(server.get(User, "/quotas?select=amount.sum()").await.json()[0]["sum"], 5);
        server.graphql(User, many, json!({ "rows": rows(3, 2) })).await.data();
        assert_eq!(server.get(User, "/quotas?select=amount.sum()").await.json()[0]["sum"], 8);
    })
    .await;
}

/// What goes with the row that it belongs to is deleted as well, though by the database.
#[tokio::test]
async fn rows_are_deleted_together_with_those_that_they_belong_to() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = graft::server(dialect).await;
        let make = "mutation { createSpecies(input: { name: \"Oak\", traits: 1, children: [
            { name: \"Red\", traits: 1, children: [{ name: \"Small\", traits: 1 }] }] }) { id } }";
        server.data(User, make).await;
        let delete = "mutation { deleteSpeciesList(filter: {}, atMost: 5) { affected nodes { name } } }";
        let done = server.data(User, delete).await["deleteSpeciesList"].take();
        assert_eq!((&done["affected"], done["nodes"].as_array().unwrap().len()), (&json!(3), 3), "{dialect:?}");
        assert_eq!(server.data(User, "{ speciesList { totalCount } }").await["speciesList"]["totalCount"], 0);
    }
}
