//! Signing in: by an account that is made now, by a password, or by a new password.
//!
//! In: what a person typed. Out: a [`Session`]. The wrong password, the unknown user and the one who is shut out get the
//! same words after the same work; and no session outlives the password by which it was opened, whatever runs beside.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{
    audit::{Event, record},
    client::Client,
    email::Email,
    jwt::Tokens,
    password::Verdict,
    register::{self, RegisterInput},
    session_rows,
    sessions::{Auth, Session},
    users::{self, User},
};
use crate::{
    engine::{
        database::{Database, Transaction},
        principal::Principal,
    },
    error::{Error, Result},
};

/// The role of those who register.
const FIRST_ROLE: &str = "user";

/// How often a password is verified again because another hash has come in the place of the one that it was verified by.
const ATTEMPTS: usize = 3;

/// What a password was found to be the one of: its account, and whether the hash should be made anew.
struct Verified {
    user: User,
    hash: String,
    outdated: bool,
}

impl Auth {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// `RateLimited`, `Invalid` with every field that is wrong, or `Conflict` for an address that is taken.
    pub async fn register(&self, client: &Client, input: RegisterInput) -> Result<Session> {
        let tokens = self.own()?;
        self.limit(client, Some(&input.email))?;
        let new = register::checked(&self.shared.passwords, input, FIRST_ROLE).await?;
        let user = Uuid::now_v7();
        let enter = async |transaction: &Transaction| {
            users::insert(transaction, user, new.clone()).await?;
            self.open(tokens, transaction, user, FIRST_ROLE.to_owned()).await
        };
        let session = self.shared.database.writing(enter).await?;
        record(Event::Registered, Some(user), Some(client));
        Ok(session)
    }

    /// Signs somebody in.
    ///
    /// # Errors
    /// `RateLimited`, or `Unauthenticated` whatever of the two is wrong.
    pub async fn login(&self, client: &Client, email: &str, password: SecretString) -> Result<Session> {
        let tokens = self.own()?;
        self.limit(client, Some(email))?;
        let mut user = match Email::parse(email) {
            Ok(email) => users::by_email(&self.shared.database, &email).await?,
            // No account has such an address, and this is no place to tell.
            Err(_) => None,
        };
        let id = user.as_ref().map(|user| user.id);
        for _ in 0..ATTEMPTS {
            let Some(verified) = self.verify(user, &password).await? else { break };
            if let Some(session) = self.enter(tokens, &verified, &password).await? {
                record(Event::SignedIn, id, Some(client));
                return Ok(session);
            }
            user = users::by_id(&self.shared.database, verified.user.id).await?;
        }
        record(Event::SignInFailed, id, Some(client));
        Err(wrong_password("The e-mail or the password is wrong"))
    }

    /// The account `user` if `password` is the one of it and it may sign in; the same work is done for nobody.
    async fn verify(&self, user: Option<User>, password: &SecretString) -> Result<Option<Verified>> {
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let verdict = self.shared.passwords.verify(password.clone(), hash.clone()).await?;
        Ok(match (user, hash) {
            (Some(user), Some(hash)) if verdict != Verdict::Wrong && !user.disabled => {
                let hash = hash.expose_secret().to_owned();
                Some(Verified { user, hash, outdated: verdict == Verdict::Outdated })
            }
            _ => None,
        })
    }

    /// Opens a session if the account may still sign in by what was verified.
    async fn enter(&self, tokens: &Tokens, verified: &Verified, password: &SecretString) -> Result<Option<Session>> {
        let Verified { user, hash, outdated } = verified;
        let new_hash = match outdated {
            // It is no reason to send anybody away that nobody has time for it now: the next login will do it.
            true => self.shared.passwords.hash_again(password.clone()).await.ok(),
            false => None,
        };
        let enter = async |transaction: &Transaction| {
            let Some(role) = holds(transaction, user.id, hash).await? else { return Ok(None) };
            if let Some(new_hash) = &new_hash {
                users::set_hash(transaction, user.id, new_hash.clone()).await?;
            }
            self.open(tokens, transaction, user.id, role).await.map(Some)
        };
        self.shared.database.writing(enter).await
    }

