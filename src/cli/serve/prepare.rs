//! The database as the program needs it: there, migrated, and with trees in it.
//!
//! In: a database that may be away, or be migrated by somebody else. Out: one that is open to requests; or an error that
//! waiting would not help. Meanwhile [`Readiness`] knows what is waited for.

use std::time::Duration;

use migration::Migrator;
use rootstock::{
    engine::database::{Database, Dialect, Migrate, is_refusal},
    error::{Error, Kind, Result},
    http::Readiness,
    seed,
};
use sea_orm_migration::MigratorTrait as _;
use tokio::time::{sleep, timeout};

/// How long to wait before the second attempt; each further wait is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// How long the database may take to say which migrations it has.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the database as the program needs it, however long that takes, and lets the requests in.
///
/// # Errors
/// What only somebody else can put right, and will not while the program waits: who is refused, what a migration that
/// failed says, a schema with which this program has nothing in common.
pub(super) async fn prepare(database: Database, readiness: Readiness, migrates: bool) -> Result<()> {
    let (mut pause, mut told) = (FIRST_PAUSE, None);
    while let Err(error) = attempt(&database, &readiness, migrates).await {
        if is_hopeless(&error, database.dialect()) {
            return Err(error);
        }
        let why = match &error.details {
            Some(details) => format!("{}: {details}", error.message),
            None => error.message.clone(),
        };
        readiness.hold(&why);
        if told.as_ref() != Some(&why) {
            tracing::warn!(why, error.cause = error.cause(), "the start waits for the database");
            told = Some(why);
        }
        // Instances that wait for one database do not all come back at once.
        sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
    if told.is_some() {
        tracing::info!("the database is as it should be");
    }
    database.open();
    readiness.done();
    Ok(())
}

async fn attempt(database: &Database, readiness: &Readiness, migrates: bool) -> Result<()> {
    let applied = timeout(PATIENCE, database.applied_migrations()).await;
    let applied = applied.map_err(|_| Error::new(Kind::Unavailable, "The database does not answer"))?;
    let applied = applied.map_err(|error| if is_refusal(&error) { refused(error) } else { error })?;
    let own: Vec<_> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let newer = applied.iter().find(|name| !own.contains(name));
    let pending = own.iter().find(|name| !applied.contains(name));
    match (pending, newer) {
        (None, None) => {}
        // As an instance that is to be replaced meets it when it is started once more, or one that is rolled back to.
        (None, Some(newer)) => tracing::warn!(newer, "the schema is newer than this program"),
        (Some(pending), Some(newer)) => {
            let what = format!("it has {newer}, which this program does not know, and lacks {pending}");
            return Err(Error::new(Kind::Conflict, "The schema is another program's").details(what));
        }
        (Some(pending), None) if migrates => {
            readiness.begin(&format!("The schema is being migrated: {pending} is pending"));
            database.migrate::<Migrator>(Migrate::Up).await?;
        }
        (Some(pending), None) => {
            let what = format!("{pending} is pending, and this instance does not migrate");
            return Err(Error::new(Kind::Unavailable, "The schema is not migrated").details(what));
        }
    }
    plant(database).await
}

async fn plant(database: &Database) -> Result<()> {
    match seed::first_trees(database).await {
        Ok(true) => tracing::info!("the four trees are planted"),
        Ok(false) => {}
        Err(error) if error.kind == Kind::ReadOnly => {
            tracing::warn!("no trees are planted: the database takes no writes");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn refused(error: Error) -> Error {
    Error::new(Kind::Forbidden, "The database does not let this program in")
        .hint("DATABASE_URL and DATABASE_PASSWORD say which database, and by which user and password")
        .source(error)
}

/// Whether waiting does not help.
fn is_hopeless(error: &Error, dialect: Dialect) -> bool {
    match error.kind {
        Kind::Unavailable | Kind::Timeout => false,
        // A standby is promoted, or gets what its primary has. A file that is opened for reading remains one.
        Kind::ReadOnly => dialect == Dialect::Sqlite,
        _ => true,
    }
}
