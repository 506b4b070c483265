//! `rootstock user`: accounts, from the shell.
//!
//! In: an account's e-mail or id, and passwords from a prompt or standard input, never from arguments, which other
//! users of the machine can read. Out: changed accounts.

use std::io::{BufRead, Write as _, stdin, stdout};

use clap::{Args, Subcommand};
use rootstock::{
    auth::{
        audit::{Event, record},
        email::Email,
        identities,
        password::Passwords,
        register::{RegisterInput, register},
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
    /// Shut an account out, and end its sessions
    Disable {
        /// Its e-mail or id
        user: String,
    },
    /// Let an account in again
    Enable {
        /// Its e-mail or id
        user: String,
    },
    /// Give an account another password, and end its sessions
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
            println!("{}", register(database, &Passwords::new(), input, &role).await?);
        }
        Command::List => {
            for user in users::all(database).await? {
                let state = if user.disabled { "disabled" } else { "enabled" };
                let email = user.email.as_deref().unwrap_or("-");
                // Whoever has closed standard output has seen enough.
                if writeln!(stdout(), "{}  {:8} {:6}  {email}", user.id, state, user.role).is_err() {
                    break;
                }
            }
        }
        Command::Promote { user, role } => {
            let id = find(database, &user).await?.id;
            users::set_role(database, id, &role).await?;
            record(Event::RoleChanged, Some(id), None);
        }
        Command::Disable { user } => {
            let id = find(database, &user).await?.id;
            set_disabled(database, id, true).await?;
            record(Event::Disabled, Some(id), None);
        }
        Command::Enable { user } => {
            let id = find(database, &user).await?.id;
            set_disabled(database, id, false).await?;
            record(Event::Enabled, Some(id), None);
        }
        Command::ResetPassword { user, password } => {
            let User { id, email, name, .. } = find(database, &user).await?;
            let known_as = email.into_iter().chain(name).collect();
            let hash = Passwords::new().hash_new(password.read()?, known_as, "password").await?;
            users::reset_password(database, id, hash).await?;
            record(Event::PasswordReset, Some(id), None);
        }
    }
    Ok(())
}

/// Shuts an account out, or lets it in again, be it one with a password here or of an outside identity provider.
async fn set_disabled(database: &Database, id: Uuid, disabled: bool) -> Outcome {
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
