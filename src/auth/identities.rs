//! Who the subjects of an outside identity provider are here.
//!
//! In: the claims of a verified outside token. Out: the principal, whose account is made at its first request. An account
//! belongs to the subject of an issuer and to nobody else: neither an e-mail address nor a subject that looks like a key
//! of ours leads to the account of another.

use std::time::Instant;

use quick_cache::sync::Cache;
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait as _, EntityTrait as _,
    sea_query::{Expr, ExprTrait as _, Query},
};
use uuid::Uuid;

use super::{
    accounts::MEMORY,
    audit::{Event, record},
    client::Client,
    jwt::bad_claims,
    outside::OutsideClaims,
    users::{self, now},
};
use crate::{
    engine::{
        database::{Database, Transaction, error_of},
        principal::Principal,
    },
    entities::{identities, users as rows},
    error::{Error, Kind, Result},
};

/// How many subjects are remembered.
const SUBJECTS: usize = 10_000;

/// The subjects of one provider, in bounded memory.
pub(super) struct Identities {
    database: Database,
    issuer: String,
    known: Cache<String, Known>,
}

/// What the database said, and when it was asked.
#[derive(Clone, Copy)]
struct Known {
    asked: Instant,
    user: Uuid,
    disabled: bool,
}

/// The row of a subject, with the role of its account.
struct Found {
    user: Uuid,
    disabled: bool,
    role: String,
}

impl Identities {
    /// The subjects of `issuer`, none of whom is known yet.
    pub(super) fn new(database: Database, issuer: String) -> Self {
        Self { database, issuer, known: Cache::new(SUBJECTS) }
    }

    /// The principal that a token with `claims` stands for, which came from where `client` says.
    ///
    /// # Errors
    /// `Unauthenticated` for a subject that has been shut out, and what the database says of one that cannot be looked up
    /// or, coming for the first time, not be written.
    pub(super) async fn principal(&self, claims: &OutsideClaims, client: Option<&Client>) -> Result<Principal> {
        let known = match self.known.get(&claims.subject).filter(|known| known.asked.elapsed() < MEMORY) {
            Some(known) => known,
            None => self.ask(claims, client).await?,
        };
        if known.disabled {
            return Err(bad_claims("The account of the token is not there or has been disabled"));
        }
        Ok(Principal::user(known.user, claims.role))
    }

    /// Looks the subject up, or makes its account, and remembers it.
    async fn ask(&self, claims: &OutsideClaims, client: Option<&Client>) -> Result<Known> {
        // The time before the question: the answer may be as old as that.
        let asked = Instant::now();
        let known = match self.find(&claims.subject).await? {
            Some(found) => {
                if found.role != claims.role && !found.disabled {
                    self.show_role(found.user, claims.role).await;
                }
                Known { asked, user: found.user, disabled: found.disabled }
            }
            None => {
                let (user, disabled) = self.create(claims, client).await?;
                Known { asked, user, disabled }
            }
        };
        self.known.insert(claims.subject.clone(), known);
        Ok(known)
    }

    async fn find(&self, subject: &str) -> Result<Option<Found>> {
        let question = Query::select()
            .column((identities::Entity, identities::Column::UserId))
            .column((identities::Entity, identities::Column::DisabledAt))
            .column((rows::Entity, rows::Column::Role))
            .from(identities::Entity)
            .inner_join(
                rows::Entity,
                Expr::col((rows::Entity, rows::Column::Id)).equals((identities::Entity, identities::Column::UserId)),
            )
            .and_where(Expr::col((identities::Entity, identities::Column::Issuer)).eq(self.issuer.as_str()))
            .and_where(Expr::col((identities::Entity, identities::Column::Subject)).eq(subject))
            .take();
        let Some(row) = self.database.row(&question).await? else { return Ok(None) };
        let read = || {
            Ok(Found {
                user: row.try_get("", "user_id")?,
                disabled: row.try_get::<Option<chrono::DateTime<chrono::Utc>>>("", "disabled_at")?.is_some(),
                role: row.try_get("", "role")?,
            })
        };
        read().map(Some).map_err(error_of)
    }

    /// Writes the role of the token where admins look. The token decides what may be done, so that a request does not fail
    /// for a database that takes no writes.
    async fn show_role(&self, user: Uuid, role: &str) {
        if let Err(error) = users::set_role(&self.database, user, role).await {
            tracing::debug!(%error, user.id = %user, "the role of an outside subject cannot be written");
        }
    }

    /// Makes the account of a subject that has none: its key, and whether it has been shut out, which somebody may have
    /// done who made it at the same time.
    async fn create(&self, claims: &OutsideClaims, client: Option<&Client>) -> Result<(Uuid, bool)> {
        let email = claims.email.as_ref().map(|email| email.as_str().to_owned());
        // Where the address is taken, by whomever, the account has none.
        for email in [email, None] {
            match self.insert(claims, email).await {
                Ok(user) => {
                    record(Event::OutsideSubject, Some(user), client);
                    return Ok((user, false));
                }
                Err(error) if error.kind == Kind::Conflict && error.code == "23505" => {}
                Err(error) => return Err(error),
            }
            // Or else a request of the same subject was faster.
            if let Some(found) = self.find(&claims.subject).await? {
                return Ok((found.user, found.disabled));
            }
        }
        Err(Error::internal("an account without an address was taken, and nobody has it"))
    }

    /// Makes the account, all of it or nothing.
    async fn insert(&self, claims: &OutsideClaims, email: Option<String>) -> Result<Uuid> {
        let id = Uuid::now_v7();
        let insert = async |transaction: &Transaction| self.insert_rows(transaction, id, claims, email.clone()).await;
        self.database.writing(insert).await?;
        Ok(id)
    }

    async fn insert_rows(
        &self,
        transaction: &Transaction,
        id: Uuid,
        claims: &OutsideClaims,
        email: Option<String>,
    ) -> Result<()> {
        let now = now();
        let user = rows::ActiveModel {
            id: Set(id),
            email: Set(email),
            name: Set(claims.name.clone()),
            role: Set(claims.role.to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
        };
        rows::Entity::insert(user).exec_without_returning(transaction).await.map_err(error_of)?;
        let identity = identities::ActiveModel {
            issuer: Set(self.issuer.clone()),
            subject: Set(claims.subject.clone()),
            user_id: Set(id),
            created_at: Set(now),
            disabled_at: Set(None),
        };
        identities::Entity::insert(identity).exec_without_returning(transaction).await.map_err(error_of)?;
        Ok(())
    }
}

/// Shuts the user `id` out, or lets it in again, if it is the subject of an outside identity provider: whether it is.
///
/// # Errors
/// What the database says.
pub async fn set_disabled(database: &Database, id: Uuid, disabled: bool) -> Result<bool> {
    let update = Query::update()
        .table(identities::Entity)
        .value(identities::Column::DisabledAt, disabled.then(now))
        .and_where(Expr::col(identities::Column::UserId).eq(id))
        .take();
    let done = database.writing(async |transaction| transaction.execute(&update).await.map_err(error_of)).await?;
    Ok(done.rows_affected() > 0)
}
