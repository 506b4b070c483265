//! `rootstock schema` and `rootstock openapi`: what the protocols promise, as text.
//!
//! In: the entities. Out: the GraphQL SDL or the OpenAPI document, or how it differs from the one in a file.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use rootstock::{error::Error, graphql, rest};
use similar::TextDiff;

use super::{Failure, Outcome, catalog};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Compare with FILE instead: exit code 1 and a diff when it is stale
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

pub(super) fn schema(arguments: &Arguments) -> Outcome {
    finish(graphql::sdl(&catalog()?).map_err(Error::internal)?, "schema", arguments)
}

pub(super) fn openapi(arguments: &Arguments) -> Outcome {
    let document = rest::openapi::document(&catalog()?);
    finish(serde_json::to_string_pretty(&document).map_err(Error::internal)?, "openapi", arguments)
}

fn finish(mut text: String, command: &str, arguments: &Arguments) -> Outcome {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let Some(path) = &arguments.check else {
        return match io::stdout().write_all(text.as_bytes()) {
            // A reader that has seen enough (`| head`) is no failure.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::internal(error).into()),
            _ => Ok(()),
        };
    };
    let shown = path.display();
    let there =
        fs::read_to_string(path).map_err(|error| Failure::No(format!("error: {shown} cannot be read: {error}")))?;
    if there == text {
        return Ok(());
    }
    let diff = TextDiff::from_lines(&there, &text);
    let names = (shown.to_string(), format!("rootstock {command}"));
    print!("{}", diff.unified_diff().header(&names.0, &names.1));
    Err(Failure::No(format!("error: {shown} is stale: refresh it by `rootstock {command} > {shown}`")))
}
