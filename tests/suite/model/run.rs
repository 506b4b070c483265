//! How cases are run: a server with the world in it, many requests at a time, and what is printed of a failure.

use std::{env, sync::Arc};

use rootstock::{
    config::Config,
    engine::database::{Dialect, Migrate},
};
use tokio::task::JoinSet;

use super::world::World;
use crate::{
    graft::species,
    support::{Caller, Server, Setup, start_with},
};

/// How many requests are under way at a time.
const AT_ONCE: u64 = 6;

/// A server whose database is the world of a seed.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) server: Arc<Server>,
    pub(super) world: Arc<World>,
    pub(super) seed: u64,
}

/// A number from the environment.
pub(super) fn told(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, and is {text}")))
}

/// Starts a server with the grafted resource, and makes its database the world.
pub(super) async fn stage(dialect: Dialect) -> Stage {
    let seed = told("ROOTSTOCK_SEED").unwrap_or(1);
    let catalog = rootstock::entities::resources().add::<species::Entity>().build().expect("a catalogue");
    // What a request may cost is not what is tried here.
    let configure = |config: &mut Config| (config.limits.max_cost, config.limits.max_depth) = (u64::MAX, 100);
    let server = start_with(dialect, Setup { catalog, configure, ..Setup::default() }).await;
    server.app.database.migrate::<species::Grafted>(Migrate::Up).await.expect("its migration");
    let world = World::of(&server, seed).await;
    server.sql(&world.sql(dialect == Dialect::Sqlite).join("; ")).await;
    Stage { server: Arc::new(server), world: Arc::new(world), seed }
}

/// Runs the cases from 0 up to a number; `case` tells what is wrong, if something is.
pub(super) async fn cases<F>(stage: &Stage, count: u64, case: impl Fn(Stage, u64) -> F + Clone + Send + 'static)
where
    F: Future<Output = Result<(), String>> + Send,
{
    let count = told("ROOTSTOCK_CASES").unwrap_or(count);
    let numbers = told("ROOTSTOCK_CASE").map_or(0..count, |only| only..only + 1);
    let mut workers = JoinSet::new();
    for worker in 0..AT_ONCE {
        let (numbers, stage, case) = (numbers.clone(), stage.clone(), case.clone());
        workers.spawn(async move {
            for number in numbers.filter(|number| number % AT_ONCE == worker) {
                if let Err(wrong) = case(stage.clone(), number).await {
                    return Some(format!("case {number}\n{wrong}"));
                }
            }
            None
        });
    }
    let failures: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    let (dialect, seed) = (stage.server.dialect, stage.seed);
    assert!(failures.is_empty(), "on {dialect:?} with ROOTSTOCK_SEED={seed}\n\n{}", failures.join("\n\n"));
}

/// What is expected, what came, and where they part.
pub(super) fn difference(expected: &str, found: &str) -> String {
    let same = expected.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        let start = text.floor_char_boundary(same.saturating_sub(60));
        text[start..text.floor_char_boundary(same + 90)].to_owned()
    };
    format!(
        "they part at byte {same}:\n  expected …{}…\n  found    …{}…\nexpected {expected:.1500}\nfound    {found:.1500}",
        around(expected),
        around(found)
    )
}

/// A caller: Ann and the admin most, since they see most.
pub(super) fn caller(random: &mut super::random::Random) -> Caller {
    use Caller::{Admin, Anonymous, Editor, Other, User};
    random.pick(&[User, User, User, Admin, Admin, Other, Editor, Anonymous])
}
