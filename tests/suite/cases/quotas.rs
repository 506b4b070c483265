//! A resource for what the shipped ones do not have: a unique set of several columns, a check beside the condition of
//! an update, bounds on the rows of one write, and rows that are seen by those who may not write them.

use crate::support::{Server, Setup, on_both_with};

pub(super) mod entity {
    #![expect(clippy::disallowed_methods, reason = "SeaORM's macros write them")]

    use rootstock::catalog::{
        Declaration, Options, Rule, asc,
        policy::{Claim, Condition, Operand, Policy, authenticated, claim, equals, not, owner, role},
        scalar::Value,
    };
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "quotas")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) owner_id: Uuid,
        #[sea_orm(column_type = "Text")]
        pub(crate) name: String,
        #[sea_orm(column_type = "Text", nullable, unique)]
        pub(crate) code: Option<String>,
        #[sea_orm(default_value = 1)]
        pub(crate) amount: i32,
        #[sea_orm(default_value = false)]
        pub(crate) shared: bool,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub(crate) updated_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}

    impl Declaration for Entity {
        fn policy() -> Policy {
            let shared = equals(Column::Shared, Operand::Value(Value::Bool(true)));
            let closed = Operand::Value(Value::Text("closed".to_owned()));
            let open = not(equals(Column::Name, closed));
            Policy::deny()
                .read(owner(Column::OwnerId).or(role("admin")).or(shared))
                .create(authenticated().set(Column::OwnerId, claim(Claim::Sub)).at_most(5))
                .update(owner(Column::OwnerId).check(owner(Column::OwnerId).and(open)).at_most(3))
                .delete(owner(Column::OwnerId))
                .write_column(Column::OwnerId, Condition::Never)
                .write_column(Column::UpdatedAt, Condition::Never)
        }

        fn options() -> Options {
            Options::default()
                .order_by(asc(Column::Name))
                .rule(Column::Name, Rule::Length(1, 50))
                .unique([Column::OwnerId, Column::Name])
                .touch(Column::UpdatedAt)
        }
    }
}

const TABLE: &str = "create table quotas (
    id uuid not null primary key,
    owner_id uuid not null references users (id) on delete cascade,
    name text not null,
    code text unique,
    amount integer not null constraint quotas_amount_check check (amount < 1000),
    shared boolean not null,
    updated_at timestamptz not null,
    unique (owner_id, name))";

/// A server with quotas.
pub(super) fn setup() -> Setup {
    let catalog = rootstock::entities::resources().add::<entity::Entity>().build().expect("a catalogue");
    Setup { catalog, sql: vec![TABLE.to_owned()], ..Setup::default() }
}

/// Runs a case on both databases, with quotas.
pub(super) async fn with_quotas(case: impl AsyncFn(&Server)) {
    on_both_with(setup, case).await;
}
