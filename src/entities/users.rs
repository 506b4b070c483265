//! Users: each sees itself, admins see all and set roles. Accounts are made by registration, never by a mutation; what
//! a user signs in with is in [`super::credentials`], which no protocol reaches.

use crate::catalog::{
    Declaration, Options, Rule,
    policy::{Condition, Policy, owner, role},
};
use sea_orm::entity::prelude::*;

/// The roles that a user can have.
pub const ROLES: [&str; 3] = ["user", "editor", "admin"];

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// None for the subject of an outside identity provider that tells none.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub name: Option<String>,
    #[sea_orm(column_type = "Text", default_value = "user")]
    pub role: String,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub updated_at: DateTimeUtc,
    #[sea_orm(has_many)]
    pub expenses: HasMany<super::expenses::Entity>,
    #[sea_orm(has_many)]
    pub budgets: HasMany<super::budgets::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Declaration for Entity {
    fn policy() -> Policy {
        Policy::deny()
            .read(owner(Column::Id).or(role("admin")))
            .update(owner(Column::Id).or(role("admin")))
            .write_column(Column::Email, Condition::Never)
            .write_column(Column::Role, role("admin"))
            .write_column(Column::CreatedAt, Condition::Never)
            .write_column(Column::UpdatedAt, Condition::Never)
    }

    fn options() -> Options {
        Options::default()
            .description("An account: who can sign in, or has come from an outside identity provider.")
            .principals()
            .rule(Column::Name, Rule::Length(1, 200))
            .rule(Column::Role, Rule::OneOf(ROLES.map(str::to_owned).to_vec()))
            .touch(Column::UpdatedAt)
    }
}
