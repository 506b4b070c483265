//! A database with rows in it, and the servers over it.

use crate::{Outcome, config, postgres, server::Server, workload::Caller};
use migration::Migrator;
use rootstock::{
    auth::{email::Email, jwt::Tokens, sign_in::mint, users},
    engine::database::{Database, Dialect, Migrate},
    seed,
};
use sea_orm::ConnectionTrait as _;
use std::{collections::HashMap, path::Path};
use tokio_postgres::NoTls;

/// Rows beyond these are copies of them, which the database makes faster than it takes new ones.
const SEEDED: u64 = 100_000;

/// A database, and who asks in it.
pub(crate) struct Place {
    pub(crate) database: &'static str,
    pub(crate) url: String,
    /// How many trees and expenses there are; none but the four trees without.
    pub(crate) rows: Option<u64>,
    tokens: HashMap<Caller, String>,
    pub(crate) app: Server,
    pub(crate) handwritten: Server,
    /// Dropped last: the servers are connected to it.
    _database: Option<postgres::TestDatabase>,
}

impl Place {
    /// The same rows on both databases.
    pub(crate) async fn both(directory: &Path, rows: Option<u64>) -> Outcome<[Self; 2]> {
        let file = directory.join(format!("{}.db", rows.unwrap_or_default()));
        let sqlite = Self::new("SQLite", format!("sqlite://{}?mode=rwc", file.display()), rows, None).await?;
        let database = postgres::migrated(async |url| {
            migrate(url).await.unwrap_or_else(|error| panic!("{url} could not be migrated: {error}"));
        })
        .await;
        Ok([sqlite, Self::new("PostgreSQL", database.url(), rows, Some(database)).await?])
    }

    async fn new(
        name: &'static str,
        url: String,
        rows: Option<u64>,
        kept: Option<postgres::TestDatabase>,
    ) -> Outcome<Self> {
        let config = config(&url)?;
        let database = Database::connect(&config.database).await?;
        database.migrate::<Migrator>(Migrate::Up).await?;
        seed::first_trees(&database).await?;
        let mut tokens = HashMap::new();
        if let Some(rows) = rows {
            eprintln!("{name}: {rows} rows are loaded");
            seed::many_trees(&database, rows.min(SEEDED)).await?;
            seed::many_expenses(&database, rows.min(SEEDED)).await?;
            multiply(&database, rows.saturating_sub(SEEDED)).await?;
            for (caller, email) in [(Caller::Reader, "seed-1@example.com"), (Caller::Writer, "seed-2@example.com")] {
                // A small database has not got them all.
                let Some(user) = users::by_email(&database, &Email::parse(email)?).await? else { continue };
                let own = Tokens::new(&config.auth).ok_or("no key for tokens")?;
                let lifetime = config.auth.access_token_lifetime;
                let token = mint(&database, &own, user.id, lifetime).await?;
                tokens.insert(caller, token.ok_or("the account is disabled")?);
            }
        }
        if database.dialect() == Dialect::Postgres {
            // What autovacuum does in time: the planner chooses by the numbers of the rows.
            let transaction = database.begin().await?;
            transaction.execute_unprepared("analyze").await?;
            transaction.commit().await?;
        }
        let (app, handwritten) = (Server::start("app", &url)?, Server::start("handwritten", &url)?);
        Ok(Self { database: name, url, rows, tokens, app, handwritten, _database: kept })
    }

    /// What a caller shows; nothing for nobody.
    pub(crate) fn token(&self, caller: Caller) -> Outcome<&str> {
        match self.tokens.get(&caller) {
            Some(token) => Ok(token),
            None if caller == Caller::Nobody => Ok(""),
            None => Err(format!("{caller:?} has no expenses: say --rows 2000 or more").into()),
        }
    }

    /// The processes in which PostgreSQL serves the servers of this place; none for SQLite, which they do themselves.
    pub(crate) async fn backends(&self) -> Outcome<Vec<u32>> {
        if self._database.is_none() {
            return Ok(Vec::new());
        }
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(connection);
        let sql = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        let rows = client.query(sql, &[]).await?;
        Ok(rows.iter().filter_map(|row| u32::try_from(row.get::<_, i32>(0)).ok()).collect())
    }
}

/// Adds that many copies of expenses.
async fn multiply(database: &Database, rows: u64) -> Outcome {
    if rows == 0 {
        return Ok(());
    }
    let transaction = database.begin().await?;
    // No workload searches for words, whose index would take most of the time.
    let (id, before): (_, &[&str]) = match database.dialect() {
        Dialect::Sqlite => ("randomblob(16)", &["drop trigger expenses_search_insert"]),
        Dialect::Postgres => (
            "gen_random_uuid()",
            &[
                "drop index expenses_title_search_idx",
                "drop index expenses_description_search_idx",
                // A request's time would not be enough.
                "set local statement_timeout = 0",
            ],
        ),
    };
    for statement in before {
        transaction.execute_unprepared(statement).await?;
    }
    let rest = "user_id, title, description, amount, currency, category, spent_on, created_at, updated_at";
    let times = rows.div_ceil(SEEDED);
    let sql = format!(
        "with recursive copies (number) as (
             select 1 union all select number + 1 from copies where number < {times}
         ) insert into expenses (id, {rest}) select {id}, {rest} from copies cross join expenses limit {rows}"
    );
    transaction.execute_unprepared(&sql).await?;
    Ok(transaction.commit().await?)
}

async fn migrate(url: &str) -> Outcome {
    Ok(Database::connect(&config(url)?.database).await?.migrate::<Migrator>(Migrate::Up).await?)
}
