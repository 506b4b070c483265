//! What the database says now of a token's subject: its role, and whether it may still come with this token.
//!
//! In: the claims of a verified token. Out: a role or none, remembered for [`MEMORY`], so that a demotion, a shut-out and
//! the end of a session take effect within five seconds on every instance, and an ordinary request still costs no query.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;
use sea_orm::{
    DbErr,
    sea_query::{Expr, ExprTrait as _, Query},
};
use uuid::Uuid;

use super::{
    jwt::Claims,
    users::{is_shut_out, join_standing},
};
use crate::{
    engine::database::{Database, error_of},
    entities::{credentials, sessions, users},
    error::Result,
};

/// How long an answer is believed: below the five seconds that are promised, by what a slow query may take.
pub const MEMORY: Duration = Duration::from_secs(4);

/// How many subjects are remembered, each of their sessions by itself.
const SUBJECTS: usize = 10_000;

/// What the database said, and when it was asked.
#[derive(Clone)]
struct Known {
    asked: Instant,
    standing: Option<Standing>,
}

/// How somebody stands who may come.
#[derive(Clone)]
struct Standing {
    role: String,
    /// The second, since 1970, after which tokens without a session must have been made; none for any.
    tokens_from: Option<i64>,
}

/// The standing of subjects, in bounded memory.
pub struct Accounts {
    database: Database,
    known: Cache<(Uuid, Option<Uuid>), Known>,
}

impl Accounts {
    /// Nobody is known yet.
    pub fn new(database: Database) -> Self {
        Self { database, known: Cache::new(SUBJECTS) }
    }

    /// The role in which the bearer of a token with these claims may act; none for one who is not there or has been shut
    /// out, or whose session has ended.
    pub async fn role(&self, claims: &Claims) -> Result<Option<String>> {
        let standing = self.standing(claims.subject, claims.session).await?;
        Ok(standing.filter(|standing| standing.admits(claims)).map(|standing| standing.role))
    }

    async fn standing(&self, subject: Uuid, session: Option<Uuid>) -> Result<Option<Standing>> {
        let key = (subject, session);
        if let Some(known) = self.known.get(&key).filter(|known| known.asked.elapsed() < MEMORY) {
            return Ok(known.standing);
        }
        // The time before the question: the answer may be as old as that.
        let asked = Instant::now();
        let standing = ask(&self.database, subject, session).await?;
        self.known.insert(key, Known { asked, standing: standing.clone() });
        Ok(standing)
    }

    /// Asks again at the next request of `subject`, on this instance.
    pub fn forget(&self, subject: Uuid) {
        self.known.retain(|(known, _), _| *known != subject);
    }
}

impl Standing {
    /// Whether a token with these claims is good. One without a session was made by somebody else who has the key: it must
    /// be younger than the last end of all sessions. Times in tokens are whole seconds, so that one of the same second may
    /// be older, and is refused.
    fn admits(&self, claims: &Claims) -> bool {
        match (claims.session, self.tokens_from) {
            (None, Some(from)) => {
                claims.issued_at.is_some_and(|made| i64::try_from(made).is_ok_and(|made| made > from))
            }
            _ => true,
        }
    }
}

/// One question, answered by keys.
async fn ask(database: &Database, subject: Uuid, session: Option<Uuid>) -> Result<Option<Standing>> {
    let mut question = Query::select();
    question
        .column((users::Entity, users::Column::Role))
        .column((credentials::Entity, credentials::Column::TokensFrom))
        .from(users::Entity)
        .and_where(Expr::col((users::Entity, users::Column::Id)).eq(subject));
    join_standing(&mut question);
    if let Some(session) = session {
        question
            .inner_join(
                sessions::Entity,
                Expr::col((sessions::Entity, sessions::Column::UserId)).equals((users::Entity, users::Column::Id)),
            )
            .and_where(Expr::col((sessions::Entity, sessions::Column::Id)).eq(session));
    }
    let Some(row) = database.row(&question).await? else { return Ok(None) };
    let read = || {
        let from: Option<DateTime<Utc>> = row.try_get("", "tokens_from")?;
        let role = row.try_get("", "role")?;
        let standing = Standing { role, tokens_from: from.map(|from| from.timestamp()) };
        Ok::<_, DbErr>((!is_shut_out(&row)?).then_some(standing))
    };
    read().map_err(error_of)
}
