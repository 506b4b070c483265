//! Owns the table `credentials`: how a user proves who it is. Apart from `users`, so that no column list, filter or log
//! of a resource can name a password hash.

use crate::sql::{Script, SqlMigration};

pub(crate) const MIGRATION: SqlMigration = SqlMigration {
    name: "m20261121_000003_create_credentials",
    up: Script {
        postgres: &[r#"
            create table credentials (
                user_id uuid primary key
                    constraint credentials_user_id_fkey references users (id) on delete cascade,
                password_hash text collate "C" not null,
                disabled_at timestamptz
            )
            "#],
        sqlite: &["
            create table credentials (
                user_id uuid not null primary key
                    constraint credentials_user_id_fkey references users (id) on delete cascade,
                password_hash text not null,
                disabled_at timestamptz
            )
            "],
    },
    down: Script::both(&["drop table credentials"]),
};