    /// Gives the caller another password, ends all of its sessions, and opens a new one.
    ///
    /// # Errors
    /// `RateLimited`, `Unauthenticated` for nobody and for a wrong password, `NotFound` for an account without one, or
    /// `Invalid` for a new one that is weak.
    pub async fn change_password(
        &self,
        client: &Client,
        principal: &Principal,
        current: SecretString,
        new: SecretString,
    ) -> Result<Session> {
        let tokens = self.own()?;
        let id = principal.subject().ok_or_else(anonymous)?;
        self.limit(client, Some(&id.to_string()))?;
        for _ in 0..ATTEMPTS {
            let user = users::by_id(&self.shared.database, id).await?;
            if user.as_ref().is_some_and(|user| user.password_hash.is_none()) {
                return Err(Error::not_found("This account has no password here: its identity provider has it"));
            }
            let Some(Verified { user, hash, .. }) = self.verify(user, &current).await? else { break };
            let known_as = user.email.into_iter().chain(user.name).collect();
            let new_hash = self.shared.passwords.hash_new(new.clone(), known_as, "new_password").await?;
            let change = async |transaction: &Transaction| {
                let Some(role) = holds(transaction, id, &hash).await? else { return Ok(None) };
                users::set_password(transaction, id, new_hash.clone()).await?;
                self.open(tokens, transaction, id, role).await.map(Some)
            };
            if let Some(session) = self.shared.database.writing(change).await? {
                self.shared.accounts.forget(id);
                record(Event::PasswordChanged, Some(id), Some(client));
                return Ok(session);
            }
        }
        record(Event::PasswordChangeFailed, Some(id), Some(client));
        Err(wrong_password("The current password is wrong"))
    }
}

/// The role of a user who may still sign in by `hash`, which stays so until the end of the transaction.
async fn holds(transaction: &Transaction, user: Uuid, hash: &str) -> Result<Option<String>> {
    let credential = users::lock_credential(transaction, user).await?;
    if credential.is_none_or(|credential| credential.password_hash != hash || credential.disabled_at.is_some()) {
        return Ok(None);
    }
    Ok(users::by_id_in(transaction, user).await?.map(|user| user.role))
}

/// An access token of `user` from the shell, good for `lifetime` or until all of the user's sessions end; none for a user who
/// has been shut out.
///
/// # Errors
/// What the database says.
pub async fn mint(database: &Database, tokens: &Tokens, user: Uuid, lifetime: Duration) -> Result<Option<String>> {
    let minted = database.writing(async |transaction| mint_in(transaction, tokens, user, lifetime).await).await?;
    if minted.is_some() {
        record(Event::TokenMinted, Some(user), None);
    }
    Ok(minted)
}

async fn mint_in(transaction: &Transaction, tokens: &Tokens, user: Uuid, lifetime: Duration) -> Result<Option<String>> {
    // Held until the session is there, so that whoever shuts the user out ends it too.
    users::lock_credential(transaction, user).await?;
    let Some(User { role, .. }) = users::by_id_in(transaction, user).await?.filter(|user| !user.disabled) else {
        return Ok(None);
    };
    let session = session_rows::open_once(transaction, user, lifetime).await?;
    tokens.issue(user, &role, session, lifetime).map(Some)
}

/// Nobody asks for what only somebody has.
pub(super) fn anonymous() -> Error {
    Error::unauthenticated("Sign in first").hint("Send \"Authorization: Bearer <access_token>\"")
}

/// SQLSTATE 28P01: invalid password.
fn wrong_password(message: &str) -> Error {
    Error::unauthenticated(message).code("28P01")
}
