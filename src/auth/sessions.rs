//! Sessions: how somebody who has signed in goes on being a principal, and ceases to be one.
//!
//! In: a refresh token, or the `Authorization` header of a request. Out: a [`Session`], or the [`Principal`] who asks.
//! How one signs in is in [`sign_in`](super::sign_in).

use std::{fmt, sync::Arc};

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use uuid::Uuid;

use super::{
    accounts::Accounts,
    audit::{self, Event},
    bearers::{Bearer, Bearers},
    client::Client,
    identities::Identities,
    jwt::{Tokens, bad_claims, bad_token},
    limits::Limits,
    password::Passwords,
    refresh::RefreshToken,
    session_rows::{self, Lifetimes, Rotation},
    users,
};
use crate::{
    config::AuthConfig,
    engine::{
        database::{Database, Transaction},
        principal::Principal,
    },
    entities::sessions::Model as Row,
    error::{Error, Kind, Result},
    telemetry::record::{self, Stage},
};

/// Who is asking, for every layer that wants to know; cheap to clone.
#[derive(Clone)]
pub struct Auth {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) database: Database,
    pub(super) accounts: Accounts,
    identities: Identities,
    bearers: Bearers,
    pub(super) passwords: Passwords,
    limits: Limits,
    lifetimes: Lifetimes,
}

/// What somebody who has signed in holds.
#[derive(Clone)]
pub struct Session {
    /// The bearer token.
    pub access_token: String,
    /// For how many seconds it is good.
    pub expires_in: u64,
    /// What gets the next ones.
    pub refresh_token: RefreshToken,
    /// Whose it is.
    pub user: Uuid,
    /// The role of that user.
    pub role: String,
}

impl Session {
    /// The principal that the token stands for.
    pub fn principal(&self) -> Principal {
        Principal::user(self.user, self.role.clone())
    }
}

impl Auth {
    /// Identity as `config` wants it, over the accounts in `database`.
    pub fn new(config: &AuthConfig, database: Database) -> Self {
        let shared = Shared {
            accounts: Accounts::new(database.clone()),
            identities: Identities::new(database.clone(), config.issuer.clone()),
            database,
            bearers: Bearers::new(config),
            passwords: Passwords::new(),
            limits: Limits::new(config.rate_limit_per_minute),
            lifetimes: Lifetimes { access: config.access_token_lifetime, refresh: config.refresh_token_lifetime },
        };
        Self { shared: Arc::new(shared) }
    }

    /// Goes on with a session: its next tokens, and the end of `token`.
    ///
    /// # Errors
    /// `RateLimited`, or `Unauthenticated` for a token that is not good, whyever. One that was used before ends its session.
    pub async fn refresh(&self, client: &Client, token: &str) -> Result<Session> {
        let tokens = self.own()?;
        self.limit(client, None)?;
        let refused = || Error::unauthenticated("The refresh token is not good").hint("Sign in again");
        let Some(token) = RefreshToken::parse(token) else {
            audit::record(Event::RefreshFailed, None, Some(client));
            return Err(refused());
        };
        self.limit_session(client, &token).await?;
        let next = token.next();
        let rotate = async |transaction: &Transaction| self.rotate(transaction, &token, &next).await;
        let (rotation, role) = self.shared.database.writing(rotate).await?;
        let (event, row) = match (rotation, role) {
            (Rotation::Rotated(row), Some(role)) => {
                let session = self.session(tokens, row.id, next, row.user_id, role)?;
                audit::record(Event::Refreshed, Some(row.user_id), Some(client));
                return Ok(session);
            }
            (Rotation::Rotated(row), None) => (Event::RefreshFailed, Some(row)),
            (Rotation::Reused(row), _) => (Event::RefreshReused, Some(row)),
            (Rotation::Unknown, _) => (Event::RefreshFailed, None),
        };
        let user = row.map(|row| row.user_id);
        user.into_iter().for_each(|user| self.shared.accounts.forget(user));
        audit::record(event, user, Some(client));
        Err(refused())
    }

    /// Rotates a token, and tells the role that its user has now; who has been shut out has none, and no session either.
    async fn rotate(
        &self,
        transaction: &Transaction,
        token: &RefreshToken,
        next: &RefreshToken,
    ) -> Result<(Rotation, Option<String>)> {
        let rotation = session_rows::rotate(transaction, token, next, self.shared.lifetimes).await?;
        let Rotation::Rotated(row) = &rotation else { return Ok((rotation, None)) };
        let user = users::by_id_in(transaction, row.user_id).await?;
        let role = user.filter(|user| !user.disabled).map(|user| user.role);
        if role.is_none() {
            session_rows::end(transaction, row.id).await?;
        }
        Ok((rotation, role))
    }

