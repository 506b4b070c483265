//! The history of the schema: it goes up, down and up again on both databases, and instances that start together apply
//! it once.

use migration::Migrator;
use rootstock::engine::database::{Database, Migrate};
use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::MigratorTrait as _;

use crate::{
    program::Place,
    support::{
        configuration,
        postgres::{self, TestDatabase},
    },
};

/// An empty database, and what keeps it.
struct Empty {
    url: String,
    _postgres: Option<TestDatabase>,
    _folder: tempfile::TempDir,
}

/// One of SQLite, one of PostgreSQL, and one behind a pooler in transaction mode.
async fn empty_databases() -> [Empty; 3] {
    let folder = || tempfile::tempdir().expect("a folder");
    let (at, database, pooled) = (folder(), postgres::database().await, postgres::database().await);
    let file = format!("sqlite://{}?mode=rwc", at.path().join("empty.db").display());
    [
        Empty { url: file, _postgres: None, _folder: at },
        Empty { url: database.url(), _postgres: Some(database), _folder: folder() },
        Empty { url: pooled.pooled_url(), _postgres: Some(pooled), _folder: folder() },
    ]
}

async fn connect(url: &str) -> Database {
    Database::connect(&configuration(url).database).await.expect("a database")
}

/// Every table, index and constraint, as the database tells them.
async fn schema(database: &Database) -> Vec<String> {
    let connection = database.read().await.expect("a connection");
    let backend = connection.get_database_backend();
    let sql = match backend {
        sea_orm::DbBackend::Sqlite => {
            "select coalesce(sql, name) as line from sqlite_master where tbl_name <> 'seaql_migrations' and name not like 'sqlite%'
             order by 1"
        }
        _ => {
            "select line from (
                 select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
                 from information_schema.columns
                 where table_schema = 'public' and table_name <> 'seaql_migrations'
                 union all
                 select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'seaql_migrations'
                 union all
                 select format('%s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
                 where connamespace = 'public'::regnamespace and conrelid <> 'seaql_migrations'::regclass
             ) as all_of_it (line) order by 1"
        }
    };
    let rows = connection.query_all_raw(Statement::from_string(backend, sql)).await.expect("the schema");
    rows.iter().map(|row| row.try_get("", "line").expect("a text")).collect()
}

async fn applied(database: &Database) -> usize {
    let status = database.migration_status::<Migrator>().await.expect("the status");
    status.iter().filter(|(_, applied)| *applied).count()
}

#[tokio::test]
async fn the_schema_that_went_down_comes_up_the_same() {
    let all = Migrator::migrations().len();
    for place in empty_databases().await {
        let database = connect(&place.url).await;
        assert_eq!(applied(&database).await, 0);
        database.migrate::<Migrator>(Migrate::Up).await.expect("up");
        let first = schema(&database).await;
        assert!(first.iter().any(|line| line.contains("trees")) && applied(&database).await == all, "{first:?}");

        for left in (0..all).rev() {
            database.migrate::<Migrator>(Migrate::Down).await.expect("down");
            assert_eq!(applied(&database).await, left);
        }
        assert_eq!(schema(&database).await, Vec::<String>::new(), "what is taken back leaves nothing behind");

        database.migrate::<Migrator>(Migrate::Up).await.expect("up again");
        assert_eq!(schema(&database).await, first);
        // Where all is applied, nothing happens.
        database.migrate::<Migrator>(Migrate::Up).await.expect("up where it is up");
        assert_eq!((schema(&database).await, applied(&database).await), (first, all));
    }
}

/// Half of a history is as good a start as none.
#[tokio::test]
async fn each_step_can_be_taken_back_and_forth() {
    for place in empty_databases().await {
        let database = connect(&place.url).await;
        database.migrate::<Migrator>(Migrate::Up).await.expect("up");
        let whole = schema(&database).await;
        for steps in 1..=Migrator::migrations().len() {
            for _ in 0..steps {
                database.migrate::<Migrator>(Migrate::Down).await.expect("down");
            }
            database.migrate::<Migrator>(Migrate::Up).await.expect("up");
            assert_eq!(schema(&database).await, whole, "after {steps} steps back and forth");
        }
    }
}

/// Three processes, as a rolling deployment starts them: each migrates and plants before it serves.
#[tokio::test]
async fn instances_that_start_together_migrate_and_plant_once() {
    for database in empty_databases().await {
        let key = "a-key-that-the-instances-share-0123456789";
        let start = || Place::empty().with("DATABASE_URL", &database.url).with("JWT_SECRET_KEY", key);
        let starts: Vec<_> = (0..3)
            .map(|_| {
                std::thread::spawn({
                    let place = start();
                    move || (place.serve(), place)
                })
            })
            .collect();
        let servers: Vec<_> = starts.into_iter().map(|start| start.join().expect("an instance")).collect();
        for (server, _) in &servers {
            let trees = reqwest::get(format!("{}/trees", server.base)).await.expect("an answer");
            let trees: Vec<serde_json::Value> = trees.json().await.expect("an array");
            assert_eq!(trees.len(), 4, "four trees, whoever planted them:\n{}", server.log());
        }
        let planted = servers.iter().filter(|(server, _)| server.log().contains("the four trees are planted")).count();
        assert_eq!(planted, 1);
        assert_eq!(applied(&connect(&database.url).await).await, Migrator::migrations().len());
        for (server, _) in servers {
            assert_eq!(server.terminate().code, Some(0));
        }
    }
}
