//! Owns the table `budgets`: what a user means to spend on a category in a month.

use crate::sql::{Script, SqlMigration};

pub(crate) const MIGRATION: SqlMigration = SqlMigration {
    name: "m20261121_000006_create_budgets",
    up: Script {
        postgres: &[
            r#"
            create table budgets (
                id uuid primary key,
                user_id uuid not null
                    constraint budgets_user_id_fkey references users (id) on delete cascade,
                category text collate "C" not null
                    constraint budgets_category_check check (length(category) between 1 and 200),
                month date not null
                    constraint budgets_month_check check (extract(day from month) = 1),
                limit_amount bigint not null
                    constraint budgets_limit_amount_check check (limit_amount between 0 and 99999999999999),
                currency text collate "C" not null default 'USD'
                    constraint budgets_currency_check check (length(currency) = 3),
                created_at timestamptz not null,
                updated_at timestamptz not null,
                constraint budgets_user_id_category_month_currency_key unique (user_id, category, month, currency)
            )
            "#,
            BY_MONTH,
        ],
        // `not null`, because SQLite lets a primary key that is not its row number be null.
        sqlite: &[
            "
            create table budgets (
                id uuid not null primary key,
                user_id uuid not null
                    constraint budgets_user_id_fkey references users (id) on delete cascade,
                category text not null
                    constraint budgets_category_check check (length(category) between 1 and 200),
                month date not null
                    constraint budgets_month_check check (month like '____-__-01'),
                limit_amount bigint not null
                    constraint budgets_limit_amount_check check (limit_amount between 0 and 99999999999999),
                currency text not null default 'USD'
                    constraint budgets_currency_check check (length(currency) = 3),
                created_at timestamptz not null,
                updated_at timestamptz not null,
                constraint budgets_user_id_category_month_currency_key unique (user_id, category, month, currency)
            )
            ",
            BY_MONTH,
        ],
    },
    down: Script::both(&["drop table budgets"]),
};

// The order of a user's pages. Neither a list of one category nor the expenses of a budget need another index: the
// constraint begins with owner and category, and so does an index of `expenses`, which goes on by day.
const BY_MONTH: &str = "create index budgets_user_id_month_id_idx on budgets (user_id, month, id)";
