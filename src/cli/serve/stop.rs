//! The signals that tell the program to stop.
//!
//! In: SIGTERM, of service managers; SIGINT, of a person at the terminal; SIGHUP, when that terminal goes away. Out: that
//! one of them came.

use rootstock::error::{Error, Result};

/// The signals, heard from the moment on when this is made.
pub(super) struct Stop {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Stop {
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::terminate(), SignalKind::interrupt()];
        // Who was started by nohup is to outlive the terminal.
        if is_ignored(SignalKind::hangup()) == Some(false) {
            kinds.push(SignalKind::hangup());
        }
        let signals = kinds.into_iter().map(signal).collect::<Result<_, _>>().map_err(Error::internal)?;
        Ok(Self { signals })
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next of them.
    #[cfg(unix)]
    pub(super) async fn requested(&mut self) {
        std::future::poll_fn(|context| {
            let came = self.signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if came { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }

    #[cfg(not(unix))]
    pub(super) async fn requested(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Whether whoever started the program has it ignore a signal, as Linux tells. Elsewhere it is not known.
#[cfg(unix)]
fn is_ignored(signal: tokio::signal::unix::SignalKind) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
    Some(ignored >> (signal.as_raw_value() - 1) & 1 == 1)
}
