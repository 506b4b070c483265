//! SeaORM over the engine's connections: its statements and ours share one pool and one transaction.
//!
//! In: SeaORM's statements and values. Out: its rows, typed by what the driver says of each column, since SeaORM takes
//! no value for another type's.

use super::{Affected, Connection, Database, Dialect, Row, Sink, Transaction, errors::to_orm};
use crate::{
    catalog::{
        Orm,
        scalar::{Cell, Scalar, Value},
    },
    error::{Error, Kind, Result},
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, ProxyDatabaseTrait, ProxyExecResult, ProxyRow,
    QueryResult, Statement, prelude::async_trait,
};
use sea_orm_migration::MigratorTrait;
use std::sync::Arc;

/// The lock under which migrations run, so that instances that start together migrate once. Any number will do, as
/// long as every version of the program uses the same.
const MIGRATION_LOCK: i64 = 0x524f_4f54_5354_4f43;

/// SeaORM's table of applied migrations, in types that say what they hold.
const SQLITE_HISTORY: &str =
    "create table if not exists seaql_migrations (version text not null primary key, applied_at bigint not null)";

/// A transaction that SeaORM holds as if it were the whole database, for migrations.
#[derive(Debug)]
struct Exclusive(Transaction);

/// Which way the schema moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// Applies what is pending.
    Up,
    /// Takes the last migration back.
    Down,
    /// Takes all back and applies all: what the tables hold is lost.
    Fresh,
}

impl Database {
    /// Runs `work` over SeaORM's own connection type, in one transaction that no other instance's migration shares:
    /// all of it happens or nothing, also if the process is killed meanwhile.
    ///
    /// # Errors
    /// What `work` or the database says.
    pub async fn exclusively<T>(&self, work: impl AsyncFnOnce(&DatabaseConnection) -> Result<T, DbErr>) -> Result<T> {
        let transaction = self.begin().await?;
        if transaction.dialect() == Dialect::Postgres {
            // Neither the wait for another instance's migrations nor a migration is bound to a request's time.
            transaction.batch("set local statement_timeout = 0").await?;
            let free = format!("select pg_try_advisory_xact_lock({MIGRATION_LOCK}) as free");
            let free = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, free)).await;
            let free = free.and_then(|row| row.map_or(Ok(false), |row| row.try_get("", "free")));
            if !free.map_err(super::error_of)? {
                tracing::info!("another instance migrates the database: waiting for its end");
                transaction.batch(&format!("select pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
            }
        }
        let backend = backend(transaction.dialect());
        let proxy: Arc<Box<dyn ProxyDatabaseTrait>> = Arc::new(Box::new(Exclusive(transaction)));
        let connection =
            sea_orm::Database::connect_proxy(backend, Arc::clone(&proxy)).await.map_err(super::error_of)?;
        let done = work(&connection).await.map_err(super::error_of);
        drop(connection);
        if done.is_ok() {
            proxy.execute(Statement::from_string(backend, "commit")).await.map_err(super::error_of)?;
        }
        done
    }

    /// Moves the schema through the migrations of `M`.
    ///
    /// # Errors
    /// What the database says of them; nothing has changed then.
    pub async fn migrate<M: MigratorTrait>(&self, direction: Migrate) -> Result<()> {
        // Looked at first without a lock: a database that takes no writes can be served too.
        if direction == Migrate::Up && self.migration_status::<M>().await?.iter().all(|(_, applied)| *applied) {
            return Ok(());
        }
        self.exclusively(async |connection| {
            if connection.get_database_backend() == DbBackend::Sqlite {
                // SeaORM makes its table with an `integer`, of which [`typed`] cannot know that 64 bits are meant.
                connection.execute_unprepared(SQLITE_HISTORY).await?;
            }
            match direction {
                Migrate::Up => M::up(connection, None).await,
                Migrate::Down => M::down(connection, Some(1)).await,
                Migrate::Fresh => M::refresh(connection).await,
            }
        })
        .await
    }

