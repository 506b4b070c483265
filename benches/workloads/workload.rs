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
    /// As many trees as were asked for, and as many expenses of up to 100 users.
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
    /// How many times the hand-written handler's cost it may be on PostgreSQL.
    pub(crate) goal: Option<f64>,
    /// Values that take turns, so that nothing can be kept that depends on one of them.
    values: &'static [&'static str],
    handwritten: fn(&str) -> Request,
    /// None where REST has no words for it.
    rest: Option<fn(&str) -> Request>,
    pub(crate) graphql: &'static str,
    /// The variables, by the value.
    variables: fn(&str) -> Value,
}

pub(crate) const WORKLOADS: [Workload; 7] = [
    Workload {
        name: "W1",
        what: "four trees",
        data: Data::Four,
        caller: Caller::Nobody,
        goal: Some(2.5),
        values: &[""],
        handwritten: |_| Request::get("/trees".to_owned()),
        rest: Some(|_| Request::get("/trees".to_owned())),
        graphql: "{ trees { nodes { id name species } } }",
        variables: |_| Value::Null,
    },
    Workload {
        name: "W2",
        what: "20 trees of a species",
        data: Data::Many,
        caller: Caller::Nobody,
        goal: Some(2.5),
        values: &["Quercus%20robur", "Acer%20campestre", "Ginkgo%20biloba", "Olea%20europaea"],
        handwritten: |species| Request::get(format!("/trees/by-species?species={species}")),
        rest: Some(|species| Request::get(format!("/trees?species=eq.{species}&order=id.desc&limit=20"))),
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
        goal: Some(2.5),
        values: &["Groceries", "Transport", "Health", "Leisure"],
        handwritten: |category| Request::get(format!("/expenses?category={category}")),
        rest: Some(|category| {
            let select = "select=id,title,amount,currency,category,spent_on";
            Request::get(format!("/expenses?{select}&category=eq.{category}&order=spent_on.desc&limit=20"))
        }),
        graphql: "query ($category: String!) {
            expenses(filter: {category: {eq: $category}}, orderBy: [{spentOn: DESC}], first: 20) {
                nodes { id title amount currency category spentOn }
            }
        }",
        variables: |category| json!({ "category": category }),
    },
    Workload {
        name: "W4",
        what: "the caller with the 20 newest expenses",
        data: Data::Many,
        caller: Caller::Reader,
        goal: Some(2.5),
        values: &[""],
        handwritten: |_| Request::get("/me".to_owned()),
        rest: Some(|_| {
            let select = "select=id,name,expenses(id,title,amount,spent_on)";
            Request::get(format!("/users?{select}&expenses.limit=20"))
        }),
        graphql: "{ me { id name expenses(first: 20) { nodes { id title amount spentOn } } } }",
        variables: |_| Value::Null,
    },
    Workload {
        name: "W5",
        what: "the caller's monthly sums by category of a year",
        data: Data::Many,
        caller: Caller::Reader,
        goal: None,
        values: &["2025-01-01", "2024-10-01"],
        handwritten: |since| Request::get(format!("/expenses/by-month?since={since}")),
        rest: Some(|since| {
            let select = "select=spent_on.month(),category,count(),amount.sum()";
            Request::get(format!("/expenses?{select}&spent_on=gte.{since}"))
        }),
        graphql: "query ($since: Date!) {
            expenses(filter: {spentOn: {gte: $since}}) {
                groups(by: [SPENT_ON_MONTH, CATEGORY]) { key { spentOnMonth category } count sum { amount } }
            }
        }",
        variables: |since| json!({ "since": since }),
    },
    Workload {
        name: "W6",
        what: "an expense is created",
        data: Data::Many,
        caller: Caller::Writer,
        goal: Some(4.0),
        values: &["Groceries", "Transport"],
        handwritten: |category| Request::post("/expenses".to_owned(), &expense(category)),
        rest: Some(|category| Request::post("/expenses?select=title,amount,category".to_owned(), &expense(category))),
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
        goal: Some(3.0),
        values: &[""],
        handwritten: |_| Request::get("/trees/first-thousand".to_owned()),
        rest: Some(|_| Request::get("/trees?order=id&limit=1000".to_owned())),
        graphql: "{ trees(orderBy: [{id: ASC}], first: 1000) { nodes { id name species } } }",
        variables: |_| Value::Null,
    },
];

fn expense(category: &str) -> Value {
    json!({ "title": "Weekly groceries", "amount": 45.58, "category": category, "spent_on": "2025-11-02" })
}

impl Workload {
    /// The requests to a door, which take turns; `token` says who asks, if it is not empty. None to a door that is not
    /// there.
    pub(crate) fn requests(&self, door: Door, token: &str) -> Vec<Vec<u8>> {
        let requests = self.values.iter().filter_map(|value| {
            Some(match door {
                Door::HandWritten => (self.handwritten)(value),
                Door::Rest => self.rest?(value),
                Door::GraphQl => {
                    let body = json!({ "query": self.graphql, "variables": (self.variables)(value) });
                    Request::post("/graphql".to_owned(), &body)
                }
            })
        });
        requests.map(|request| request.into_bytes(token)).collect()
    }

    /// The variables of the first of its requests by GraphQL, if it has any.
    pub(crate) fn first_variables(&self) -> Option<String> {
        let variables = (self.variables)(self.values[0]);
        (!variables.is_null()).then(|| variables.to_string())
    }
}

/// What an answer tells, value by value, whatever its names, its frame and whether a number is in quotes.
pub(crate) fn told(answer: &[u8]) -> Outcome<Vec<String>> {
    let mut told = Vec::new();
    gather(&serde_json::from_slice(answer)?, &mut told);
    if told.is_empty() { Err("an answer that tells nothing".into()) } else { Ok(told) }
}

fn gather(value: &Value, told: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, told)),
        Value::Object(members) => members.values().for_each(|member| gather(member, told)),
        value => {
            // An amount is a number in REST and a string in GraphQL, with zeros that a parsed number has lost.
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            told.push(text.parse::<f64>().map_or(text, |number| number.to_string()));
        }
    }
}
