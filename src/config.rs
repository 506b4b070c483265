//! The configuration: what an operator may set, checked once at the start.
//!
//! In: environment variables and flags, as [`Options`]. Out: a [`Config`] in areas, each handed to the layer that it
//! concerns, or one line that names the variable that is wrong. Secrets print as `***`.

mod auth;
mod database;
mod key;
mod options;
mod parse;
mod public_key;
mod traces;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use axum::http::HeaderValue;
use ipnet::IpNet;

pub use self::{
    auth::{AuthConfig, HmacAlgorithm, JwtAlgorithm, OutsideConfig, OutsideKeys, PublicAlgorithm},
    database::DatabaseConfig,
    options::{LogConfig, LogFormat, Options},
    public_key::PublicKey,
    traces::TracesConfig,
};

/// What a secret prints as.
const HIDDEN: &str = "***";

/// A configuration that the program cannot start with: one line, naming the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// That `variable` is wrong, and `what` would be right: "must be …".
    fn new(variable: &str, what: impl fmt::Display) -> Self {
        Self(format!("{variable} {what}"))
    }
}

/// Everything that a running server is told from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which database, and how it is used.
    pub database: DatabaseConfig,
    /// How callers are known.
    pub auth: AuthConfig,
    /// The listener and the bounds of one request.
    pub http: HttpConfig,
    /// Which GraphQL documents are taken.
    pub graphql: GraphQlConfig,
    /// How much one operation may ask for.
    pub limits: Limits,
}

impl Config {
    /// The configuration that `options` describe. Makes the local signing key if one is needed and not there.
    pub fn new(options: &Options) -> Result<Self, ConfigError> {
        let http = options.http();
        if http.admin_addr.is_some_and(|admin| admin.port() != 0 && admin == http.bind_addr) {
            return Err(ConfigError::new("ADMIN_ADDR", "must be another address than BIND_ADDR"));
        }
        let database = options.database()?;
        let auth = AuthConfig::new(options, &database)?;
        Ok(Self { database, auth, http, graphql: options.graphql(), limits: options.limits() })
    }

    /// The defaults over the database at `database_url`, on any free port, with a key of its own; the environment is
    /// not read.
    pub fn for_tests(database_url: &str) -> Result<Self, ConfigError> {
        let key = key::random();
        Self::new(&Options::from_flags([
            ("database-url", database_url),
            ("bind-addr", "127.0.0.1:0"),
            ("jwt-secret-key", secrecy::ExposeSecret::expose_secret(&key)),
        ])?)
    }
}

/// The web origins whose pages may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Every origin: `*`.
    Any,
    /// These alone; none of them when empty.
    These(Vec<HeaderValue>),
}

/// Networks of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether `address` is in one of them. An IPv4 address is the same in its IPv6 form.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// The listener and the bounds of one request.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where the API listens.
    pub bind_addr: SocketAddr,
    /// Where metrics and health are served apart from the API.
    pub admin_addr: Option<SocketAddr>,
    /// The web origins whose pages may read answers.
    pub cors_allowed_origins: AllowedOrigins,
    /// The networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How long the head of a request may take, from its first byte on; of a new connection, from the beginning.
    pub head_timeout: Duration,
    /// How long a connection may wait for a request, and an answer for its client to take more of it.
    pub idle_timeout: Duration,
    /// How many connections there may be at once.
    pub max_connections: u32,
    /// How long requests in flight have to end once the program is told to stop.
    pub shutdown_grace: Duration,
    /// The largest body that is read.
    pub max_body_bytes: usize,
}

/// Which GraphQL documents are taken, from whom, and how many at once.
#[derive(Debug, Clone)]
pub struct GraphQlConfig {
    /// How many operations one request may hold.
    pub batch_limit: usize,
    /// Whether anonymous callers may ask about the schema.
    pub introspection: bool,
    /// A file or a folder of documents, the only ones that are run.
    pub trusted_documents: Option<PathBuf>,
}

/// How much one operation may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How deep a GraphQL document may nest.
    pub max_depth: usize,
    /// What a GraphQL document may cost.
    pub max_cost: u64,
    /// The largest page of a connection.
    pub max_page_size: u64,
    /// The page of a connection that names none.
    pub default_page_size: u64,
    /// The most rows that a REST answer holds.
    pub max_rows: u64,
}

#[cfg(test)]
mod tests;