    /// The migrations of `M`, and whether each is applied. Writes nothing.
    ///
    /// # Errors
    /// Those of [`Database::applied_migrations`].
    pub async fn migration_status<M: MigratorTrait>(&self) -> Result<Vec<(String, bool)>> {
        let applied = self.applied_migrations().await?;
        let status = |name: &str| (name.to_owned(), applied.iter().any(|applied| applied == name));
        Ok(M::migrations().iter().map(|migration| status(migration.name())).collect())
    }

    /// The names of the migrations that were applied, also by another version of the program. Writes nothing.
    ///
    /// # Errors
    /// `Unavailable` when the database is away, and `Forbidden` when it does not let the program look.
    pub async fn applied_migrations(&self) -> Result<Vec<String>> {
        let history = async |connection: &Connection| {
            let statement = Statement::from_string(backend(self.dialect()), "select version from seaql_migrations");
            connection.orm(statement, OrmRows::default).await
        };
        let mut rows = match self.reading(history).await {
            Ok(rows) => rows,
            // Where nothing was ever applied, there is no table either: a name that is not there is a defect elsewhere.
            Err(error) if error.kind == Kind::Internal => Vec::new(),
            Err(error) => return Err(error),
        };
        let version = |row: &mut ProxyRow| match row.values.remove("version") {
            Some(sea_orm::Value::String(Some(version))) => Some(version),
            _ => None,
        };
        Ok(rows.iter_mut().filter_map(version).collect())
    }
}

const fn backend(dialect: Dialect) -> DbBackend {
    match dialect {
        Dialect::Sqlite => DbBackend::Sqlite,
        Dialect::Postgres => DbBackend::Postgres,
    }
}

impl Connection {
    /// The connection as SeaORM takes it.
    pub(crate) fn as_orm(&self) -> Orm<'_> {
        Orm { backend: backend(self.dialect()), through: self }
    }

    async fn last_insert_id(&self) -> Result<u64, DbErr> {
        let statement = Statement::from_string(DbBackend::Sqlite, "select last_insert_rowid() as id");
        let rows = ProxyDatabaseTrait::query(self, statement).await?;
        Ok(match rows.first().and_then(|row| row.values.get("id")) {
            Some(sea_orm::Value::BigInt(Some(id))) => u64::try_from(*id).unwrap_or_default(),
            _ => 0,
        })
    }

    async fn orm<S: Sink>(
        &self,
        statement: Statement,
        sink: impl Fn() -> S + Send + Sync + 'static,
    ) -> Result<S::Output, Error> {
        let values: Result<Arc<[Value]>> =
            statement.values.into_iter().flat_map(|values| values.0).map(bound).collect();
        self.run(&Arc::from(statement.sql), &values?, sink).await
    }
}

macro_rules! connection_trait {
    ($($of:ty),*) => { $(
        #[async_trait::async_trait]
        impl ConnectionTrait for $of {
            fn get_database_backend(&self) -> DbBackend {
                backend(self.dialect())
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                self.as_orm().execute_raw(statement).await
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                self.as_orm().execute_unprepared(sql).await
            }

            async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
                self.as_orm().query_one_raw(statement).await
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                self.as_orm().query_all_raw(statement).await
            }

            fn support_returning(&self) -> bool {
                self.as_orm().support_returning()
            }
        }
    )* };
}

// SeaORM asks for a type of its trait, and a transaction is a connection by Deref alone.
connection_trait!(Connection, Transaction);

