//! What it costs to find a plan that is there: `Engine::prepare`, in this process, in a loop.

use crate::{
    Outcome, config,
    variant::{median, verdict},
    workload::Workload,
};
use rootstock::{
    app,
    catalog::scalar::Style,
    engine::{authorize::Who, plan::Bounds},
    entities,
    graphql::Operation,
};
use std::{hint::black_box, path::Path, time::Instant};

/// How many times a plan is looked up at a stretch.
const TIMES: u32 = 20_000;
/// The goal, in nanoseconds.
const GOAL: f64 = 1_000.0;

/// Prints a table with a line for each workload, asked by GraphQL.
pub(crate) async fn measure(directory: &Path, workloads: &[&Workload], rounds: usize) -> Outcome {
    println!("\nTime to find a plan in the cache\n");
    println!("| request | time | goal |");
    println!("|---|---:|---:|");
    // Nothing is asked of the database: plans need the catalogue alone.
    let url = format!("sqlite://{}?mode=rwc", directory.join("plans.db").display());
    let app = app::build(&config(&url)?, entities::resources().build()?).await?;
    let (bounds, who) =
        (Bounds { default_page: 20, max_page: 1000 }, Who { role: "user".to_owned(), authenticated: true });
    for workload in workloads {
        let variables = workload.first_variables();
        let operation = Operation { query: workload.graphql, variables: variables.as_deref(), ..Operation::default() };
        let questions = app.graphql.questions(&operation).map_err(|error| format!("{}: {error}", workload.name))?;
        let (question, _) = questions.first().ok_or("a document that asks nothing")?;
        // A question that only an editor may ask has no plan for a user.
        app.engine.prepare(question, Style::GraphQl, bounds, &who)?;
        let nanos = (0..rounds).map(|_| {
            let began = Instant::now();
            for _ in 0..TIMES {
                drop(black_box(app.engine.prepare(black_box(question), Style::GraphQl, bounds, &who)));
            }
            began.elapsed().as_nanos() as f64 / f64::from(TIMES)
        });
        let nanos = median(nanos);
        println!("| {} {} | {nanos:.0} ns | < {GOAL} ns {} |", workload.name, workload.what, verdict(nanos < GOAL));
    }
    Ok(())
}