    /// Ends the session of a refresh token, also of one that was used. That there is none is no error: who asks learns
    /// nothing, and asks as often as it likes.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn logout(&self, client: &Client, token: &str) -> Result<()> {
        self.own()?;
        self.limit(client, None)?;
        let Some(token) = RefreshToken::parse(token) else { return Ok(()) };
        let Some(row) = self.limit_session(client, &token).await? else { return Ok(()) };
        let end = async |transaction: &Transaction| session_rows::end(transaction, row.id).await;
        if self.shared.database.writing(end).await? {
            self.shared.accounts.forget(row.user_id);
            audit::record(Event::SignedOut, Some(row.user_id), Some(client));
        }
        Ok(())
    }

    /// Changes what the user `id` is called.
    pub async fn rename(&self, id: Uuid, name: Option<String>) -> Result<()> {
        if let Some(name) = &name {
            users::check_name(name).map_err(|problem| Error::invalid(vec![problem]))?;
        }
        users::rename(&self.shared.database, id, name).await
    }

    /// Who asks with these headers, from where `client` says. Of two `Authorization` headers, one program would believe the
    /// first and another the last, so none is believed.
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is not good.
    pub async fn identify(&self, headers: &HeaderMap, client: Option<&Client>) -> Result<Principal> {
        let principal = self.principal(headers, client).await;
        principal.inspect_err(|error| refused(error, client))
    }

    /// The same for a request that may not be about who asks: nothing is recorded.
    pub async fn principal(&self, headers: &HeaderMap, client: Option<&Client>) -> Result<Principal> {
        let _auth = record::stage(Stage::Auth);
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let principal = match (values.next(), values.next()) {
            (value, None) => self.authenticate(value, client).await?,
            _ => return Err(bad_token("There is more than one Authorization header")),
        };
        record::caller(principal.subject(), principal.role());
        Ok(principal)
    }

    /// Who asks with `header`, the value of `Authorization`: nobody without one, never nobody with a bad one.
    pub(super) async fn authenticate(
        &self,
        header: Option<&HeaderValue>,
        client: Option<&Client>,
    ) -> Result<Principal> {
        let Some(header) = header else { return Ok(Principal::anonymous()) };
        let token = header
            .to_str()
            .ok()
            .and_then(bearer)
            .ok_or_else(|| bad_token("The Authorization header is not of the form \"Bearer <token>\""))?;
        let claims = match self.shared.bearers.verify(token).await? {
            Bearer::Own(claims) => claims,
            Bearer::Outside(claims) => return self.shared.identities.principal(&claims, client).await,
        };
        match self.shared.accounts.role(&claims).await? {
            Some(role) => Ok(Principal::user(claims.subject, role)),
            None => {
                Err(bad_claims("The account of the token is not there or has been disabled, or its session has ended"))
            }
        }
    }

    /// How many hashes of passwords are being made, and how many are waited for.
    pub fn password_work(&self) -> (usize, usize) {
        self.shared.passwords.load()
    }

    /// What own tokens are made with. Every way to a session comes through here first.
    ///
    /// # Errors
    /// `NotFound` where an outside identity provider makes all tokens.
    pub(super) fn own(&self) -> Result<&Tokens> {
        self.shared.bearers.own().ok_or_else(|| {
            Error::not_found("Nobody signs in here: an outside identity provider makes the tokens")
                .hint("Get a token from the identity provider")
        })
    }

    /// Counts an attempt of `client`.
    pub(super) fn limit(&self, client: &Client, account: Option<&str>) -> Result<()> {
        let counted = self.shared.limits.check(client, account);
        counted.inspect_err(|_| audit::record(Event::RateLimited, None, Some(client)))
    }

    /// The session of a refresh token, if there is one, with this attempt counted for the account that has it.
    async fn limit_session(&self, client: &Client, token: &RefreshToken) -> Result<Option<Row>> {
        let row = session_rows::find(&self.shared.database, token).await?;
        if let Some(row) = &row {
            let counted = self.shared.limits.check_account(&row.user_id.to_string());
            counted.inspect_err(|_| audit::record(Event::RateLimited, Some(row.user_id), Some(client)))?;
        }
        Ok(row)
    }

    /// Opens a session; the caller sees to it that its user may have one.
    pub(super) async fn open(
        &self,
        tokens: &Tokens,
        transaction: &Transaction,
        user: Uuid,
        role: String,
    ) -> Result<Session> {
        let token = RefreshToken::random();
        let id = session_rows::open(transaction, user, &token, self.shared.lifetimes).await?;
        self.session(tokens, id, token, user, role)
    }

    fn session(
        &self,
        tokens: &Tokens,
        id: Uuid,
        refresh_token: RefreshToken,
        user: Uuid,
        role: String,
    ) -> Result<Session> {
        let lifetime = self.shared.lifetimes.access;
        let access_token = tokens.issue(user, &role, id, lifetime)?;
        Ok(Session { access_token, expires_in: lifetime.as_secs(), refresh_token, user, role })
    }
}

/// Records that a token was not taken, if that is what `error` says.
pub fn refused(error: &Error, client: Option<&Client>) {
    if error.kind == Kind::Unauthenticated {
        audit::record(Event::TokenRefused, None, client);
    }
}

/// The token in a header of the scheme `Bearer`, whose name is written in any case (RFC 9110, section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("tokens", &self.shared.bearers.own()).finish_non_exhaustive()
    }
}

/// Without the tokens: sessions may end up in a log.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access_token: _, expires_in, refresh_token: _, user, role } = self;
        f.debug_struct("Session")
            .field("expires_in", expires_in)
            .field("user", user)
            .field("role", role)
            .finish_non_exhaustive()
    }
}
