//! On PostgreSQL: one connection, on which requests are pipelined, and statements prepared at the start.

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
use bytes::BytesMut;
use chrono::{Days, NaiveDate};
use rootstock::auth::jwt::Tokens;
use std::{error::Error, sync::Arc};
use tokio_postgres::{
    Client, NoTls, Row, Statement,
    types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked},
};
use uuid::Uuid;

struct Server {
    tokens: Arc<Tokens>,
    client: Client,
    all: Statement,
    by_species: Statement,
    thousand: Statement,
    by_category: Statement,
    with_newest: Statement,
    by_month: Statement,
    create: Statement,
}

impl HasTokens for Arc<Server> {
    fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

pub(super) async fn router(tokens: Arc<Tokens>, url: &str) -> Outcome<Router> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let all = "select id, name, species from trees order by id";
    let by_species = "select id, name, species from trees where species = $1 order by id desc limit 20";
    let thousand = "select id, name, species from trees order by id limit 1000";
    let by_category = "select id, title, amount, currency, category, spent_on from expenses
        where user_id = $1 and category = $2 order by spent_on desc, id desc limit 20";
    let with_newest = "select u.id, u.name, e.id, e.title, e.amount, e.spent_on from users u left join lateral (
            select id, title, amount, spent_on from expenses where user_id = u.id
            order by spent_on desc, id desc limit 20
        ) e on true where u.id = $1";
    let by_month = "select date_trunc('month', spent_on::timestamp)::date, category, count(*), sum(amount)::int8
        from expenses where user_id = $1 and spent_on >= $2 group by 1, 2 order by 1, 2";
    let create = "insert into expenses (id, user_id, title, amount, category, spent_on, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, now(), now()) returning title, amount, category";
    let server = Server {
        tokens,
        all: client.prepare(all).await?,
        by_species: client.prepare(by_species).await?,
        thousand: client.prepare(thousand).await?,
        by_category: client.prepare(by_category).await?,
        with_newest: client.prepare(with_newest).await?,
        by_month: client.prepare(by_month).await?,
        create: client.prepare(create).await?,
        client,
    };
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
    server.trees(&server.all, &[]).await
}

async fn trees_by_species(State(server): Shared<Server>, by: Query<BySpecies>) -> Answer<Vec<Tree>> {
    server.trees(&server.by_species, &[&by.species]).await
}

async fn first_thousand(State(server): Shared<Server>) -> Answer<Vec<Tree>> {
    server.trees(&server.thousand, &[]).await
}

async fn expenses(State(server): Shared<Server>, caller: Caller, by: Query<ByCategory>) -> Answer<Vec<Expense>> {
    let rows = server.client.query(&server.by_category, &[&caller.0, &by.category]).await.map_err(failed)?;
    let expense = |row: &Row| Expense {
        id: row.get(0),
        title: row.get(1),
        amount: Cents(row.get(2)),
        currency: row.get(3),
        category: row.get(4),
        spent_on: row.get::<_, Day>(5).0,
    };
    Ok(Json(rows.iter().map(expense).collect()))
}

async fn me(State(server): Shared<Server>, caller: Caller) -> Answer<Option<Me>> {
    let rows = server.client.query(&server.with_newest, &[&caller.0]).await.map_err(failed)?;
    let Some(first) = rows.first() else { return Ok(Json(None)) };
    let expense = |row: &Row| {
        let id = row.get::<_, Option<Uuid>>(2)?;
        Some(Newest { id, title: row.get(3), amount: Cents(row.get(4)), spent_on: row.get::<_, Day>(5).0 })
    };
    let expenses = rows.iter().filter_map(expense).collect();
    Ok(Json(Some(Me { id: first.get(0), name: first.get(1), expenses })))
}

async fn expenses_by_month(State(server): Shared<Server>, caller: Caller, by: Query<Since>) -> Answer<Vec<Month>> {
    let rows = server.client.query(&server.by_month, &[&caller.0, &Day(by.since)]).await.map_err(failed)?;
    let month = |row: &Row| Month {
        month: row.get::<_, Day>(0).0,
        category: row.get(1),
        count: row.get(2),
        sum: Cents(row.get(3)),
    };
    Ok(Json(rows.iter().map(month).collect()))
}

async fn create_expense(
    State(server): Shared<Server>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<Created>), StatusCode> {
    let new: NewExpense<'_> = serde_json::from_slice(&body).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    let amount = Cents::parse(new.amount.get()).ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    let (id, spent_on) = (Uuid::now_v7(), Day(new.spent_on));
    let values: [&(dyn ToSql + Sync); 6] = [&id, &caller.0, &new.title, &amount.0, &new.category, &spent_on];
    let row = server.client.query_one(&server.create, &values).await.map_err(failed)?;
    let created = Created { title: row.get(0), amount: Cents(row.get(1)), category: row.get(2) };
    Ok((StatusCode::CREATED, Json(created)))
}

impl Server {
    async fn trees(&self, statement: &Statement, values: &[&(dyn ToSql + Sync)]) -> Answer<Vec<Tree>> {
        let rows = self.client.query(statement, values).await.map_err(failed)?;
        let tree = |row: &Row| Tree { id: row.get(0), name: row.get(1), species: row.get(2) };
        Ok(Json(rows.iter().map(tree).collect()))
    }
}

/// A date in PostgreSQL's binary form: days since 2000-01-01.
#[derive(Debug)]
struct Day(NaiveDate);

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("the first day of 2000");

impl FromSql<'_> for Day {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let days = u32::try_from(i32::from_be_bytes(raw.try_into()?))?;
        EPOCH.checked_add_days(Days::new(days.into())).map(Self).ok_or_else(|| "too late a day".into())
    }

    accepts!(DATE);
}

impl ToSql for Day {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let days = i32::try_from((self.0 - EPOCH).num_days())?;
        out.extend_from_slice(&days.to_be_bytes());
        Ok(IsNull::No)
    }

    accepts!(DATE);
    to_sql_checked!();
}
