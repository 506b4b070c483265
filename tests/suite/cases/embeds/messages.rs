//! A resource with two relations to the same table, whose rows are seen by those who do not see each other.

use super::answers;
use crate::support::{Caller::*, Server, Setup, on_both_with};
use serde_json::json;

mod entity {
    use rootstock::{
        catalog::{
            Declaration, Options, asc,
            policy::{Claim, Condition, Policy, authenticated, claim, owner, role},
        },
        entities::users,
    };
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "messages")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) sender_id: Uuid,
        pub(crate) recipient_id: Option<Uuid>,
        #[sea_orm(column_type = "Text")]
        pub(crate) text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter)]
    pub(crate) enum Relation {
        Sender,
        Recipient,
    }

    impl RelationTrait for Relation {
        fn def(&self) -> RelationDef {
            let from = match self {
                Self::Sender => Column::SenderId,
                Self::Recipient => Column::RecipientId,
            };
            Entity::belongs_to(users::Entity).from(from).to(users::Column::Id).into()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}

    impl Declaration for Entity {
        fn policy() -> Policy {
            Policy::deny()
                .read(owner(Column::SenderId).or(owner(Column::RecipientId)).or(role("admin")))
                .create(authenticated().set(Column::SenderId, claim(Claim::Sub)))
                .delete(owner(Column::SenderId))
                .write_column(Column::SenderId, Condition::Never)
        }

        fn options() -> Options {
            Options::default().order_by(asc(Column::Text))
        }
    }
}

const TABLE: &str = "create table messages (
    id uuid not null primary key,
    sender_id uuid not null references users (id) on delete cascade,
    recipient_id uuid references users (id) on delete cascade,
    text text not null)";

/// Runs a case on both databases, with a message from Bob to Ann, one from Ann to Bob and one from Ann to nobody.
async fn with_messages(case: impl AsyncFn(&Server)) {
    let setup = || {
        let catalog = rootstock::entities::resources().add::<entity::Entity>().build().expect("a catalogue");
        Setup { catalog, sql: vec![TABLE.to_owned()], ..Setup::default() }
    };
    on_both_with(setup, async |server| {
        for (from, to, text) in [(Other, Some(User), "a"), (User, Some(Other), "b"), (User, None, "c")] {
            let body = json!({ "text": text, "recipient_id": to.map(|to| &server.person(to).id) });
            server.rest(from, "POST", "/messages", body).await.expect(201);
        }
        case(server).await;
    })
    .await;
}

#[tokio::test]
async fn which_of_several_relations_is_meant_must_be_said() {
    with_messages(async |server| {
        for path in ["/messages?select=text,users(name)", "/messages?select=text,users!id(name)"] {
            let error = server.get(Admin, path).await.expect(300).refused("PGRST201").json();
            let expected = json!({
                "code": "PGRST201",
                "message": "Could not embed because more than one relationship was found for 'messages' and 'users'",
                "details": [
                    {
                        "cardinality": "many-to-one",
                        "embedding": "messages with users",
                        "relationship": "messages_sender_id_fkey using messages(sender_id) and users(id)",
                    },
                    {
                        "cardinality": "many-to-one",
                        "embedding": "messages with users",
                        "relationship": "messages_recipient_id_fkey using messages(recipient_id) and users(id)",
                    },
                ],
                "hint": "Try changing 'users' to one of the following: 'users!sender', 'users!recipient'. Find the \
                         desired relationship in the 'details' key.",
            });
            assert_eq!(error, expected);
        }
        answers(
            server,
            &[
                (Admin, "/messages?select=text,users!sender(name)&text=eq.a", r#"[{"text":"a","users":{"name":"Bob"}}]"#),
                (Admin, "/messages?select=users!recipient_id(name)&text=eq.a", r#"[{"users":{"name":"Ann"}}]"#),
                (
                    Admin,
                    "/messages?select=from:users!messages_sender_id_fkey(name),to:recipient_id(name)&to.name=neq.Ann&order=text",
                    r#"[{"from":{"name":"Bob"},"to":null},{"from":{"name":"Ann"},"to":{"name":"Bob"}},{"from":{"name":"Ann"},"to":null}]"#,
                ),
                (Admin, "/messages?select=sender(name),recipient(name)&text=eq.c", r#"[{"sender":{"name":"Ann"},"recipient":null}]"#),
                (
                    Admin,
                    "/messages?select=text,...sender(from:name),...recipient(to:name)&order=recipient(name).nullsfirst",
                    r#"[{"text":"c","from":"Ann","to":null},{"text":"a","from":"Bob","to":"Ann"},{"text":"b","from":"Ann","to":"Bob"}]"#,
                ),
            ],
        )
        .await;
    })
    .await;
}

/// Each sees itself alone: the other end of its messages is nobody, however it is asked for.
#[tokio::test]
async fn a_row_that_is_hidden_is_none() {
    with_messages(async |server| {
        answers(
            server,
            &[
                (
                    User,
                    "/messages?select=text,sender(name),recipient(name)",
                    r#"[{"text":"a","sender":null,"recipient":{"name":"Ann"}},{"text":"b","sender":{"name":"Ann"},"recipient":null},{"text":"c","sender":{"name":"Ann"},"recipient":null}]"#,
                ),
                (User, "/messages?select=text,sender!inner()&sender.name=eq.Bob", "[]"),
                (User, "/messages?select=text,sender!inner()", r#"[{"text":"b"},{"text":"c"}]"#),
                (User, "/messages?select=text,sender()&sender=is.null", r#"[{"text":"a"}]"#),
                (User, "/messages?select=text,recipient()&recipient=is.null", r#"[{"text":"b"},{"text":"c"}]"#),
                (User, "/messages?select=text,...sender(name,role)&text=eq.a", r#"[{"text":"a","name":null,"role":null}]"#),
                (
                    User,
                    "/messages?select=text&order=sender(name).nullsfirst,text.desc",
                    r#"[{"text":"a"},{"text":"c"},{"text":"b"}]"#,
                ),
                (User, "/messages?select=sender(expenses())&text=eq.a", "[{}]"),
            ],
        )
        .await;
    })
    .await;
}
