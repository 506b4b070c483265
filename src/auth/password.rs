//! Passwords: which are good enough, and their hashes.
//!
//! In: a password, and its hash if there is an account. Out: an Argon2id hash as a PHC string, or whether the password
//! is right. The work runs on the blocking pool, a core's worth at a time: a flood of logins waits in line instead of
//! taking the memory (19 MiB each) or the threads of everything else, and who would wait too long is sent away at once.

mod memory;

use std::{num::NonZeroU32, sync::Arc, thread::available_parallelism};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{ParamsString, PasswordHash, Salt},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

use self::memory::Memory;
use crate::error::{Error, Kind, Problem, Result};

/// OWASP's parameters for Argon2id: 19 MiB, two passes, one lane.
const PARAMS: Params = match Params::new(19_456, 2, 1, Some(Params::DEFAULT_OUTPUT_LEN)) {
    Ok(params) => params,
    Err(_) => panic!("evaluated by the compiler: parameters out of bounds do not build"),
};

/// What a password is compared with when there is no account: a hash of the same parameters, of nothing.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cm9vdHN0b2NrLW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How many may wait for a core: at some tens of milliseconds each, the last one's turn comes in a few seconds.
const LINE: usize = 64;

/// Hashes and verifies passwords; cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    cores: Arc<Semaphore>,
    /// How many cores there are.
    most: usize,
    /// The places at work and in line.
    places: Arc<Semaphore>,
    memory: Arc<Memory>,
    /// How many pieces of work were begun.
    #[cfg(test)]
    pub(super) begun: Arc<std::sync::atomic::AtomicUsize>,
}

/// What a password is beside a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not the one of it.
    Wrong,
    /// The one of it.
    Right,
    /// The one of it, and the hash is not of today's parameters: it should be made anew.
    Outdated,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// As many at once as there are cores.
    pub fn new() -> Self {
        Self::at_once(available_parallelism().map_or(1, Into::into))
    }

    /// How many pieces of work are being done, and how many wait for a core.
    pub(super) fn load(&self) -> (usize, usize) {
        let working = self.most - self.cores.available_permits().min(self.most);
        let taken = self.most * (1 + LINE) - self.places.available_permits().min(self.most * (1 + LINE));
        (working, taken.saturating_sub(working))
    }

    fn at_once(cores: usize) -> Self {
        Self {
            most: cores,
            cores: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores * (1 + LINE))),
            memory: Arc::default(),
            #[cfg(test)]
            begun: Arc::default(),
        }
    }

    /// The hash of a new password of the person known as `known_as` (e-mail, name), if it is good enough; else what is
    /// wrong is told of `field`.
    pub async fn hash_new(&self, password: SecretString, known_as: Vec<String>, field: &'static str) -> Result<String> {
        check_length(&password, field).map_err(|problem| Error::invalid(vec![problem]))?;
        self.work(move |memory| {
            check_strength(password.expose_secret(), &known_as, field)?;
            hash(memory, &password)
        })
        .await
    }

    /// The hash of a password that was found right.
    pub async fn hash_again(&self, password: SecretString) -> Result<String> {
        self.work(move |memory| hash(memory, &password)).await
    }

    /// Whether `password` is the one of `hash`. The same work is done without a hash, and the answer is no.
    pub async fn verify(&self, password: SecretString, hash: Option<SecretString>) -> Result<Verdict> {
        self.work(move |memory| {
            let phc = hash.as_ref().map_or(NOBODY, |hash| hash.expose_secret());
            let right = is_of(memory, &password, phc)?;
            Ok(match right {
                Some(verdict) if hash.is_some() => verdict,
                _ => Verdict::Wrong,
            })
        })
        .await
    }

    /// Runs `work` on the blocking pool once a core is free. Who leaves gives up the place in line; but the permits of work
    /// that has begun go along with it, so that leaving makes no room for more than the cores can do.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&Memory) -> Result<T> + Send + 'static) -> Result<T> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| full())?;
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(Error::internal)?;
        #[cfg(test)]
        self.begun.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let memory = Arc::clone(&self.memory);
        let done = tokio::task::spawn_blocking(move || {
            let _permits = (place, core);
            work(&memory)
        });
        done.await.map_err(Error::internal)?
    }
}

/// SQLSTATE 53000: insufficient resources.
fn full() -> Error {
    let mut full = Error::new(Kind::Unavailable, "Too many are signing in at this moment").code("53000");
    full.retry_after = NonZeroU32::new(5);
    full
}

/// The hash of a password by today's parameters, with a new salt.
fn hash(memory: &Memory, password: &SecretString) -> Result<String> {
    let broken = |error: argon2::password_hash::phc::Error| Error::internal(error.to_string());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMS);
    let salt = Salt::new(&rand::random::<[u8; 16]>()).map_err(broken)?;
    let output = memory.hash(&argon2, password.expose_secret().as_bytes(), &salt, Params::DEFAULT_OUTPUT_LEN)?;
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&PARAMS).map_err(|error| Error::internal(error.to_string()))?,
        salt: Some(salt),
        hash: Some(output),
    };
    Ok(phc.to_string())
}

/// Whether `phc` is a hash of the password, by its own parameters, and of today's ones; none if it is of another.
fn is_of(memory: &Memory, password: &SecretString, phc: &str) -> Result<Option<Verdict>> {
    let broken = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    let phc = PasswordHash::new(phc).map_err(|error| broken(&error))?;
    let algorithm = Algorithm::try_from(phc.algorithm.as_str()).map_err(|error| broken(&error))?;
    let version = phc.version.map_or(Ok(Version::default()), Version::try_from).map_err(|error| broken(&error))?;
    let params = Params::try_from(&phc).map_err(|error| broken(&error))?;
    let (Some(salt), Some(expected)) = (&phc.salt, &phc.hash) else {
        return Err(Error::internal("a hash of a password without its salt or its output"));
    };
    let argon2 = Argon2::new(algorithm, version, params);
    let found = memory.hash(&argon2, password.expose_secret().as_bytes(), salt, expected.len())?;
    // Outputs are compared in constant time.
    Ok((found == *expected).then(|| if is_of_today(&phc) { Verdict::Right } else { Verdict::Outdated }))
}

/// Whether a hash made today would be made as this one was.
fn is_of_today(phc: &PasswordHash) -> bool {
    phc.algorithm == Algorithm::Argon2id.ident()
        && phc.version == Some(Version::V0x13.into())
        && Params::try_from(phc).is_ok_and(|params| params == PARAMS)
}

/// Refuses a password that is not 12 to 128 characters long.
pub fn check_length(password: &SecretString, field: &str) -> Result<(), Problem> {
    if (12..=128).contains(&password.expose_secret().chars().count()) {
        Ok(())
    } else {
        Err(problem(field, "must be 12 to 128 characters long"))
    }
}

fn problem(field: &str, message: impl Into<String>) -> Problem {
    Problem { field: field.to_owned(), message: message.into() }
}

/// Refuses what zxcvbn guesses in fewer than 10⁸ attempts (a score below 3), knowing the person.
fn check_strength(password: &str, known_as: &[String], field: &str) -> Result<()> {
    let known_as: Vec<&str> = known_as.iter().map(String::as_str).collect();
    let estimate = zxcvbn(password, &known_as);
    if estimate.score() >= Score::Three {
        return Ok(());
    }
    let why = estimate.feedback().and_then(|feedback| feedback.warning());
    Err(Error::invalid(vec![match why {
        Some(why) => problem(field, format!("must be harder to guess. {why}")),
        None => problem(field, "must be harder to guess: use a few uncommon words"),
    }]))
}

#[cfg(test)]
mod tests;