/// The transactions that SeaORM opens inside are parts of the one that is open: its `begin` and `commit` do nothing.
#[async_trait::async_trait]
impl ProxyDatabaseTrait for Connection {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        self.orm(statement, OrmRows::default).await.map_err(|error| DbErr::Query(to_orm(&error)))
    }

    async fn execute(&self, statement: Statement) -> Result<ProxyExecResult, DbErr> {
        // Without values it may be several statements, which no prepared statement can be.
        let done = match statement.values {
            Some(_) => self.orm(statement, || Affected).await,
            None => self.batch(&statement.sql).await.map(|()| 0),
        };
        let rows_affected = done.map_err(|error| DbErr::Exec(to_orm(&error)))?;
        let last_insert_id = match self.dialect() {
            Dialect::Sqlite => self.last_insert_id().await?,
            // SeaORM asks PostgreSQL by RETURNING.
            Dialect::Postgres => 0,
        };
        Ok(ProxyExecResult { last_insert_id, rows_affected })
    }
}

#[async_trait::async_trait]
impl ProxyDatabaseTrait for Exclusive {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        ProxyDatabaseTrait::query(&*self.0, statement).await
    }

    async fn execute(&self, statement: Statement) -> Result<ProxyExecResult, DbErr> {
        ProxyDatabaseTrait::execute(&*self.0, statement).await
    }
}

/// A value of ours as SeaORM's of the column's type.
pub(crate) fn orm_value(value: &Value, scalar: &Scalar) -> sea_orm::Value {
    use sea_orm::Value as Sea;
    match (scalar, value) {
        (Scalar::Integer, Value::Int(value)) => Sea::Int(i32::try_from(*value).ok()),
        (Scalar::Integer, _) => Sea::Int(None),
        (Scalar::BigInt | Scalar::Decimal(_), Value::Int(value)) => Sea::BigInt(Some(*value)),
        (Scalar::BigInt | Scalar::Decimal(_), _) => Sea::BigInt(None),
        (Scalar::Float, Value::Float(value)) => Sea::Double(Some(*value)),
        (Scalar::Float, _) => Sea::Double(None),
        (Scalar::Text | Scalar::Enum(_), Value::Text(text)) => Sea::String(Some(text.clone())),
        (Scalar::Text | Scalar::Enum(_), _) => Sea::String(None),
        (Scalar::Boolean, Value::Bool(value)) => Sea::Bool(Some(*value)),
        (Scalar::Boolean, _) => Sea::Bool(None),
        (Scalar::Uuid, Value::Uuid(value)) => Sea::Uuid(Some(*value)),
        (Scalar::Uuid, _) => Sea::Uuid(None),
        (Scalar::Date, Value::Date(value)) => Sea::ChronoDate(Some(*value)),
        (Scalar::Date, _) => Sea::ChronoDate(None),
        (Scalar::Timestamp, Value::Timestamp(value)) => Sea::ChronoDateTimeUtc(Some(*value)),
        (Scalar::Timestamp, _) => Sea::ChronoDateTimeUtc(None),
        (Scalar::Json, Value::Json(text)) => Sea::Json(serde_json::from_str(text).ok().map(Box::new)),
        (Scalar::Json, _) => Sea::Json(None),
    }
}

/// A value of SeaORM's as one of ours.
pub(crate) fn bound(value: sea_orm::Value) -> Result<Value> {
    use sea_orm::Value as Sea;
    Ok(match value {
        Sea::Bool(value) => value.map_or(Value::Null, Value::Bool),
        Sea::TinyInt(value) => value.map_or(Value::Null, |value| Value::Int(value.into())),
        Sea::SmallInt(value) => value.map_or(Value::Null, |value| Value::Int(value.into())),
        Sea::Int(value) => value.map_or(Value::Null, |value| Value::Int(value.into())),
        Sea::BigInt(value) => value.map_or(Value::Null, Value::Int),
        Sea::BigUnsigned(value) => match value.map(i64::try_from).transpose() {
            Ok(value) => value.map_or(Value::Null, Value::Int),
            Err(error) => return Err(Error::internal(error)),
        },
        Sea::Float(value) => value.map_or(Value::Null, |value| Value::Float(value.into())),
        Sea::Double(value) => value.map_or(Value::Null, Value::Float),
        Sea::String(value) => value.map_or(Value::Null, Value::Text),
        Sea::Json(value) => value.map_or(Value::Null, |value| Value::Json(value.to_string())),
        Sea::Uuid(value) => value.map_or(Value::Null, Value::Uuid),
        Sea::ChronoDate(value) => value.map_or(Value::Null, Value::Date),
        Sea::ChronoDateTimeUtc(value) => value.map_or(Value::Null, Value::Timestamp),
        Sea::ChronoDateTimeWithTimeZone(value) => {
            value.map_or(Value::Null, |value| Value::Timestamp(value.with_timezone(&chrono::Utc)))
        }
        _ => return Err(Error::internal("a value of SeaORM's is of a type that is not bound")),
    })
}

