//! On SQLite: a connection that reads where it is asked, and one that writes where waiting for the disk holds up nobody.

use super::{
    Answer, ByCategory, BySpecies, Caller, Cents, Created, Expense, HasTokens, Me, Month, NewExpense, Newest, Shared,
    Since, Tree, failed,
};
use crate::Outcome;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    routing::get,
};
use chrono::{NaiveDate, SecondsFormat, Utc};
use rootstock::auth::jwt::Tokens;
use rusqlite::{Connection, Params, Row};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

struct Server {
    tokens: Arc<Tokens>,
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
}

impl HasTokens for Arc<Server> {
    fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

pub(super) fn router(tokens: Arc<Tokens>, url: &str) -> Outcome<Router> {
    let path = url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc");
    let (reader, writer) = (Connection::open(path)?, Connection::open(path)?);
    // As the application has them, so that the disk costs both the same.
    writer.execute_batch("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on")?;
    reader.execute_batch("pragma query_only = on; pragma mmap_size = 268435456")?;
    let server = Server { tokens, reader: Mutex::new(reader), writer: Mutex::new(writer) };
    Ok(Router::new()
        .route("/trees", get(trees))
        .route("/trees/by-species", get(trees_by_species))
        .route("/trees/first-thousand", get(first_thousand))
        .route("/expenses", get(expenses).post(create_expense))
        .route("/expenses/by-month", get(expenses_by_month))
        .route("/me", get(me))
        .with_state(Arc::new(server)))
}

async fn trees(State(server): Shared<Server>) -> Answer<Vec<Tree>> {
    server.rows("select id, name, species from trees order by id", [], tree)
}

async fn trees_by_species(State(server): Shared<Server>, by: Query<BySpecies>) -> Answer<Vec<Tree>> {
    let sql = "select id, name, species from trees where species = ?1 order by id desc limit 20";
    server.rows(sql, [&by.species], tree)
}

async fn first_thousand(State(server): Shared<Server>) -> Answer<Vec<Tree>> {
    server.rows("select id, name, species from trees order by id limit 1000", [], tree)
}

async fn expenses(State(server): Shared<Server>, caller: Caller, by: Query<ByCategory>) -> Answer<Vec<Expense>> {
    let sql = "select id, title, amount, currency, category, spent_on from expenses
        where user_id = ?1 and category = ?2 order by spent_on desc, id desc limit 20";
    server.rows(sql, (caller.0.as_bytes(), &by.category), |row| {
        Ok(Expense {
            id: Uuid::from_bytes(row.get(0)?),
            title: row.get(1)?,
            amount: Cents(row.get(2)?),
            currency: row.get(3)?,
            category: row.get(4)?,
            spent_on: day(row, 5)?,
        })
    })
}

async fn me(State(server): Shared<Server>, caller: Caller) -> Answer<Option<Me>> {
    let sql = "select u.id, u.name, e.id, e.title, e.amount, e.spent_on from users u left join (
            select id, title, amount, spent_on from expenses where user_id = ?1 order by spent_on desc, id desc limit 20
        ) e on true where u.id = ?1";
    let Json(mut rows) = server.rows(sql, [caller.0.as_bytes()], |row| {
        let me = Me { id: Uuid::from_bytes(row.get(0)?), name: row.get(1)?, expenses: Vec::new() };
        let Some(id) = row.get::<_, Option<_>>(2)? else { return Ok((me, None)) };
        let (id, title, amount) = (Uuid::from_bytes(id), row.get(3)?, Cents(row.get(4)?));
        Ok((me, Some(Newest { id, title, amount, spent_on: day(row, 5)? })))
    })?;
    let expenses = rows.iter_mut().filter_map(|row| row.1.take()).collect();
    Ok(Json(rows.pop().map(|(me, _)| Me { expenses, ..me })))
}

async fn expenses_by_month(State(server): Shared<Server>, caller: Caller, by: Query<Since>) -> Answer<Vec<Month>> {
    let sql = "select substr(spent_on, 1, 7) || '-01', category, count(*), sum(amount)
        from expenses where user_id = ?1 and spent_on >= ?2 group by 1, 2 order by 1, 2 nulls last";
    server.rows(sql, (caller.0.as_bytes(), by.since.to_string()), |row| {
        Ok(Month { month: day(row, 0)?, category: row.get(1)?, count: row.get(2)?, sum: Cents(row.get(3)?) })
    })
}

async fn create_expense(
    State(server): Shared<Server>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<Created>), StatusCode> {
    tokio::task::spawn_blocking(move || server.create(caller.0, &body)).await.map_err(failed)?
}

impl Server {
    fn rows<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Answer<Vec<T>> {
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map(values, read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map(Json).map_err(failed)
    }

    fn create(&self, owner: Uuid, body: &[u8]) -> Result<(StatusCode, Json<Created>), StatusCode> {
        let new: NewExpense<'_> = serde_json::from_slice(body).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
        let amount = Cents::parse(new.amount.get()).ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let sql = "insert into expenses (id, user_id, title, amount, category, spent_on, created_at, updated_at)
            values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) returning title, amount, category";
        let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(sql).map_err(failed)?;
        let (id, day) = (Uuid::now_v7(), new.spent_on.to_string());
        let values = (id.as_bytes(), owner.as_bytes(), new.title, amount.0, new.category, day, now);
        let created = statement.query_row(values, |row| {
            Ok(Created { title: row.get(0)?, amount: Cents(row.get(1)?), category: row.get(2)? })
        });
        created.map(|created| (StatusCode::CREATED, Json(created))).map_err(failed)
    }
}

fn day(row: &Row<'_>, column: usize) -> rusqlite::Result<NaiveDate> {
    let text = row.get_ref(column)?.as_str()?;
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| rusqlite::Error::InvalidQuery)
}

fn tree(row: &Row<'_>) -> rusqlite::Result<Tree> {
    Ok(Tree { id: row.get(0)?, name: row.get(1)?, species: row.get(2)? })
}
