//! What a session of PostgreSQL is set to, so that a statement means the same whoever used the session before.
//!
//! In: the configuration. Out: the options of a session's start; or, behind a pooler in transaction mode, which refuses
//! those and hands each transaction another session, what every transaction sets for itself.

use crate::config::DatabaseConfig;
use std::{borrow::Cow, sync::Arc};

/// What is set, and for how long.
#[derive(Debug, Clone)]
pub(super) enum Settings {
    /// For the session: by its start-up packet, so that it costs no round trip.
    Session(String),
    /// For one transaction: the statements behind its `begin`. Nothing of it is left to the session's next user.
    Transaction(Arc<str>),
}

impl Settings {
    pub(super) fn new(config: &DatabaseConfig) -> Self {
        let timeout = config.statement_timeout.as_millis();
        // UTC: a timestamp without a zone means UTC.
        if config.prepared_statements {
            Self::Session(format!("-c statement_timeout={timeout} -c timezone=UTC"))
        } else {
            Self::Transaction(format!("; set local statement_timeout = {timeout}; set local timezone = 'UTC'").into())
        }
    }

    /// The options of a session's start.
    pub(super) fn options(&self) -> Option<&str> {
        match self {
            Self::Session(options) => Some(options),
            Self::Transaction(_) => None,
        }
    }

    /// Whether they last as long as the session does.
    pub(super) const fn last(&self) -> bool {
        matches!(self, Self::Session(_))
    }

    /// `begin`, the statement that begins a transaction, with what the transaction sets.
    pub(super) fn begin<'b>(&self, begin: &'b str) -> Cow<'b, str> {
        match self {
            Self::Session(_) => Cow::Borrowed(begin),
            Self::Transaction(local) => Cow::Owned(format!("{begin}{local}")),
        }
    }
}
