//! The committed contracts: what is printed today is what was reviewed.
//!
//! In: the catalogue of the shipped resources. Out: a failure with a diff for each file that is stale.
//! `make schema` writes them all; of these, [`REFRESH`] makes this test write the one that no command prints.

use rootstock::{catalog::Catalog, entities, graphql, rest};
use similar::TextDiff;
use std::{env, fs, path::PathBuf};

use crate::matrix;

/// The variable under which [`the_policy_matrix_is_the_committed_one`] writes its file instead of comparing it.
const REFRESH: &str = "ROOTSTOCK_REFRESH";

#[test]
fn the_graphql_schema_is_the_committed_one() {
    holds("schema.graphql", &graphql::sdl(&catalog()).expect("a schema"));
}

#[test]
fn the_openapi_document_is_the_committed_one() {
    let document = rest::openapi::document(&catalog());
    holds("openapi.json", &(serde_json::to_string_pretty(&document).expect("JSON") + "\n"));
}

#[test]
fn the_policy_matrix_is_the_committed_one() {
    let matrix = matrix::matrix(&catalog());
    if env::var_os(REFRESH).is_some() {
        fs::write(path(matrix::FILE), &matrix).expect("the matrix is written");
    }
    holds(matrix::FILE, &matrix);
}

fn catalog() -> Catalog {
    entities::resources().build().expect("the catalogue of the shipped resources")
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn holds(name: &str, printed: &str) {
    let committed = fs::read_to_string(path(name)).unwrap_or_default();
    if committed != printed {
        let diff = TextDiff::from_lines(committed.as_str(), printed);
        panic!(
            "{name} is stale. Run `make schema`, read the difference as a reviewer would, and commit it.\n{}",
            diff.unified_diff().header("committed", "printed today")
        );
    }
}
