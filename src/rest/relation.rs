//! Which relation an embedded name means: that of the relation, of the table at its other end, or of its foreign key.
//!
//! In: an item of a `select` as it is written. Out: the one [`Relation`] of the resource, or the error that tells which
//! there are.

use super::select::Embed;
use crate::{
    catalog::{Cardinality, Catalog, Relation, Resource},
    error::{Error, Kind, Result, nearest},
};
use serde_json::{Value, json};

/// The relation that is embedded.
///
/// # Errors
/// `PGRST200` where there is none, `PGRST201` where there are several.
pub(super) fn resolve<'r>(catalog: &'r Catalog, resource: &'r Resource, embed: &Embed) -> Result<&'r Relation> {
    let ends = |relation: &'r Relation| Ends { resource, target: catalog.at(relation.target), relation };
    let named = |ends: &Ends<'_>| match &embed.hint {
        // The name of a relation is its alone.
        None if resource.relation(&embed.name).is_some() => ends.relation.name == embed.name,
        None => ends.is_named(&embed.name),
        Some(hint) => ends.is_named(&embed.name) && ends.is_hinted(hint),
    };
    let found: Vec<_> = resource.relations.iter().map(ends).filter(named).collect();
    match found.as_slice() {
        [] => Err(none(catalog, resource, embed)),
        [only] => Ok(only.relation),
        several => Err(ambiguous(resource, &embed.name, several)),
    }
}

/// A relation with the resources at its ends.
struct Ends<'r> {
    resource: &'r Resource,
    target: &'r Resource,
    relation: &'r Relation,
}

impl Ends<'_> {
    /// The table and the column that refer to the other end, and the column there.
    fn foreign_key(&self) -> (&str, &str, &str) {
        let local = self.resource.columns[self.relation.local].name.as_str();
        let foreign = self.target.columns[self.relation.foreign].name.as_str();
        match self.relation.cardinality {
            Cardinality::One => (&self.resource.name, local, foreign),
            Cardinality::Many => (&self.target.name, foreign, local),
        }
    }

    fn constraint(&self) -> String {
        let (table, column, _) = self.foreign_key();
        format!("{table}_{column}_fkey")
    }

    fn is_named(&self, name: &str) -> bool {
        let to_one = self.relation.cardinality == Cardinality::One;
        // A table that refers to itself is by its name what refers to the row, and by its column what the row refers to.
        let by_table = self.target.name == name && !(to_one && self.target.name == self.resource.name);
        let by_column = to_one && self.foreign_key().1 == name;
        self.relation.name == name || by_table || by_column || self.constraint() == name
    }

    fn is_hinted(&self, hint: &str) -> bool {
        let (_, column, key) = self.foreign_key();
        [self.relation.name.as_str(), column, key].contains(&hint) || self.constraint() == hint
    }

    /// The relation as an error lists it.
    fn listed(&self) -> Value {
        let (table, column, key) = self.foreign_key();
        let (cardinality, referred) = match self.relation.cardinality {
            Cardinality::One => ("many-to-one", &self.target.name),
            Cardinality::Many => ("one-to-many", &self.resource.name),
        };
        let relationship = match self.relation.cardinality {
            Cardinality::One => format!("{} using {table}({column}) and {referred}({key})", self.constraint()),
            Cardinality::Many => format!("{} using {referred}({key}) and {table}({column})", self.constraint()),
        };
        json!({
            "cardinality": cardinality,
            "embedding": format!("{} with {}", self.resource.name, self.target.name),
            "relationship": relationship,
        })
    }
}

fn none(catalog: &Catalog, resource: &Resource, embed: &Embed) -> Error {
    let (parent, name) = (&resource.name, &embed.name);
    let hinted = embed.hint.as_ref().map_or_else(String::new, |hint| format!(" using the hint '{hint}'"));
    let error = Error::bad_request(format!(
        "Could not find a relationship between '{parent}' and '{name}' in the schema cache"
    ))
    .code("PGRST200")
    .details(format!(
        "Searched for a foreign key relationship between '{parent}' and '{name}'{hinted} in the schema 'public', but no \
         matches were found."
    ));
    let names: Vec<&str> = resource
        .relations
        .iter()
        .flat_map(|relation| [relation.name.as_str(), catalog.at(relation.target).name.as_str()])
        .collect();
    match nearest(name, names.iter().copied()) {
        Some(near) if near != name => error.hint(format!("Perhaps you meant '{near}' instead of '{name}'.")),
        _ if names.is_empty() => error,
        _ => {
            let relations: Vec<_> = resource.relations.iter().map(|one| format!("'{}'", one.name)).collect();
            error.hint(format!("The relations of '{parent}' are {}", relations.join(", ")))
        }
    }
}

fn ambiguous(resource: &Resource, name: &str, found: &[Ends<'_>]) -> Error {
    let hints: Vec<_> = found.iter().map(|ends| format!("'{name}!{}'", ends.relation.name)).collect();
    let message =
        format!("Could not embed because more than one relationship was found for '{}' and '{name}'", resource.name);
    Error::new(Kind::Ambiguous, message).list(found.iter().map(Ends::listed).collect()).hint(format!(
        "Try changing '{name}' to one of the following: {}. Find the desired relationship in the 'details' key.",
        hints.join(", ")
    ))
}
