//! The variables and flags themselves, as `--help` shows them.
//!
//! In: the command line and the environment. Out: [`Options`], each value of the right form, from which the areas of
//! the configuration are taken; or one line about the variable that is not.

use std::{error::Error as _, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    Args, Command, FromArgMatches,
    builder::Resettable,
    error::{ContextKind, ContextValue, ErrorKind},
};
use secrecy::SecretString;
use url::Url;

use super::{
    AllowedOrigins, ConfigError, DatabaseConfig, GraphQlConfig, HttpConfig, JwtAlgorithm, Limits, Networks,
    TracesConfig, database, parse,
};

/// A head is a packet or two: whoever takes longer for it has no request to make.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than the minute after which most proxies and clients give up a connection by themselves: of the two ends it is
/// theirs that closes, so that no request meets a connection that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// More than there are clients, and few enough that all of them together do not exhaust the memory.
const MAX_CONNECTIONS: u32 = 10_000;

/// What an operator may set, by a flag or by the environment variable beside it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub struct Options {
    /// The database, as a sqlite: or postgres: URL.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    #[arg(default_value = "sqlite://rootstock.db?mode=rwc", value_parser = parse::database_url)]
    pub database_url: SecretString,

    /// The password of a postgres: URL that has none, so that only it is a secret.
    #[arg(long, env = "DATABASE_PASSWORD", hide_env_values = true, value_name = "SECRET", global = true)]
    #[arg(value_parser = parse::secret)]
    pub database_password: Option<SecretString>,

    /// A replica of a PostgreSQL database, as a postgres: URL: reads outside of mutations go there.
    #[arg(long, env = "DATABASE_READ_URL", hide_env_values = true, value_name = "URL", global = true)]
    #[arg(value_parser = parse::replica_url)]
    pub database_read_url: Option<SecretString>,

    /// The most connections open at once, to the replica as many again.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", value_name = "N", global = true)]
    #[arg(default_value = "10", value_parser = parse::whole::<1, 1_000>)]
    pub database_max_connections: u64,

    /// Keep prepared statements: on, or off behind a pooler in transaction mode that does not know them.
    #[arg(long, env = "DATABASE_PREPARED_STATEMENTS", value_name = "ON|OFF", global = true)]
    #[arg(default_value = "on", value_parser = parse::switch, action = clap::ArgAction::Set)]
    pub database_prepared_statements: bool,

    /// Where the API listens.
    #[arg(long, env = "BIND_ADDR", value_name = "ADDRESS:PORT", global = true)]
    #[arg(default_value = "127.0.0.1:8000", value_parser = parse::address)]
    pub bind_addr: SocketAddr,

    /// Where metrics and health are served apart from the API, to those who run it. Without it there are no metrics.
    #[arg(long, env = "ADMIN_ADDR", value_name = "ADDRESS:PORT", global = true, value_parser = parse::address)]
    pub admin_addr: Option<SocketAddr>,

    /// What own tokens are signed with, 32 bytes or more. On loopback with SQLite a random one is kept beside the
    /// database, with an outside identity provider there may be none, else it is required.
    #[arg(long, env = "JWT_SECRET_KEY", hide_env_values = true, value_name = "SECRET", global = true)]
    #[arg(value_parser = parse::secret)]
    pub jwt_secret_key: Option<SecretString>,

    /// How own tokens are signed: HS256, HS384 or HS512; or how those of an outside identity provider must be: RS256,
    /// ES256 or EdDSA.
    #[arg(long, env = "JWT_ALGORITHM", value_name = "NAME", global = true)]
    #[arg(default_value = "HS256", value_parser = parse::algorithm)]
    pub jwt_algorithm: JwtAlgorithm,

    /// Verify tokens of an outside identity provider by its public key, in PEM, or the file that holds it.
    #[arg(long, env = "JWT_PUBLIC_KEY", hide_env_values = true, value_name = "PEM|FILE", global = true)]
    #[arg(value_parser = parse::secret, allow_hyphen_values = true)]
    pub jwt_public_key: Option<SecretString>,

    /// Verify tokens of an outside identity provider by the keys that it publishes there.
    #[arg(long, env = "JWT_JWKS_URL", hide_env_values = true, value_name = "URL", global = true)]
    #[arg(value_parser = parse::jwks_url)]
    pub jwt_jwks_url: Option<Url>,

    /// Where an outside token carries its role: the name of a claim, or a path of names with dots between.
    #[arg(long, env = "JWT_ROLE_CLAIM", value_name = "PATH", global = true)]
    #[arg(default_value = "role", value_parser = parse::text)]
    pub jwt_role_claim: String,

    /// The issuer, written into own tokens and required in every token.
    #[arg(long, env = "JWT_ISSUER", value_name = "TEXT", global = true)]
    #[arg(default_value = "rootstock", value_parser = parse::text)]
    pub jwt_issuer: String,

    /// The audience, written into own tokens and required in every token.
    #[arg(long, env = "JWT_AUDIENCE", value_name = "TEXT", global = true)]
    #[arg(default_value = "rootstock", value_parser = parse::text)]
    pub jwt_audience: String,

    /// How long an access token is good for.
    #[arg(long, env = "ACCESS_TOKEN_EXPIRE_MINUTES", value_name = "MINUTES", global = true)]
    #[arg(default_value = "30", value_parser = parse::whole::<1, 525_600>)]
    pub access_token_expire_minutes: u64,

    /// For how long a session can be refreshed.
    #[arg(long, env = "REFRESH_TOKEN_EXPIRE_DAYS", value_name = "DAYS", global = true)]
    #[arg(default_value = "30", value_parser = parse::whole::<1, 3_650>)]
    pub refresh_token_expire_days: u64,

    /// How often a minute an address, and an account, may use /auth and its mutations, by the count of this instance.
    #[arg(long, env = "RATE_LIMIT_AUTH_PER_MINUTE", value_name = "N", global = true)]
    #[arg(default_value = "20", value_parser = parse::whole::<1, 1_000_000>)]
    pub rate_limit_auth_per_minute: u64,

    /// The networks whose X-Forwarded-For is believed, as a comma list: 10.0.0.0/16, ::1.
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "NETWORKS", global = true)]
    #[arg(default_value = "", hide_default_value = true, value_parser = parse::networks)]
    pub trusted_proxies: Networks,

    /// The web origins whose pages may read answers, as a comma list; * for every one.
    #[arg(long, env = "CORS_ALLOWED_ORIGINS", value_name = "ORIGINS", global = true)]
    #[arg(default_value = "", hide_default_value = true, value_parser = parse::origins)]
    pub cors_allowed_origins: AllowedOrigins,

    /// How deep a GraphQL document may nest.
    #[arg(long = "graphql-max-depth", env = "GRAPHQL_MAX_DEPTH", value_name = "N", global = true)]
    #[arg(default_value = "12", value_parser = parse::whole::<1, 1_000>)]
    pub graphql_max_depth: u64,

    /// What a GraphQL document may cost.
    #[arg(long = "graphql-max-cost", env = "GRAPHQL_MAX_COST", value_name = "N", global = true)]
    #[arg(default_value = "5000", value_parser = parse::whole::<1, 1_000_000_000>)]
    pub graphql_max_cost: u64,

    /// The largest page of a GraphQL connection.
    #[arg(long = "graphql-max-page-size", env = "GRAPHQL_MAX_PAGE_SIZE", value_name = "N", global = true)]
    #[arg(default_value = "100", value_parser = parse::whole::<1, 100_000>)]
    pub graphql_max_page_size: u64,

    /// How many GraphQL operations one request may hold.
    #[arg(long, env = "GRAPHQL_BATCH_LIMIT", value_name = "N", global = true)]
    #[arg(default_value = "1", value_parser = parse::whole::<1, 100>)]
    pub graphql_batch_limit: u64,

    /// Whether the GraphQL schema, suggestions and GraphiQL are open to anonymous callers.
    #[arg(long, env = "GRAPHQL_INTROSPECTION", value_name = "ON|OFF", global = true)]
    #[arg(default_value = "on", value_parser = parse::switch, action = clap::ArgAction::Set)]
    pub graphql_introspection: bool,

    /// A file or a folder of GraphQL documents; with it, no others are run.
    #[arg(long, env = "GRAPHQL_TRUSTED_DOCUMENTS", value_name = "PATH", global = true)]
    pub graphql_trusted_documents: Option<PathBuf>,

    /// The most rows that a REST answer holds.
    #[arg(long, env = "REST_MAX_ROWS", value_name = "N", global = true)]
    #[arg(default_value = "1000", value_parser = parse::whole::<1, 10_000_000>)]
    pub rest_max_rows: u64,

    /// How long a request may take.
    #[arg(long, env = "REQUEST_TIMEOUT_SECONDS", value_name = "SECONDS", global = true)]
    #[arg(default_value = "15", value_parser = parse::whole::<1, 3_600>)]
    pub request_timeout_seconds: u64,

    /// How long requests in flight have to end once the program is told to stop.
    #[arg(long, env = "SHUTDOWN_GRACE_SECONDS", value_name = "SECONDS", global = true)]
    #[arg(default_value = "20", value_parser = parse::whole::<0, 3_600>)]
    pub shutdown_grace_seconds: u64,

    /// The largest body that is read, plain or with the unit KiB or MiB.
    #[arg(long, env = "MAX_BODY_BYTES", value_name = "BYTES", global = true)]
    #[arg(default_value = "1 MiB", value_parser = parse::bytes)]
    pub max_body_bytes: u64,

    /// The form of log lines: pretty or json. Without it: pretty on a terminal, else json.
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT", global = true, value_parser = parse::log_format)]
    pub log_format: Option<LogFormat>,

    /// Which log lines are written, as directives of tracing.
    #[arg(long, env = "RUST_LOG", value_name = "DIRECTIVES", global = true)]
    #[arg(default_value = "info", value_parser = parse::log_filter)]
    pub rust_log: String,

    /// Where traces are sent, by OpenTelemetry's protocol over HTTP; its other variables (OTEL_…) are heeded as well.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", global = true)]
    #[arg(value_parser = parse::otlp_url)]
    pub otel_exporter_otlp_endpoint: Option<Url>,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The form of log lines; by what standard error is when not said.
    pub format: Option<LogFormat>,
    /// Directives that tracing-subscriber has accepted.
    pub filter: String,
}

