//! What is measured: one entry a workload, with its request to each door.
//!
//! To add one: an entry here, and a route in each of the two files of [`handwritten`](crate::handwritten).

use crate::{Outcome, client::Request};
use serde_json::{Value, json};

/// Which rows a workload needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// The four trees.
    Four,
    /// 100,000 trees, and as many expenses of 100 users.
    Many,
}

/// Who asks. What the one writes must not lie in the way of what the other reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// A request without a token.
    Nobody,
    Reader,
    Writer,
}

/// By which way a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    /// The server that can do this and nothing else.
    HandWritten,
    Rest,
    GraphQl,
}

impl Door {
    pub(crate) const ALL: [Self; 3] = [Self::HandWritten, Self::Rest, Self::GraphQl];
}

/// A kind of request.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) data: Data,
    pub(crate) caller: Caller,
    /// Values that take turns, so that nothing can be kept that depends on one of them.
    values: &'static [&'static str],
    handwritten: fn(&str) -> Request,
    rest: fn(&str) -> Request,
    graphql: &'static str,
    /// The variables, by the value.
    variables: fn(&str) -> Value,
}

pub(crate) const WORKLOADS: [Workload; 5] = [
    Workload {
        name: "W1",
        what: "four trees",
        data: Data::Four,
        caller: Caller::Nobody,
        values: &[""],
        handwritten: |_| Request::get("/trees".to_owned()),
        rest: |_| Request::get("/trees".to_owned()),
        graphql: "{ trees { nodes { id name species } } }",
        variables: |_| Value::Null,
    },
    Workload {
        name: "W2",
        what: "20 of 100,000 trees, by species",
        data: Data::Many,
        caller: Caller::Nobody,
        values: &["Quercus%20robur", "Acer%20campestre", "Ginkgo%20biloba", "Olea%20europaea"],
        handwritten: |species| Request::get(format!("/trees/by-species?species={species}")),
        rest: |species| Request::get(format!("/trees?species=eq.{species}&order=id.desc&limit=20")),
        graphql: "query ($species: String!) {
            trees(filter: {species: {eq: $species}}, orderBy: [{id: DESC}], first: 20) { nodes { id name species } }
        }",
        variables: |species| json!({ "species": species.replace("%20", " ") }),
    },
    Workload {
        name: "W3",
        what: "the caller's 20 newest expenses of a category",
        data: Data::Many,
        caller: Caller::Reader,
        values: &["Groceries", "Transport", "Health", "Leisure"],
        handwritten: |category| Request::get(format!("/expenses?category={category}")),
        rest: |category| {
            let select = "select=id,title,amount,currency,category,spent_on";
            Request::get(format!("/expenses?{select}&category=eq.{category}&order=spent_on.desc&limit=20"))
        },
        graphql: "query ($category: String!) {
            expenses(filter: {category: {eq: $category}}, orderBy: [{spentOn: DESC}], first: 20) {
                nodes { id title amount currency category spentOn }
            }
        }",
        variables: |category| json!({ "category": category }),
    },
    Workload {
        name: "W6",
        what: "an expense is created",
        data: Data::Many,
        caller: Caller::Writer,
        values: &["Groceries", "Transport"],
        handwritten: |category| Request::post("/expenses".to_owned(), &expense(category)),
        rest: |category| Request::post("/expenses?select=title,amount,category".to_owned(), &expense(category)),
        graphql: "mutation ($input: CreateExpenseInput!) { createExpense(input: $input) { title amount category } }",
        variables: |category| {
            let (title, spent_on) = ("Weekly groceries", "2025-11-02");
            json!({ "input": { "title": title, "amount": "45.58", "category": category, "spentOn": spent_on } })
        },
    },
    Workload {
        name: "W8",
        what: "1,000 trees",
        data: Data::Many,
        caller: Caller::Nobody,
        values: &[""],
        handwritten: |_| Request::get("/trees/first-thousand".to_owned()),
        rest: |_| Request::get("/trees?order=id&limit=1000".to_owned()),
        graphql: "{ trees(orderBy: [{id: ASC}], first: 1000) { nodes { id name species } } }",
        variables: |_| Value::Null,
    },
];

fn expense(category: &str) -> Value {
    json!({ "title": "Weekly groceries", "amount": 45.58, "category": category, "spent_on": "2025-11-02" })
}

impl Workload {
    /// The requests to a door, which take turns; `token` says who asks, if it is not empty.
    pub(crate) fn requests(&self, door: Door, token: &str) -> Vec<Vec<u8>> {
        let requests = self.values.iter().map(|value| match door {
            Door::HandWritten => (self.handwritten)(value),
            Door::Rest => (self.rest)(value),
            Door::GraphQl => {
                let body = json!({ "query": self.graphql, "variables": (self.variables)(value) });
                Request::post("/graphql".to_owned(), &body)
            }
        });
        requests.map(|request| request.into_bytes(token)).collect()
    }
}

/// What an answer tells, row by row, whatever its names, its frame and whether a number is in quotes.
pub(crate) fn rows(answer: &[u8]) -> Outcome<Vec<Vec<String>>> {
    let mut answer: Value = serde_json::from_slice(answer)?;
    if let Some(data) = answer.get_mut("data").and_then(Value::as_object_mut) {
        answer = data.values_mut().next().map(Value::take).unwrap_or_default();
        if let Some(nodes) = answer.get_mut("nodes") {
            answer = nodes.take();
        }
    }
    let list = if let Value::Array(list) = answer { list } else { vec![answer] };
    // An amount is a number in REST and a string in GraphQL, with zeros that a parsed number has lost.
    let text = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse::<f64>().map_or(text, |number| number.to_string())
    };
    let row = |row: &Value| Some(row.as_object()?.values().map(text).collect());
    let rows: Option<Vec<_>> = list.iter().map(row).collect();
    rows.filter(|rows| !rows.is_empty()).ok_or_else(|| "an answer without rows".into())
}
