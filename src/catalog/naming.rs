//! How names of tables and columns become names of the protocols, in one place.
//!
//! In: a table's or column's name as the database has it (`snake_case`, tables in the plural). Out: the GraphQL names.

use heck::{ToLowerCamelCase as _, ToUpperCamelCase as _};

/// Nouns whose plural is the same word.
const UNCOUNTABLE: [&str; 8] = ["species", "series", "news", "equipment", "information", "data", "media", "staff"];

/// Plurals that no rule makes.
const IRREGULAR: [(&str, &str); 6] = [
    ("people", "person"),
    ("children", "child"),
    ("men", "man"),
    ("women", "woman"),
    ("indices", "index"),
    ("statuses", "status"),
];

/// Paths that are not a resource's.
pub(super) const RESERVED_PATHS: [&str; 10] =
    ["assets", "auth", "dashboard", "docs", "graphiql", "graphql", "livez", "metrics", "openapi.json", "readyz"];

/// Types that are not a resource's, in GraphQL or OpenAPI.
pub(super) const RESERVED_TYPES: [&str; 9] =
    ["ConflictAction", "Error", "Mutation", "Node", "PageInfo", "Query", "Session", "SortOrder", "Subscription"];

/// The names under which a resource appears in GraphQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The table's name in the singular: `tree`.
    pub singular: String,
    /// The object type: `Tree`.
    pub type_name: String,
    /// The field that reads one row: `tree`.
    pub one: String,
    /// The field that reads a list: `trees`.
    pub many: String,
    /// The list as part of a type's or mutation's name: `Trees`.
    pub type_plural: String,
}

impl Names {
    /// The names of the table `table`, whose singular is `singular`, or is derived from its last word.
    pub fn of(table: &str, singular: Option<&str>) -> Self {
        let singular = singular.map_or_else(|| singularize(table), str::to_owned);
        // A word that is its own plural would name two fields alike.
        let many = if singular == table { format!("{table}_list") } else { table.to_owned() };
        Self {
            type_name: singular.to_upper_camel_case(),
            one: singular.to_lower_camel_case(),
            many: many.to_lower_camel_case(),
            type_plural: many.to_upper_camel_case(),
            singular,
        }
    }
}

/// A column's or relation's name as a GraphQL field.
pub(super) fn field(name: &str) -> String {
    name.to_lower_camel_case()
}

/// A database type's name as a GraphQL type.
pub(super) fn type_name(name: &str) -> String {
    name.to_upper_camel_case()
}

/// The singular of the last word of a table's name.
fn singularize(table: &str) -> String {
    let (head, word) = table.rfind('_').map_or(("", table), |at| table.split_at(at + 1));
    let singular = if UNCOUNTABLE.contains(&word) {
        word.to_owned()
    } else if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        (*singular).to_owned()
    } else if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        format!("{stem}y")
    } else if let Some(stem) =
        word.strip_suffix("es").filter(|stem| ["ss", "x", "z", "ch", "sh"].iter().any(|end| stem.ends_with(end)))
    {
        stem.to_owned()
    } else {
        word.strip_suffix('s').filter(|stem| !stem.ends_with('s')).unwrap_or(word).to_owned()
    };
    format!("{head}{singular}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_in_the_singular() {
        for (table, singular) in [
            ("trees", "tree"),
            ("expenses", "expense"),
            ("categories", "category"),
            ("ties", "tie"),
            ("boxes", "box"),
            ("addresses", "address"),
            ("species", "species"),
            ("user_statuses", "user_status"),
            ("people", "person"),
            ("glass", "glass"),
        ] {
            assert_eq!(singularize(table), singular, "{table}");
        }
    }

    #[test]
    fn a_word_that_is_its_own_plural_still_names_two_fields() {
        let names = Names::of("species", None);
        assert_eq!((names.one.as_str(), names.many.as_str()), ("species", "speciesList"));
    }
}
