//! Owns the table `identities`: who the subjects of outside identity providers are here. A subject is known by its issuer
//! and its name there, and by nothing else: one user has one identity, and no two become one.

use crate::sql::{Script, SqlMigration};

pub(crate) const MIGRATION: SqlMigration = SqlMigration {
    name: "m20261121_000009_create_identities",
    up: Script {
        postgres: &[r#"
            create table identities (
                issuer text collate "C" not null,
                subject text collate "C" not null,
                user_id uuid not null
                    constraint identities_user_id_key unique
                    constraint identities_user_id_fkey references users (id) on delete cascade,
                created_at timestamptz not null,
                disabled_at timestamptz,
                primary key (issuer, subject)
            )
            "#],
        sqlite: &["
            create table identities (
                issuer text not null,
                subject text not null,
                user_id uuid not null
                    constraint identities_user_id_key unique
                    constraint identities_user_id_fkey references users (id) on delete cascade,
                created_at timestamptz not null,
                disabled_at timestamptz,
                primary key (issuer, subject)
            )
            "],
    },
    down: Script::both(&["drop table identities"]),
};
