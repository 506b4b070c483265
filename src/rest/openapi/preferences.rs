//! The header `Prefer`, as each kind of request has it.
//!
//! In: the words of preferences. Out: one parameter a kind of request, which says what there is to prefer.

use crate::rest::prefer::{Count, Missing, Resolution, Return, Tx};
use serde_json::{Value, json};

/// The name of GraphQL's.
pub(super) const OF_GRAPHQL: &str = "PreferOfGraphQL";

/// The shared parameters.
pub(super) fn components() -> impl Iterator<Item = (String, Value)> {
    let or = |name: &str, values: &[&str]| {
        let values: Vec<_> = values.iter().map(|value| format!("`{name}={value}`")).collect();
        values.join(", ")
    };
    let count = or("count", &[Count::Exact, Count::Planned, Count::Estimated].map(Count::word));
    let returned = or("return", &[Return::Minimal, Return::HeadersOnly, Return::Representation].map(Return::word));
    let resolution = or("resolution", &[Resolution::Merge, Resolution::Ignore].map(Resolution::word));
    let missing = or("missing", &[Missing::Default, Missing::Null].map(Missing::word));
    let undone = or("tx", &[Tx::Rollback.word()]);
    let count = format!("how many rows there are in all, in `Content-Range` ({count})");
    let returned = format!("what the answer holds ({returned})");
    let missing = format!("what `columns` names and a row does not have gets ({missing})");
    let undone = format!("whether it is told and then undone ({undone})");
    let bound = "how many rows it may touch (`handling=strict, max-affected=10`, without which there must be a filter)";
    let resolution = format!("what becomes of rows whose values are taken ({resolution})");
    let timing = "how long the stages take, in `Server-Timing` (`server-timing`)";
    let of_graphql = json!({
        "name": "Prefer",
        "in": "header",
        "description": format!("What the client prefers to be told: {timing}."),
        "schema": { "type": "string" },
    });
    let of_rows = [
        ("PreferOfList", vec![count.as_str(), timing]),
        ("PreferOfItem", vec![&returned, &undone, timing]),
        ("PreferOfCreate", vec![&returned, &resolution, &missing, &count, &undone, timing]),
        ("PreferOfChange", vec![&returned, bound, &count, &undone, timing]),
    ];
    let of_rows = of_rows.map(|(name, preferences)| (name.to_owned(), prefer(&preferences)));
    of_rows.into_iter().chain([(OF_GRAPHQL.to_owned(), of_graphql)])
}

fn prefer(preferences: &[&str]) -> Value {
    json!({
        "name": "Prefer",
        "in": "header",
        "description": format!(
            "Preferences, separated by commas: {}. With `handling=strict` one that is not known is refused.",
            preferences.join("; "),
        ),
        "schema": { "type": "string" },
    })
}
