//! Which variables decide the plan by their values, beyond their shape.
//!
//! In: a document. Out: the names of the variables that stand where a page is bounded.

use async_graphql_parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql_value::{Name, Value};

/// The variables on whose values the plan depends, and whether each is a cursor, of which only the NULLs count.
pub(in super::super) fn deciding_variables(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Vec<(Name, bool)> {
    let mut found = Vec::new();
    let sets = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    for set in sets.chain([&operation.selection_set.node]) {
        decide(set, &mut found);
    }
    found
}

fn decide(set: &SelectionSet, found: &mut Vec<(Name, bool)>) {
    for item in &set.items {
        let nested = match &item.node {
            Selection::Field(field) => {
                for (name, value) in &field.node.arguments {
                    let cursor = matches!(name.node.as_str(), "after" | "before");
                    if !cursor && !matches!(name.node.as_str(), "first" | "last" | "offset" | "atMost") {
                        continue;
                    }
                    if let Value::Variable(variable) = &value.node {
                        found.push((variable.clone(), cursor));
                    }
                }
                &field.node.selection_set.node
            }
            Selection::InlineFragment(fragment) => &fragment.node.selection_set.node,
            Selection::FragmentSpread(_) => continue,
        };
        decide(nested, found);
    }
}
