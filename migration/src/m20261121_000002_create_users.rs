//! Owns the table `users`: who may sign in, or was vouched for by an outside identity provider.

use crate::sql::{Script, SqlMigration};

pub(crate) const MIGRATION: SqlMigration = SqlMigration {
    name: "m20261121_000002_create_users",
    up: Script {
        postgres: &[
            r#"
            create table users (
                id uuid primary key,
                email text collate "C"
                    constraint users_email_check check (length(email) between 1 and 254),
                name text collate "C"
                    constraint users_name_check check (length(name) between 1 and 200),
                role text collate "C" not null default 'user'
                    constraint users_role_check check (role in ('user', 'editor', 'admin')),
                created_at timestamptz not null,
                updated_at timestamptz not null
            )
            "#,
            UNIQUE_EMAIL,
        ],
        // `not null`, because SQLite lets a primary key that is not its row number be null.
        sqlite: &[
            "
            create table users (
                id uuid not null primary key,
                email text
                    constraint users_email_check check (length(email) between 1 and 254),
                name text
                    constraint users_name_check check (length(name) between 1 and 200),
                role text not null default 'user'
                    constraint users_role_check check (role in ('user', 'editor', 'admin')),
                created_at timestamptz not null,
                updated_at timestamptz not null
            )
            ",
            UNIQUE_EMAIL,
        ],
    },
    down: Script::both(&["drop table users"]),
};

/// `lower` folds ASCII alone on both databases: SQLite knows no more, and under collation "C" nor does PostgreSQL.
const UNIQUE_EMAIL: &str = "create unique index users_email_key on users (lower(email))";