impl Options {
    /// The options that `flags` (long names without their dashes, and values) give, over the defaults; the environment
    /// is not read.
    pub fn from_flags<'a>(flags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ConfigError> {
        let mut command = Self::augment_args(Command::new("rootstock")).mut_args(|arg| arg.env(Resettable::Reset));
        let flags = flags.into_iter().map(|(name, value)| format!("--{name}={value}"));
        let parsed = command
            .try_get_matches_from_mut(std::iter::once("rootstock".to_owned()).chain(flags))
            .and_then(|matches| Self::from_arg_matches(&matches));
        parsed.map_err(|error| ConfigError::of(&error).unwrap_or_else(|| ConfigError(error.kind().to_string())))
    }

    /// Which database, and how it is used.
    ///
    /// # Errors
    /// A password or a replica of a database that has none.
    pub fn database(&self) -> Result<DatabaseConfig, ConfigError> {
        let request = Duration::from_secs(self.request_timeout_seconds);
        let password = self.database_password.as_ref();
        let mut config = DatabaseConfig {
            url: self.database_url.clone(),
            read_url: self.database_read_url.clone(),
            max_connections: usize::try_from(self.database_max_connections).unwrap_or(usize::MAX),
            prepared_statements: self.database_prepared_statements,
            // Both end before the request does, so that its answer says what happened.
            acquire_timeout: (request / 2).min(Duration::from_secs(5)),
            statement_timeout: request * 9 / 10,
        };
        if config.is_sqlite() {
            let given = [("DATABASE_READ_URL", config.read_url.is_some()), ("DATABASE_PASSWORD", password.is_some())];
            return match given.into_iter().find(|(_, given)| *given) {
                Some((variable, _)) => {
                    Err(ConfigError::new(variable, "must not be set where DATABASE_URL is SQLite's"))
                }
                None => Ok(config),
            };
        }
        if let Some(password) = password {
            config.url = database::with_password(&config.url, password);
            config.read_url = config.read_url.map(|url| database::with_password(&url, password));
        }
        Ok(config)
    }

    /// The listener and the bounds of one request.
    pub(super) fn http(&self) -> HttpConfig {
        HttpConfig {
            bind_addr: self.bind_addr,
            admin_addr: self.admin_addr,
            cors_allowed_origins: self.cors_allowed_origins.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            request_timeout: Duration::from_secs(self.request_timeout_seconds),
            head_timeout: HEAD_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            max_connections: MAX_CONNECTIONS,
            shutdown_grace: Duration::from_secs(self.shutdown_grace_seconds),
            max_body_bytes: usize::try_from(self.max_body_bytes).unwrap_or(usize::MAX),
        }
    }

    /// Which GraphQL documents are taken.
    pub(super) fn graphql(&self) -> GraphQlConfig {
        GraphQlConfig {
            batch_limit: usize::try_from(self.graphql_batch_limit).unwrap_or(usize::MAX),
            introspection: self.graphql_introspection,
            trusted_documents: self.graphql_trusted_documents.clone(),
        }
    }

    /// How much one operation may ask for.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            max_depth: usize::try_from(self.graphql_max_depth).unwrap_or(usize::MAX),
            max_cost: self.graphql_max_cost,
            max_page_size: self.graphql_max_page_size,
            default_page_size: self.graphql_max_page_size.min(20),
            max_rows: self.rest_max_rows,
        }
    }

    /// What is logged, and how.
    pub fn log(&self) -> LogConfig {
        LogConfig { format: self.log_format, filter: self.rust_log.clone() }
    }

    /// Where traces go; none, and nothing is traced. Most of it is said by variables that are OpenTelemetry's own.
    ///
    /// # Errors
    /// A variable that asks for something that is not done here.
    pub fn traces(&self) -> Result<Option<TracesConfig>, ConfigError> {
        TracesConfig::new(self.otel_exporter_otlp_endpoint.as_ref(), |name| std::env::var(name).ok())
    }
}

impl ConfigError {
    /// What `error` says of the value of a variable, in one line; none if it is about something else, which clap's own
    /// words explain better.
    pub fn of(error: &clap::Error) -> Option<Self> {
        let (ErrorKind::ValueValidation, Some(ContextValue::String(flag))) =
            (error.kind(), error.get(ContextKind::InvalidArg))
        else {
            return None;
        };
        let mut command = Options::augment_args(Command::new("rootstock"));
        // An argument can be shown only once its command is built.
        command.build();
        let arg = command.get_arguments().find(|arg| arg.to_string() == *flag)?;
        let variable = arg.get_env()?.to_string_lossy().into_owned();
        let what = error.source()?.to_string();
        match error.get(ContextKind::InvalidValue) {
            Some(ContextValue::String(value)) if !arg.is_hide_env_values_set() => {
                Some(Self(format!("{variable} {what}, it is {value:?}")))
            }
            _ => Some(Self(format!("{variable} {what}"))),
        }
    }
}
