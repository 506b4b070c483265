//! Reads: what each protocol answers to a random request is what the model says, to the byte.

use super::{
    FEATURES,
    answer::object,
    ask::Ask,
    graphql::document,
    random::Random,
    request::Root,
    run::{Stage, caller, cases, difference, stage},
    view::View,
};
use crate::support::Dialect;

const CASES: u64 = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graphql_answers_as_the_model_on_sqlite() {
    cases(&stage(Dialect::Sqlite).await, CASES, graphql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graphql_answers_as_the_model_on_postgresql() {
    cases(&stage(Dialect::Postgres).await, CASES, graphql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rest_answers_as_the_model_on_sqlite() {
    cases(&stage(Dialect::Sqlite).await, CASES, rest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rest_answers_as_the_model_on_postgresql() {
    cases(&stage(Dialect::Postgres).await, CASES, rest).await;
}

/// A document of a few fields.
async fn graphql(stage: Stage, number: u64) -> Result<(), String> {
    let mut random = Random::of(stage.seed, number);
    let view = View { world: &stage.world, caller: caller(&mut random) };
    let count = if FEATURES.together { 1 + random.below(3) } else { 1 };
    let mut ask = Ask { world: &stage.world, random: &mut random, rest: false };
    let roots: Vec<(String, Root)> = (0..count).map(|at| (format!("r{at}"), ask.root())).collect();
    let document = document(&roots, &mut random);
    let expected: Option<Vec<_>> = roots.iter().map(|(name, root)| Some((name.clone(), view.root(root)?))).collect();
    let body =
        format!(r#"{{"query":{},"variables":{}}}"#, serde_json::Value::from(&*document.text), document.variables);
    let answer = stage.server.text(view.caller, "POST", "/graphql", "application/json", &body).await;
    let shown = format!("{:?}: {}\n{}", view.caller, document.text, document.variables);
    let Some(expected) = expected else {
        let codes: Vec<_> = answer.errors().iter().map(|error| error["extensions"]["code"].clone()).collect();
        let told = !codes.is_empty() && codes.iter().all(|code| code == "UNAUTHENTICATED");
        return if told { Ok(()) } else { Err(format!("{shown}\nis not refused: {}", answer.text)) };
    };
    let expected = format!(r#"{{"data":{}}}"#, object(expected));
    if answer.text == expected { Ok(()) } else { Err(format!("{shown}\n{}", difference(&expected, &answer.text))) }
}

/// The list of a URL.
async fn rest(stage: Stage, number: u64) -> Result<(), String> {
    let mut random = Random::of(stage.seed, number);
    let view = View { world: &stage.world, caller: caller(&mut random) };
    let call = Ask { world: &stage.world, random: &mut random, rest: true }.call();
    let path = call.path();
    let answer = stage.server.get(view.caller, &path).await;
    let shown = format!("{:?}: {path}", view.caller);
    let Some((expected, rows)) = call.answer(&view) else {
        return if answer.status == 401 { Ok(()) } else { Err(format!("{shown}\nis not refused: {}", answer.text)) };
    };
    if answer.text != expected {
        return Err(format!("{shown}\n{}", difference(&expected, &answer.text)));
    }
    let first = call.list.page.offset;
    let range = if rows == 0 { "*/*".to_owned() } else { format!("{first}-{}/*", first + rows - 1) };
    let found = answer.header("content-range");
    if found == range { Ok(()) } else { Err(format!("{shown}\nContent-Range is {found} instead of {range}")) }
}
