//! Writes through SeaORM's ActiveModels, for entities whose `ActiveModelBehavior` has hooks: the only code that is
//! generic over entities and runs after the start.
//!
//! In: the columns that a write sets, as SeaORM's values, and a connection. Out: the key of the written row.

use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExecResult,
    IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn, ProxyDatabaseTrait, QueryFilter, QueryResult, Statement,
    Value, prelude::async_trait,
};
use std::{fmt, str::FromStr};

/// The transaction of a write, as SeaORM takes it.
#[derive(Debug, Clone, Copy)]
pub struct Orm<'a> {
    /// Which SQL it speaks.
    pub backend: DbBackend,
    /// Where the statements run.
    pub through: &'a dyn ProxyDatabaseTrait,
}

#[async_trait::async_trait]
impl ConnectionTrait for Orm<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        Ok(self.through.execute(statement).await?.into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.backend, sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        Ok(self.through.query(statement).await?.into_iter().map(QueryResult::from).collect())
    }

    fn support_returning(&self) -> bool {
        // SQLite tells no declared types for what RETURNING returns.
        self.backend == DbBackend::Postgres
    }
}

/// The columns that a write sets.
pub type Columns = Vec<(String, Value)>;
type Written<'a> = BoxFuture<'a, Result<Value, DbErr>>;

/// How rows of an entity are written one by one, so that its hooks run.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Adds a row; gives its key.
    pub insert: for<'a> fn(Orm<'a>, Columns) -> Written<'a>,
    /// Changes the row with a key; gives the key.
    pub update: for<'a> fn(Orm<'a>, Value, Columns) -> Written<'a>,
    /// Deletes the row with a key; gives the key.
    pub delete: for<'a> fn(Orm<'a>, Value) -> Written<'a>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks")
    }
}

impl PartialEq for Hooks {
    /// A resource has one entity, so its hooks are always the same.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Hooks {
    /// The hooks of `E`.
    pub(super) fn of<E>() -> Self
    where
        E: EntityTrait,
        E::ActiveModel: ActiveModelBehavior + Send,
        E::Model: IntoActiveModel<E::ActiveModel>,
    {
        Self {
            insert: |orm, columns| {
                Box::pin(async move {
                    let active = assigned::<E>(<E::ActiveModel as ActiveModelTrait>::default(), columns)?;
                    Ok(key_of::<E>(&active.insert(&orm).await?))
                })
            },
            update: |orm, key, columns| {
                Box::pin(async move {
                    let active = assigned::<E>(found::<E>(orm, key).await?.into_active_model(), columns)?;
                    Ok(key_of::<E>(&active.update(&orm).await?))
                })
            },
            delete: |orm, key| {
                Box::pin(async move {
                    found::<E>(orm, key.clone()).await?.into_active_model().delete(&orm).await?;
                    Ok(key)
                })
            },
        }
    }
}

fn assigned<E: EntityTrait>(mut active: E::ActiveModel, columns: Columns) -> Result<E::ActiveModel, DbErr> {
    for (name, value) in columns {
        let column = E::Column::from_str(&name).map_err(|_| DbErr::Type(format!("{name} is no column")))?;
        active.try_set(column, value)?;
    }
    Ok(active)
}

fn key_column<E: EntityTrait>() -> Option<E::Column> {
    E::PrimaryKey::iter().next().map(PrimaryKeyToColumn::into_column)
}

fn key_of<E: EntityTrait>(model: &E::Model) -> Value {
    key_column::<E>().map_or(Value::Bool(None), |key| model.get(key))
}

#[expect(clippy::disallowed_methods, reason = "the engine has found the row permitted, and hooks need it whole")]
async fn found<E: EntityTrait>(orm: Orm<'_>, key: Value) -> Result<E::Model, DbErr> {
    let missing = || DbErr::RecordNotFound("the row to write".to_owned());
    let column = key_column::<E>().ok_or_else(missing)?;
    E::find().filter(column.eq(key)).one(&orm).await?.ok_or_else(missing)
}
