//! The rows of sessions: opened, rotated, ended.
//!
//! In: the digests of refresh tokens, and times. Out: rows of `sessions`. Whoever opens a session, or ends all of a user's,
//! holds the lock on the user's credentials meanwhile, so that none is opened beside the end of all.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait, QueryFilter as _,
    sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Order, Query},
};
use uuid::Uuid;

use super::{jwt::LEEWAY, refresh::RefreshToken, users::now};
use crate::{
    engine::database::{Database, Transaction, error_of},
    entities::sessions::{ActiveModel, Column, Entity, Model},
    error::Result,
};

/// How many old rows are deleted as a new one comes: more than come, so that they get fewer.
const SWEPT: u64 = 100;

/// How long the tokens of a session are good, from now on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetimes {
    /// The access token.
    pub(super) access: Duration,
    /// The refresh token.
    pub(super) refresh: Duration,
}

/// What became of a refresh token.
pub(super) enum Rotation {
    /// Another one is good now instead.
    Rotated(Model),
    /// It had been rotated before: its session has been ended.
    Reused(Model),
    /// There is no such session, or its time is over.
    Unknown,
}

/// Opens a session of `user` that goes on by `token`.
pub(super) async fn open(
    transaction: &Transaction,
    user: Uuid,
    token: &RefreshToken,
    lifetimes: Lifetimes,
) -> Result<Uuid> {
    let (expires, kept) = ends(lifetimes);
    insert(transaction, user, Some((token, expires)), kept).await
}

/// Opens a session of `user` that has one access token, and no other after it.
pub(super) async fn open_once(transaction: &Transaction, user: Uuid, access: Duration) -> Result<Uuid> {
    insert(transaction, user, None, now() + access + LEEWAY).await
}

async fn insert(
    transaction: &Transaction,
    user: Uuid,
    token: Option<(&RefreshToken, DateTime<Utc>)>,
    kept_until: DateTime<Utc>,
) -> Result<Uuid> {
    let id = Uuid::now_v7();
    let session = ActiveModel {
        id: Set(id),
        user_id: Set(user),
        family_hash: Set(token.map(|(token, _)| token.family_hash())),
        token_hash: Set(token.map(|(token, _)| token.hash())),
        created_at: Set(now()),
        expires_at: Set(token.map(|(_, expires)| expires)),
        kept_until: Set(kept_until),
    };
    Entity::insert(session).exec_without_returning(transaction).await.map_err(error_of)?;
    sweep(transaction).await?;
    Ok(id)
}

/// Deletes some of the rows of which no token can be good any more, the oldest first. Those that somebody else has in
/// hand are left: who waited for them could wait in a circle.
async fn sweep(transaction: &Transaction) -> Result<()> {
    let old = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Expr::col(Column::KeptUntil).lt(now()))
        .order_by(Column::KeptUntil, Order::Asc)
        .limit(SWEPT)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .take();
    let sweep = Query::delete().from_table(Entity).and_where(Expr::col(Column::Id).in_subquery(old)).take();
    transaction.execute(&sweep).await.map_err(error_of)?;
    Ok(())
}

/// Puts `next` in the place of `token`, if that is good still. Of two that come with one token, the database lets one
/// win; the other is one who comes with a token that was used, and nobody can tell the thief from the robbed (RFC 9700,
/// section 4.14.2).
pub(super) async fn rotate(
    transaction: &Transaction,
    token: &RefreshToken,
    next: &RefreshToken,
    lifetimes: Lifetimes,
) -> Result<Rotation> {
    let (expires, kept) = ends(lifetimes);
    let rotated = Entity::update_many()
        .col_expr(Column::TokenHash, Expr::value(next.hash()))
        .col_expr(Column::ExpiresAt, Expr::value(expires))
        .col_expr(Column::KeptUntil, Expr::value(kept))
        .filter(Column::FamilyHash.eq(token.family_hash()))
        .filter(Column::TokenHash.eq(token.hash()))
        .filter(Column::ExpiresAt.gt(now()))
        .exec(transaction)
        .await
        .map_err(error_of)?;
    let Some(session) = of_family(transaction, token).await? else { return Ok(Rotation::Unknown) };
    if rotated.rows_affected > 0 {
        return Ok(Rotation::Rotated(session));
    }
    if session.token_hash.as_ref() == Some(&token.hash()) {
        return Ok(Rotation::Unknown);
    }
    Ok(if end(transaction, session.id).await? { Rotation::Reused(session) } else { Rotation::Unknown })
}

/// The session that `token` is of, be it good or not any more.
pub(super) async fn find(database: &Database, token: &RefreshToken) -> Result<Option<Model>> {
    database.reading(async |connection| of_family(connection, token).await).await
}

#[expect(clippy::disallowed_methods, reason = "sessions are the program's own rows, under no policy")]
async fn of_family(connection: &impl ConnectionTrait, token: &RefreshToken) -> Result<Option<Model>> {
    let of_family = Entity::find().filter(Column::FamilyHash.eq(token.family_hash()));
    of_family.one(connection).await.map_err(error_of)
}

/// Ends a session; whether there was one.
pub(super) async fn end(transaction: &Transaction, id: Uuid) -> Result<bool> {
    let ended = Entity::delete_many().filter(Column::Id.eq(id)).exec(transaction).await.map_err(error_of)?;
    Ok(ended.rows_affected > 0)
}

/// Ends all sessions of a user.
pub(super) async fn end_all(transaction: &Transaction, user: Uuid) -> Result<()> {
    Entity::delete_many().filter(Column::UserId.eq(user)).exec(transaction).await.map_err(error_of)?;
    Ok(())
}

/// When a refresh token that is made now ends, and when the last token of its session does.
fn ends(lifetimes: Lifetimes) -> (DateTime<Utc>, DateTime<Utc>) {
    let now = now();
    let expires = now + lifetimes.refresh;
    (expires, std::cmp::max(expires, now + lifetimes.access + LEEWAY))
}
