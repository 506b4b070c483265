//! What happens when things break: real servers, real databases, and faults between them.

mod clusters;
mod conflicts;
mod crash;
mod instances;
mod migrating;
mod outages;
mod pooler;
mod pools;
mod read_only;
mod replica;
mod shutdown;
mod stalls;
mod start;

use crate::support::{Caller::*, Server, Setup, cluster::Cluster};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a server may take to be ready again.
const SOON: Duration = Duration::from_secs(5);

/// A cluster without durability, and a server over it.
async fn pair(setup: Setup) -> (Cluster, Server) {
    let cluster = Cluster::start(&[("fsync", "off"), ("deadlock_timeout", "50ms")]).await;
    let server = Server::over(&cluster.url("postgres"), setup).await;
    (cluster, server)
}

/// Waits until a server says that it is ready, which must be soon.
async fn ready(server: &Server) {
    let ready = async {
        while server.get(Anonymous, "/readyz").await.status != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, ready).await.expect("the server is ready soon");
}

/// A new tree.
fn tree(name: &str) -> Value {
    json!({ "name": name, "species": "Taxus" })
}

/// A mutation that makes one.
fn mutation(name: &str) -> String {
    format!(r#"mutation {{ createTree(input: {{ name: "{name}", species: "Taxus" }}) {{ id }} }}"#)
}

/// The names of the trees that tests have made.
async fn made(cluster: &Cluster) -> Vec<String> {
    let rows = cluster.query("select name from trees where species = 'Taxus' order by name").await;
    rows.into_iter().flatten().collect()
}
