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
    /// The most connections open at once.
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
        let text = self.url.expose_secret();
        if self.is_sqlite() {
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
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("url", &self.shown_url())
            .field("max_connections", &self.max_connections)
            .field("prepared_statements", &self.prepared_statements)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish()
    }
}
