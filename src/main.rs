//! The program: reads the command line and the environment, starts the log and the runtime, and runs one command.
//!
//! In: arguments, variables, a `.env` file. Out: an exit code: 0, 1 for a failure, 2 for a wrong
//! start.

mod cli;

use std::{process::ExitCode, thread::available_parallelism, time::Duration};

use clap::Parser;
use rootstock::{config::ConfigError, telemetry};
use tokio::runtime::{Builder, Runtime};

use cli::{Cli, Failure};

/// The exit code of a start that was asked wrongly, as clap's own is.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    if let Err(line) = read_dotenv() {
        eprintln!("error: {line}");
        return ExitCode::from(USAGE);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => match ConfigError::of(&error) {
            Some(line) => {
                eprintln!("error: {line}");
                return ExitCode::from(USAGE);
            }
            // Help and the version too: clap knows which stream and code each has.
            None => error.exit(),
        },
    };
    telemetry::init(&cli.options.log());
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the program could not start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(cli::run(cli));
    // What still computes (a password's hash, say) has nobody left to answer.
    runtime.shutdown_timeout(Duration::from_millis(100));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Config(line)) => {
            eprintln!("error: {line}");
            ExitCode::from(USAGE)
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Variables that a `.env` file has and the environment has not. The words of an error leave out the file's text, which
/// holds secrets.
fn read_dotenv() -> Result<(), String> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::LineParse(_, at)) => {
            Err(format!(".env has a line that is not of the form NAME=value (wrong from its character {at} on)"))
        }
        Err(error) => Err(format!(".env cannot be read: {error}")),
    }
}

/// A thread a core; on one core none beside the main one.
fn runtime() -> std::io::Result<Runtime> {
    match available_parallelism().map_or(1, Into::into) {
        1 => Builder::new_current_thread().enable_all().build(),
        cores => Builder::new_multi_thread().worker_threads(cores).enable_all().build(),
    }
}
