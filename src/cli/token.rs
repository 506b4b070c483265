//! `rootstock token`: an access token for an account, without its password.
//!
//! In: the account and how long. Out: the token, alone on standard output; its session ends with the account's others.

use std::time::Duration;

use clap::Args;
use rootstock::{
    auth::{jwt::Tokens, sign_in::mint},
    config::{AuthConfig, Options},
};

use super::{Failure, Outcome, migrated, user};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The e-mail or the id of the account
    #[arg(long, value_name = "USER")]
    user: String,
    /// How many seconds it is good for; ACCESS_TOKEN_EXPIRE_MINUTES if not said
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    ttl: Option<u64>,
}

pub(super) async fn run(options: &Options, arguments: &Arguments) -> Outcome {
    let tokens = Tokens::new(&AuthConfig::new(options, &options.database()?)?).ok_or_else(|| {
        Failure::No(
            "error: no tokens are made here: JWT_SECRET_KEY is not set, and an outside identity provider makes them"
                .to_owned(),
        )
    })?;
    let database = migrated(options).await?;
    let user = user::find(&database, &arguments.user).await?;
    let lifetime = arguments.ttl.map_or(tokens.lifetime(), Duration::from_secs);
    let token = mint(&database, &tokens, user.id, lifetime).await?.ok_or_else(|| {
        Failure::No(format!(
            "error: the account is disabled, its tokens are not taken: `rootstock user enable {}` lets it in again",
            arguments.user
        ))
    })?;
    println!("{token}");
    Ok(())
}
