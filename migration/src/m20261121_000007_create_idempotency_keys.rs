//! Owns the table `idempotency_keys`: what was told of a request that its sender may send again. A row is written in the
//! transaction of the rows that the request made, and holds digests of who sent what, not the texts themselves.

use crate::sql::{Script, SqlMigration};

pub(crate) const MIGRATION: SqlMigration = SqlMigration {
    name: "m20261121_000007_create_idempotency_keys",
    up: Script {
        postgres: &[
            r#"
            create table idempotency_keys (
                id text collate "C" primary key,
                body text collate "C" not null,
                answer text collate "C",
                created_at timestamptz not null
            )
            "#,
            BY_AGE,
        ],
        sqlite: &[
            "
            create table idempotency_keys (
                id text not null primary key,
                body text not null,
                answer text,
                created_at timestamptz not null
            )
            ",
            BY_AGE,
        ],
    },
    down: Script::both(&["drop table idempotency_keys"]),
};

// The old ones are deleted as new ones come.
const BY_AGE: &str = "create index idempotency_keys_created_at_idx on idempotency_keys (created_at)";
