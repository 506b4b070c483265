//! The cluster that the other tests break: that its faults are the ones which it says.

use crate::support::cluster::{Cluster, Mode};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::NoTls;

#[tokio::test]
async fn a_cluster_can_be_stopped_stalled_and_cut_off() {
    let cluster = Cluster::start(&[("fsync", "off")]).await;
    assert!(cluster.url("postgres").contains(&format!(":{}/", cluster.port())));
    cluster.execute("create table t (n integer); insert into t values (1), (null)").await;
    let (client, connection) = tokio_postgres::connect(&cluster.url("postgres"), NoTls).await.expect("a connection");
    tokio::spawn(connection);

    cluster.pause().await;
    let stalled = timeout(Duration::from_millis(300), client.batch_execute("insert into t values (2)")).await;
    assert!(stalled.is_err(), "{stalled:?}");
    cluster.resume().await;
    client.batch_execute("insert into t values (3)").await.expect("it goes on");
    let rows = cluster.query("select n from t order by n").await;
    assert_eq!(rows, [["1"], ["2"], ["3"], [""]], "what was sent to a server that stalls happens later");

    assert_eq!(cluster.terminate_backends().await, 1);
    client.batch_execute("select 1").await.expect_err("it was cut off");

    for mode in [Mode::Fast, Mode::Immediate] {
        cluster.stop(mode).await;
        tokio_postgres::connect(&cluster.url("postgres"), NoTls).await.err().expect("nobody is there");
        cluster.start_again().await;
        assert_eq!(cluster.query("select count(*) from t").await, [["4"]], "{mode:?}");
    }

    let directory = cluster.directory().to_owned();
    cluster.pause().await;
    drop(cluster);
    assert!(!directory.exists(), "a cluster that stalls is removed as well");
}
