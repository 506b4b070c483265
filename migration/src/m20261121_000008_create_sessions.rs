//! Owns the table `sessions`: who is signed in, and by which refresh token a session goes on. Of a token there are digests
//! alone. Also since when an account's access tokens are good that belong to no session.

use crate::sql::{Script, SqlMigration};

pub(crate) const MIGRATION: SqlMigration = SqlMigration {
    name: "m20261121_000008_create_sessions",
    up: Script {
        postgres: &[
            r#"
            create table sessions (
                id uuid primary key,
                user_id uuid not null
                    constraint sessions_user_id_fkey references users (id) on delete cascade,
                family_hash text collate "C" constraint sessions_family_hash_key unique,
                token_hash text collate "C",
                created_at timestamptz not null,
                expires_at timestamptz,
                kept_until timestamptz not null
            )
            "#,
            BY_USER,
            BY_AGE,
            TOKENS_FROM,
        ],
        sqlite: &[
            "
            create table sessions (
                id uuid not null primary key,
                user_id uuid not null
                    constraint sessions_user_id_fkey references users (id) on delete cascade,
                family_hash text constraint sessions_family_hash_key unique,
                token_hash text,
                created_at timestamptz not null,
                expires_at timestamptz,
                kept_until timestamptz not null
            )
            ",
            BY_USER,
            BY_AGE,
            TOKENS_FROM,
        ],
    },
    down: Script::both(&["alter table credentials drop column tokens_from", "drop table sessions"]),
};

// All of a user's end at once, with its password.
const BY_USER: &str = "create index sessions_user_id_idx on sessions (user_id)";

// The old ones are deleted as new ones come.
const BY_AGE: &str = "create index sessions_kept_until_idx on sessions (kept_until)";

const TOKENS_FROM: &str = "alter table credentials add column tokens_from timestamptz";
