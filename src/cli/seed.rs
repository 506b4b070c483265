//! `rootstock seed`: first rows.
//!
//! In: how much of what. Out: rows, and the demo user's password, once.

use clap::Args;
use rootstock::{auth::password::Passwords, config::Options, seed};

use super::{Outcome, migrated};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Also make the user demo@example.com with a year of expenses and budgets; its password is printed once
    #[arg(long)]
    demo: bool,
    /// Also fill the table of trees with this many more
    #[arg(long, value_name = "N", default_value_t = 0)]
    trees: u64,
    /// Also make this many expenses, spread over up to a hundred users
    #[arg(long, value_name = "N", default_value_t = 0)]
    expenses: u64,
}

pub(super) async fn run(options: &Options, arguments: &Arguments) -> Outcome {
    let database = migrated(options).await?;
    seed::first_trees(&database).await?;
    if arguments.demo {
        match seed::demo(&database, &Passwords::new()).await? {
            Some(password) => println!("{}  {password}", seed::DEMO_EMAIL),
            None => eprintln!(
                "{0} is there already: `rootstock user reset-password {0}` gives it another password",
                seed::DEMO_EMAIL
            ),
        }
    }
    if arguments.trees > 0 {
        seed::many_trees(&database, arguments.trees).await?;
    }
    if arguments.expenses > 0 {
        seed::many_expenses(&database, arguments.expenses).await?;
    }
    Ok(())
}
