//! What a database says of a failed statement, as a caller may know it: one table by SQLSTATE, for both databases.
//!
//! In: a driver's error. Out: an [`Error`] with a SQLSTATE-shaped code; what led to it is told to the log alone, without
//! values ([`told`]).

use super::{
    sqlite::{SQLSTATE, aggregates::OUT_OF_RANGE},
    told,
};
use crate::{
    error::{Error, Kind, Problem},
    telemetry::metrics,
};
use sea_orm::{DbErr, RuntimeErr};

/// What is wrong with a column that refers to a row.
pub(crate) const NO_REFERENCE: &str = "refers to a row that is not there";

/// SQLSTATE `read_only_sql_transaction`.
pub(super) const READ_ONLY: &str = "25006";

/// SQLSTATE `connection_failure`.
pub(super) const CONNECTION_FAILURE: &str = "08006";

/// SQLSTATE `transaction_resolution_unknown`: it was committed, or was not.
pub(super) const UNKNOWN: &str = "08007";

/// What SQLite says of a foreign key, whatever its code.
const NO_FOREIGN_KEY: &str = "FOREIGN KEY constraint failed";

/// A violated constraint, as far as the database tells.
#[derive(Debug, Default)]
struct Violation {
    /// The columns that it is about.
    columns: Vec<String>,
}

/// The error of a SQLSTATE (PostgreSQL, appendix A).
fn from_sqlstate(code: &str, violation: Violation) -> Error {
    let error = match code {
        "23505" => Error::new(Kind::Conflict, "A row with this key is already there"),
        "23503" | "23001" => {
            Error::new(Kind::Conflict, "A row that this one refers to, or that refers to it, stands in the way")
        }
        "23502" => Error::bad_request("A value is missing"),
        "23514" => Error::bad_request("A value is outside of what its column allows"),
        code if code.starts_with("23") || code == "P0001" => {
            Error::bad_request("A rule of the table does not allow this")
        }
        READ_ONLY => {
            let mut error = Error::new(Kind::ReadOnly, "The database takes no writes at the moment");
            error.allow = Some("GET, HEAD, OPTIONS".to_owned());
            error
        }
        "57014" => Error::new(Kind::Timeout, "The statement took longer than it may"),
        "40001" | "40P01" | "55P03" => Error::new(Kind::Unavailable, "Others were writing the same rows; try again"),
        "22003" => Error::bad_request("A number is beyond the range of its type").hint("Sums end at 64 bits"),
        // What a client writes is read before it comes here: it is a column's value that is cast.
        "22P02" | "22007" | "22008" | "22023" => Error::bad_request("A value is none of the type that it is cast to")
            .hint("Leave such values out by a filter, or cast to text"),
        code if code.starts_with("22") => Error::bad_request("A value is outside of its type"),
        "42501" => Error::forbidden("The database does not permit this"),
        code if ["28", "0L", "0P"].iter().any(|class| code.starts_with(class)) => {
            Error::forbidden("The database does not permit this")
        }
        // A limit that is configured, and not one that others hold up.
        "53400" => return Error::internal(format!("SQLSTATE {code}")),
        code if ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) => {
            Error::new(Kind::Unavailable, "The database cannot be reached").hint("Try again in a moment")
        }
        _ => return Error::internal(format!("SQLSTATE {code}")),
    };
    let message = match code {
        "23505" => "is taken",
        "23502" => "must not be null",
        "23503" => NO_REFERENCE,
        _ => "is not allowed",
    };
    let problems = violation.columns.into_iter().map(|field| Problem { field, message: message.to_owned() }).collect();
    error.code(code.to_owned()).about(problems)
}

/// The same of a statement that has just failed: it is counted.
fn failed(code: &str, violation: Violation) -> Error {
    metrics::database_error(code);
    from_sqlstate(code, violation)
}

/// A failure that no caller can do something about, of class XX.
fn defective(told: String) -> Error {
    metrics::database_error("XX");
    Error::internal(told)
}

/// What a table's own trigger says of a row that it refuses: words that whoever made it wrote for its callers.
fn raised(message: &str) -> Error {
    metrics::database_error("P0001");
    Error::bad_request(message).code("P0001")
}

/// The values of these columns are another row's.
pub(crate) fn taken(columns: Vec<String>) -> Error {
    from_sqlstate("23505", Violation { columns })
}

/// The error of a statement on PostgreSQL.
pub(super) fn from_postgres(error: tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        // Class 08 is a broken connection's.
        metrics::database_error("08");
        if error.is_closed() || std::error::Error::source(&error).is_some_and(|source| source.is::<std::io::Error>()) {
            return super::unavailable(error);
        }
        return Error::internal(told::by_postgres(&error));
    };
    if db.code().code() == "P0001" {
        return raised(db.message()).source(told::by_postgres(&error));
    }
    // That others still refer to a row is nothing that a column of the input could help.
    let detail = db.detail().filter(|detail| !detail.contains("is still referenced"));
    let checked = || db.constraint().and_then(checked_column).map(|column| vec![column]);
    let columns = db.column().map(|column| vec![column.to_owned()]).or_else(|| key_columns(detail?)).or_else(checked);
    let shown = failed(db.code().code(), Violation { columns: columns.unwrap_or_default() });
    shown.source(told::by_postgres(&error))
}

