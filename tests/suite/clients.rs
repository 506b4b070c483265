//! Clients that others wrote, unchanged, against the application on both databases: PostgREST's for JavaScript and for
//! Python, one that is generated from the OpenAPI document, and those of GraphQL with its audits. And that document by
//! two validators of it.
//!
//! What they need is in `tests/clients`, and `make test` installs it; without it these tests fail and say so.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{
    graft,
    support::{Caller::*, Dialect, Server, start_with},
};

const DIALECTS: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

/// A file of `tests/clients`.
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(path)
}

/// A file of `tests/clients` that is not in the repository.
pub(crate) fn installed(path: &str) -> PathBuf {
    let path = file(path);
    assert!(path.exists(), "{} is missing: run `make test`, which installs it", path.display());
    path
}

fn node(script: &Path) -> Command {
    installed("node_modules/.package-lock.json");
    let mut node = Command::new("node");
    node.arg(script);
    node
}

fn npm_program(name: &str) -> Command {
    node(&installed("node_modules").join(name))
}

/// Runs a program to its end, on a thread of its own: the server that it talks to needs this one.
pub(crate) async fn run(mut command: Command) -> Output {
    let shown = format!("{command:?}");
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    output.unwrap_or_else(|error| panic!("{shown} cannot be started ({error}): run `make test`"))
}

/// Runs a program that must succeed; what it says.
#[track_caller]
fn succeeded(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out
}

/// Runs a script of steps, which must have held, and been at least `steps`.
async fn all_steps_hold(mut script: Command, server: &Server, people: &[crate::support::Caller], steps: usize) {
    script.arg(&server.url).args(people.iter().map(|caller| server.person(*caller).token.as_str()));
    let output = run(script).await;
    let out = succeeded(&output);
    let passed = out.lines().last().and_then(|line| line.strip_suffix(" passed, 0 failed"));
    let passed: usize = passed.and_then(|number| number.parse().ok()).unwrap_or_default();
    assert!(passed >= steps, "on {:?}\n{out}", server.dialect);
}

#[tokio::test]
async fn the_javascript_client_of_postgrest_works_unchanged() {
    for dialect in DIALECTS {
        eprintln!("on {dialect:?}");
        let server = graft::server(dialect).await;
        all_steps_hold(node(&file("postgrest.mjs")), &server, &[User, Editor], 25).await;
    }
}

#[tokio::test]
async fn the_python_client_of_postgrest_works_unchanged() {
    for dialect in DIALECTS {
        eprintln!("on {dialect:?}");
        let server = start_with(dialect, Default::default()).await;
        let mut python = Command::new(installed(".venv/bin/python"));
        python.arg(file("postgrest_client.py"));
        all_steps_hold(python, &server, &[User, Editor], 10).await;
    }
}

/// Every MUST and SHOULD of GraphQL over HTTP, as graphql-http audits it.
#[tokio::test]
async fn the_audits_of_graphql_over_http_hold() {
    for dialect in DIALECTS {
        let server = start_with(dialect, Default::default()).await;
        all_steps_hold(node(&file("audit.mjs")), &server, &[], 60).await;
    }
}

#[tokio::test]
async fn apollo_client_works_unchanged() {
    for dialect in DIALECTS {
        let server = start_with(dialect, Default::default()).await;
        all_steps_hold(node(&file("apollo.mjs")), &server, &[User, Editor], 7).await;
    }
}

#[tokio::test]
async fn urql_works_unchanged() {
    for dialect in DIALECTS {
        let server = start_with(dialect, Default::default()).await;
        all_steps_hold(node(&file("urql.mjs")), &server, &[User, Editor], 5).await;
    }
}

#[tokio::test]
async fn a_generated_client_compiles_and_works() {
    // Beside the packages, or Node.js does not find them.
    let folder = file("generated");
    fs::create_dir_all(&folder).expect("a folder");
    let server = start_with(Dialect::Sqlite, Default::default()).await;
    let document = server.get(Anonymous, "/openapi.json").await.expect(200).text;
    fs::write(folder.join("openapi.json"), document).expect("the document");
    fs::copy(file("program.ts"), folder.join("program.ts")).expect("the program");
    let mut generate = npm_program("openapi-typescript/bin/cli.js");
    generate.current_dir(&folder).args(["openapi.json", "--output", "api.d.ts", "--default-non-nullable", "false"]);
    succeeded(&run(generate).await);
    let mut compile = npm_program("typescript/bin/tsc");
    compile.arg("--project").arg(file("tsconfig.json"));
    succeeded(&run(compile).await);
    let program = folder.join("out/program.js");
    for dialect in DIALECTS {
        eprintln!("on {dialect:?}");
        let server = start_with(dialect, Default::default()).await;
        let mut program = node(&program);
        program.args([&server.url, &server.person(User).token]);
        succeeded(&run(program).await);
    }
}

#[tokio::test]
async fn the_document_is_openapi_for_two_validators() {
    let grafted = graft::server(Dialect::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("openapi.json");
    for server in [start_with(Dialect::Sqlite, Default::default()).await, grafted] {
        fs::write(&path, server.get(Anonymous, "/openapi.json").await.expect(200).text).expect("the document");
        let mut by_node = node(&file("validate.mjs"));
        by_node.arg(&path);
        succeeded(&run(by_node).await);
        let mut by_python = Command::new(installed(".venv/bin/openapi-spec-validator"));
        by_python.args(["--schema", "3.1"]).arg(&path);
        succeeded(&run(by_python).await);
    }
}
