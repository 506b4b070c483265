//! Sessions: how somebody becomes a principal.
//!
//! In: a registration, a login, or the `Authorization` header of a request. Out: a [`Session`], or the [`Principal`]
//! who asks. The wrong password, the unknown user and the one who is shut out get the same words after the same work.

use std::{fmt, sync::Arc};

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    accounts::Accounts,
    bearers::{Bearer, Bearers},
    client::Client,
    email::Email,
    identities::Identities,
    jwt::{Tokens, bad_claims, bad_token},
    limits::Limits,
    password::{self, Passwords},
    users::{self, NewUser},
};
use crate::{
    config::AuthConfig,
    engine::{database::Database, principal::Principal},
    error::{Error, Result},
};

/// The role of those who register.
const FIRST_ROLE: &str = "user";

/// Who is asking, for every layer that wants to know; cheap to clone.
#[derive(Clone)]
pub struct Auth {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    accounts: Accounts,
    identities: Identities,
    bearers: Bearers,
    passwords: Passwords,
    limits: Limits,
}

/// What somebody who registers says.
#[derive(Debug, Clone)]
pub struct RegisterInput {
    /// What it will sign in as.
    pub email: String,
    /// 12 to 128 characters that are not easily guessed.
    pub password: SecretString,
    /// What it is called; 1 to 200 characters.
    pub name: Option<String>,
}

/// What somebody who has signed in holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The bearer token.
    pub access_token: String,
    /// For how many seconds it is good.
    pub expires_in: u64,
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
        };
        Self { shared: Arc::new(shared) }
    }

    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// `RateLimited`, `Invalid` with every field that is wrong, or `Conflict` for an address that is taken.
    pub async fn register(&self, client: &Client, input: RegisterInput) -> Result<Session> {
        let tokens = self.own()?;
        self.shared.limits.check(client, Some(&input.email))?;
        let user = register(&self.shared.database, &self.shared.passwords, input, FIRST_ROLE).await?;
        session(tokens, user, FIRST_ROLE.to_owned())
    }

    /// Signs somebody in.
    ///
    /// # Errors
    /// `RateLimited`, or `Unauthenticated` whatever of the two is wrong.
    pub async fn login(&self, client: &Client, email: &str, password: SecretString) -> Result<Session> {
        let tokens = self.own()?;
        self.shared.limits.check(client, Some(email))?;
        let user = match Email::parse(email) {
            Ok(email) => users::by_email(&self.shared.database, &email).await?,
            // No account has such an address, and this is no place to tell.
            Err(_) => None,
        };
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let right = self.shared.passwords.verify(password, hash).await?;
        match user {
            Some(user) if right && !user.disabled => session(tokens, user.id, user.role),
            _ => Err(Error::unauthenticated("The e-mail or the password is wrong").code("28P01")),
        }
    }

    /// Changes what the user `id` is called.
    pub async fn rename(&self, id: Uuid, name: Option<String>) -> Result<()> {
        if let Some(name) = &name {
            users::check_name(name).map_err(|problem| Error::invalid(vec![problem]))?;
        }
        users::rename(&self.shared.database, id, name).await
    }

    /// Who asks with these headers. Of two `Authorization` headers, one program would believe the first and another the
    /// last, so none is believed.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Principal> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (value, None) => self.authenticate(value).await,
            _ => Err(bad_token("There is more than one Authorization header")),
        }
    }

    /// Who asks with `header`, the value of `Authorization`: nobody without one, never nobody with a bad one.
    pub async fn authenticate(&self, header: Option<&HeaderValue>) -> Result<Principal> {
        let Some(header) = header else { return Ok(Principal::anonymous()) };
        let token = header
            .to_str()
            .ok()
            .and_then(bearer)
            .ok_or_else(|| bad_token("The Authorization header is not of the form \"Bearer <token>\""))?;
        let claims = match self.shared.bearers.verify(token).await? {
            Bearer::Own(claims) => claims,
            Bearer::Outside(claims) => return self.shared.identities.principal(&claims).await,
        };
        match self.shared.accounts.role(claims.subject).await? {
            Some(role) => Ok(Principal::user(claims.subject, role)),
            None => Err(bad_claims("The account of the token is not there or has been disabled")),
        }
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
}

fn session(tokens: &Tokens, user: Uuid, role: String) -> Result<Session> {
    let lifetime = tokens.lifetime();
    let access_token = tokens.issue(user, &role, lifetime)?;
    Ok(Session { access_token, expires_in: lifetime.as_secs(), user, role })
}

/// Makes an account with `role`, from what a person typed. Everything that is wrong is named at once, except that the
/// strength of a password is judged only beside an address and a name that are good.
pub async fn register(database: &Database, passwords: &Passwords, input: RegisterInput, role: &str) -> Result<Uuid> {
    let RegisterInput { email, password, name } = input;
    let email = Email::parse(&email);
    let mut problems = email.as_ref().err().map(|error| error.problems.clone()).unwrap_or_default();
    problems.extend(name.as_deref().and_then(|name| users::check_name(name).err()));
    problems.extend(password::check_length(&password).err());
    let email = match email {
        Ok(email) if problems.is_empty() => email,
        _ => return Err(Error::invalid(problems)),
    };
    let known_as = std::iter::once(email.to_string()).chain(name.clone()).collect();
    let password_hash = passwords.hash_new(password, known_as).await?;
    users::create(database, NewUser { email, name, role: role.to_owned(), password_hash }).await
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

/// Without the token: sessions may end up in a log.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access_token: _, expires_in, user, role } = self;
        f.debug_struct("Session")
            .field("expires_in", expires_in)
            .field("user", user)
            .field("role", role)
            .finish_non_exhaustive()
    }
}
