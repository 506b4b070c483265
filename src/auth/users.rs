//! The rows of accounts: `users` with the `credentials` beside them.
//!
//! In: values that have been checked. Out: rows. Registration, login and the command line all come through here, so an
//! account and what it signs in with are never written apart.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ConnectionTrait, DbErr, EntityTrait, QueryResult, QuerySelect,
    sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement},
};
use secrecy::SecretString;
use uuid::Uuid;

use super::{email::Email, session_rows};
use crate::{
    engine::database::{Database, Transaction, error_of},
    entities::{credentials, identities, users},
    error::{Error, Kind, Problem, Result},
};

pub use crate::entities::users::ROLES;

/// An account as it is now.
#[derive(Debug, Clone)]
pub struct User {
    /// The key.
    pub id: Uuid,
    /// None for the subject of an outside identity provider that tells none.
    pub email: Option<String>,
    /// What the user is called.
    pub name: Option<String>,
    /// One of [`ROLES`].
    pub role: String,
    /// Whether it has been shut out.
    pub disabled: bool,
    /// The hash of its password; none for one that has no password here.
    pub password_hash: Option<SecretString>,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What it signs in as.
    pub email: Email,
    /// What the user is called.
    pub name: Option<String>,
    /// One of [`ROLES`].
    pub role: String,
    /// The hash of its password.
    pub password_hash: String,
}

/// The present, in the resolution that both databases keep.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// Refuses a name that is not 1 to 200 characters long.
pub fn check_name(name: &str) -> Result<(), Problem> {
    let refused = |message: &str| Err(Problem { field: "name".into(), message: message.into() });
    if name.trim().is_empty() {
        return refused("must not be empty");
    }
    if name.chars().count() > 200 {
        return refused("must be 1 to 200 characters long");
    }
    // PostgreSQL's text cannot hold it.
    if name.contains('\0') {
        return refused("must not contain the character U+0000");
    }
    Ok(())
}

/// Makes an account; all of it or nothing. A taken address is a conflict.
pub async fn create(database: &Database, new: NewUser) -> Result<Uuid> {
    let id = Uuid::now_v7();
    database.writing(async |transaction| insert(transaction, id, new.clone()).await).await?;
    Ok(id)
}

/// Makes an account with a key in a transaction that does more.
pub(super) async fn insert(transaction: &Transaction, id: Uuid, new: NewUser) -> Result<()> {
    let now = now();
    let user = users::ActiveModel {
        id: Set(id),
        email: Set(Some(new.email.as_str().to_owned())),
        name: Set(new.name),
        role: Set(new.role),
        created_at: Set(now),
        updated_at: Set(now),
    };
    users::Entity::insert(user).exec_without_returning(transaction).await.map_err(taken)?;
    let credential = credentials::ActiveModel {
        user_id: Set(id),
        password_hash: Set(new.password_hash),
        disabled_at: Set(None),
        tokens_from: Set(None),
    };
    credentials::Entity::insert(credential).exec_without_returning(transaction).await.map_err(error_of)?;
    Ok(())
}

/// The index on the address is the only unique constraint that an insertion with a new key can meet.
fn taken(error: DbErr) -> Error {
    let error = error_of(error);
    if error.kind != Kind::Conflict || error.code != "23505" {
        return error;
    }
    let mut taken = Error::new(Kind::Conflict, "An account with this e-mail exists already")
        .code("23505")
        .details("email is taken, without regard to case");
    taken.problems.push(Problem { field: "email".into(), message: "is taken".into() });
    taken
}

/// The account with an address, without regard to case.
pub async fn by_email(database: &Database, email: &Email) -> Result<Option<User>> {
    let folded = Func::lower(Expr::col((users::Entity, users::Column::Email)));
    one(database, select().and_where(Expr::expr(folded).eq(email.folded()))).await
}

/// The account with a key.
pub async fn by_id(database: &Database, id: Uuid) -> Result<Option<User>> {
    one(database, select().and_where(Expr::col((users::Entity, users::Column::Id)).eq(id))).await
}

/// The same as a transaction sees it.
pub(super) async fn by_id_in(transaction: &Transaction, id: Uuid) -> Result<Option<User>> {
    let statement = select().and_where(Expr::col((users::Entity, users::Column::Id)).eq(id)).take();
    let row = transaction.query_one(&statement).await.map_err(error_of)?;
    row.as_ref().map(user).transpose()
}

/// All accounts, oldest first.
pub async fn all(database: &Database) -> Result<Vec<User>> {
    let statement = select().order_by((users::Entity, users::Column::Id), Order::Asc).take();
    database.rows(&statement).await?.iter().map(user).collect()
}

/// Changes the name of a user; no user, no change.
pub async fn rename(database: &Database, id: Uuid, name: Option<String>) -> Result<()> {
    update(database, id, |user| user.name = Set(name.clone())).await
}

/// Changes the role of a user.
pub async fn set_role(database: &Database, id: Uuid, role: &str) -> Result<()> {
    update(database, id, |user| user.role = Set(role.to_owned())).await
}

/// Shuts a user out, and ends its sessions; or lets it in again, to sign in anew. One without a password here has nothing
/// that could be shut.
pub async fn set_disabled(database: &Database, id: Uuid, disabled: bool) -> Result<()> {
    let now = now();
    let mut change = credentials::ActiveModel { disabled_at: Set(disabled.then_some(now)), ..Default::default() };
    if disabled {
        change.tokens_from = Set(Some(now));
    }
    let update = async |transaction: &Transaction| update_credential(transaction, id, change.clone(), disabled).await;
    database.writing(update).await
}

