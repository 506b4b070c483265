//! `rootstock migrate`: the schema, forwards and backwards.
//!
//! In: which way. Out: a schema, and a line a migration.

use std::io::{Write as _, stdout};

use clap::Subcommand;
use migration::Migrator;
use rootstock::{
    config::Options,
    engine::database::{Database, Migrate},
};

use super::Outcome;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Apply what is pending
    Up,
    /// Take the last migration back
    Down,
    /// List the migrations
    Status,
    /// Take every migration back, and apply all from the start: what the tables hold is lost
    Fresh,
}

pub(super) async fn run(options: &Options, command: Command) -> Outcome {
    let database = Database::connect(&options.database()?).await?;
    match command {
        Command::Up => database.migrate::<Migrator>(Migrate::Up).await?,
        Command::Down => database.migrate::<Migrator>(Migrate::Down).await?,
        Command::Fresh => database.migrate::<Migrator>(Migrate::Fresh).await?,
        Command::Status => {}
    }
    for (name, applied) in database.migration_status::<Migrator>().await? {
        // Whoever has closed standard output has seen enough.
        if writeln!(stdout(), "{}  {name}", if applied { "applied" } else { "pending" }).is_err() {
            break;
        }
    }
    Ok(())
}
