//! A workload on one database, through its doors: what a request costs, and how it is told.

use crate::{
    Outcome,
    client::Target,
    place::Place,
    server::{Server, cpu_time},
    workload::{self, Door, Workload},
};
use std::{collections::HashMap, time::Duration};

/// How long a turn is.
const TURN: Duration = Duration::from_millis(350);
/// How long requests are sent before the first turn: then caches are warm, all connections open, statements prepared.
const WARM_UP: Duration = Duration::from_millis(150);
/// How many requests are under way at a time.
const CONNECTIONS: usize = 4;

/// A workload on one database.
pub(crate) struct Variant<'b> {
    pub(crate) workload: &'b Workload,
    pub(crate) place: &'b Place,
    doors: Vec<(Door, &'b Server, Target)>,
    /// Processes whose time is counted with the server's.
    beside: Vec<u32>,
    /// CPU time a request, by door and round.
    costs: HashMap<Door, Vec<f64>>,
}

impl<'b> Variant<'b> {
    /// Asks every door and compares the answers, so that what is measured is the same work.
    pub(crate) async fn new(workload: &'b Workload, place: &'b Place) -> Outcome<Self> {
        let (mut doors, mut expected) = (Vec::new(), None);
        let token = place.token(workload.caller)?;
        for door in Door::ALL {
            let server = if door == Door::HandWritten { &place.handwritten } else { &place.app };
            let requests = workload.requests(door, token);
            if requests.is_empty() {
                continue;
            }
            let wrong = |what: String| format!("{} on {}, {door:?}: {what}", workload.name, place.database);
            let mut target = Target::connect(server.port, requests, CONNECTIONS).await?;
            let answer = target.ask().await.map_err(|error| wrong(error.to_string()))?;
            let told = workload::told(&answer)?;
            let expected = expected.get_or_insert_with(|| told.clone());
            if *expected != told {
                let different = told.iter().zip(expected.iter()).find(|(told, expected)| told != expected);
                return Err(wrong(format!("told and expected are {different:?}")).into());
            }
            target.load(WARM_UP).await?;
            doors.push((door, server, target));
        }
        Ok(Self { workload, place, doors, beside: Vec::new(), costs: HashMap::new() })
    }

    /// With the time of the database's own processes.
    pub(crate) async fn with_database(mut self) -> Outcome<Self> {
        self.beside = self.place.backends().await?;
        Ok(self)
    }

    /// Gives every door its turn.
    pub(crate) async fn turn(&mut self) -> Outcome {
        for (door, server, target) in &mut self.doors {
            let processes: Vec<u32> = self.beside.iter().copied().chain([server.id()]).collect();
            let before = cpu_time(&processes)?;
            let requests = target.load(TURN).await?;
            let spent = cpu_time(&processes)?.since(&before);
            self.costs.entry(*door).or_default().push(spent.as_secs_f64() * 1e6 / f64::from(requests.max(1)));
        }
        Ok(())
    }

    /// What a request to a door costs, in microseconds; none if there is no such door.
    pub(crate) fn cost(&self, door: Door) -> Option<f64> {
        self.costs.get(&door).map(|costs| median(costs.iter().copied()))
    }

    /// How many times the cost of another request this one costs. Of the same round: both met the machine in the same
    /// state.
    pub(crate) fn ratio(&self, door: Door, to: &Self, of: Door) -> Option<f64> {
        let pairs = self.costs.get(&door)?.iter().zip(to.costs.get(&of)?);
        Some(median(pairs.map(|(cost, limit)| cost / limit)))
    }

    /// The cells of a table: by hand, and each protocol with its ratio.
    pub(crate) fn cells(&self) -> String {
        let cost =
            |door| self.cost(door).map_or("–".to_owned(), |micros| format!("{micros:.1} µs ({:.0}/s)", 1e6 / micros));
        let ratio =
            |door| self.ratio(door, self, Door::HandWritten).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let [by_hand, rest, graphql] = Door::ALL.map(cost);
        format!("{by_hand} | {rest} | {} | {graphql} | {}", ratio(Door::Rest), ratio(Door::GraphQl))
    }

    /// The goal, and whether both protocols hold it; goals are for PostgreSQL.
    pub(crate) fn goal(&self) -> String {
        match self.workload.goal.filter(|_| self.place.database == "PostgreSQL") {
            Some(goal) => {
                let ratios = [Door::Rest, Door::GraphQl].map(|door| self.ratio(door, self, Door::HandWritten));
                format!("≤ {goal} {}", verdict(ratios.into_iter().flatten().all(|ratio| ratio <= goal)))
            }
            None => "–".to_owned(),
        }
    }
}

/// Whether a goal is reached, in a word.
pub(crate) const fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "missed" }
}

/// The number in the middle.
pub(crate) fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