/// Replaces the hash of a user's password, and ends its sessions.
pub async fn reset_password(database: &Database, id: Uuid, hash: String) -> Result<()> {
    database.writing(async |transaction| set_password(transaction, id, hash.clone()).await).await
}

/// The same in a transaction that does more.
pub(super) async fn set_password(transaction: &Transaction, id: Uuid, hash: String) -> Result<()> {
    let change =
        credentials::ActiveModel { password_hash: Set(hash), tokens_from: Set(Some(now())), ..Default::default() };
    update_credential(transaction, id, change, true).await
}

/// Puts another hash of the same password in the place of the one that there is. Whoever calls this has locked the row.
pub(super) async fn set_hash(transaction: &Transaction, id: Uuid, hash: String) -> Result<()> {
    let change = credentials::ActiveModel { password_hash: Set(hash), ..Default::default() };
    update_credential(transaction, id, change, false).await
}

/// What a user signs in with, locked until the end of the transaction, so that what is decided by it stays so.
#[expect(clippy::disallowed_methods, reason = "credentials are the program's own rows, under no policy")]
pub(super) async fn lock_credential(transaction: &Transaction, id: Uuid) -> Result<Option<credentials::Model>> {
    credentials::Entity::find_by_id(id).lock_exclusive().one(transaction).await.map_err(error_of)
}

/// Changes what a user signs in with, and then ends its sessions if they shall not outlive that: in this order, since
/// whoever opens one locks that row first.
async fn update_credential(
    transaction: &Transaction,
    id: Uuid,
    mut change: credentials::ActiveModel,
    ends_sessions: bool,
) -> Result<()> {
    change.user_id = Set(id);
    match change.update(transaction).await {
        Ok(_) if ends_sessions => session_rows::end_all(transaction, id).await,
        Ok(_) => Ok(()),
        Err(DbErr::RecordNotUpdated) => Err(Error::not_found("This user does not sign in with a password here")),
        Err(error) => Err(error_of(error)),
    }
}

async fn update(database: &Database, id: Uuid, change: impl Fn(&mut users::ActiveModel) + Sync) -> Result<()> {
    database.writing(async |transaction| update_row(transaction, id, &change).await).await
}

async fn update_row(transaction: &Transaction, id: Uuid, change: impl Fn(&mut users::ActiveModel)) -> Result<()> {
    let Some(user) = find_for_update(transaction, id).await? else { return Ok(()) };
    // Never the same twice, so that it tells two states apart.
    let updated_at = std::cmp::max(now(), user.updated_at + TimeDelta::microseconds(1));
    let mut user = users::ActiveModel { id: Set(id), updated_at: Set(updated_at), ..Default::default() };
    change(&mut user);
    users::Entity::update(user).exec(transaction).await.map_err(error_of)?;
    Ok(())
}

/// The row, locked where the database has locks of rows: SQLite's writer is alone.
#[expect(clippy::disallowed_methods, reason = "an account is changed by the program itself, under no policy")]
async fn find_for_update(transaction: &Transaction, id: Uuid) -> Result<Option<users::Model>> {
    users::Entity::find_by_id(id).lock_exclusive().one(transaction).await.map_err(error_of)
}

/// Since when the tokens of a subject of an outside identity provider are not taken, beside the column of `credentials`.
const OUTSIDE_DISABLED_AT: &str = "outside_disabled_at";

/// Every account, with what it signs in with.
fn select() -> SelectStatement {
    let mut select = Query::select();
    for column in [users::Column::Id, users::Column::Email, users::Column::Name, users::Column::Role] {
        select.column((users::Entity, column));
    }
    select.column((credentials::Entity, credentials::Column::PasswordHash)).from(users::Entity);
    join_standing(&mut select);
    select
}

/// Puts beside users what tells whether they have been shut out, for [`is_shut_out`].
pub(super) fn join_standing(select: &mut SelectStatement) {
    select
        .column((credentials::Entity, credentials::Column::DisabledAt))
        .expr_as(Expr::col((identities::Entity, identities::Column::DisabledAt)), OUTSIDE_DISABLED_AT)
        .left_join(
            credentials::Entity,
            Expr::col((credentials::Entity, credentials::Column::UserId)).equals((users::Entity, users::Column::Id)),
        )
        .left_join(
            identities::Entity,
            Expr::col((identities::Entity, identities::Column::UserId)).equals((users::Entity, users::Column::Id)),
        );
}

/// Whether the user of a row has been shut out, by either of its ways in.
pub(super) fn is_shut_out(row: &QueryResult) -> Result<bool, DbErr> {
    let since = |column: &str| row.try_get::<Option<DateTime<Utc>>>("", column);
    Ok(since("disabled_at")?.is_some() || since(OUTSIDE_DISABLED_AT)?.is_some())
}

async fn one(database: &Database, statement: &SelectStatement) -> Result<Option<User>> {
    database.row(statement).await?.as_ref().map(user).transpose()
}

fn user(row: &QueryResult) -> Result<User> {
    let read = || {
        Ok(User {
            id: row.try_get("", "id")?,
            email: row.try_get("", "email")?,
            name: row.try_get("", "name")?,
            role: row.try_get("", "role")?,
            disabled: is_shut_out(row)?,
            password_hash: row.try_get::<Option<String>>("", "password_hash")?.map(Into::into),
        })
    };
    read().map_err(error_of)
}