/// That the database was reached and does not let this program in, in the words of the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(pub(super) String);

/// Whether the database was reached and does not let this program in: a user, a password or a database that it does not
/// know. Waiting does not help.
pub fn is_refusal(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<Refusal>())
}

/// The columns in PostgreSQL's `Key (a, b)=(1, 2) already exists.`; an expression gives its argument.
fn key_columns(detail: &str) -> Option<Vec<String>> {
    let (columns, _) = detail.strip_prefix("Key (")?.split_once(")=(")?;
    let name = |column: &str| {
        let column = column.trim().trim_start_matches("lower(").trim_end_matches("::text").trim_end_matches(')');
        column.to_owned()
    };
    Some(columns.split(',').map(name).collect())
}

/// The error of a statement on SQLite, whose extended result codes say what PostgreSQL's SQLSTATE says.
pub(super) fn from_sqlite(error: rusqlite::Error) -> Error {
    let told = told::by_sqlite(&error);
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return defective(told);
    };
    if message.as_deref() == Some(OUT_OF_RANGE) {
        return failed("22003", Violation::default()).source(told);
    }
    if let Some(code) = message.as_deref().and_then(|message| message.strip_prefix(SQLSTATE)) {
        return failed(code, Violation::default()).source(told);
    }
    let code = match (failure.extended_code, failure.extended_code & 0xff) {
        (2067 | 1555 | 2579, _) => "23505",
        // What a foreign key does not allow is raised as what a trigger does not, where it is looked at at once.
        (1811, _) if message.as_deref() != Some(NO_FOREIGN_KEY) => {
            return raised(message.as_deref().unwrap_or_default()).source(told);
        }
        (787 | 1811, _) => "23503",
        (1299, _) => "23502",
        (275, _) => "23514",
        (_, 3 | 23) => "42501",
        (_, 5 | 6) => "55P03",
        (_, 8) => "25006",
        (_, 9) => "57014",
        (_, 10 | 13 | 14) => "53100",
        (_, 18) => "54000",
        _ => return defective(told),
    };
    let columns = message.as_deref().map(failed_columns).unwrap_or_default();
    failed(code, Violation { columns }).source(told)
}

/// The column of a check, whose name by convention is table, column and `check`. One that has no such name tells none.
fn checked_column(constraint: &str) -> Option<String> {
    let name = constraint.strip_suffix("_check")?;
    Some(name.split_once('_')?.1.to_owned())
        .filter(|column| column.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// The columns in SQLite's `UNIQUE constraint failed: users.email, users.role`; of an index over an expression the
/// name is told instead, which by convention is table, columns and `key`; of a check its name or its condition.
fn failed_columns(message: &str) -> Vec<String> {
    let Some((_, columns)) = message.split_once("constraint failed: ") else { return Vec::new() };
    if let Some(index) = columns.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        let column = index.strip_suffix("_key").and_then(|name| name.split_once('_')).map(|(_, column)| column);
        return column.map(str::to_owned).into_iter().collect();
    }
    if message.starts_with("CHECK") {
        return checked_column(columns).into_iter().collect();
    }
    columns.split(',').filter_map(|column| Some(column.trim().split_once('.')?.1.to_owned())).collect()
}

/// An error on its way through SeaORM, which keeps only texts: the code, the columns, and what led to it.
pub(super) fn to_orm(error: &Error) -> RuntimeErr {
    let columns: Vec<_> = error.problems.iter().map(|problem| problem.field.as_str()).collect();
    let cause = error.cause().unwrap_or_default();
    RuntimeErr::Internal(format!("SQLSTATE {} {} {cause}", error.code, columns.join(",")))
}

/// The error that SeaORM had from one of our connections.
pub fn error_of(error: DbErr) -> Error {
    let text = match &error {
        DbErr::Conn(RuntimeErr::Internal(text))
        | DbErr::Exec(RuntimeErr::Internal(text))
        | DbErr::Query(RuntimeErr::Internal(text)) => text,
        // What these say may quote a value.
        DbErr::Custom(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => {
            return Error::internal("a model of SeaORM refused a value");
        }
        _ => return Error::internal(error),
    };
    let mut words = text.strip_prefix("SQLSTATE ").unwrap_or_default().split(' ');
    let (code, columns) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if code == "PGRST001" {
        return super::unavailable(error);
    }
    let columns = columns.split(',').filter(|column| !column.is_empty()).map(str::to_owned).collect();
    from_sqlstate(code, Violation { columns }).source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_names_its_columns_on_both_databases() {
        assert_eq!(key_columns("Key (lower(email))=(a@b.c) already exists.").unwrap(), ["email"]);
        assert_eq!(key_columns("Key (user_id, month)=(1, 2) already exists.").unwrap(), ["user_id", "month"]);
        assert_eq!(failed_columns("UNIQUE constraint failed: index 'users_email_key'"), ["email"]);
        assert_eq!(failed_columns("NOT NULL constraint failed: trees.name"), ["name"]);
        assert_eq!(failed_columns("CHECK constraint failed: budgets_limit_amount_check"), ["limit_amount"]);
        assert!(failed_columns("CHECK constraint failed: trees.a < 1000 or b_check").is_empty());
    }
}
