//! Which database, and how it is used.
//!
//! In: the database's URL. Out: what the pool is opened with, the file that an SQLite URL names, and a form of the URL
//! that may be shown.

use std::{fmt, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::HIDDEN;

/// Which database, and how it is used.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// A `sqlite:` or `postgres:` URL; it may hold a password.
    pub url: SecretString,
    /// A `postgres:` URL of a replica of a PostgreSQL database.
    pub read_url: Option<SecretString>,
    /// The most connections open at once; to the replica there may be as many again.
    pub max_connections: usize,
    /// Whether statements are prepared under a name and kept; off behind a pooler that does not know them.
    pub prepared_statements: bool,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may run: below the request's time, so that the database gives up first and the
    /// connection comes back clean.
    pub statement_timeout: Duration,
}

impl DatabaseConfig {
    /// Whether the URL names an SQLite database.
    pub fn is_sqlite(&self) -> bool {
        self.url.expose_secret().starts_with("sqlite:")
    }

    /// The file of an SQLite database; none for one in memory and for PostgreSQL.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let rest = self.url.expose_secret().strip_prefix("sqlite:")?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if path.is_empty() || path == ":memory:" || query.split('&').any(|pair| pair == "mode=memory") {
            return None;
        }
        Some(PathBuf::from(percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()))
    }

    /// The URL as it may be shown: without its password.
    pub fn shown_url(&self) -> String {
        shown(&self.url)
    }
}

/// A `postgres:` URL with this password, if it has none: a URL may be in plain sight where only the password is not.
pub(super) fn with_password(url: &SecretString, password: &SecretString) -> SecretString {
    let text = url.expose_secret();
    match Url::parse(text) {
        Ok(mut url) if url.password().is_none() && !url.query_pairs().any(|(name, _)| name == "password") => {
            // A URL without a host has nowhere to put it; libpq's parameter works there too.
            if url.set_password(Some(password.expose_secret())).is_err() {
                url.query_pairs_mut().append_pair("password", password.expose_secret());
            }
            String::from(url).into()
        }
        _ => url.clone(),
    }
}

fn shown(url: &SecretString) -> String {
    let text = url.expose_secret();
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else { return HIDDEN.to_owned() };
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    if url.query().is_some() {
        // libpq takes the password as a parameter as well.
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.query_pairs_mut().clear().extend_pairs(
            pairs.iter().map(|(name, value)| (name, if name.contains("password") { HIDDEN } else { value })),
        );
    }
    url.into()
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("url", &self.shown_url())
            .field("read_url", &self.read_url.as_ref().map(shown))
            .field("max_connections", &self.max_connections)
            .field("prepared_statements", &self.prepared_statements)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish()
    }
}
