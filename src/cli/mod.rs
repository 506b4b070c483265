//! The command line.
//!
//! In: arguments that clap has understood. Out: each command's own answer on standard output, everything else on
//! standard error.

mod contracts;
mod health;
mod migrate;
mod seed;
mod serve;
mod token;
mod user;

use std::{error::Error as _, fmt};

use clap::{Parser, Subcommand};
use rootstock::{
    catalog::Catalog,
    config::{ConfigError, Options},
    engine::database::Database,
    entities,
    error::Error,
};

/// Declare a table once; serve it as GraphQL and as REST, on SQLite and PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "rootstock", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop (what is done without a command)
    Serve(serve::Arguments),
    /// Change the database's schema
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Put rows into the database: the four trees, a demo user, rows in bulk
    Seed(seed::Arguments),
    /// Print the GraphQL schema
    Schema(contracts::Arguments),
    /// Print the OpenAPI document
    Openapi(contracts::Arguments),
    /// Make and change accounts
    #[command(subcommand)]
    User(user::Command),
    /// Mint an access token, alone on standard output
    Token(token::Arguments),
    /// Ask a running server whether it is ready: exit code 0 or 1
    Health(health::Arguments),
}

/// Why a command did not do what it was asked.
pub(crate) enum Failure {
    /// The configuration is wrong: one line.
    Config(ConfigError),
    /// The program is: in the words of the error, and what led to it, since who reads this runs the server.
    Error(Error),
    /// What was asked for is not so, and the command has said all about it.
    No(String),
}

type Outcome<T = ()> = Result<T, Failure>;

/// Runs the command.
pub(crate) async fn run(cli: Cli) -> Outcome {
    let options = &cli.options;
    match cli.command {
        None => serve::run(options, &cli.serve).await,
        Some(Command::Serve(arguments)) => serve::run(options, &arguments).await,
        Some(Command::Migrate(command)) => migrate::run(options, command).await,
        Some(Command::Seed(arguments)) => seed::run(options, &arguments).await,
        Some(Command::Schema(arguments)) => contracts::schema(&arguments),
        Some(Command::Openapi(arguments)) => contracts::openapi(&arguments),
        Some(Command::User(command)) => user::run(options, command).await,
        Some(Command::Token(arguments)) => token::run(options, &arguments).await,
        Some(Command::Health(arguments)) => health::run(options, &arguments).await,
    }
}

/// What is served. An error is in a declaration, so in the source of this program.
fn catalog() -> Outcome<Catalog> {
    entities::resources().build().map_err(|error| Failure::No(format!("error: {error}")))
}

/// The database, for a command that works on a schema that is up to date.
async fn migrated(options: &Options) -> Outcome<Database> {
    let database = Database::connect(&options.database()?).await?;
    if database.migration_status::<migration::Migrator>().await?.iter().any(|(_, applied)| !applied) {
        return Err(Failure::No(
            "error: the database's schema is not up to date: run `rootstock migrate up`".to_owned(),
        ));
    }
    Ok(database)
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            Self::Config(error) => return write!(f, "error: {error}"),
            Self::No(text) => return f.write_str(text),
            Self::Error(error) => error,
        };
        write!(f, "error: {error}")?;
        if let Some(details) = error.details.as_ref().filter(|details| **details != error.message) {
            write!(f, " ({details})")?;
        }
        if let Some(hint) = &error.hint {
            write!(f, "\n  {hint}")?;
        }
        let mut cause = error.source();
        while let Some(source) = cause {
            write!(f, "\n  because: {source}")?;
            cause = source.source();
        }
        Ok(())
    }
}
