//! First rows: the four trees, a demo user, and rows in bulk for load tests.
//!
//! In: how much of what. Out: rows in the database, the same ones whenever the same is asked for. What is there already
//! stays as it is, so that every function here can be run again.

mod generate;

use std::ops::Range;

use chrono::{Datelike, Days, Months, NaiveDate, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use sea_orm::{
    ConnectionTrait, EntityTrait, PaginatorTrait, Value,
    sea_query::{Alias, Expr, IntoIden, OnConflict, Query},
};
use uuid::Uuid;

use crate::{
    auth::{
        email::Email,
        password::Passwords,
        register::{RegisterInput, register},
        users,
    },
    engine::database::{Database, Dialect, Transaction, error_of},
    entities::trees,
    error::{Error, Result},
};

use generate::{demo_day, demo_month, expense, tree};

/// The trees of the tutorial, in the order of their keys.
pub const TREES: [(&str, &str); 4] = [
    ("Banyan", "Ficus benghalensis"),
    ("Quaking Aspen", "Populus tremula"),
    ("American Elm", "Ulmus americana"),
    ("Red Maple", "Acer rubrum"),
];

/// What the demo user signs in as.
pub const DEMO_EMAIL: &str = "demo@example.com";

/// Rows a statement: ten columns of them stay below SQLite's 32,766 parameters.
const STATEMENT: u64 = 500;

/// Rows a transaction: enough that its end costs nothing, few enough that others get their turn.
const TRANSACTION: u64 = 10_000;

/// How many users the expenses in bulk are spread over, and how many of them a user gets at a stretch.
const USERS: u64 = 100;
const STRETCH: u64 = 1_000;

/// The four trees, if there is no tree at all. Whether they were planted.
pub async fn first_trees(database: &Database) -> Result<bool> {
    // Looked at first without a lock: a database that takes no writes can be served too.
    if any_tree(&database.read().await?).await? {
        return Ok(false);
    }
    let transaction = database.begin().await?;
    if database.dialect() == Dialect::Postgres {
        // Two instances that start at once would both find an empty table; SQLite has one writer anyway.
        transaction.execute_unprepared("lock table trees in share row exclusive mode").await.map_err(error_of)?;
    }
    if any_tree(&transaction).await? {
        transaction.rollback().await;
        return Ok(false);
    }
    let rows = TREES.map(|(name, species)| vec![name.into(), species.into()]);
    insert(&transaction, "trees", &["name", "species"], rows).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Not by counting: every start asks, and a long table would be read from end to end.
#[expect(clippy::disallowed_methods, reason = "seeding is the program's own doing, under no policy")]
async fn any_tree(connection: &impl ConnectionTrait) -> Result<bool> {
    Ok(trees::Entity::find().one(connection).await.map_err(error_of)?.is_some())
}

#[expect(clippy::disallowed_methods, reason = "seeding is the program's own doing, under no policy")]
async fn count_trees(connection: &impl ConnectionTrait) -> Result<u64> {
    trees::Entity::find().count(connection).await.map_err(error_of)
}

/// `count` trees beside the four: the table is filled up to that many more.
pub async fn many_trees(database: &Database, count: u64) -> Result<()> {
    let there = count_trees(&database.read().await?).await?;
    let done = there.saturating_sub(TREES.len() as u64);
    in_bulk(database, "trees", &["name", "species"], done..count.max(done), tree).await
}

/// `count` expenses of the users `seed-1@example.com` and on, who have no passwords: `rootstock token` speaks for them.
pub async fn many_expenses(database: &Database, count: u64) -> Result<()> {
    let mut owners = Vec::new();
    for number in 1..=count.div_ceil(STRETCH).min(USERS) {
        owners.push(owner(database, number).await?);
    }
    let owner = |index: u64| usize::try_from(index / STRETCH).ok().and_then(|at| owners.get(at % owners.len()));
    in_bulk(database, "expenses", &generate::EXPENSE, 0..count, |index| {
        expense(index, owner(index).copied().unwrap_or_default())
    })
    .await
}

/// The demo user with a year of expenses up to today, and budgets for the months of it. Its password, if it was made
/// now: it is told once.
pub async fn demo(database: &Database, passwords: &Passwords) -> Result<Option<String>> {
    let email = Email::parse(DEMO_EMAIL)?;
    let (user, password) = match users::by_email(database, &email).await? {
        Some(user) => (user.id, None),
        None => {
            let password = generated_password();
            let input = RegisterInput {
                email: email.to_string(),
                password: password.clone().into(),
                name: Some("Demo".to_owned()),
            };
            (register(database, passwords, input, "user").await?, Some(password))
        }
    };
    let today = Utc::now().date_naive();
    let days = (0..365).rev().filter_map(|ago| today.checked_sub_days(Days::new(ago)));
    let expenses: Vec<Vec<Value>> = days.flat_map(|day| demo_day(day, user)).collect();
    let this_month = today.with_day(1).unwrap_or(today);
    let months = (0..12).rev().filter_map(|ago| this_month.checked_sub_months(Months::new(ago)));
    let budgets: Vec<Vec<Value>> = months.flat_map(|month: NaiveDate| demo_month(month, user)).collect();
    let transaction = database.begin().await?;
    for chunk in expenses.chunks(STATEMENT as usize) {
        insert(&transaction, "expenses", &generate::EXPENSE, chunk.iter().cloned()).await?;
    }
    insert(&transaction, "budgets", &generate::BUDGET, budgets).await?;
    transaction.commit().await?;
    Ok(password)
}

/// A password of 20 random letters and digits in groups of five: 119 bits.
fn generated_password() -> String {
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let group = || (0..5).map(|_| letters[rand::random_range(0..letters.len())]).collect::<String>();
    [group(), group(), group(), group()].join("-")
}

/// The user who owns the `number`th stretch of expenses.
async fn owner(database: &Database, number: u64) -> Result<Uuid> {
    let email = Email::parse(&format!("seed-{number}@example.com"))?;
    if let Some(user) = users::by_email(database, &email).await? {
        return Ok(user.id);
    }
    let (id, now) = (generate::user_id(number), users::now());
    let row: Vec<Value> =
        vec![id.into(), email.as_str().into(), format!("Seed {number}").into(), "user".into(), now.into(), now.into()];
    let transaction = database.begin().await?;
    insert(&transaction, "users", &["id", "email", "name", "role", "created_at", "updated_at"], [row]).await?;
    transaction.commit().await?;
    Ok(id)
}

/// Inserts the rows that `row` makes of `indices`, with a progress bar on a terminal.
async fn in_bulk(
    database: &Database,
    table: &'static str,
    columns: &[&'static str],
    indices: Range<u64>,
    row: impl Fn(u64) -> Vec<Value>,
) -> Result<()> {
    let style = ProgressStyle::with_template("{prefix:>10} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
    let bar = ProgressBar::new(indices.end.saturating_sub(indices.start)).with_prefix(table);
    let bar = style.map_or(bar.clone(), |style| bar.with_style(style));
    let mut at = indices.start;
    while at < indices.end {
        let transaction = database.begin().await?;
        let end = (at + TRANSACTION).min(indices.end);
        while at < end {
            let next = (at + STATEMENT).min(end);
            insert(&transaction, table, columns, (at..next).map(&row)).await?;
            bar.inc(next - at);
            at = next;
        }
        transaction.commit().await?;
    }
    bar.finish();
    Ok(())
}

/// One statement of many rows. A row whose key is there already, or what else only one row may have, is left as it is.
async fn insert(
    transaction: &Transaction,
    table: &'static str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = Vec<Value>>,
) -> Result<()> {
    let mut statement = Query::insert();
    statement.into_table(Alias::new(table)).columns(columns.iter().map(|name| Alias::new(*name).into_iden()));
    for row in rows {
        statement.values(row.into_iter().map(Expr::value)).map_err(Error::internal)?;
    }
    if columns.contains(&"id") {
        statement.on_conflict(OnConflict::new().do_nothing().to_owned());
    }
    transaction.execute(&statement).await.map_err(error_of)?;
    Ok(())
}
