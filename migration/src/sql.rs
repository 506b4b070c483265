//! Owns what a migration is here: its name and its statements for each database, as data. In: the constants of the
//! migration files. Out: a `MigrationTrait` that runs them in order, in one transaction.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// One step of the history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SqlMigration {
    /// The file's own name: what the database records as applied.
    pub(crate) name: &'static str,
    pub(crate) up: Script,
    pub(crate) down: Script,
}

/// The same step in both dialects. One statement a string: a prepared statement cannot hold two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) postgres: &'static [&'static str],
    pub(crate) sqlite: &'static [&'static str],
}

impl Script {
    /// For statements that both databases read alike.
    pub(crate) const fn both(statements: &'static [&'static str]) -> Self {
        Self { postgres: statements, sqlite: statements }
    }

    async fn run(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => self.postgres,
            DbBackend::Sqlite => self.sqlite,
            other => return Err(DbErr::BackendNotSupported { db: other.as_str(), ctx: "migration" }),
        };
        for statement in statements {
            debug_assert!(!statement.contains(';'), "one statement a string: {statement}");
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

impl MigrationName for SqlMigration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SqlMigration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.up.run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.down.run(manager).await
    }

    /// By default SQLite's migrations run outside a transaction, though its DDL is transactional: one that failed half
    /// way would leave tables that no record knows.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
