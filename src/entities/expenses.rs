//! Expenses: the owner alone writes, the owner and admins read.

use crate::catalog::{
    Declaration, Options, Rule, desc,
    policy::{Claim, Condition, Policy, authenticated, claim, owner, role},
    scalar::Money,
};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "expenses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub title: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    #[sea_orm(column_type = "Decimal(Some((14, 2)))")]
    pub amount: Money,
    #[sea_orm(column_type = "Text", default_value = "USD")]
    pub currency: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub category: Option<String>,
    #[sea_orm(default_expr = "Expr::current_date()")]
    pub spent_on: Date,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: HasOne<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Declaration for Entity {
    fn policy() -> Policy {
        Policy::deny()
            .read(owner(Column::UserId).or(role("admin")))
            .create(authenticated().set(Column::UserId, claim(Claim::Sub)))
            .update(owner(Column::UserId))
            .delete(owner(Column::UserId))
            .write_column(Column::UserId, Condition::Never)
            .write_column(Column::CreatedAt, Condition::Never)
            .write_column(Column::UpdatedAt, Condition::Never)
    }

    fn options() -> Options {
        Options::default()
            .description("Money that a user has spent.")
            .order_by(desc(Column::SpentOn))
            .rule(Column::Title, Rule::Length(1, 200))
            .rule(Column::Description, Rule::Length(0, 2000))
            .rule(Column::Currency, Rule::Currency)
            .rule(Column::Category, Rule::Length(1, 200))
            .touch(Column::UpdatedAt)
            .searchable([Column::Title, Column::Description])
    }
}
