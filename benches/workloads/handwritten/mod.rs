//! The limit: what somebody would write who serves these requests and no others. axum, a prepared statement, a struct
//! that serde renders; no pool, no log, no other databases. Tokens are verified as the application verifies them.

mod postgres;
mod sqlite;

use crate::Outcome;
use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};
use chrono::NaiveDate;
use rootstock::{auth::jwt::Tokens, config::Config};
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) async fn router(config: &Config, url: &str) -> Outcome<Router> {
    let tokens = Arc::new(Tokens::new(&config.auth).ok_or("no key for tokens")?);
    if url.starts_with("postgres:") { postgres::router(tokens, url).await } else { sqlite::router(tokens, url) }
}

#[derive(Serialize)]
struct Tree {
    id: i32,
    name: String,
    species: String,
}

#[derive(Serialize)]
struct Expense {
    id: Uuid,
    title: String,
    amount: Cents,
    currency: String,
    category: Option<String>,
    spent_on: NaiveDate,
}

#[derive(Serialize)]
struct Me {
    id: Uuid,
    name: Option<String>,
    expenses: Vec<Newest>,
}

#[derive(Serialize)]
struct Newest {
    id: Uuid,
    title: String,
    amount: Cents,
    spent_on: NaiveDate,
}

#[derive(Serialize)]
struct Month {
    month: NaiveDate,
    category: Option<String>,
    count: i64,
    sum: Cents,
}

#[derive(Deserialize)]
struct NewExpense<'a> {
    title: &'a str,
    #[serde(borrow)]
    amount: &'a RawValue,
    category: Option<&'a str>,
    spent_on: NaiveDate,
}

#[derive(Serialize)]
struct Created {
    title: String,
    amount: Cents,
    category: Option<String>,
}

#[derive(Deserialize)]
struct BySpecies {
    species: String,
}

#[derive(Deserialize)]
struct ByCategory {
    category: String,
}

#[derive(Deserialize)]
struct Since {
    since: NaiveDate,
}

/// An amount, with the exact digits.
struct Cents(i64);

impl Cents {
    fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "00"));
        let (whole, fraction): (i64, i64) = (whole.parse().ok()?, format!("{fraction:0<2}").parse().ok()?);
        (whole >= 0 && fraction < 100).then_some(Self(whole * 100 + fraction))
    }
}

impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = format!("{}.{:02}", self.0 / 100, self.0 % 100);
        RawValue::from_string(digits).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// Who asks.
struct Caller(Uuid);

trait HasTokens {
    fn tokens(&self) -> &Tokens;
}

impl<S: HasTokens + Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
        state.tokens().verify(token).map(|claims| Self(claims.subject)).map_err(|_| StatusCode::UNAUTHORIZED)
    }
}

/// What a statement failed by: nothing here is expected to.
fn failed(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

type Answer<T> = Result<axum::Json<T>, StatusCode>;
type Shared<T> = State<Arc<T>>;
