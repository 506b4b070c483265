//! Owns the indexes by which the words of names, titles and descriptions are found.

use crate::search::{Search, SearchMigration};

pub(crate) const MIGRATION: SearchMigration = SearchMigration {
    name: "m20261121_000005_search",
    searches: &[
        Search { table: "trees", key: "id", columns: &["name", "species"] },
        Search { table: "expenses", key: "id", columns: &["title", "description"] },
    ],
};
