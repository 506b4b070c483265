//! Owns what makes the words of text columns quick to find. In: a table and its columns. Out: on PostgreSQL an index a
//! column over the words in it, to the letter the expression by which the server asks; on SQLite an FTS5 table beside
//! the table, which triggers keep.
//!
//! A word is letters, decimal digits and combining accents in a row, in lower case. SQLite's index folds more than that
//! and is asked first; the server looks at the rows that it finds.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Text columns whose words can be searched for.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// The table.
    pub table: &'static str,
    /// Its key.
    pub key: &'static str,
    /// The columns.
    pub columns: &'static [&'static str],
}

/// A step of the history that makes columns searchable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchMigration {
    /// The file's own name: what the database records as applied.
    pub(crate) name: &'static str,
    pub(crate) searches: &'static [Search],
}

impl Search {
    /// Makes the indexes, and fills them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn up(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => self.postgres(),
            _ => self.sqlite(),
        };
        run(manager, statements).await
    }

    /// Drops them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn down(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let Self { table, columns, .. } = self;
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => {
                columns.iter().map(|column| format!("drop index {table}_{column}_search_idx")).collect()
            }
            _ => vec![
                format!("drop trigger {table}_search_insert"),
                format!("drop trigger {table}_search_update"),
                format!("drop trigger {table}_search_delete"),
                format!("drop table {table}_search"),
                format!("drop table {table}_search_keys"),
            ],
        };
        run(manager, statements).await
    }

    fn postgres(&self) -> Vec<String> {
        let Self { table, columns, .. } = self;
        let index = |column: &&str| {
            format!(
                "create index {table}_{column}_search_idx on {table} using gin \
                 (array_to_tsvector(array_remove(regexp_split_to_array(translate(regexp_replace(lower(translate(\
                 \"{column}\", 'İ', 'i') collate \"und-x-icu\"), \
                 '([[:alnum:]\\u0300-\\u036f]{{200}})[[:alnum:]\\u0300-\\u036f]+', '\\1', 'g'), 'ς', 'σ'), \
                 '[^[:alnum:]\\u0300-\\u036f]+'), '')))"
            )
        };
        columns.iter().map(index).collect()
    }

    /// The numbers of FTS5's rows are kept in a table of their own: those that SQLite gives to rows whose key is no
    /// integer change when the file is vacuumed.
    fn sqlite(&self) -> Vec<String> {
        let Self { table, key, columns } = self;
        let each = |form: &dyn Fn(&str) -> String, between: &str| {
            columns.iter().map(|column| form(column)).collect::<Vec<_>>().join(between)
        };
        let names = each(&|column| format!("\"{column}\""), ", ");
        // Its lower case has a dot of its own, of which the server knows nothing.
        let texts = |row: &str| each(&|column| format!("replace({row}.\"{column}\", 'İ', 'i')"), ", ");
        let set = each(&|column| format!("\"{column}\" = replace(new.\"{column}\", 'İ', 'i')"), ", ");
        let changed = each(&|column| format!("old.\"{column}\" is not new.\"{column}\""), " or ");
        let row = |of: &str| format!("(select id from {table}_search_keys where key = {of}.\"{key}\")");
        let (new, old) = (row("new"), row("old"));
        vec![
            format!("create table {table}_search_keys (id integer primary key, key not null unique)"),
            format!(
                "create virtual table {table}_search using fts5({names}, \
                 tokenize = \"unicode61 remove_diacritics 0 categories 'L* Nd'\")"
            ),
            format!("insert into {table}_search_keys (key) select \"{key}\" from {table}"),
            format!(
                "insert into {table}_search (rowid, {names}) select k.id, {} from {table} t \
                 join {table}_search_keys k on k.key = t.\"{key}\"",
                texts("t")
            ),
            format!(
                "create trigger {table}_search_insert after insert on {table} begin \
                 insert into {table}_search_keys (key) values (new.\"{key}\"); \
                 insert into {table}_search (rowid, {names}) values ({new}, {}); end",
                texts("new")
            ),
            format!(
                "create trigger {table}_search_update after update on {table} \
                 when old.\"{key}\" is not new.\"{key}\" or {changed} begin \
                 update {table}_search_keys set key = new.\"{key}\" where key = old.\"{key}\"; \
                 update {table}_search set {set} where rowid = {new}; end"
            ),
            format!(
                "create trigger {table}_search_delete after delete on {table} begin \
                 delete from {table}_search where rowid = {old}; \
                 delete from {table}_search_keys where key = old.\"{key}\"; end"
            ),
        ]
    }
}

async fn run(manager: &SchemaManager<'_>, statements: Vec<String>) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}

impl MigrationName for SearchMigration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SearchMigration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for search in self.searches {
            search.up(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for search in self.searches {
            search.down(manager).await?;
        }
        Ok(())
    }

    /// By default SQLite's migrations run outside a transaction, though its DDL is transactional: one that failed half
    /// way would leave tables that no record knows.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
