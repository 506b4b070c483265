//! What a test may want of a hot standby: that it has caught up, or that it has not.

use super::cluster::Cluster;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long it may take to catch up.
const PATIENCE: Duration = Duration::from_secs(30);

impl Cluster {
    /// Waits until this standby shows all that `primary` has written so far.
    pub(crate) async fn wait_for_replay(&self, primary: &Self) {
        let written = primary.query("select pg_current_wal_insert_lsn()").await.remove(0).remove(0);
        // What has not been flushed would be sent late.
        primary.execute("select pg_switch_wal()").await;
        let replayed = format!("select pg_last_wal_replay_lsn() >= '{written}'");
        let since = Instant::now();
        while self.query(&replayed).await != [["t"]] {
            assert!(since.elapsed() < PATIENCE, "the standby does not catch up");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// From now on this standby shows what it has shown, however much its primary writes.
    pub(crate) async fn pause_replay(&self) {
        self.execute("select pg_wal_replay_pause()").await;
        let since = Instant::now();
        while self.query("select pg_get_wal_replay_pause_state()").await != [["paused"]] {
            assert!(since.elapsed() < PATIENCE, "the replay does not pause");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// This standby goes on.
    pub(crate) async fn resume_replay(&self) {
        self.execute("select pg_wal_replay_resume()").await;
    }
}
