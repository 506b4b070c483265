//! New accounts, from what a person typed.
//!
//! In: a [`RegisterInput`]. Out: an account that may be made, or everything that is wrong with it.

use secrecy::SecretString;
use uuid::Uuid;

use super::{
    audit::{Event, record},
    email::Email,
    password::{self, Passwords},
    users::{self, NewUser},
};
use crate::{
    engine::database::Database,
    error::{Error, Result},
};

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

/// Makes an account with `role` from the shell.
///
/// # Errors
/// `Invalid` with every field that is wrong, or `Conflict` for an address that is taken.
pub async fn register(database: &Database, passwords: &Passwords, input: RegisterInput, role: &str) -> Result<Uuid> {
    let user = users::create(database, checked(passwords, input, role).await?).await?;
    record(Event::Registered, Some(user), None);
    Ok(user)
}

/// The account to be made. Everything that is wrong is named at once, except that the strength of a password is judged
/// only beside an address and a name that are good.
pub(super) async fn checked(passwords: &Passwords, input: RegisterInput, role: &str) -> Result<NewUser> {
    let RegisterInput { email, password, name } = input;
    let email = Email::parse(&email);
    let mut problems = email.as_ref().err().map(|error| error.problems.clone()).unwrap_or_default();
    problems.extend(name.as_deref().and_then(|name| users::check_name(name).err()));
    problems.extend(password::check_length(&password, "password").err());
    let email = match email {
        Ok(email) if problems.is_empty() => email,
        _ => return Err(Error::invalid(problems)),
    };
    let known_as = std::iter::once(email.to_string()).chain(name.clone()).collect();
    let password_hash = passwords.hash_new(password, known_as, "password").await?;
    Ok(NewUser { email, name, role: role.to_owned(), password_hash })
}
