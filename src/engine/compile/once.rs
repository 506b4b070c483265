//! The statements about the keys under which requests happen once. They are the same for every plan.

use crate::engine::database::Dialect;
use std::sync::{Arc, LazyLock};

/// The statements, of which each binds what it says, in this order.
#[derive(Debug)]
pub struct OnceStatements {
    /// Deletes some of the keys from before an instant.
    pub clear: Arc<str>,
    /// Takes a key for a request: the key, the digest of the body, now, and the instant before which it is anybody's. It
    /// returns a row if that was to be had. Another request with the same key, if it has not ended, is waited for.
    pub claim: Arc<str>,
    /// What is kept under a key: the digest of the body, and what was told.
    pub find: Arc<str>,
    /// Keeps under a key what is told.
    pub keep: Arc<str>,
}

impl OnceStatements {
    /// Those of a database.
    pub fn of(dialect: Dialect) -> &'static Self {
        static POSTGRES: LazyLock<OnceStatements> = LazyLock::new(|| OnceStatements {
            // What another request deletes at the same time is not waited for: it may be waiting for this one's key.
            clear: Arc::from(
                "delete from idempotency_keys where id in (select id from idempotency_keys \
                 where created_at < $1::timestamptz limit 100 for update skip locked)",
            ),
            claim: Arc::from(
                "insert into idempotency_keys as t (id, body, created_at) values ($1::text, $2::text, $3::timestamptz) \
                 on conflict (id) do update set body = excluded.body, answer = null, created_at = excluded.created_at \
                 where t.created_at < $4::timestamptz returning id",
            ),
            find: Arc::from("select body, answer from idempotency_keys where id = $1::text"),
            keep: Arc::from("update idempotency_keys set answer = $2::text where id = $1::text"),
        });
        static SQLITE: LazyLock<OnceStatements> = LazyLock::new(|| OnceStatements {
            clear: Arc::from(
                "delete from idempotency_keys where id in (select id from idempotency_keys \
                 where created_at < ?1 limit 100)",
            ),
            claim: Arc::from(
                "insert into idempotency_keys as t (id, body, created_at) values (?1, ?2, ?3) \
                 on conflict (id) do update set body = excluded.body, answer = null, created_at = excluded.created_at \
                 where t.created_at < ?4 returning id",
            ),
            find: Arc::from("select body, answer from idempotency_keys where id = ?1"),
            keep: Arc::from("update idempotency_keys set answer = ?2 where id = ?1"),
        });
        match dialect {
            Dialect::Postgres => &POSTGRES,
            Dialect::Sqlite => &SQLITE,
        }
    }
}
