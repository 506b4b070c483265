//! `rootstock user`: accounts, from the shell.
//!
//! In: an account's e-mail or id, and passwords from a prompt or standard input, never from arguments, which other
//! users of the machine can read. Out: changed accounts.

use std::io::{BufRead, stdin};

use clap::{Args, Subcommand};
use rootstock::{
    auth::{
        email::Email,
        identities,
        password::Passwords,
        sessions::{self, RegisterInput},
        users::{self, ROLES, User},
    },
    config::Options,
    engine::database::Database,
};
use secrecy::SecretString;
use uuid::Uuid;

use super::{Failure, Outcome, migrated};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an account
    Create {
        /// What it signs in as
        #[arg(long)]
        email: String,
        /// What it may do
        #[arg(long, default_value = "user", value_parser = ROLES)]
        role: String,
        /// What the user is called
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        password: Password,
    },
    /// List the accounts
    List,
    /// Give an account another role
    Promote {
        /// Its e-mail or id
        user: String,
        /// What it may do from now on
        #[arg(value_parser = ROLES)]
        role: String,
    },
    /// Shut an account out
    Disable {
        /// Its e-mail or id
        user: String,
    },
    /// Let an account in again
    Enable {
        /// Its e-mail or id
        user: String,
    },
    /// Give an account another password
    ResetPassword {
        /// Its e-mail or id
        user: String,
        #[command(flatten)]
        password: Password,
    },
}

/// Where a password comes from.
#[derive(Debug, Args)]
pub(crate) struct Password {
    /// Read the password from the first line of standard input instead of a prompt
    #[arg(long)]
    password_stdin: bool,
}

pub(super) async fn run(options: &Options, command: Command) -> Outcome {
    let database = &migrated(options).await?;
    match command {
        Command::Create { email, role, name, password } => {
            let password = password.read()?;
            let input = RegisterInput { email, password, name };
            println!("{}", sessions::register(database, &Passwords::new(), input, &role).await?);
        }
        Command::List => {
            for user in users::all(database).await? {
                let state = if user.disabled { "disabled" } else { "enabled" };
                println!("{}  {:8} {:6}  {}", user.id, state, user.role, user.email.as_deref().unwrap_or("-"));
            }
        }
        Command::Promote { user, role } => users::set_role(database, find(database, &user).await?.id, &role).await?,
        Command::Disable { user } => set_disabled(database, &user, true).await?,
        Command::Enable { user } => set_disabled(database, &user, false).await?,
        Command::ResetPassword { user, password } => {
            let user = find(database, &user).await?;
            let password = password.read()?;
            let known_as = user.email.into_iter().chain(user.name).collect();
            let hash = Passwords::new().hash_new(password, known_as).await?;
            users::set_password_hash(database, user.id, hash).await?;
        }
    }
    Ok(())
}

/// Shuts an account out, or lets it in again, be it one with a password here or of an outside identity provider.
async fn set_disabled(database: &Database, user: &str, disabled: bool) -> Outcome {
    let id = find(database, user).await?.id;
    if !identities::set_disabled(database, id, disabled).await? {
        users::set_disabled(database, id, disabled).await?;
    }
    Ok(())
}

/// The account with an e-mail or an id.
pub(super) async fn find(database: &Database, name: &str) -> Outcome<User> {
    let user = match name.parse::<Uuid>() {
        Ok(id) => users::by_id(database, id).await?,
        Err(_) => users::by_email(database, &Email::parse(name)?).await?,
    };
    user.ok_or_else(|| Failure::No(format!("error: there is no account {name}: `rootstock user list` names them all")))
}

impl Password {
    fn read(&self) -> Outcome<SecretString> {
        let refused = |what: &str| Failure::No(format!("error: {what}"));
        if self.password_stdin {
            let mut line = String::new();
            stdin().lock().read_line(&mut line).map_err(|error| refused(&format!("standard input: {error}")))?;
            return Ok(line.trim_end_matches(['\r', '\n']).into());
        }
        let prompt = |text| {
            rpassword::prompt_password(text)
                .map_err(|error| refused(&format!("no password could be asked for ({error}): use --password-stdin")))
        };
        let password = prompt("Password: ")?;
        if prompt("The same again: ")? != password {
            return Err(refused("the two passwords differ"));
        }
        Ok(password.into())
    }
}
