//! What the log is told of a failed statement: where and why, and never a value.
//!
//! In: a driver's error. Out: its code and the names that it is about; the database's own words only where they cannot
//! quote what a client has sent.

use rusqlite::ffi;
use std::error::Error as _;

/// The SQLSTATEs, and the classes of them, whose messages are about the server, a transaction, or names of the schema.
/// A data exception (22), a violated constraint (23) or a trigger (P0) may quote a row.
const OF_THE_SERVER: [&str; 15] =
    ["08", "0A", "21", "25", "26", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "F0"];

/// Of class 42, what is also said of a text that a function reads: a query of words, the name of a dictionary.
const OF_TEXTS: [&str; 4] = ["42601", "42602", "42622", "42704"];

/// Of SQLite's extended codes, the constraints whose message names columns or what the declaration says.
const OF_NAMES: [i32; 7] = [
    ffi::SQLITE_CONSTRAINT_CHECK,
    ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
    ffi::SQLITE_CONSTRAINT_NOTNULL,
    ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
    ffi::SQLITE_CONSTRAINT_ROWID,
    ffi::SQLITE_CONSTRAINT_UNIQUE,
    ffi::SQLITE_CONSTRAINT_DATATYPE,
];

/// An error of PostgreSQL, or of the way there.
pub(super) fn by_postgres(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else {
        // The way to the server and the protocol: what the server said is of the other kind.
        let mut told = error.to_string();
        if let Some(source) = error.source() {
            told = format!("{told}: {source}");
        }
        return told;
    };
    let code = db.code().code();
    let mut told = format!("SQLSTATE {code}");
    for (what, name) in [
        ("table", db.table()),
        ("column", db.column()),
        ("constraint", db.constraint()),
        ("type", db.datatype()),
        ("in", db.routine()),
    ] {
        if let Some(name) = name {
            told = format!("{told}, {what} {name}");
        }
    }
    if OF_THE_SERVER.iter().any(|class| code.starts_with(class)) && !OF_TEXTS.contains(&code) {
        told = format!("{told}: {}", db.message());
    }
    told
}

/// An error of SQLite, or of rusqlite.
pub(super) fn by_sqlite(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            let code = failure.extended_code;
            let told = format!("SQLite's code {code}: {}", ffi::code_to_str(code));
            match message {
                Some(message) if OF_NAMES.contains(&code) => format!("{told}: {message}"),
                _ => told,
            }
        }
        // Found when the statement is prepared, and so in its text, where no value is.
        rusqlite::Error::SqlInputError { msg, offset, .. } => format!("SQLite: {msg}, at {offset} of the statement"),
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::InvalidColumnIndex(_)
        | rusqlite::Error::InvalidColumnName(_)
        | rusqlite::Error::InvalidParameterCount(..) => format!("rusqlite: {error}"),
        // The kind alone: others carry what they could not convert.
        other => {
            let kind = format!("{other:?}");
            let kind = kind.split(|byte: char| !byte.is_alphanumeric()).next().unwrap_or_default().to_owned();
            format!("rusqlite: {kind}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn sqlite_is_told_without_values() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "create table t (a text unique, b integer check (b < 9)); insert into t values ('canary', 1);
                 create virtual table f using fts5(a); create table n (j text);
                 create trigger r before insert on n begin select raise(abort, 'canary'); end",
            )
            .unwrap();
        for (sql, says) in [
            ("insert into t values (?1, 1)", "UNIQUE constraint failed: t.a"),
            ("insert into t values (?1 || 'x', 10)", "CHECK constraint failed: b < 9"),
            ("select json_extract('{}', ?1)", "SQL logic error"),
            ("select a from f where f match ?1 || ':('", "SQL logic error"),
            ("insert into n values (?1)", "constraint failed"),
        ] {
            let told = by_sqlite(&connection.prepare(sql).unwrap().query(["canary"]).unwrap().next().unwrap_err());
            assert!(told.contains(says) && !told.contains("canary"), "{sql}: {told}");
        }
        let told = by_sqlite(&connection.prepare("select leaves from t").unwrap_err());
        assert!(told.contains("no such column: leaves"), "{told}");
        let told = by_sqlite(&rusqlite::Error::ToSqlConversionFailure("canary".into()));
        assert_eq!(told, "rusqlite: ToSqlConversionFailure");
    }
}
