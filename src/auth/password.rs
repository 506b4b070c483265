//! Passwords: which are good enough, and their hashes.
//!
//! In: a password, and its hash if there is an account. Out: an Argon2id hash as a PHC string, or whether the password
//! is right. The work runs on the blocking pool, a core's worth at a time: a flood of logins waits in line instead of
//! taking the memory (19 MiB each) or the threads of everything else.

use std::{sync::Arc, thread::available_parallelism};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{Error as HashError, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

use crate::error::{Error, Problem, Result};

/// OWASP's parameters for Argon2id: 19 MiB, two passes, one lane.
const PARAMS: Params = match Params::new(19_456, 2, 1, None) {
    Ok(params) => params,
    Err(_) => panic!("evaluated by the compiler: parameters out of bounds do not build"),
};

/// What a password is compared with when there is no account: a hash of the same parameters, of nothing.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cm9vdHN0b2NrLW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and verifies passwords; cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    cores: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// As many at once as there are cores.
    pub fn new() -> Self {
        Self { cores: Arc::new(Semaphore::new(available_parallelism().map_or(1, Into::into))) }
    }

    /// The hash of a new password of the person known as `known_as` (e-mail, name), if it is good enough.
    pub async fn hash_new(&self, password: SecretString, known_as: Vec<String>) -> Result<String> {
        check_length(&password).map_err(|problem| Error::invalid(vec![problem]))?;
        self.work(move || {
            check_strength(password.expose_secret(), &known_as)?;
            let hash = hasher().hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
        })
        .await
    }

    /// Whether `password` is the one of `hash`. The same work is done without a hash, and the answer is no.
    pub async fn verify(&self, password: SecretString, hash: Option<SecretString>) -> Result<bool> {
        self.work(move || {
            let phc = hash.as_ref().map_or(NOBODY, |hash| hash.expose_secret());
            let phc = PasswordHash::new(phc).map_err(|error| Error::internal(error.to_string()))?;
            match hasher().verify_password(password.expose_secret().as_bytes(), &phc) {
                Ok(()) => Ok(hash.is_some()),
                Err(HashError::PasswordInvalid) => Ok(false),
                Err(error) => Err(Error::internal(error.to_string())),
            }
        })
        .await
    }

    /// Runs `work` on the blocking pool once a core is free. The permit goes along: a caller who leaves does not make
    /// room for a further one before the work has ended.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = Arc::clone(&self.cores).acquire_owned().await.map_err(Error::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(Error::internal)?
    }
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMS)
}

/// Refuses a password that is not 12 to 128 characters long.
pub fn check_length(password: &SecretString) -> Result<(), Problem> {
    if (12..=128).contains(&password.expose_secret().chars().count()) {
        Ok(())
    } else {
        Err(problem("must be 12 to 128 characters long"))
    }
}

fn problem(message: impl Into<String>) -> Problem {
    Problem { field: "password".into(), message: message.into() }
}

/// Refuses what zxcvbn guesses in fewer than 10⁸ attempts (a score below 3), knowing the person.
fn check_strength(password: &str, known_as: &[String]) -> Result<()> {
    let known_as: Vec<&str> = known_as.iter().map(String::as_str).collect();
    let estimate = zxcvbn(password, &known_as);
    if estimate.score() >= Score::Three {
        return Ok(());
    }
    let why = estimate.feedback().and_then(|feedback| feedback.warning());
    Err(Error::invalid(vec![match why {
        Some(why) => problem(format!("must be harder to guess. {why}")),
        None => problem("must be harder to guess: use a few uncommon words"),
    }]))
}

#[cfg(test)]
mod tests {

    use super::*;

    const GOOD: &str = "violet kettle ambush 94";

    fn known_as() -> Vec<String> {
        vec!["ada.lovelace@example.com".into(), "Augusta Ada King".into()]
    }

    #[tokio::test]
    async fn a_password_is_verified_by_its_own_hash_alone() {
        let passwords = Passwords::new();
        let hash = passwords.hash_new(GOOD.into(), known_as()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash_new(GOOD.into(), known_as()).await.unwrap(), "salted");
        assert!(passwords.verify(GOOD.into(), Some(hash.clone().into())).await.unwrap());
        assert!(!passwords.verify("violet kettle ambush 95".into(), Some(hash.into())).await.unwrap());
        assert!(!passwords.verify(GOOD.into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_broken_hash_is_a_defect_and_not_a_wrong_password() {
        assert!(Passwords::new().verify(GOOD.into(), Some("plain".into())).await.is_err());
    }

    #[tokio::test]
    async fn nobody_costs_what_somebody_costs() {
        let somebody = Passwords::new().hash_new(GOOD.into(), vec![]).await.unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(NOBODY), parameters(&somebody));
    }

    #[tokio::test]
    async fn weak_passwords_are_refused_by_field() {
        let long = "violet kettle ".repeat(10);
        for weak in
            ["violet 94", &long, "password1234", "aaaaaaaaaaaaaaaa", "ada.lovelace@example.com", "augusta ada king1"]
        {
            let error = Passwords::new().hash_new(weak.into(), known_as()).await.unwrap_err();
            assert_eq!(error.problems[0].field, "password", "{weak}");
            assert!(!error.message.contains(weak));
        }
    }
}
