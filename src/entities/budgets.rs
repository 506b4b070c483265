//! Budgets: the owner alone reads and writes; admins are nobody special here. What is spent of one is computed from the
//! owner's expenses whenever it is asked for.

use crate::catalog::{
    Computed, Declaration, Options, Rule, desc,
    policy::{Claim, Condition, Policy, authenticated, claim, owner},
    scalar::{Decimal, Money, Scalar},
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
            .rule(Column::Currency, Rule::Currency)
            .touch(Column::UpdatedAt)
            .computed("spent", spent())
            .computed("remaining", Computed::new(amount(), "{limit_amount} - {spent}"))
    }
}

/// Sums have more digits than their parts, and what is told of a budget can be asked for.
fn amount() -> Scalar {
    Scalar::Decimal(Decimal::new(16, 2))
}

/// What the budget's owner has spent on its category in its month and currency.
fn spent() -> Computed {
    let sum = |sum: &str, next_month: &str| {
        format!(
            "(select coalesce({sum}, 0) from expenses e where e.user_id = {{user_id}} and e.category = {{category}} \
             and e.currency = {{currency}} and e.spent_on >= {{month}} and e.spent_on < {next_month})"
        )
    };
    Computed::new(amount(), &sum("sum(e.amount)::int8", "({month} + interval '1 month')::date"))
        .sqlite(&sum("sum_of_integers(e.amount)", "date({month}, '+1 month')"))
}
