//! What a question about the schema may cost: the schema refers to itself, so that few words can ask for very much.
//!
//! In: an introspection field. Out: nothing, or the error of the limit. The standard introspection query always passes.

use crate::error::{Error, Kind, Result};
use async_graphql_parser::types::{ExecutableDocument, Selection, SelectionSet};

/// How often a list of the schema is taken to repeat what is below it.
const LIST: u64 = 10;
/// What a question may cost. The standard query costs about a third.
const LIMIT: u64 = 100_000;

/// The fields of the introspection types that are lists (GraphQL specification, section 4.2).
const LISTS: [&str; 8] =
    ["args", "directives", "enumValues", "fields", "inputFields", "interfaces", "possibleTypes", "types"];

/// Refuses an introspection field whose answer could be very large.
pub(super) fn limit(document: &ExecutableDocument, set: &SelectionSet) -> Result<()> {
    add(document, set, 1, &mut 0)
}

/// Validation has bounded how deep the selections are nested, and found their fragments to be without cycles.
fn add(document: &ExecutableDocument, set: &SelectionSet, times: u64, cost: &mut u64) -> Result<()> {
    for item in &set.items {
        let (nested, times) = match &item.node {
            Selection::Field(field) => {
                *cost = cost.saturating_add(times);
                let list = LISTS.contains(&field.node.name.node.as_str());
                (&field.node.selection_set.node, if list { times.saturating_mul(LIST) } else { times })
            }
            Selection::InlineFragment(fragment) => (&fragment.node.selection_set.node, times),
            Selection::FragmentSpread(spread) => match document.fragments.get(&spread.node.fragment_name.node) {
                Some(fragment) => {
                    // A spread costs by itself: fragments that spread fragments multiply without a field between.
                    *cost = cost.saturating_add(1);
                    (&fragment.node.selection_set.node, times)
                }
                None => continue,
            },
        };
        if *cost > LIMIT {
            return Err(Error::new(Kind::CostLimit, "The question about the schema is too large")
                .hint("Ask for less at a time; the standard introspection query is not too large"));
        }
        add(document, nested, times, cost)?;
    }
    Ok(())
}
