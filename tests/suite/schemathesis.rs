//! The OpenAPI document held to the application, and the application to the document: schemathesis sends what each
//! operation allows and what it does not, to both databases, as nobody, as a user and as an admin.
//!
//! No answer is a failure of the server; every status, header, type and body is one that the document tells of; what the
//! document does not allow is refused; a method that it does not have is 405; what needs a token is 401 without.

use std::process::Command;

use crate::{
    clients::{file, installed, run},
    support::{Caller, Dialect, start_with},
};

/// Asks only what the document allows: the rest is refused before a database is asked, and so the same on both.
const ALLOWED: [&str; 2] = ["--mode", "positive"];

/// Asks a server on `dialect` as `caller`; at least `cases` requests must have been made, and nothing found.
async fn holds(dialect: Dialect, caller: Caller, arguments: &[&str], cases: u32) {
    let server = start_with(dialect, Default::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(installed(".venv/bin/schemathesis"));
    command.arg("--config-file").arg(file("schemathesis.toml"));
    // By one thread: two that parse Python at once can upset its parser.
    command.args(["run", &format!("{}/openapi.json", server.url), "--workers", "1", "--no-color"]);
    command.args(["--max-examples", "3"]).args(arguments);
    if caller != Caller::Anonymous {
        command.arg("--header").arg(format!("Authorization: Bearer {}", server.person(caller).token));
    }
    // What it remembers of a run would change the next one.
    command.current_dir(folder.path()).env("PYTHONPATH", file("")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
    let output = run(command).await;
    let out = String::from_utf8_lossy(&output.stdout);
    let made = out.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse::<u32>().ok());
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && made.is_some_and(|made| made >= cases), "on {dialect:?}\n{out}\n{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_to_a_user_is_in_the_document() {
    holds(Dialect::Sqlite, Caller::User, &[], 2000).await;
    holds(Dialect::Postgres, Caller::User, &ALLOWED, 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_to_an_admin_is_in_the_document() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        holds(dialect, Caller::Admin, &ALLOWED, 500).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_to_nobody_is_in_the_document() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        holds(dialect, Caller::Anonymous, &ALLOWED, 500).await;
    }
}
