//! Owns the table `expenses`: each user's own.

use crate::sql::{Script, SqlMigration};

pub(crate) const MIGRATION: SqlMigration = SqlMigration {
    name: "m20261121_000004_create_expenses",
    up: Script {
        postgres: &[
            r#"
            create table expenses (
                id uuid primary key,
                user_id uuid not null
                    constraint expenses_user_id_fkey references users (id) on delete cascade,
                title text collate "C" not null
                    constraint expenses_title_check check (length(title) between 1 and 200),
                description text collate "C"
                    constraint expenses_description_check check (length(description) <= 2000),
                amount bigint not null
                    constraint expenses_amount_check check (amount between -99999999999999 and 99999999999999),
                currency text collate "C" not null default 'USD'
                    constraint expenses_currency_check check (length(currency) = 3),
                category text collate "C"
                    constraint expenses_category_check check (length(category) between 1 and 200),
                spent_on date not null,
                created_at timestamptz not null,
                updated_at timestamptz not null
            )
            "#,
            BY_DAY,
            BY_CATEGORY,
        ],
        // `not null`, because SQLite lets a primary key that is not its row number be null.
        sqlite: &[
            "
            create table expenses (
                id uuid not null primary key,
                user_id uuid not null
                    constraint expenses_user_id_fkey references users (id) on delete cascade,
                title text not null
                    constraint expenses_title_check check (length(title) between 1 and 200),
                description text
                    constraint expenses_description_check check (length(description) <= 2000),
                amount bigint not null
                    constraint expenses_amount_check check (amount between -99999999999999 and 99999999999999),
                currency text not null default 'USD'
                    constraint expenses_currency_check check (length(currency) = 3),
                category text
                    constraint expenses_category_check check (length(category) between 1 and 200),
                spent_on date not null,
                created_at timestamptz not null,
                updated_at timestamptz not null
            )
            ",
            BY_DAY,
            BY_CATEGORY,
        ],
    },
    down: Script::both(&["drop table expenses"]),
};

// Both begin with the owner, whom every read of a user is narrowed to, and go on in the order of its pages.
const BY_DAY: &str = "create index expenses_user_id_spent_on_id_idx on expenses (user_id, spent_on, id)";
const BY_CATEGORY: &str =
    "create index expenses_user_id_category_spent_on_id_idx on expenses (user_id, category, spent_on, id)";