/// Collects rows as SeaORM takes them.
#[derive(Debug, Default)]
struct OrmRows {
    columns: Option<Vec<(String, String)>>,
    rows: Vec<ProxyRow>,
}

impl Sink for OrmRows {
    type Output = Vec<ProxyRow>;

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        let columns = self.columns.get_or_insert_with(|| row.columns());
        let values = columns
            .iter()
            .enumerate()
            .map(|(index, (name, declared))| Ok((name.clone(), typed(declared, row.cell(index)?)?)))
            .collect::<Result<std::collections::BTreeMap<_, _>>>()?;
        self.rows.push(ProxyRow { values });
        Ok(())
    }

    fn finish(self, _: u64) -> Result<Vec<ProxyRow>> {
        Ok(self.rows)
    }
}

/// A cell as SeaORM's value of the declared type.
fn typed(declared: &str, cell: Cell<'_>) -> Result<sea_orm::Value> {
    use sea_orm::Value as Sea;
    let read = |scalar: Scalar| scalar.read(cell);
    let mismatch = || Error::internal(format!("{cell:?} is no {declared}"));
    Ok(match declared {
        "int2" | "int4" | "integer" | "smallint" => match read(Scalar::BigInt)? {
            Value::Int(value) => i32::try_from(value).map_or(Sea::BigInt(Some(value)), |value| Sea::Int(Some(value))),
            _ => Sea::Int(None),
        },
        "int8" | "bigint" => match read(Scalar::BigInt)? {
            Value::Int(value) => Sea::BigInt(Some(value)),
            _ => Sea::BigInt(None),
        },
        "bool" | "boolean" => match read(Scalar::Boolean)? {
            Value::Bool(value) => Sea::Bool(Some(value)),
            _ => Sea::Bool(None),
        },
        "float4" | "float8" | "real" | "double" => match read(Scalar::Float)? {
            Value::Float(value) => Sea::Double(Some(value)),
            _ => Sea::Double(None),
        },
        "uuid" => match read(Scalar::Uuid)? {
            Value::Uuid(value) => Sea::Uuid(Some(value)),
            _ => Sea::Uuid(None),
        },
        "date" => match read(Scalar::Date)? {
            Value::Date(value) => Sea::ChronoDate(Some(value)),
            _ => Sea::ChronoDate(None),
        },
        "timestamptz" | "timestamp" => match read(Scalar::Timestamp)? {
            Value::Timestamp(value) => Sea::ChronoDateTimeUtc(Some(value)),
            _ => Sea::ChronoDateTimeUtc(None),
        },
        "json" | "jsonb" => match read(Scalar::Json)? {
            Value::Json(text) => Sea::Json(Some(Box::new(serde_json::from_str(&text).map_err(Error::internal)?))),
            _ => Sea::Json(None),
        },
        _ => match cell {
            Cell::Null => Sea::String(None),
            Cell::Integer(value) => Sea::BigInt(Some(value)),
            Cell::Real(value) => Sea::Double(Some(value)),
            _ => Sea::String(Some(cell.plain_text().ok_or_else(mismatch)?.to_owned())),
        },
    })
}
