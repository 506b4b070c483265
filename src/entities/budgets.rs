//! Budgets: the owner alone reads and writes; admins are nobody special here.

use crate::catalog::{
    Declaration, Options, Rule, desc,
    policy::{Claim, Condition, Policy, authenticated, claim, owner},
    scalar::Money,
};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "budgets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique_key = "user_category_month_currency")]
    pub user_id: Uuid,
    #[sea_orm(column_type = "Text", unique_key = "user_category_month_currency")]
    pub category: String,
    /// Its first day.
    #[sea_orm(unique_key = "user_category_month_currency")]
    pub month: Date,
    #[sea_orm(column_type = "Decimal(Some((14, 2)))")]
    pub limit_amount: Money,
    #[sea_orm(column_type = "Text", default_value = "USD", unique_key = "user_category_month_currency")]
    pub currency: String,
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
            .read(owner(Column::UserId))
            .create(authenticated().set(Column::UserId, claim(Claim::Sub)))
            .update(owner(Column::UserId))
            .delete(owner(Column::UserId))
            .write_column(Column::UserId, Condition::Never)
            .write_column(Column::CreatedAt, Condition::Never)
            .write_column(Column::UpdatedAt, Condition::Never)
    }

    fn options() -> Options {
        Options::default()
            .description("What a user means to spend on a category in a month.")
            .order_by(desc(Column::Month))
            .rule(Column::Category, Rule::Length(1, 200))
            .rule(Column::Month, Rule::FirstOfMonth)
            .rule(Column::LimitAmount, Rule::NotNegative)
            .rule(Column::Currency, Rule::Currency)
            .touch(Column::UpdatedAt)
    }
}
